"""Items may join a bundle later (接续受理): from a start of their own, and while it runs."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Items may join a bundle later (接续受理): from a start of their own, and while it runs."""
    for matter in bundle.matters:
        if matter.is_bundle and not shapes.has_follow_on(matter.process):
            message = (
                f"Expected the matter {matter.process.key} to have a follow-on intake (接续受理) behind a message "
                "start and behind a message event that does not end the handling, but it has none: "
                "draw a user task with onething.kind = follow-on, and lead both to it"
            )
            yield Problem(resource=matter.resource, process=matter.process, message=message)
