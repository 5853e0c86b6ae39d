"""First versions (首个版本): what is only warned of where it is deployed already, and refuses what is not.

A case that runs must be loaded, and a matter that has run so must be deployed again; so neither is refused for what is found anew (decision
0006).  But where nothing is deployed as it is now, nobody depends on it: then the designer is told while it can still be put right.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from bpmn.errors import Finding
from bpmn.lint import Bundle
from bpmn.lint.bundle import LIMITS
from engine import definitions
from engine.errors import NotFound

#: Nobody could apply for it.
WITHOUT_TABLE = "missing-table"
#: Its key could never be corrected.
UNNAMED = "default-id"
#: The table that says which items a matter calls for.
_ITEMS = "items"


def judged(session: Session, bundle: Bundle, findings: list[Finding]) -> list[Finding]:
    """Return findings, those as errors that refuse what is not deployed in this way yet."""
    return [replace(finding, severity="error") if _refuses(session, bundle, finding) else finding for finding in findings]


def _refuses(session: Session, bundle: Bundle, finding: Finding) -> bool:
    if finding.rule not in {WITHOUT_TABLE, UNNAMED}:
        return False
    try:
        newest = definitions.latest(session, finding.element)
    except NotFound:
        # An item has the limits of the table that was deployed last, where there is one.
        return finding.rule == UNNAMED or _is_matter(bundle, finding.element) or LIMITS not in bundle.known.decisions
    return finding.rule == WITHOUT_TABLE and _is_matter(bundle, finding.element) and _ITEMS in newest.decisions


def _is_matter(bundle: Bundle, key: str) -> bool:
    return any(matter.process.key == key for matter in bundle.matters)
