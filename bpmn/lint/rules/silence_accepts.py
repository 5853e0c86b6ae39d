"""What the window does not answer in five working days is accepted by law (视为受理)."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: The step of the engine that accepts by law.
DEEMED = "onething.accept-deemed"


def check(bundle: Bundle) -> Problems:
    """What the window does not answer in five working days is accepted by law (视为受理, 行政许可法 art. 32): also what joins later."""
    for matter in bundle.matters:
        for element in (e for kind in ("intake", "follow-on") for e in shapes.of_kind(matter.process, kind)):
            if DEEMED not in shapes.steps_after(matter.process, element):
                message = (
                    f"Expected {element.label} to lead to acceptance by law (视为受理) when nobody answers, but it does not: "
                    f"draw a boundary timer (定时边界事件) that interrupts it, ${{acceptance_due()}}, and the step {DEEMED} behind it"
                )
                yield Problem(resource=matter.resource, element=element, message=message)
