"""What JUEL knows beside variables: `execution`, `task`, `externalTask` and `authenticatedUserId`, as Camunda 7 names them.

The caller supplies each as a function of that name without arguments; where one is not supplied, an expression that uses it is refused at
deployment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import scope
from bpmn.expressions.scope import Run, Scope
from bpmn.expressions.values import describe

#: Name of the person who is logged in.
USER = "authenticatedUserId"
#: What may be asked of each.
PROPERTIES: dict[str, frozenset[str]] = {
    "execution": frozenset({"processBusinessKey", "businessKey", "processDefinitionId", "tenantId"}),
    "task": frozenset({"id", "name", "assignee", "priority", "dueDate", "taskDefinitionKey"}),
    "externalTask": frozenset(
        {"id", "topicName", "workerId", "activityId", "processInstanceId", "processDefinitionKey", "businessKey", "retries", "priority"}
        | {"errorMessage", "errorDetails"}
    ),
}


def getter(method: str) -> str:
    """Return the property that a Java getter reads: `processBusinessKey` of `getProcessBusinessKey`."""
    return method[3:4].lower() + method[4:] if method.startswith("get") else ""


def property_of(name: str, member: str) -> Run:
    """`execution.processBusinessKey`."""

    def run(inner: Scope) -> Any:
        found = scope.call(inner, name, [])
        if member in found:
            return found[member]
        raise ExpressionError(f"Expected to know {name}.{member}, but it is not known here")

    return run


def _name(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ExpressionError(f"Expected the name of a variable, but it is {describe(value)}")


def _get(name: Run) -> Run:
    """`execution.getVariable('x')`: null when there is none."""
    return lambda inner: inner.variables.get(_name(name(inner)))


def _has(name: Run) -> Run:
    """`execution.hasVariable('x')`."""
    return lambda inner: _name(name(inner)) in inner.variables


VARIABLES: dict[str, Callable[[Run], Run]] = {"getVariable": _get, "hasVariable": _has}
