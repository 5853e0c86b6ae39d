"""The plain pages: what is offered, where a case is, and the reference.  They work without scripts and without the internet."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, request

from api import auth, openapi, particulars, problems, reference, words
from api.transactions import reading
from api.v1 import present
from engine import accounts, archive_search, cases, dossiers, matters, offices
from engine.calendars import BEIJING
from engine.database import Session
from engine.errors import NotFound
from engine.models import Department

bp = Blueprint("pages", __name__)


@bp.app_template_filter()
def local(moment: datetime) -> str:
    """Write a moment as the clocks of the hall show it."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


@bp.app_template_filter()
def until(moment: datetime) -> str:
    """Write the end of a period; midnight is the end of a day."""
    return local(moment) if moment.astimezone(BEIJING).time() != time() else f"{local(moment - timedelta(days=1))[:10]} 24:00"


@bp.get("/")
@auth.public
def show_index() -> tuple[str, int]:
    """List the matters; show the case that is asked for, to whom it concerns."""
    number = _number(request.args.get("case", ""))
    found: dict[str, Any] = {}
    status = 200
    with reading() as session, archive_search.holding(session, number) as holding:
        offered = [matter for matter in matters.catalogue(session) if matter.key != matters.SINGLE_ITEM]
        if number:
            try:
                found = _case(holding, number)
                found["departments"] = offices.names(session, Department)
                found["people"] = accounts.display_names(session, {entry.actor for entry, _did in found["journal"]})
            except NotFound:
                status = 404
    return render_template("index.html", matters=offered, number=number, words=words, particulars=particulars.of, **found), status


@bp.get("/reference")
@auth.public
def show_reference() -> str:
    """Show the reference of `/api/v1`."""
    document = openapi.document(current_app)
    return render_template(
        "reference.html",
        document=document,
        sections=reference.sections(document),
        shapes=reference.shapes(document),
        problems=problems.catalogue(),
    )


def _number(typed: str) -> str:
    """Give the number of a case, as somebody has typed that of the case, of an item or of a notice."""
    return unicodedata.normalize("NFKC", typed).strip().partition("-")[0]


def _case(session: Session, number: str) -> dict[str, Any]:
    """Gather what the page says of a case; the matters are for everybody, a case is not."""
    actor = auth.actor()
    row = cases.get(session, number, actor)
    case = present.case(session, row, actor)
    names = {item["number"]: item["name"] for item in case["items"]}
    entries = dossiers.journal(session, row, actor)
    known = names | {material["code"]: material["name"] for material in case["materials"]}
    journal = [(entry, particulars.deed(entry.what, entry.details, known)) for entry in entries]
    return {"case": case, "names": names, "owed": _owed(case, names), "journal": journal}


def _owed(case: dict[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """How each promise stands: of two for one material the later counts; with what was said against the last copy that has come in."""
    latest = {material["code"]: material for material in case["materials"]}
    owed = {tolerance["code"]: tolerance for tolerance in case["tolerances"]}
    rejected = {code: material["rejections"] for code, material in latest.items()}
    return [
        entry | {"rejected": [f"{names[said['item']]}退回：{said['reason']}" for said in rejected.get(code, ())]}
        for code, entry in owed.items()
    ]
