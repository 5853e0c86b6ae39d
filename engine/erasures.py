"""Erasure: what was only tried out goes with its deployment.  Cases of applicants are never erased."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, select
from sqlalchemy.orm import Session

from engine import jobs
from engine.case_models import Case
from engine.errors import InvalidState
from engine.models import Base, Instance, Job, Task


def erase(session: Session, definition_ids: Collection[UUID]) -> None:
    """Delete the processes without a matter that ran on these definitions, with everything that is theirs.

    Raises InvalidState, and deletes nothing, when a case of an applicant ran on them, or something else called them.
    """
    ran = select(Instance.case_id).where(Instance.definition_id.in_(definition_ids))
    cases = session.scalars(select(Case).where(Case.id.in_(ran)).order_by(Case.id)).all()
    # Parents first, as everywhere: an instance is older than those it has called.
    instances = session.scalars(select(Instance).where(Instance.case_id.in_([c.id for c in cases])).order_by(Instance.id).with_for_update())
    callers = {row.case_id for row in instances if row.parent_id is None and row.definition_id not in definition_ids}
    for case in cases:
        if not case.is_plain:
            raise InvalidState(f"Expected to delete what was only tried out, but {case.number} is a case, and its history is kept")
        if case.id in callers:
            raise InvalidState(
                f"Expected to delete what was started by itself, but {case.number} was called by a process of another deployment"
            )
    jobs.lock(session, Job.case_id.in_([case.id for case in cases]))
    for table in reversed(Base.metadata.sorted_tables):
        belongs = _belongs(table, [case.id for case in cases])
        if belongs is not None:
            session.execute(delete(table).where(belongs))
    session.expire_all()


def _belongs(table: Table, cases: list[UUID]) -> ColumnElement[bool] | None:
    """What in a table belongs to these cases; None: it holds nothing of cases."""
    if table.name == Case.__tablename__:
        return table.c.id.in_(cases)
    if "task_id" in table.c:
        return table.c.task_id.in_(select(Task.id).where(Task.case_id.in_(cases)))
    return table.c.case_id.in_(cases) if "case_id" in table.c else None
