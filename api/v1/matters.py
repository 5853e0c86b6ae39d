"""Matters (一件事): what is offered, and what a situation calls for (一次告知)."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field, JsonValue

from api.contract import answer, contract
from api.shapes import Body, Data, Line, Shape
from api.transactions import reading
from api.v1 import present
from engine import checklists, definitions, matters
from engine.database import Session
from engine.matters import Matter

bp = Blueprint("matters", __name__, url_prefix="/matters")


class MatterBrief(Shape):
    """A matter in a list."""

    key: str
    name: str
    #: Counts the deployments of its diagram.
    version: int
    code: str
    lead: str
    #: Published promise of the bundle in working days.
    promised: int | None
    #: Codes of the items it may call for.
    items: list[str]


class MatterList(Shape):
    """All matters."""

    data: list[MatterBrief]


class LimitShown(Shape):
    """A time limit as published."""

    #: promised or statutory.
    kind: str
    days: int
    #: working or calendar.
    unit: str


class ItemOffered(Shape):
    """A single item (单事项)."""

    code: str
    name: str
    department: str
    mode: str
    #: What it is by law (事项类型): permit, confirmation, benefit, filing, service.
    type: str
    #: Certificate that a favourable decision produces; empty: none.
    result: str
    issuer: str
    limits: list[LimitShown]


class MatterShown(MatterBrief):
    """A matter with its questions and items."""

    #: Questions that select items and materials (情形问答).
    situations: list[dict[str, JsonValue]]
    offered: list[ItemOffered]
    #: Working days that a unified issuance waits for the rest.
    longest_wait: int
    #: Working days given in a notice of corrections.
    supplement_days: int


class Answers(Body):
    """Answers to the questions of a matter."""

    #: Answers to the questions of the matter (`situations`), by id.
    answers: Data = Field(default_factory=dict)
    #: Items that are wanted, instead of letting the answers choose.
    items: Annotated[list[Line], Field(max_length=100)] | None = None


class ItemCalledFor(Shape):
    """An item that the situation calls for."""

    code: str
    name: str
    department: str
    mode: str
    #: include: to be handled; import: its result exists already.
    action: str
    limits: list[LimitShown]
    predecessors: list[dict[str, str]]
    on_refusal: str
    extension: int
    post_check: int | None
    #: What it is by law (事项类型): permit, confirmation, benefit, filing, service.
    type: str
    result: str
    issuer: str


class MaterialCalledFor(Shape):
    """A material that the situation calls for."""

    code: str
    name: str
    necessity: str
    source: str
    exemption: str
    merge_key: str | None
    used_by: list[str]
    #: The applicant must hand it in; otherwise the system has or fetches it.
    asked: bool
    #: It may follow later (容缺), until: BEFORE_DECISION, BEFORE_ISSUE, BEFORE_OPENING or AFTER_ISSUE.
    tolerable: bool
    until: str
    due_rule: str
    due_days: int | float | None
    grace_days: int | float
    basis: str


class Exclusion(Shape):
    """Why a bundle is not offered in a situation (排除情形), as the table of the matter says."""

    reason: str
    #: What to choose or where to go instead; empty: nothing is said.
    instead: str
    #: The article that says so.
    basis: str


class ChecklistShown(Shape):
    """Everything that must be told at once; the same answers give the same hash."""

    matter: str
    version: int
    answers: Data
    items: list[ItemCalledFor]
    materials: list[MaterialCalledFor]
    #: Questions that were not answered.
    unanswered: list[str]
    #: When there are any, a bundle with these answers is refused (422); each item may be applied for alone.
    exclusions: list[Exclusion]
    hash: str


@bp.get("")
@contract(summary="一件事列表 · List matters", answer=MatterList)
def list_matters() -> Response:
    """List the newest version of every matter."""
    with reading() as session:
        return answer({"data": [_brief(found) for found in matters.catalogue(session) if found.key != matters.SINGLE_ITEM]})


@bp.get("/<key>")
@contract(summary="一件事详情 · One matter", answer=MatterShown)
def get_matter(key: str) -> Response:
    """Give a matter with its questions and items."""
    with reading() as session:
        return answer(_whole(session, matters.get(session, key)))


@bp.post("/<key>/checklist")
@contract(summary="一次告知清单 · Checklist of a situation", body=Answers, answer=ChecklistShown)
def make_checklist(key: str, body: Answers) -> Response:
    """Tell which items and materials the answers call for, once and completely; nothing is kept."""
    with reading() as session:
        return answer({"exclusions": [], **checklists.make(session, matters.get(session, key), body.answers, only=body.items)})


def _brief(found: Matter) -> dict[str, Any]:
    return present.fields(found, "key name version code lead promised") | {"items": list(found.calls)}


def _whole(session: Session, found: Matter) -> dict[str, Any]:
    offered = matters.items_of(session, [code for code in found.calls if not code.startswith("${")])
    return _brief(found) | {
        "situations": checklists.situations(session, definitions.get(session, found.definition_id)),
        "offered": [
            present.fields(facts, "code name department mode type result issuer")
            | {"limits": [present.fields(limit, *LimitShown.model_fields) for limit in facts.limits]}
            for facts in offered.values()
        ],
        "longest_wait": found.longest_wait,
        "supplement_days": found.supplement_days,
    }
