"""The five shapes of a bundle on a diagram: intake, follow-on, joint handling, tolerance, issuance."""

from __future__ import annotations

from bpmn.definition import BODY, TASKS, Definition, Element, ElementType, EventType
from bpmn.lint.bundle import Words
from bpmn.matter import ways
from bpmn.matter.facts import DrawnMatter

WORK = TASKS | {ElementType.CALL_ACTIVITY}
#: Where a message can come while the bundle runs: on the border of an activity, or at an event subprocess.
BESIDE = frozenset({ElementType.BOUNDARY_EVENT, ElementType.START_EVENT})


def of_kind(process: Definition, kind: str) -> list[Element]:
    """Elements of an `onething.kind`, in document order."""
    return [element for element in process.elements.values() if element.properties.get("onething.kind") == kind]


def lacks_kind(element: Element, words: Words) -> bool:
    """Tell whether an element does not say what it is, although it is made from an element template that says so."""
    return (element.template or "") in words.templates and not element.properties.get("onething.kind")


def is_unsure(process: Definition, words: Words) -> bool:
    """Tell whether something does not say what it is, or in a word that nobody knows: that is told, and not what follows from it."""
    kinds = words.elements.get("onething.kind", frozenset())
    said = [element.properties.get("onething.kind") for element in process.elements.values()]
    return any(kind and kinds and kind not in kinds for kind in said) or any(lacks_kind(e, words) for e in process.elements.values())


def begins_with_intake(process: Definition) -> bool:
    """Tell whether the plain start leads to an intake before any other task."""
    tasks = frozenset(key for key, element in process.elements.items() if element.type in WORK)
    intakes = {element.id for element in of_kind(process, "intake")}
    return all(ways.reach(process, [start.id], stop=tasks) & tasks <= intakes for start in process.plain_starts()) and bool(intakes)


def has_follow_on(process: Definition) -> bool:
    """Tell whether a message start and a message event that interrupts nothing both lead to a follow-on intake."""
    tasks = frozenset(element.id for element in of_kind(process, "follow-on"))
    starts = [start for start in process.starts() if _is_message(start)]
    events = [e for e in process.elements.values() if e.type in BESIDE and _is_message(e) and not e.interrupting]
    return all(ways.reach(process, [event.id for event in ways_in], stop=tasks) & tasks for ways_in in (starts, events))


def has_joint_handling(matter: DrawnMatter) -> bool:
    """Tell whether an inclusive gateway leads to every item, each under a condition."""
    process = matter.process
    dispatched = {
        flow.target.removesuffix(BODY)
        for element in process.elements.values()
        if element.type is ElementType.INCLUSIVE_GATEWAY
        for flow in (process.flows[key] for key in element.outgoing)
        if flow.condition and "ready" in flow.condition.calls
    }
    return all(call.element.id in dispatched for call in matter.calls.values())


def deadlines(process: Definition, element: Element) -> list[Element]:
    """Timers on the border of an activity that interrupt it."""
    events = [*process.boundaries(element.id), *process.boundaries(element.id + BODY)]
    return [event for event in events if event.event_type is EventType.TIMER and event.interrupting]


def steps_after(process: Definition, element: Element) -> set[str]:
    """Topics of the steps that a token can get to when one of these timers fires."""
    expired = ways.reach(process, [timer.id for timer in deadlines(process, element)], stop=frozenset({element.id}))
    return {topic.source for key in expired if (topic := process.elements[key].topic)}


def _is_message(element: Element) -> bool:
    return element.event_type is EventType.MESSAGE
