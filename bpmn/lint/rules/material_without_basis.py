"""A material that is asked of the applicant has a legal basis."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A material that is asked of the applicant has a legal basis (设定依据); what nobody can name a basis for is not asked."""
    for matter in bundle.matters:
        rows = list(matter.rows("materials"))
        bare = {row.get("name"): rule for rule, row in rows if row.get("exemption") == "SUBMIT" and not row.get("basis")}
        if bare:
            names = "、".join(str(name) for name in bare)
            message = (
                f"Expected every material that the applicant must hand in to have a legal basis (basis), but {len(bare)} have none: {names}"
            )
            yield Problem(resource=bundle.place("materials"), line=next(iter(bare.values())).line, message=message)
