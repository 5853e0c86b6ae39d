"""Asked (查询条件): a list is refused that is asked for by a name which nothing has: empty, it would say that nothing is late."""

from __future__ import annotations

from pydantic import BaseModel

from engine import applicants, matters, offices
from engine.database import Session
from engine.models import Department, Hall

_DEPARTMENTAL = "department-"


def require_known(session: Session, query: BaseModel) -> None:
    """Raise InvalidInput when an empty list was asked for by a name which nothing has; says which may have been meant."""
    asked = query.model_dump(exclude_none=True)
    if "hall" in asked:
        offices.require(session, Hall, asked["hall"], field="hall")
    if "department" in asked:
        offices.require(session, Department, asked["department"], field="department")
    if asked.get("group", "").startswith(_DEPARTMENTAL):
        offices.require(session, Department, asked["group"].removeprefix(_DEPARTMENTAL), field="group")
    if "matter" in asked:
        matters.require(session, asked["matter"], field="matter")
    if "applicant_number" in asked:
        applicants.require_possible(applicants.number(asked["applicant_number"]), field="applicant_number")
