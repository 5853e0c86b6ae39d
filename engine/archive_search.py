"""The archive, as people find it: by number, applicant, matter; read-only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, or_, select, true
from sqlalchemy.orm import Session, defer

from engine import archive_documents, keys, reads
from engine.actors import Actor
from engine.archive_models import ArchivedCase
from engine.case_models import Case, Item
from engine.errors import EngineError, InvalidState, Vanished
from engine.models import Entry

#: What the journal of a case says that carried one item alone, when a bundle takes that with its number (`adoptions`).
ADOPTED = "item adopted by a bundle"


def visible(actor: Actor) -> ColumnElement[bool]:
    """Archived cases of one's halls; those with an item of one's department; those one submitted: as before (`visibility.sees_case`)."""
    halls, departments = actor.halls(), actor.departments()
    if halls is None:
        return true()
    of_department = [ArchivedCase.departments.contains(f"|{code}|", autoescape=True) for code in departments or ()]
    everywhere = [ArchivedCase.departments != ""] if departments is None else []
    return or_(ArchivedCase.submitted_by == actor.name, ArchivedCase.hall.in_(halls), *of_department, *everywhere)


def search(
    session: Session, actor: Actor, *, matter: str | None, hall: str | None, applicant_number: str | None, after: UUID | None, limit: int
) -> Sequence[ArchivedCase]:
    """The archived cases that an actor may see, newest first; a process without a matter is none."""
    query = select(ArchivedCase).where(visible(actor), ArchivedCase.hall.is_not(None)).options(defer(ArchivedCase.content))
    asked = {ArchivedCase.matter: matter, ArchivedCase.hall: hall, ArchivedCase.applicant_number: applicant_number}
    query = query.where(*reads.equal(asked))
    query = query if after is None else query.where(ArchivedCase.id < after)
    return session.scalars(query.order_by(ArchivedCase.id.desc()).limit(limit)).all()


@contextmanager
def holding(session: Session, number: str) -> Iterator[Session]:
    """Give the session in which a case is read: this one, or that of its document in the archive.

    Raises Vanished when the case was archived meanwhile: what was read of it is not whole; read again, it is found in the archive.
    """
    there = select(Case.id, Case.region, Case.ended_at).where(Case.number == number)
    case = session.execute(there).first() if number else None
    archived = session.scalar(select(ArchivedCase).where(ArchivedCase.number == number)) if number and case is None else None
    if number and case is None and archived is None:  # it may have come back in between
        case = session.execute(there).first()
    if archived is not None:
        with archive_documents.opened(session, archived) as laid_out:
            yield laid_out
        return
    try:
        yield session
    except EngineError:
        _require_there(session, case)
        raise
    _require_there(session, case)


@contextmanager
def holding_item(session: Session, number: str) -> Iterator[Session]:
    """Give the session in which an item is read, as `holding`.

    In the archive the case is looked for that it has its number from, or the bundle that it was adopted by there.
    """
    case = session.scalar(select(Case.number).join(Item, keys.same_case(Item, Case)).where(Item.number == number))
    with holding(session, case or _named_after(number)) as held:
        bundle = None if case else _adopted_by(held, number)
        if bundle is None:
            yield held
            return
    with holding(session, bundle) as held:
        yield held


def case_of_item(session: Session, number: str) -> str:
    """Say in which case of the archive an item would be: the one that it has its number from, or the bundle that has adopted it."""
    with holding(session, _named_after(number)) as held:
        return _adopted_by(held, number) or _named_after(number)


def _named_after(number: str) -> str:
    return number.rpartition("-")[0]


def _adopted_by(held: Session, number: str) -> str | None:
    """Return the number of the bundle that an item was taken into, as the journal of the case says in which it came alone."""
    said = select(Entry.details).join(Case, keys.same_case(Entry, Case)).where(Case.number == _named_after(number), Entry.what == ADOPTED)
    return next((str(details["case"]) for details in held.scalars(said) if details["item"] == number), None)


def _require_there(session: Session, case: Row[UUID, str, datetime | None] | None) -> None:
    """Raise Vanished when a case that was over has been put away since."""
    if case is None or case.ended_at is None:
        return
    if session.scalar(select(Case.id).where(Case.id == case.id, Case.region == case.region)) is None:
        raise Vanished("Expected to read a case that is over, but it has just been archived; try again")


def has(session: Session, number: str, actor: Actor) -> bool:
    """Tell whether a case that the actor may see is in the archive."""
    query = select(ArchivedCase.id).where(ArchivedCase.number == number, ArchivedCase.hall.is_not(None), visible(actor))
    return session.scalar(query) is not None


def require_hot(session: Session, number: str, actor: Actor) -> None:
    """Raise InvalidState when a case that the actor may see is in the archive: it can be read, and nothing else."""
    if has(session, number, actor):
        raise InvalidState(f"Expected case {number} to go on, but it is archived: it can only be read")
