"""Cases (办件): submit one, see where it is, let items join, take it back, rate it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from flask import Blueprint, Response, url_for
from pydantic import Field

from api import auth, paging, parts, tables, words
from api.contract import answer, contract, require_match
from api.shapes import Body, Dated, Day, Line, Page, Query, Text
from api.tables import Column, Listed
from api.transactions import reading, reading_case, transaction
from api.v1 import present
from api.v1.shown import CaseBrief, CaseShown, CaseTaken, DiagramShown, EntryShown, ItemShown, Journal
from api.v1.submissions import Agent, Codes, NewCase
from engine import applicants, archive_search, cases, diagrams, dossiers, earlier_items, items, tasks, worklists
from engine.actors import Actor
from engine.case_models import Case
from engine.clock import Light
from engine.database import Session
from engine.errors import InvalidInput, InvalidState
from engine.ratings import BEST, WORST

bp = Blueprint("cases", __name__, url_prefix="/cases")
COLUMNS = {
    "办件编号": Column("number"),
    "一件事": Column("matter"),
    "大厅": Column("hall"),
    "申请人": Column("applicant"),
    "申报时间": Column("submitted_at"),
    "办结时间": Column("ended_at"),
    "办理结果": Column("outcome", words.OUTCOMES),
    "红黄灯": Column("light", words.LIGHTS),
    "事项": Column("items", words.ITEMS),
}


class FollowOn(Body):
    """Items that shall join."""

    #: Codes of items that the matter may call for.
    items: Codes


class Adoption(Body):
    """An item that was handled alone; it may have been archived since."""

    #: Its number, or that of what was issued for it.
    item_no: Line


class Reason(Body):
    """Why."""

    #: As the applicant gives it; it goes into the journal.
    reason: Text


class Contact(Body):
    """How the applicant is reached from now on; what is left out stays as it is."""

    #: To which what is sent goes.
    phone: Line | None = None
    #: Who speaks for an enterprise.
    contact: Line | None = None
    #: Where post goes.
    address: Line | None = None


class Name(Reason):
    """How the applicant's name is written."""

    #: As it stands in the document that has the number.
    name: Line


class AgentCorrected(Reason):
    """What is written down of the agent."""

    #: All of it, as it is right: what is left out is said of him no more.
    agent: Agent


class Mark(Body):
    """The applicant's mark: 1 (very dissatisfied) to 5 (very satisfied)."""

    #: From very dissatisfied (1) to very satisfied (5).
    score: Annotated[int, Field(ge=WORST, le=BEST)]
    #: What the applicant says to it.
    comment: Text | None = None


class CaseQuery(Dated, Listed):
    """Which cases."""

    matter: Line | None = None
    hall: Line | None = None
    applicant_number: Line | None = None
    #: true: those that go on; false: those that have ended.
    open: bool | None = None
    light: Light | None = None
    since: Annotated[Day | None, Field(description="该日起（含）申报 · Submitted on this day or later, in Beijing.")] = None
    until: Annotated[Day | None, Field(description="该日止（含）申报 · Submitted on this day or earlier, in Beijing.")] = None
    #: true: those that have been put into the archive, by matter, hall and applicant, no other filter; they can only be read.
    archived: bool = False


#: What archived cases cannot be asked for by.
NOT_OF_ARCHIVED = ("open", "light", "since", "until")


class DiagramQuery(Query):
    """Which drawing."""

    item: Line | None = None


@bp.post("")
@contract(summary="申报提交 · Submit a case", body=NewCase, answer=CaseTaken, status=201, problems=(404, 409))
def submit(body: NewCase) -> Response:
    """Take a bundle in; the answer has its number and its open tasks, and says what the applicant has under way elsewhere already."""
    actor = auth.actor()
    what = cases.Submission(
        region=parts.settings().region,
        matter=body.matter,
        hall=body.hall or _only_hall(actor),
        applicant=body.applicant.model_dump(exclude_none=True),
        answers=body.answers,
        items=body.items,
        adopt=body.adopt,
        materials=[given.model_dump() for given in body.materials],
    )
    with transaction() as session:
        made = cases.submit(session, what, actor=actor)
        shown = present.case(session, made, actor)
        shown["under_way"] = present.earlier_items(earlier_items.under_way(session, actor, made.number))
        return answer(shown, location=url_for("v1.cases.get_case", number=made.number))


@bp.get("")
@contract(summary="办件列表 · List cases", query=CaseQuery, answer=Page[CaseBrief], columns=COLUMNS)
def list_cases(query: CaseQuery) -> Response:
    """List your cases, newest first."""
    known_by = applicants.number(query.applicant_number) if query.applicant_number else None
    values = {name: getattr(query, name) for name in ("matter", "hall", "open", "light", "since", "until")}
    wanted = worklists.CaseFilter(**values, applicant_number=known_by)
    actor, last = auth.actor(), paging.last(query.cursor, UUID)
    if query.archived and (asked := [name for name in NOT_OF_ARCHIVED if getattr(query, name) is not None]):
        raise InvalidInput.of_fields([(name, "Expected no such filter for archived cases, but there is one") for name in asked])
    with reading() as session:
        if query.archived:
            old = archive_search.search(
                session, actor, matter=query.matter, hall=query.hall, applicant_number=known_by, after=last, limit=query.rows + 1
            )
            return tables.answer(session, old, query, key=lambda row: (row.id,), present=present.archived, refused=NOT_OF_ARCHIVED)
        found = worklists.find_cases(session, actor, wanted, after=last, limit=query.rows + 1)
        shown = list(zip(found, present.briefs(session, found, actor), strict=True))
        return tables.answer(session, shown, query, key=lambda each: (each[0].id,), present=lambda each: each[1])


