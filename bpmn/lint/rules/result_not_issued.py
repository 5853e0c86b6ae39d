"""Every department's result reaches the issuance."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import ways


def check(bundle: Bundle) -> Problems:
    """Every department's result reaches the issuance."""
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
