"""Bundles: the process of a case's matter.  Whoever holds it governs what is common to the items of the case."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import instances, matters
from engine.case_models import Case
from engine.errors import InvalidState
from engine.holdings import Held
from engine.subjects import Subject


def hold(session: Session, case: Case, *, joining: bool = False) -> Held:
    """Lock the bundle of a case until this transaction ends, and read the case anew: whoever had the lock before may have written it.

    If the bundle has ended and begun anew while we waited, the new one is locked.  Raises NotFound; and InvalidState when something is to
    join (`joining`) a case that carries one item alone: such a case joins a bundle itself.
    """
    if joining and case.matter == matters.SINGLE_ITEM:
        raise InvalidState(f"Expected case {case.number} to be a bundle, but it carries one item alone")
    row = instances.lock(session, instances.of_case(session, case).id, case)
    while row.ended_at is not None and (newest := instances.of_case(session, case).id) != row.id:
        row = instances.lock(session, newest, case)
    Subject(session, row.key, None).read_anew(row.id)
    return row
