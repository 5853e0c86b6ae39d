"""Catchers: what catches an error, as far as the drawing says it."""

from __future__ import annotations

from bpmn.definition import Definition, Element, EventType


def catches_error(process: Definition, at: Element, code: str | None) -> bool:
    """Whether an error that an element throws is caught in its process: look outwards from it as the engine does.

    Its borders, the event subprocesses beside it, what is around.
    """
    while True:
        beside = [start for start in process.event_starts(at.parent) if start.parent != at.id]
        if any(_catches(event, code) for event in (*process.boundaries(at.id), *beside)):
            return True
        if at.parent is None:
            return False
        at = process.elements[at.parent]


def _catches(catch: Element, code: str | None) -> bool:
    event = catch.event
    return event is not None and event.type is EventType.ERROR and event.name in {None, code}
