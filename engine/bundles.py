"""Bundles: the process of a case's matter.  Whoever holds it governs what is common to the items of the case."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import instances, matters
from engine.case_models import Case
from engine.errors import InvalidState
from engine.holdings import Held
from engine.subjects import Subject


def hold(session: Session, case: Case, *, joining: bool = False) -> Held:
    """Take the bundle of a case for this transaction, and read the case anew: whoever was waited for may have written it.

    When that one has ended the bundle, and it has begun anew meanwhile, the new one is meant.  Raises NotFound; and InvalidState when
    something is to join (`joining`) what carries one item alone: that joins a bundle itself.
    """
    if joining and case.matter == matters.SINGLE_ITEM:
        raise InvalidState(f"Expected case {case.number} to be a bundle, but it carries one item alone")
    row = instances.lock(session, instances.of_case(session, case).id, case)
    while row.ended_at is not None and (newest := instances.of_case(session, case).id) != row.id:
        row = instances.lock(session, newest, case)
    Subject(session, row.key, None).read_anew(row.id)
    return row
