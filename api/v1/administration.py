"""Administration (系统管理): who has changed what of accounts, keys, departments and halls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response

from api import auth, paging
from api.contract import answer, contract
from api.shapes import Dated, Line, Page, Shape
from api.transactions import reading
from engine import administration
from engine.account_models import Administered
from engine.administration import EntryFilter

bp = Blueprint("administration", __name__, url_prefix="/administration")


class AdministrationQuery(Dated):
    """Which changes."""

    #: Name of the account that did it; `operator`: the command line.
    actor: Line | None = None
    #: Name of the account that it was done to: its password, roles, keys.
    account: Line | None = None
    #: As it is shown, e.g. `role granted`.
    what: Line | None = None


class AdministeredShown(Shape):
    """One change, as it was recorded with it."""

    #: Running number: none is missing.
    seq: int
    at: datetime
    #: The account that did it; `operator`: the command line.
    actor: str
    #: E.g. `role granted`, `hall deleted`.
    what: str
    #: What it is about: account, role, department, hall, key, label …
    about: dict[str, str]


@bp.get("")
@contract(summary="管理记录 · Who has changed what", query=AdministrationQuery, answer=Page[AdministeredShown])
def list_changes(query: AdministrationQuery) -> Response:
    """List changes of accounts, roles, keys, passwords, departments and halls, the newest first."""
    wanted = EntryFilter(**query.model_dump(include={"actor", "account", "what", "since", "until"}))
    before = paging.last(query.cursor, int)
    with reading() as session:
        found = administration.listing(session, actor=auth.actor(), wanted=wanted, before=before, limit=query.limit + 1)
        return answer(paging.page(found, query.limit, key=lambda entry: (entry.seq,), present=_presented))


def _presented(entry: Administered) -> dict[str, Any]:
    return {"seq": entry.seq, "at": entry.at, "actor": entry.actor, "what": entry.what, "about": entry.about}
