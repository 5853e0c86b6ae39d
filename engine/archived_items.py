"""Items of the archive, as a bundle adopts them (接续): they were handled alone long ago, and what was issued still counts.

They are read from the document of their case, and known to no session: nothing of them is ever written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import applicants, archive_documents
from engine.archive_documents import Rows
from engine.archive_models import ArchivedCase
from engine.case_models import Item, Material
from engine.errors import Vanished
from engine.states import ItemStatus


def find(session: Session, number: str, applicant: Mapping[str, Any]) -> Item | None:
    """An item of this applicant by its number, or by that of what was issued for it; the case that it has its number from comes first."""
    mine = select(ArchivedCase.id).where(ArchivedCase.applicant_number == applicant["id_number"])
    named_after = ArchivedCase.number == number.rpartition("-")[0]
    for case_id in session.scalars(mine.order_by(named_after.desc(), ArchivedCase.id.desc())).all():
        rows = _rows(session, case_id)
        if applicants.is_same(rows["cases"][0]["applicant"], applicant):
            for item in _named(rows, number):
                return item
    return None


def of_applicant(session: Session, applicant: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any], str | None]]:
    """Items of an applicant in the archive: each with the case that it lies with, and the number of what was issued and still counts."""
    mine = select(ArchivedCase.id).where(ArchivedCase.applicant_number == applicant["id_number"])
    for case_id in session.scalars(mine.order_by(ArchivedCase.id.desc())).all():
        rows = _rows(session, case_id)
        if applicants.is_same(rows["cases"][0]["applicant"], applicant):
            issued = {row["item_id"]: row["number"] for row in rows.get("results", ()) if row["voided_at"] is None}
            yield from ((rows["cases"][0], row, issued.get(row["id"])) for row in rows.get("items", ()))


def importing(session: Session, lost: Item) -> Iterator[tuple[str, UUID]]:
    """Items of the archive that show the result of this one: the number of the case of each, and its id."""
    mine = select(ArchivedCase.id, ArchivedCase.number, ArchivedCase.brief).where(ArchivedCase.applicant_number == lost.applicant_number)
    for case in session.execute(mine.order_by(ArchivedCase.id)).all():
        if ItemStatus.IMPORTED in case.brief["items"].values():
            shown = (row for row in _rows(session, case.id)["items"] if row["previous_number"] == lost.number)
            yield from ((case.number, row["id"]) for row in shown if row["status"] == ItemStatus.IMPORTED)


def applied_again(session: Session, item: Item) -> str | None:
    """Number of the item of the archive that applies for this one again; None: there is none."""
    brief = select(ArchivedCase.id, ArchivedCase.brief).where(ArchivedCase.applicant_number == item.applicant_number)
    for case_id in [row.id for row in session.execute(brief) if row.brief["entry"] == "reapply"]:
        for row in _rows(session, case_id).get("items", ()):
            if row["previous_number"] == item.number:
                return str(row["number"])
    return None


def hold(session: Session, item: Item) -> None:
    """Let no other bundle adopt anything of its case until this transaction ends; raises Vanished when it has just left the archive."""
    if session.scalar(select(ArchivedCase.id).where(ArchivedCase.id == item.case_id).with_for_update()) is None:
        raise _has_come_back()


def materials(session: Session, item: Item) -> list[Material]:
    """What was handed in with it."""
    found = [Material(**row) for row in _rows(session, item.case_id).get("materials", ())]
    return sorted(found, key=lambda material: material.no)


def _named(rows: Rows, number: str) -> Iterator[Item]:
    issued = {row["item_id"] for row in rows.get("results", ()) if row["number"] == number and row["voided_at"] is None}
    yield from (Item(**row) for row in rows.get("items", ()) if row["number"] == number or row["id"] in issued)


def _rows(session: Session, case_id: UUID) -> Rows:
    content = session.scalar(select(ArchivedCase.content).where(ArchivedCase.id == case_id))
    if content is None:
        raise _has_come_back()
    return archive_documents.unpack(content)


def _has_come_back() -> Vanished:
    return Vanished("Expected to read a case of the archive, but it has just come back out of it; try again")
