"""Boxed expressions (DMN 1.3, chapter 7.3): logic drawn as boxes within boxes, as closures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpmn.decisions import types
from bpmn.decisions.types import Type
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression
from bpmn.expressions.closures import Closure, Parameter
from bpmn.expressions.scope import Node, Scope, node


def placed(place: str, part: Node, kind: Type | None = None) -> Node:
    """Evaluate a part: errors name its place, and the value is converted to the type of the place."""

    def run(scope: Scope) -> Any:
        try:
            return types.convert(part.run(scope), kind)
        except ExpressionError as error:
            raise ExpressionError(f"{place}: {error}") from error

    return node(run, part)


def literal(expression: Expression) -> Node:
    """Evaluate an expression."""
    return node(expression.within)


def context(entries: Sequence[tuple[str, Node]], result: Node | None) -> Node:
    """Evaluate entries in their order; each sees those before it.  The value is that of a last box without a name, or else of all."""

    def run(scope: Scope) -> Any:
        values: dict[str, Any] = {}
        inner = scope.child(values)
        for name, entry in entries:
            values[name] = entry.run(inner)
        return values if result is None else result.run(inner)

    return node(run, *(entry for _, entry in entries), *([result] if result else []))


def listing(members: Sequence[Node]) -> Node:
    """A list: boxes below one another."""
    return node(lambda scope: [member.run(scope) for member in members], *members)


def relation(columns: Sequence[str], rows: Sequence[Sequence[Node]]) -> Node:
    """A list of contexts, drawn as a grid."""

    def run(scope: Scope) -> list[dict[str, Any]]:
        return [dict(zip(columns, (cell.run(scope) for cell in row), strict=True)) for row in rows]

    return node(run, *(cell for row in rows for cell in row))


def invocation(function: Node, bindings: Mapping[str, Node]) -> Node:
    """Call a function with bindings of its parameters."""

    def run(scope: Scope) -> Any:
        found = function.run(scope)
        if not isinstance(found, Closure):
            raise ExpressionError("Expected a function to call, but the box names none")
        return found.invoke(found.arrange({name: value.run(scope) for name, value in bindings.items()}))

    return node(run, function, *bindings.values())


@dataclass(frozen=True, kw_only=True)
class KnowledgeModel:
    """A business knowledge model: a function that decisions share."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Node
    #: Knowledge models that it may call.
    requires: tuple[KnowledgeModel, ...] = ()

    def close(self, root: Scope, made: dict[str, Closure]) -> Closure:
        """Return the function.  It sees the functions that it requires, and no variables.  `made` keeps the functions that are made."""
        if self.name not in made:
            visible: dict[str, Any] = {}
            made[self.name] = Closure(name=self.name, parameters=self.parameters, body=self.body, scope=root.child(visible))
            visible[self.name] = made[self.name]
            visible |= {required.name: required.close(root, made) for required in self.requires}
        return made[self.name]


def parameter(name: str, kind: Type | None) -> Parameter:
    """Make a formal parameter."""
    return Parameter(name, _accepting(kind)) if kind else Parameter(name)


def _accepting(kind: Type) -> Callable[[Any], Any]:
    return lambda value: types.convert(value, kind)
