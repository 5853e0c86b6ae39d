"""Errors that nothing catches (流程出错): one path ends by each, as in Camunda 7; here it is written down, and a supervisor sees it."""

from __future__ import annotations

from bpmn.definition import ElementType, EventType
from engine import alerts, journal
from engine.alerts import AlertKind
from engine.clock import Light
from engine.definitions import Loaded
from engine.runs import Run


def words(loaded: Loaded, code: str) -> str:
    """What the applicant is told of an error that has kept an item from being decided: what the diagram says of it, never its code."""
    ends = (element for element in loaded.definition.elements.values() if element.type is ElementType.END_EVENT and element.event)
    named = [end.name for end in ends if end.event_type is EventType.ERROR and end.event and end.event.name == code and end.name]
    return loaded.definition.errors.get(code) or next(iter(named), "办理流程出错，未能作出决定")


def record(run: Run) -> None:
    """Write down every error that nothing has caught in this run; in a case, alert a supervisor."""
    for activity in run.process.history():
        if activity.error is None:
            continue
        element = run.loaded.definition.elements[activity.element]
        journal.record(run.session, run.row, actor=run.actor, what="error uncaught", element=activity.element, code=activity.error)
        if not run.row.is_plain:
            message = f"办件 {run.row.number} 流程出错：{element.name or element.id} 的错误 {activity.error} 无人处理"
            alerts.raise_alert(run.session, run.case, AlertKind.UNCAUGHT_ERROR, Light.RED, message, item=run.item)
