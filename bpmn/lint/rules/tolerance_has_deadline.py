"""A material that may follow later must follow by some day (容缺补交)."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A material that may follow later must follow by some day (容缺补交)."""
    for matter in bundle.matters:
        for element in shapes.of_kind(matter.process, "tolerance"):
            if not shapes.deadlines(matter.process, element):
                message = (
                    f"Expected {element.label} to have a deadline, but it has none: "
                    "draw a boundary timer (定时边界事件) that interrupts it, ${tolerance('due')}"
                )
                yield Problem(resource=matter.resource, element=element, message=message)
