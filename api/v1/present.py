"""Presenters: rows become plain data, which the shapes check.  Nothing is decided here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from engine import applicants, case_items, cases, dials, dossiers, keys, worklists
from engine.actors import Actor
from engine.archive_documents import ARCHIVED_AT
from engine.archive_models import ArchivedCase
from engine.case_items import LiveItem
from engine.case_models import Case, Draft, Item, Material
from engine.clock import DueDate
from engine.database import Session
from engine.deadlines import Deadline
from engine.diagrams import Diagram
from engine.dossiers import Dossier
from engine.earlier_items import EarlierItem
from engine.rejections import Rejection
from engine.states import ItemStatus
from engine.worklists import WorkDetails, WorkEntry

_TOLERANCE = "code name used_by until due_on grace_days status"
_MISSING = ("code", "name", "tolerable", "used_by")


def fields(row: Any, *names: str) -> dict[str, Any]:
    """Present fields of a row as they are, by their names: one by one, or several in a text with blanks between them."""
    known, read = _reader(names)
    return dict(zip(known, read(row), strict=True))


@functools.cache
def _reader(names: tuple[str, ...]) -> tuple[list[str], Callable[[Any], Iterable[Any]]]:
    known = [name for several in names for name in several.split()]
    return known, attrgetter(*known) if len(known) > 1 else lambda row: [getattr(row, name) for name in known]


def case(session: Session, row: Case, actor: Actor) -> dict[str, Any]:
    """Present a case whole."""
    session.flush()
    return _dossier(session, dossiers.read(session, row, actor))


def item(session: Session, row: Item, actor: Actor) -> dict[str, Any]:
    """Present one item of a case."""
    session.flush()
    dossier = dossiers.read(session, keys.get_one(session, Case, row.case_id, row), actor)
    return next(_item(dossier, found) for found in dossier.items if found.id == row.id)


def briefs(session: Session, rows: Iterable[Any], actor: Actor) -> list[dict[str, Any]]:
    """Present cases in a list."""
    found, today, departments = list(rows), dials.today(), actor.departments()
    items = worklists.live_items(session, found)
    return [_brief(row, today, items[row.key], departments if not cases.sees_whole(row, actor) else None) for row in found]


def _brief(row: Any, today: date, live: list[LiveItem], departments: Collection[str] | None) -> dict[str, Any]:
    shown = fields(row, "number matter hall entry submitted_at ended_at")
    items = live if departments is None else [each for each in live if each.department in departments]
    shown["applicant"], shown["outcome"], shown["light"] = row.applicant["name"], case_items.outcome(items), dials.light(row, today)
    shown["items"], shown["archived_at"] = {each.code: each.status for each in items}, None
    return shown


def archived(row: ArchivedCase) -> dict[str, Any]:
    """Present a case of the archive in a list."""
    return row.brief | {
        "submitted_at": datetime.fromisoformat(row.brief["submitted_at"]),
        "ended_at": row.ended_at,
        "items": {code: ItemStatus(status) for code, status in row.brief["items"].items()},
        "archived_at": row.archived_at,
    }


def task(found: WorkDetails) -> dict[str, Any]:
    """Present one task with its form."""
    form = found.form.describe()["fields"] if found.form is not None else None
    shown = found.entry._asdict() if not found.entry.waits_for else work(found.entry)
    return {**shown, "form": form, "data": found.data, "under_way": earlier_items(found.under_way)}


def work(found: WorkEntry) -> dict[str, Any]:
    """Present a task as a worklist shows it."""
    return found._asdict() | {"waits_for": [each._asdict() for each in found.waits_for]}


def earlier_items(found: Iterable[EarlierItem] | None) -> list[dict[str, Any]] | None:
    """Present what an applicant has had handled, or has under way."""
    return None if found is None else [vars(each) for each in found]


def draft(row: Draft | None) -> dict[str, Any]:
    """Present the draft of a task; without one, all of it is null."""
    return {name: getattr(row, name, None) for name in ("data", "saved_at", "saved_by")}


def material(row: Material, rejected: Mapping[int, Iterable[Rejection]]) -> dict[str, Any]:
    """Present a material, with what departments have said of it."""
    shown = fields(row, "no code name filename media_type size sha256 fields handed_in_at handed_in_by")
    return shown | {"rejections": _all(rejected.get(row.no, ()), "item reason due_on rejected_at")}


def diagram(found: Diagram) -> dict[str, Any]:
    """Present a drawing and its tokens."""
    return fields(found, "key version name xml") | {"tokens": _all(found.tokens, "element name kind")}


def due(found: DueDate | None) -> dict[str, Any] | None:
    """Present the last day of a limit."""
    return None if found is None else {"date": found.date, "provisional": found.provisional}


def _dossier(session: Session, dossier: Dossier) -> dict[str, Any]:
    row, bundle = dossier.case, dossier.deadline
    return {
        **fields(row, "number matter hall region entry applicant submitted_at submitted_by ended_at promised"),
        **fields(dossier, "matter_name hall_name previous"),
        "outcome": case_items.outcome(_live(dossier.items)),
        "warnings": applicants.warnings(row.applicant),
        "archived_at": session.info.get(ARCHIVED_AT),
        "due": due(bundle.promised) if bundle else None,
        "remaining": bundle.remaining if bundle else None,
        "light": bundle.light if bundle else None,
        "answers": dossier.answers,
        "checklist": row.checklist if dossier.whole else None,
        "items": [_item(dossier, found) for found in dossier.items],
        "tasks": [work(found) for found in dossier.tasks],
        "materials": [material(found, dossier.rejections) for found in dossier.materials],
        "missing": [_used_by(dossier, {name: found[name] for name in _MISSING}) for found in dossier.missing],
        "tolerances": [
            _used_by(dossier, shown | {"grace_until": dossier.grace_ends[row.due_on, row.grace_days]})
            for row, shown in zip(dossier.tolerances, _until(dossier, dossier.tolerances, _TOLERANCE), strict=True)
        ],
        "supplements": _until(dossier, dossier.supplements, "missing defects due_on status allowed_by"),
        "commitments": _all(dossier.commitments, "kind signed_by signed_at verify_due_on status findings"),
        "notices": _all(dossier.notices, "number kind title content issued_at issued_by"),
        "alerts": _all(dossier.alerts, "kind light department message raised_at"),
        "incidents": _all(dossier.incidents, "id element message raised_at"),
        "rating": fields(dossier.rating, "score comment rated_at") if dossier.rating else None,
    }


def _used_by(dossier: Dossier, owed: dict[str, Any]) -> dict[str, Any]:
    """Name of the items that need a material those that are shown."""
    codes = {found.code for found in dossier.items}
    return owed | {"used_by": [code for code in owed["used_by"] if dossier.whole or code in codes]}


def _until(dossier: Dossier, rows: Iterable[Any], names: str) -> list[dict[str, Any]]:
    """Present what is due, with the day that holds now, and the one that was told before if that is another."""
    shown = _all(rows, names)
    last = ((each["due_on"], dossier.last_days[each["due_on"]]) for each in shown)
    return [each | {"due_on": day, "moved_from": told if told != day else None} for each, (told, day) in zip(shown, last, strict=True)]


def _item(dossier: Dossier, row: Item) -> dict[str, Any]:
    deadline: Deadline = dossier.deadlines[row.number]
    results = [found for found in dossier.results if found.item_id == row.id]
    return {
        **fields(row, "number code name department origin mode status clock delivery sync previous_number external_number"),
        **fields(row, "received_on accepted_at accepted_by decided_at decided_by issued_at reason result"),
        "case": dossier.case.number,
        "promised_due": due(deadline.promised),
        "statutory_due": due(deadline.statutory),
        "remaining": deadline.remaining,
        "light": deadline.light,
        "ledger": _all([e for e in dossier.ledger if e.item_id == row.id], "id kind on until days procedure reason"),
        "certificate": fields(results[0], "number name issuer holder issued_at voided_at") if results else None,
    }


def _live(items: Iterable[Item]) -> list[Item]:
    """Leave out the earlier of two items with one code."""
    return list({found.code: found for found in items}.values())


def _all(rows: Iterable[Any], names: str) -> list[dict[str, Any]]:
    return [fields(row, names) for row in rows]