@bp.get("/<number>")
@contract(summary="办件详情 · One case", answer=CaseShown)
def get_case(number: str) -> Response:
    """Give a case, as far as it is yours to see."""
    actor = auth.actor()
    with reading_case(number) as session:
        return answer(present.case(session, cases.get(session, number, actor), actor))


@bp.get("/<number>/journal")
@contract(summary="流转记录 · Journal of a case", answer=Journal)
def get_journal(number: str) -> Response:
    """Tell what happened, oldest first."""
    actor = auth.actor()
    with reading_case(number) as session:
        entries = dossiers.journal(session, cases.get(session, number, actor), actor)
        return answer({"data": [present.fields(entry, *EntryShown.model_fields) for entry in entries]})


@bp.get("/<number>/diagram")
@contract(summary="流程图 · Diagram of a case", query=DiagramQuery, answer=DiagramShown)
def get_diagram(number: str, query: DiagramQuery) -> Response:
    """Give the drawing of a case, or of one of its items, and where the tokens are."""
    actor = auth.actor()
    with reading_case(number) as session:
        row = cases.get(session, number, actor)
        item = items.get(session, query.item, actor) if query.item else None
        return answer(present.diagram(diagrams.of_case(session, row, item)))


@bp.post("/<number>/follow-on")
@contract(summary="接续受理 · Let items join", body=FollowOn, answer=CaseShown, problems=(409, 412))
def follow_on(number: str, body: FollowOn) -> Response:
    """Ask that items join a bundle that runs; the window decides on them."""
    with _as_seen(number) as (session, row, actor):
        return answer(present.case(session, cases.request_follow_on(session, row, body.items, actor=actor), actor))


@bp.post("/<number>/adopt")
@contract(summary="接续在办件 · Adopt an item", body=Adoption, answer=ItemShown, problems=(409,))
def adopt(number: str, body: Adoption) -> Response:
    """Attach an item that runs, or is finished, to this bundle; its clock is untouched."""
    actor = auth.actor()
    with transaction() as session:
        item = cases.adopt(session, cases.get(session, number, actor), body.item_no, actor=actor)
        return answer(present.item(session, item, actor))


@bp.post("/<number>/withdraw")
@contract(summary="撤回办件 · Withdraw a case", body=Reason, answer=CaseShown, problems=(409, 412))
def withdraw(number: str, body: Reason) -> Response:
    """Take the whole case back; what is decided already stays."""
    with _as_seen(number) as (session, row, actor):
        return answer(present.case(session, cases.withdraw(session, row, reason=body.reason, actor=actor), actor))


@bp.post("/<number>/contact")
@contract(summary="更正联系方式 · Correct how the applicant is reached", body=Contact, answer=CaseShown, problems=(409, 412))
def correct_contact(number: str, body: Contact) -> Response:
    """Correct telephone, contact or address of the applicant; what is carried from now on goes there, also what was written before."""
    with _as_seen(number) as (session, row, actor):
        corrected = applicants.correct_contact(session, row, body.model_dump(exclude_none=True), actor=actor)
        return answer(present.case(session, corrected, actor))


@bp.post("/<number>/name")
@contract(summary="更正申请人姓名 · Correct the applicant's name", body=Name, answer=CaseShown, problems=(409, 412))
def correct_name(number: str, body: Name) -> Response:
    """Correct a name that was mistyped; the number stays, and what was issued before keeps the name that it was issued in."""
    with _as_seen(number) as (session, row, actor):
        corrected = applicants.correct_name(session, row, body.name, reason=body.reason, actor=actor)
        return answer(present.case(session, corrected, actor))


@bp.post("/<number>/agent")
@contract(summary="更正代办人 · Correct the agent", body=AgentCorrected, answer=CaseShown, problems=(409, 412))
def correct_agent(number: str, body: AgentCorrected) -> Response:
    """Correct what was mistyped of who acts for the applicant; what was promised before keeps the name by which it was signed."""
    with _as_seen(number) as (session, row, actor):
        corrected = applicants.correct_agent(session, row, body.agent.model_dump(exclude_none=True), reason=body.reason, actor=actor)
        return answer(present.case(session, corrected, actor))


@bp.post("/<number>/rate")
@contract(summary="好差评 · Rate a case", body=Mark, answer=CaseShown, problems=(409,))
def rate(number: str, body: Mark) -> Response:
    """Give the applicant's mark, once."""
    actor = auth.actor()
    with transaction() as session:
        row = cases.get(session, number, actor)
        task = next((task for task in tasks.of_case(session, row.id) if task.kind == "rating"), None)
        if task is None:
            raise InvalidState(f"Expected case {number} to wait for its rating, but it does not")
        tasks.complete(session, task.id, actor=actor, data=body.model_dump(exclude_none=True))
        return answer(present.case(session, row, actor))


@contextmanager
def _as_seen(number: str) -> Iterator[tuple[Session, Case, Actor]]:
    """Open the transaction of a command to a case, which still is as its client saw it (If-Match)."""
    actor = auth.actor()
    with transaction() as session:
        row = cases.get(session, number, actor)
        require_match(CaseShown, lambda: present.case(session, row, actor))
        yield session, row, actor


def _only_hall(actor: Actor) -> str:
    halls = actor.halls()
    if halls is None or len(halls) != 1:
        raise InvalidInput.of_field("hall", "Expected a hall, but there is none, and you do not work in one hall alone")
    return next(iter(halls))
