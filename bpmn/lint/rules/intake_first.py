"""A matter is taken in at one window (一窗受理), which is where it begins."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A matter is taken in at one window (一窗受理), which is where it begins."""
    for matter in bundle.matters:
        if not (shapes.begins_with_intake(matter.process) or shapes.is_unsure(matter.process, bundle.known.words)):
            message = (
                f"Expected the matter {matter.process.key} to begin with a one-window intake (一窗受理), but it has none: "
                "draw a user task with onething.kind = intake behind the start"
            )
            yield Problem(resource=matter.resource, process=matter.process, message=message)
