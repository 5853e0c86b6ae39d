"""Daybooks (工作日志): what one person did, across cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field

from api import auth, paging, tables, words
from api.contract import contract
from api.shapes import Dated, Line, Page, Shape
from api.tables import Column, Listed
from api.transactions import reading
from api.v1 import present
from engine import daybooks
from engine.daybooks import DaybookFilter

bp = Blueprint("daybooks", __name__, url_prefix="/journal")
COLUMNS = {
    "时间": Column("at"),
    "经办人": Column("actor"),
    "行为": Column("what", words.DEEDS),
    "任务": Column("task"),
    "办件编号": Column("case"),
    "一件事": Column("matter"),
    "大厅": Column("hall"),
    "事项编号": Column("item"),
    "事项名称": Column("name"),
    "部门": Column("department"),
}


class DaybookQuery(Dated, Listed):
    """Whose daybook, and of which days."""

    actor: Annotated[Line | None, Field(description="账号名，省略为本人 · Name of the account; you, when nobody is named.")] = None


class Done(Shape):
    """Something that somebody did: a line of the journal, and the case that it is of."""

    at: datetime
    actor: str
    what: str
    #: Name of the task, if it was one.
    task: str | None
    details: dict[str, Any]
    case: str
    matter: str
    #: Null: a process without a matter.
    hall: str | None
    #: Of the item in whose process it was done. Null: the bundle's own; `details` may name items.
    item: str | None
    name: str | None
    department: str | None


@bp.get("")
@contract(summary="工作日志 · What somebody did", query=DaybookQuery, answer=Page[Done], columns=COLUMNS)
def list_done(query: DaybookQuery) -> Response:
    """List what you did, the newest first; what somebody else did if you supervise, in your halls: in cases that are not in the archive."""
    start = paging.after(query.cursor, paging.moment, UUID)
    wanted = DaybookFilter(actor=query.actor or auth.actor().name, since=query.since, until=query.until)
    with reading() as session:
        after = (start[0], start[1]) if start else None
        found = daybooks.listing(session, auth.actor(), wanted, after=after, limit=query.rows + 1)
        return tables.answer(session, found, query, key=lambda row: (row.at, row.id), present=_shown)


def _shown(row: Any) -> dict[str, Any]:
    given = [name for name in Done.model_fields if name != "task"]
    return present.fields(row, *given) | {"task": row.details.get("task")}
