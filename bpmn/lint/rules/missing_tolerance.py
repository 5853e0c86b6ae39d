"""Materials that may follow later are waited for beside the departments (容缺补交)."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Materials that may follow later are waited for beside the departments (容缺补交)."""
    for matter in bundle.matters:
        if not shapes.of_kind(matter.process, "tolerance"):
            message = (
                f"Expected the matter {matter.process.key} to wait for materials that may follow later (容缺补交), but it has none: "
                "draw a receive task for material_supplied with onething.kind = tolerance"
            )
            yield Problem(resource=matter.resource, process=matter.process, message=message)
