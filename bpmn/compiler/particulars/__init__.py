"""What is written on an element beside its arrows.

every       what any element may have: jobs, parameters, quantities
events      what an event waits for or does
work        what a worker, an expression, a decision or a called process does
people      who does a user task, until when, with which form
parameters  `camunda:inputOutput`
mappings    `camunda:in` and `camunda:out`
repetition  how an activity runs several times
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bpmn.compiler.particulars import events, every, people, work
from bpmn.compiler.source import Node, Source
from bpmn.definition import ElementType

__all__ = ["read"]


def read(source: Source, node: Node, kind: ElementType) -> dict[str, Any]:
    """Read the fields of `Element` that say what it is."""
    reader = READERS.get(kind)
    return every.read(source, node) | (reader(source, node) if reader else {})


READERS: dict[ElementType, Callable[[Source, Node], dict[str, Any]]] = {
    ElementType.START_EVENT: events.start,
    ElementType.END_EVENT: events.throw,
    ElementType.CATCH_EVENT: events.catch,
    ElementType.THROW_EVENT: events.throw,
    ElementType.BOUNDARY_EVENT: events.boundary,
    ElementType.USER_TASK: people.read,
    ElementType.RECEIVE_TASK: events.receive,
    ElementType.SERVICE_TASK: work.service,
    ElementType.SEND_TASK: work.service,
    ElementType.SCRIPT_TASK: work.script,
    ElementType.BUSINESS_RULE_TASK: work.decision,
    ElementType.CALL_ACTIVITY: work.call,
}
