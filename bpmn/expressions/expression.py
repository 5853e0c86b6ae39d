"""An expression of a diagram or a table: parsed once, evaluated often."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import juel, limits
from bpmn.expressions.feel_parser import FeelParser
from bpmn.expressions.feel_types import NO_TYPES, Check
from bpmn.expressions.juel_parser import JuelParser
from bpmn.expressions.lexer import narrow
from bpmn.expressions.scope import Functions, Invocation, Run, Scope
from bpmn.expressions.values import describe

NO_FUNCTIONS: Functions = MappingProxyType({})


@dataclass(frozen=True)
class Expression:
    """An expression, ready to be evaluated."""

    #: As written, with `${…}` or `=`.
    source: str
    #: juel, feel or literal.
    dialect: str
    #: Variables that it mentions (their first names only: `a` for `a.b`).
    names: frozenset[str] = frozenset()
    #: Functions that it calls and that the caller must supply (FEEL's built-in ones are not among them).
    calls: frozenset[str] = frozenset()
    #: The same and those of methods and built-in functions, with what is given to each; none where it is parsed `later`.
    invocations: tuple[Invocation, ...] = field(default=(), repr=False, compare=False)
    run: Run = field(default=lambda _: None, repr=False, compare=False)

    @property
    def alone(self) -> str | None:
        """The variable that it is and nothing else, as `${x}`: its value is handed on, and none is made."""
        if len(self.names) != 1 or self.dialect == "literal":
            return None
        (name,) = self.names
        text = self.source.strip()
        inner = text[2:-1] if self.dialect == "juel" else text.removeprefix("=")
        return name if inner.strip() == name else None

    def evaluate(self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS) -> Any:
        """Return the value; raises ExpressionError and nothing else, unless a supplied function does."""
        try:
            return self.run(Scope(variables, functions))
        except (ExpressionError, ArithmeticError, RecursionError) as error:
            raise failure(error, self.source) from error

    def within(self, scope: Scope) -> Any:
        """Return the value inside a larger evaluation, whose names it sees and whose steps it spends."""
        try:
            return self.run(scope.flat() if self.dialect == "juel" else scope)
        except (ExpressionError, ArithmeticError, RecursionError) as error:
            raise failure(error, self.source) from error

    def test(self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS) -> bool:
        """Return the value of a condition, which must be true or false."""
        value = self.evaluate(variables, functions)
        if value is True or value is False:
            return bool(value)
        raise ExpressionError(f"Expected true or false, but the condition {excerpt(self.source)} gives {describe(value)}")


def failure(error: Exception, source: str) -> ExpressionError:
    """Say what went wrong, and where."""
    said = str(error) if isinstance(error, ExpressionError) else "Expected numbers and lists within bounds, but they are too large"
    return ExpressionError(f"{said}, in {excerpt(source)}")


def excerpt(source: str) -> str:
    """Shorten a source for a message."""
    return source if len(source) <= 80 else source[:79] + "…"  # noqa: PLR2004 - a line of a message


def parse(text: str) -> Expression:
    """Read an attribute or element text as Camunda 7 does.

    Text with `${…}` or `#{…}` is JUEL (text around it concatenates), text that begins with `=` is FEEL, other text stands for itself.
    Raises ExpressionError.
    """
    if "${" in text or "#{" in text:
        return _parse_juel(text)
    if text.lstrip().startswith("="):
        return parse_feel(text[text.index("=") + 1 :], source=text)
    return Expression(text, "literal", run=lambda _: text)


def no_condition(expression: Expression) -> str | None:
    """Say why an expression is never true or false, whatever the variables hold, and what to write; None where it may be."""
    text = expression.source.strip()
    if expression.dialect == "literal":
        return f"it is {text[:60]!r}: write {_marked(text)}"
    if expression.dialect != "juel" or _is_single(text):
        return None
    whole = "".join(piece if isinstance(piece, str) else _bracketed(piece.source.strip()) for piece in _split(text))
    try:
        instead = parse(f"${{{whole}}}").source
    except ExpressionError:
        instead = "${…} around the whole"
    return f"it is {excerpt(text)!r}, which puts texts together: write {instead}"


def _marked(text: str) -> str:
    """Return a text as the expression that it would be, also with half of the marks; where it is none, say that one is wanted."""
    plain = narrow(text)
    written = [f"${{{each.removeprefix('$').removeprefix('{').removesuffix('}')}}}" for each in (text, plain)]
    for whole in (f"${{{text}}}", *([plain] if plain.startswith("=") else written)):
        try:
            return excerpt(parse(whole).source)
        except ExpressionError:
            continue
    return "an expression"


def _bracketed(source: str) -> str:
    return source if re.fullmatch(r"[\w.]+(\([^()]*\))?", source) else f"({source})"


def later(source: str, dialect: str, names: Iterable[str], calls: Iterable[str]) -> Expression:
    """Return what was parsed before: it is parsed again when it is first evaluated."""

    def run(scope: Scope) -> Any:
        parsed = parse_feel(source) if dialect == "feel" and not source.lstrip().startswith("=") else parse(source)
        object.__setattr__(found, "run", parsed.run)  # nobody sees the difference, and it costs nothing any more
        return parsed.run(scope)

    found = Expression(source, dialect, frozenset(names), frozenset(calls), run=run)
    return found


def parse_feel(text: str, names: Iterable[str] = (), *, types: Mapping[str, Check] = NO_TYPES, source: str = "") -> Expression:
    """Read a FEEL expression without its `=`.

    `names` are known variables: their names may hold spaces, operators or words of FEEL, and they may be called when they are functions.
    Other names may hold spaces, too.  `types` can be named beside those of FEEL.  Raises ExpressionError.
    """
    try:
        parser = FeelParser(text, names, types, offset=max(0, len(source) - len(text)))
        root = parser.parse()
    except (ExpressionError, ArithmeticError) as error:
        raise failure(error, source or text) from error
    return Expression(source or text, "feel", parser.names, frozenset(parser.calls), tuple(parser.invocations), root.run)


def _parse_juel(text: str) -> Expression:
    names: set[str] = set()
    calls: set[str] = set()
    invocations: list[Invocation] = []
    parts: list[Run] = []
    bare = text.strip()
    try:
        if len(text) > limits.SOURCE:
            raise ExpressionError(f"Expected an expression of at most {limits.SOURCE} characters, but it has {len(text)}")  # noqa: TRY301 - gets its source below
        for piece in _split(bare if _is_single(bare) else text):
            if isinstance(piece, str):
                parts.append(_literal(piece))
                continue
            parser = JuelParser(piece.source, piece.offset)
            parts.append(parser.parse().run)
            names |= parser.names
            calls |= parser.calls
            invocations += parser.invocations
    except ExpressionError as error:
        raise ExpressionError(f"{error}, in {excerpt(text)}") from error
    run = parts[0] if len(parts) == 1 else _concatenation(parts)
    return Expression(text, "juel", frozenset(names), frozenset(calls), tuple(invocations), run)


@dataclass(frozen=True)
class _Piece:
    """What stands between `${` and `}`."""

    source: str
    offset: int


def _is_single(text: str) -> bool:
    """Tell whether text is one `${…}` and nothing else (spaces around it do not make it a text)."""
    return text[:2] in ("${", "#{") and _closing(text, 2) == len(text) - 1


def _split(text: str) -> list[str | _Piece]:
    r"""Split text at its `${…}`; `\${` stands for `${` itself."""
    pieces: list[str | _Piece] = []
    literal = ""
    position = 0
    while position < len(text):
        if text[position] == "\\" and text[position + 1 : position + 3] in ("${", "#{"):
            literal += text[position + 1 : position + 3]
            position += 3
        elif text[position : position + 2] in ("${", "#{"):
            if literal:
                pieces.append(literal)
                literal = ""
            end = _closing(text, position + 2)
            pieces.append(_Piece(text[position + 2 : end], position + 2))
            position = end + 1
        else:
            literal += text[position]
            position += 1
    return [*pieces, literal] if literal or not pieces else pieces


def _closing(text: str, start: int) -> int:
    """Find the `}` that closes an expression, texts within it left aside."""
    quote = ""
    position = start
    while position < len(text):
        character = text[position]
        if quote and character == "\\":
            position += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "}":
            return position
        position += 1
    raise ExpressionError(f"Expected a closing }} for the expression that begins at position {start - 1}, but there is none")


def _literal(text: str) -> Run:
    return lambda _: text


def _concatenation(parts: list[Run]) -> Run:
    def run(scope: Scope) -> str:
        pieces: list[str] = []
        length = 0
        for part in parts:
            pieces.append(juel.text(part(scope)))
            length += len(pieces[-1])
            if length > limits.STRING:
                raise ExpressionError(f"Expected a text of at most {limits.STRING} characters, but the result is longer")
        return "".join(pieces)

    return run
