"""Functions as values: `function(x) …` of FEEL, and business knowledge models of DMN."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import limits, scope
from bpmn.expressions.scope import Node, Run, Scope
from bpmn.expressions.values import describe


def _as_given(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function."""

    name: str
    #: Passes an argument on, made what the parameter's type says, or raises ExpressionError.
    accept: Callable[[Any], Any] = _as_given


@dataclass(frozen=True, eq=False, kw_only=True)
class Closure:
    """A function, and what was visible where it was written."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Node
    scope: Scope

    def arrange(self, named: Mapping[str, Any]) -> list[Any]:
        """Put named arguments in order."""
        names = [parameter.name for parameter in self.parameters]
        if named.keys() != set(names):
            raise ExpressionError(f"Expected {self.name} to be given {', '.join(names) or 'nothing'}, but it is given {', '.join(named)}")
        return [named[name] for name in names]

    def invoke(self, arguments: Sequence[Any]) -> Any:
        """Call it with arguments in order."""
        if len(arguments) != len(self.parameters):
            raise ExpressionError(f"Expected {len(self.parameters)} arguments of {self.name}, but {len(arguments)} are given")
        root = self.scope.root
        root.spend(self.body.weight + sum(limits.size(argument) for argument in arguments))
        if root.calls >= limits.CALLS:
            raise ExpressionError(f"Expected at most {limits.CALLS} calls within one another, but {self.name} makes more")
        bound = {parameter.name: self._accept(parameter, value) for parameter, value in zip(self.parameters, arguments, strict=True)}
        root.calls += 1
        try:
            return self.body.run(self.scope.child(bound))
        finally:
            root.calls -= 1

    def _accept(self, parameter: Parameter, value: Any) -> Any:
        try:
            return parameter.accept(value)
        except ExpressionError as error:
            raise ExpressionError(f"{error}, as {parameter.name} of {self.name}") from error


def definition(parameters: tuple[Parameter, ...], body: Node, name: str = "the function") -> Run:
    """`function(x, y) …`."""
    return lambda inner: Closure(name=name, parameters=parameters, body=body, scope=inner)


def invocation(function: Run, arguments: Sequence[Run], keywords: Sequence[str] = ()) -> Run:
    """`f(1, 2)` or `f(x: 1, y: 2)`, where `f` is a value."""

    def run(inner: Scope) -> Any:
        found = function(inner)
        if not isinstance(found, Closure):
            raise ExpressionError(f"Expected a function to call, but it is {describe(found)}")
        given = [argument(inner) for argument in arguments]
        return found.invoke(found.arrange(dict(zip(keywords, given, strict=True))) if keywords else given)

    return run


def by_name(name: str, arguments: Sequence[Run], keywords: Sequence[str] = ()) -> Run:
    """`f(1, 2)`, where a variable of that name holds a function, or else the caller supplies one."""

    def run(inner: Scope) -> Any:
        given = [argument(inner) for argument in arguments]
        found = inner.find(name)
        if isinstance(found, Closure):
            return found.invoke(found.arrange(dict(zip(keywords, given, strict=True))) if keywords else given)
        if keywords:
            raise ExpressionError(f"Expected a function to call, but {name} is {describe(found)}")
        return scope.call(inner, name, given)

    return run
