"""Grammar of JUEL: what stands between `${` and `}`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import juel, juel_context, juel_methods, limits, scope
from bpmn.expressions.lexer import Tokens, tokenize, unquote
from bpmn.expressions.scope import UNKNOWN, Invocation, Name, Node, Run, constant, node

_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}
_RESERVED = frozenset({"and", "or", "not", "eq", "ne", "lt", "gt", "le", "ge", "div", "mod", "empty", "instanceof"})
#: Binary operators: how tightly they bind, and what they mean.
_BINARY: dict[str, tuple[int, Callable[[str, Run, Run], Run]]] = {
    **dict.fromkeys(("||", "or"), (1, juel.logic)),
    **dict.fromkeys(("&&", "and"), (2, juel.logic)),
    **dict.fromkeys(("==", "eq", "!=", "ne"), (3, juel.equality)),
    **dict.fromkeys(("<", "lt", "<=", "le", ">", "gt", ">=", "ge"), (4, juel.order)),
    **dict.fromkeys(("+", "-"), (5, juel.arithmetic)),
    **dict.fromkeys(("*", "/", "div", "%", "mod"), (6, juel.arithmetic)),
}
#: What Camunda 7 models write to look into JSON and XML, by the library Spin.
_SPIN = frozenset({"S", "JSON", "XML"})
_OF_SPIN = frozenset({"prop", "elements", "stringValue", "numberValue", "boolValue", "jsonPath", "value", "hasProp", "unwrap"})


class JuelParser:
    """Reads one expression and remembers what it mentions."""

    def __init__(self, source: str, offset: int = 0) -> None:
        self._tokens = Tokens(tokenize(source, offset))
        self.names: set[str] = set()
        self.calls: set[str] = set()
        self.invocations: list[Invocation] = []

    def parse(self) -> Node:
        """Read the whole source."""
        root = self._expression()
        if self._tokens.at("="):
            hint = "equality is written ==" if self._tokens.ahead(1).text != ">" else "at least is written >="
            self._tokens.refuse("an operator", hint)
        self._tokens.finish()
        return root

    def _expression(self) -> Node:
        self._tokens.enter()
        condition = self._binary(1)
        if self._tokens.accept("?"):
            yes = self._expression()
            self._tokens.expect(":")
            no = self._expression()
            condition = node(juel.choice(condition.run, yes.run, no.run), condition, yes, no)
        self._tokens.leave()
        return condition

    def _binary(self, lowest: int) -> Node:
        left = self._unary()
        while True:
            binding, make = _BINARY.get(self._tokens.current.text, (0, None))
            if make is None or binding < lowest:
                return left
            symbol = self._tokens.advance().text
            right = self._binary(binding + 1)
            left = node(make(symbol, left.run, right.run), left, right)

    def _unary(self) -> Node:
        signs: list[Callable[[Run], Run]] = []
        while self._tokens.at("!", "not", "-", "empty"):
            symbol = self._tokens.advance().text
            signs.append(juel.minus if symbol == "-" else juel.empty if symbol == "empty" else juel.negation)
        operand = self._postfix()
        for make in reversed(signs):
            written = -operand.value if make is juel.minus and isinstance(operand.value, int | float) else UNKNOWN
            operand = node(make(operand.run), operand, value=written)
        return operand

    def _postfix(self) -> Node:
        base = self._primary()
        while self._tokens.at(".", "["):
            if self._tokens.accept("["):
                key = self._expression()
                self._tokens.expect("]")
            else:
                self._tokens.advance()
                name = self._tokens.name("the name of a member")
                if self._tokens.at("("):
                    base = self._method(base, name)
                    continue
                key = constant(name)
            base = node(juel.member(base.run, key.run), base, key)
        return base

    def _method(self, base: Node, name: str) -> Node:
        if name not in juel_methods.NAMES:
            hint = (
                "for a member of a JSON value write x.a or x['a']"
                if name in _OF_SPIN
                else "known are " + ", ".join(sorted(juel_methods.NAMES))
            )
            self._tokens.refuse(f"a method that reads a value, but there is no {name}()", hint)
        arguments = self._arguments()
        self._note(name, arguments, method=True)
        return node(juel_methods.call(base.run, name, [argument.run for argument in arguments]), base, *arguments)

    def _primary(self) -> Node:
        token = self._tokens.current
        if token.kind == "number":
            self._tokens.advance()
            return constant(_number(token.text))
        if token.kind == "string":
            self._tokens.advance()
            return constant(unquote(token))
        if self._tokens.accept("("):
            inner = self._expression()
            self._tokens.expect(")")
            return inner
        if token.kind != "name" or token.text in _RESERVED:
            self._tokens.refuse("a value, a variable or a function")
        self._tokens.advance()
        if token.text in _LITERALS:
            return constant(_LITERALS[token.text])
        return self._call(token.text) if self._tokens.at("(") else self._variable(token.text)

    def _variable(self, name: str) -> Node:
        if name in juel_context.PROPERTIES:
            return self._context(name)
        if name == juel_context.USER:
            self.calls.add(name)
            return node(lambda inside: scope.call(inside, name, []))
        self.names.add(name)
        return node(juel.variable(name), value=Name(name))

    def _context(self, name: str) -> Node:
        """Read `execution.processBusinessKey`, `execution.getVariable('x')` and their like."""
        if not self._tokens.accept("."):
            self._tokens.refuse(f"{name}.…", "alone it has no value")
        member = self._tokens.name("the name of a property")
        if member in juel_context.VARIABLES and self._tokens.at("("):
            arguments = self._arguments()
            if len(arguments) != 1:
                self._tokens.refuse(f"the name of one variable in {member}()")
            return node(juel_context.VARIABLES[member](arguments[0].run), *arguments)
        wanted = juel_context.getter(member) if self._tokens.at("(") else member
        if wanted not in juel_context.PROPERTIES[name]:
            known = ", ".join(sorted({*juel_context.PROPERTIES[name], *(f"{method}(…)" for method in juel_context.VARIABLES)}))
            self._tokens.refuse(f"something that {name} has ({known}), but {member} is not", "expressions read, they change nothing")
        if self._tokens.at("("):
            self._arguments()
        self.calls.add(name)
        return node(juel_context.property_of(name, wanted))

    def _call(self, name: str) -> Node:
        if name in _SPIN:
            self._tokens.refuse(f"a function that is known, but {name}() is not", "for a member of a JSON value x write x.a or x['a']")
        self.calls.add(name)
        arguments = self._arguments()
        self._note(name, arguments)
        runs = [argument.run for argument in arguments]
        return node(lambda inside: scope.call(inside, name, [run(inside) for run in runs]), *arguments)

    def _note(self, name: str, arguments: list[Node], *, method: bool = False) -> None:
        self.invocations.append(Invocation(name, tuple(argument.value for argument in arguments), method))

    def _arguments(self) -> list[Node]:
        self._tokens.expect("(")
        arguments: list[Node] = []
        while not self._tokens.at(")"):
            arguments.append(self._expression())
            if not self._tokens.at(")"):
                self._tokens.expect(",")
        self._tokens.expect(")")
        return arguments


def _number(text: str) -> int | float:
    if text.isdigit() and len(text) <= len(str(limits.LONG)):
        return limits.long(int(text))
    value = float(text)
    if text.isdigit() or value in (float("inf"), float("-inf")):
        raise ExpressionError(f"Expected a number of at most 64 bits, but {text[:40]} is larger")
    return value
