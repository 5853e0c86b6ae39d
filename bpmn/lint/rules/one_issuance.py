"""Everything is issued together, once (统一出件)."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Everything is issued together, once (统一出件)."""
    for matter in bundle.matters:
        found = shapes.of_kind(matter.process, "issuance")
        if len(found) != 1:
            where = f"it has {len(found)}" if found else "it has none"
            message = (
                f"Expected the matter {matter.process.key} to have one issuance (统一出件), but {where}: "
                "draw one user task with onething.kind = issuance"
            )
            yield Problem(resource=matter.resource, element=found[1] if found else None, message=message)
