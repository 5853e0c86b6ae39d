"""An item is decided before its process ends."""

from __future__ import annotations

from bpmn import closure
from bpmn.definition import BODY, Definition, Element, ElementType, EventType
from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import ways

#: The step that takes the decision of a table or of the department's system.
DECIDE = "onething.decide"


def check(bundle: Bundle) -> Problems:
    """On every way to an end of an item somebody decides: an item whose process ends undecided is an incident."""
    for resource, process in bundle.processes:
        calls = any(element.type is ElementType.CALL_ACTIVITY for element in process.elements.values())  # what is called may decide
        is_judged = process.properties.get("onething.kind") == "item" and not calls and not shapes.is_unsure(process, bundle.known.words)
        for element in _undecided(process) if is_judged else ():
            message = (
                f"Expected the item {process.key} to be decided on every way to its end, but {element.label} is reached without: "
                f"lead the way through a task with onething.kind = decision, or a step with the topic {DECIDE}; "
                "a timer that only reminds does not interrupt (非中断)"
            )
            yield Problem(resource=resource, element=element, message=message)


def _undecided(process: Definition) -> list[Element]:
    """List the ends of the process that a token gets to without a decision."""
    following = ways.followers(process)
    deciding = {element.id for element in process.elements.values() if _decides(element)}

    def going_on(key: str) -> list[str]:
        events = [*process.boundaries(key), *process.boundaries(key + BODY)]
        leaving = [event.id for event in events if event.interrupting and event.event_type is not EventType.COMPENSATION]
        return [*(() if key in deciding else following(key)), *leaving]

    starts = [start.id for start in process.starts() if start.event_type is EventType.NONE]
    reached = closure.of(starts, going_on)
    return [element for key, element in process.elements.items() if key in reached and _ends(element)]


def _ends(element: Element) -> bool:
    """Tell whether a way ends there that was drawn to its end: another one is told as a loose end."""
    return element.parent is None and element.drawn and element.type is ElementType.END_EVENT and element.event_type is not EventType.ERROR


def _decides(element: Element) -> bool:
    return element.properties.get("onething.kind") == "decision" or (element.topic is not None and element.topic.source == DECIDE)
