"""What the government issued is not asked of the applicant."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """What the government issued is fetched from shared data, not asked of the applicant (政府部门核发的材料一律不再要求提交)."""
    for matter in bundle.matters:
        for rule, row in matter.rows("materials"):
            if row.get("source") == "GOV" and row.get("exemption") == "SUBMIT":
                message = (
                    f"Expected “{row.get('name')}” ({row.get('material')}), which the government issued, to be fetched (ECERT, API), "
                    "but the applicant must hand it in"
                )
                yield Problem(resource=bundle.place("materials"), line=rule.line, message=message)
