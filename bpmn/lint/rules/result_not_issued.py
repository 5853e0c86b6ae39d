"""Every department's result reaches the issuance, and is handed out there."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import Element
from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import ways
from bpmn.matter.facts import DrawnMatter

#: The step of the engine that hands out what can be.
SPLIT = "onething.split-issuance"


def check(bundle: Bundle) -> Problems:
    """Every department's result reaches the issuance, and no timer ends the issuance before it is handed out."""
    for matter in bundle.matters:
        issuances = {element.id for element in shapes.of_kind(matter.process, "issuance")}
        leading = ways.leading_to(matter.process, issuances)
        for call in matter.calls.values() if issuances else ():
            if call.element.id not in leading:
                message = (
                    f"Expected what {call.element.label} decides to reach the issuance (统一出件), but no way leads there: "
                    "lead its flow back to the dispatcher"
                )
                yield Problem(resource=matter.resource, element=call.element, message=message)
        for timer in _cutting_off(matter):
            message = (
                f"Expected {timer.label} to leave the issuance (统一出件) to the window, but it ends it, and nobody hands out "
                "what was granted: attach it to the task that is meant, make it one that does not interrupt, "
                f"or draw the step {SPLIT} behind it"
            )
            yield Problem(resource=matter.resource, element=timer, message=message)


def _cutting_off(matter: DrawnMatter) -> Iterator[Element]:
    """Yield the timers that end an issuance, and behind which nothing is handed out."""
    for element in shapes.of_kind(matter.process, "issuance"):
        for timer in shapes.deadlines(matter.process, element):
            behind = ways.reach(matter.process, [timer.id])
            topics = {topic.source for key in behind if (topic := matter.process.elements[key].topic)}
            if element.id not in behind and SPLIT not in topics:
                yield timer
