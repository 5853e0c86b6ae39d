"""When everything is settled, the joint handling ends."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import JOINS, Definition, Element, ElementType, EventType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Where `settled()` holds, a terminate end event (终止结束事件) ends all paths of the joint handling: another one ends only its own."""
    for matter in bundle.matters:
        for end in {end.id: end for end in _plain(matter.process)}.values():  # several flows may lead to one
            message = (
                f"Expected {end.label} to end the whole joint handling, since everything is settled there, but it ends its own path only, "
                "and the others would wait for ever: make it a terminate end event (终止结束事件)"
            )
            yield Problem(resource=matter.resource, element=end, message=message)


def _plain(process: Definition) -> Iterator[Element]:
    """Yield the plain end events to which a flow leads when everything is settled, where other paths are open."""
    forked = {each.parent for each in process.elements.values() if each.type in JOINS and len(each.outgoing) > 1}
    for flow in process.flows.values():
        end = process.elements[flow.target]
        asked = flow.condition is not None and flow.condition.source.strip() in ("${settled()}", "=settled()")
        if asked and end.type is ElementType.END_EVENT and end.event_type is EventType.NONE and end.parent in forked - {None}:
            yield end
