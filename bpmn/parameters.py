"""Parameters: what passes into an activity and out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from bpmn.expressions import Expression


@dataclass(frozen=True, kw_only=True)
class VariableMapping:
    """One `camunda:in` or `camunda:out` of a call activity or a signal."""

    #: Expression over the giving side's variables; None means all variables.
    source: Expression | None
    #: Variable of the receiving side; None together with `source=None`.
    target: str | None
    #: Written as `source="x"`: a variable that is not set passes null (an expression over it would be an error), as in Camunda 7.
    by_name: bool = False
    #: `local="true"`: what goes in is of the local variables alone, what comes out is a local variable of the call.
    local: bool = False


class HandedOn(NamedTuple):
    """A variable that was set to the very value of another one: the expression was the name of that one, and nothing else.

    A place is the number of an activation, or None for the process.
    """

    place: int | None
    name: str
    source_place: int | None
    source: str


#: What an input or output parameter holds: an expression (literals too), a list or a map of such, or nothing.
Value: TypeAlias = "Expression | tuple[Value, ...] | Mapping[str, Value] | None"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One `camunda:inputParameter` or `camunda:outputParameter`."""

    name: str
    value: Value
