"""Grammar of FEEL: values (literals, lists, ranges, contexts, functions, variables and calls)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from bpmn.expressions import closures, decimals, feel_forms, temporal
from bpmn.expressions.closures import Parameter
from bpmn.expressions.feel_names import RESERVED, Names
from bpmn.expressions.feel_types import NO_TYPES, Check, TypeReader
from bpmn.expressions.functions import FUNCTIONS
from bpmn.expressions.lexer import Tokens, tokenize, unquote
from bpmn.expressions.scope import Invocation, Name, Node, Run, constant, node

_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}
#: What other languages write, and what FEEL writes instead.
HINTS = {"==": "equality is written =", "&&": "write and", "||": "write or", "!": "write not(…)", "%": "write modulo(a, b)"}


class ValueParser(ABC):
    """Reads values and remembers what they mention."""

    def __init__(self, source: str, known: Iterable[str] = (), types: Mapping[str, Check] = NO_TYPES, offset: int = 0) -> None:
        self._tokens = Tokens(tokenize(source, offset, comments=True))
        self._names = Names(self._tokens, known)
        self._types = TypeReader(self._tokens, self._names, types)
        #: How many unary tests are being read within one another, and how often they asked for `?`, the tested value.
        self._testing = 0
        self._asked = 0
        self.calls: set[str] = set()
        self.invocations: list[Invocation] = []

    @property
    def names(self) -> frozenset[str]:
        """Variables that the expression reads from outside."""
        return frozenset(self._names.free)

    @abstractmethod
    def _expression(self) -> Node:
        """Read any expression; the rest of the grammar does that."""

    def _value(self) -> Node:
        """Read one value: a literal, something in brackets, a variable or a call."""
        return self._literal() or self._bracketed() or self._named()

    def _literal(self) -> Node | None:
        token = self._tokens.current
        if token.kind == "number":
            self._tokens.advance()
            return constant(decimals.number(int(token.text) if token.text.isdigit() else decimals.CONTEXT.create_decimal(token.text)))
        if token.kind == "string":
            return constant(self._string())
        if self._tokens.accept("@"):
            return constant(temporal.read_any(self._string()))
        if token.text in _LITERALS:
            self._tokens.advance()
            return constant(_LITERALS[token.text])
        return None

    def _bracketed(self) -> Node | None:
        if self._tokens.at("(", "]"):
            return self._group()
        if self._tokens.at("["):
            return self._list()
        return self._context() if self._tokens.at("{") else None

    def _string(self) -> str:
        token = self._tokens.current
        if token.kind != "string" or token.text[0] == "'":
            self._tokens.refuse("a text in double quotation marks")
        self._tokens.advance()
        return unquote(token)

    def _group(self) -> Node:
        """Read `(a)` or the open interval `(a..b]`."""
        opening = self._tokens.advance().text
        first = self._expression()
        if opening != "(" or self._tokens.at(".."):
            return self._interval(opening, first)
        self._tokens.expect(")")
        return first

    def _list(self) -> Node:
        """Read `[a, b]` or the closed interval `[a..b]`."""
        opening = self._tokens.expect("[").text
        members: list[Node] = []
        while not self._tokens.at("]"):
            members.append(self._expression())
            if self._tokens.at(".."):
                return self._interval(opening, members[0])
            if not self._tokens.at("]"):
                self._tokens.expect(",")
        self._tokens.expect("]")
        return node(feel_forms.listing([member.run for member in members]), *members)

    def _interval(self, opening: str, low: Node) -> Node:
        self._tokens.expect("..")
        high = self._expression()
        if not self._tokens.at("]", ")", "["):
            self._tokens.refuse("] or ) at the end of a range")
        closing = self._tokens.advance().text
        run = feel_forms.interval(low.run, high.run, low_closed=opening == "[", high_closed=closing == "]")
        return node(run, low, high)

    def _context(self) -> Node:
        self._tokens.expect("{")
        entries: list[tuple[str, Node]] = []
        with self._names.bound():
            while not self._tokens.at("}"):
                name = self._string() if self._tokens.current.kind == "string" else self._names.declare(":")
                self._tokens.expect(":")
                # A function may call itself; any other entry that mentions its own name means the one outside.
                if itself := self._tokens.at("function"):
                    self._names.bind(name)
                entries.append((name, self._expression()))
                if not itself:
                    self._names.bind(name)
                if not self._tokens.at("}"):
                    self._tokens.expect(",")
        self._tokens.expect("}")
        return node(feel_forms.context([(name, entry.run) for name, entry in entries]), *(entry for _, entry in entries))

    def _named(self) -> Node:
        """Read `?`, a variable, or a call."""
        if self._testing and self._tokens.accept("?"):
            self._asked += 1
            return node(feel_forms.variable("?"))
        token = self._tokens.current
        if token.kind != "name" or (token.text in RESERVED and not self._names.is_known()):
            self._tokens.refuse("a value, a name or a function", HINTS.get(token.text, ""))
        if token.text == "function" and self._tokens.ahead(1).text == "(" and not self._names.is_variable("function"):
            return self._function()
        name = self._names.read()
        return self._named_call(name) if self._tokens.at("(") else node(feel_forms.variable(self._names.use(name)), value=Name(name))

    def _named_call(self, name: str) -> Node:
        """Read what a function is given: one of FEEL, a variable that is a function, or one of the same file."""
        arguments, keywords = self._arguments()
        if not keywords and not self._names.is_variable(name):
            self.invocations.append(Invocation(name, tuple(argument.value for argument in arguments)))
        if name in FUNCTIONS and not self._names.is_bound(name):
            return node(_builtin(name, arguments, keywords), *arguments)
        if self._names.is_variable(name):
            self._names.use(name)
        else:
            self.calls.add(name)
            if keywords:
                self._tokens.refuse(f"arguments of {name} in order", "only functions of FEEL and of the same file take them by name")
        return node(closures.by_name(name, [argument.run for argument in arguments], keywords), *arguments)

    def _function(self) -> Node:
        """Read `function(x, y: number) …`."""
        self._tokens.advance()
        self._tokens.expect("(")
        parameters: list[Parameter] = []
        while not self._tokens.accept(")"):
            if parameters:
                self._tokens.expect(",")
            parameters.append(self._types.parameter())
        if self._tokens.at("external"):
            self._tokens.refuse("the body of the function", "functions in other languages are not supported")
        with self._names.bound(*(parameter.name for parameter in parameters)):
            body = self._expression()
        return node(closures.definition(tuple(parameters), body), body)

    def _call(self, function: Node) -> Node:
        """Read the arguments of a function that is a value."""
        arguments, keywords = self._arguments()
        return node(closures.invocation(function.run, [argument.run for argument in arguments], keywords), function, *arguments)

    def _arguments(self) -> tuple[list[Node], list[str]]:
        """Read `(a, b)` or `(x: a, y: b)`."""
        self._tokens.expect("(")
        arguments: list[Node] = []
        keywords: list[str] = []
        while not self._tokens.at(")"):
            if keyword := self._names.keyword():
                keywords.append(keyword)
            arguments.append(self._expression())
            if not self._tokens.at(")"):
                self._tokens.expect(",")
        if keywords and len(keywords) != len(arguments):
            self._tokens.refuse("all arguments by name, or none")
        self._tokens.expect(")")
        return arguments, keywords


def _builtin(name: str, arguments: list[Node], keywords: list[str]) -> Run:
    function = FUNCTIONS[name]
    runs = [argument.run for argument in arguments]
    if keywords:
        function.arrange(dict.fromkeys(keywords))
        return lambda inner: function.invoke(
            function.arrange({key: run(inner) for key, run in zip(keywords, runs, strict=True)}),
            inner,
        )
    function.check_count(len(runs))
    return lambda inner: function.invoke([run(inner) for run in runs], inner)
