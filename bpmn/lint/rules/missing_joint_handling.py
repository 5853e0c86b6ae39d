"""Departments work in parallel (联合办理): an inclusive gateway dispatches every item that is ready."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Departments work in parallel (联合办理): an inclusive gateway dispatches every item that is ready."""
    for matter in bundle.matters:
        if matter.calls and not shapes.has_joint_handling(matter):
            message = (
                f"Expected the matter {matter.process.key} to dispatch its items in parallel (联合办理) by an "
                "inclusive gateway, but it has none: "
                "lead one flow with the condition ${ready(…)} to each call activity"
            )
            yield Problem(resource=matter.resource, process=matter.process, message=message)
