"""Tasks (部门任务): the worklist, and completing a task, which is the one way to advance a case."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field

from api import auth, paging, tables, words
from api.contract import answer, contract, require_match
from api.shapes import FormData, Line, Moment, Page
from api.tables import Column, Listed
from api.transactions import reading, transaction
from api.v1 import present
from api.v1.shown import DraftShown, Findings, TaskDetails, TaskShown
from engine import drafts, findings, tasks, worklists
from engine.clock import Light
from engine.database import Session

bp = Blueprint("tasks", __name__, url_prefix="/tasks")
COLUMNS = {
    "办件编号": Column("case"),
    "申请人": Column("applicant"),
    "事项编号": Column("item"),
    "事项名称": Column("item_name"),
    "一件事": Column("matter"),
    "大厅": Column("hall"),
    "任务": Column("name"),
    "由谁办理": Column("groups"),
    "认领人": Column("assignee"),
    "红黄灯": Column("light", words.LIGHTS),
    "到期时间": Column("due_at", ends=True),
    "等待": Column("waits_for", say=words.hindrance, between="；"),
    "产生时间": Column("created_at"),
}


class TaskQuery(Listed):
    """Which open tasks."""

    group: Annotated[Line | None, Field(description="候选组，如 window、department-fire · Candidate group.")] = None
    assignee: Annotated[Line | None, Field(description="认领人 · Who has claimed it.")] = None
    matter: Line | None = None
    hall: Line | None = None
    case: Annotated[Line | None, Field(description="办件编号 · Number of its case.")] = None
    light: Light | None = None
    due_before: Moment | None = None


@bp.get("")
@contract(summary="待办列表 · List open tasks", query=TaskQuery, answer=Page[TaskShown], columns=COLUMNS)
def list_tasks(query: TaskQuery) -> Response:
    """List your open tasks, soonest due first."""
    start = paging.after(query.cursor, paging.moment, UUID)
    wanted = worklists.TaskFilter(**query.model_dump(exclude=set(Listed.model_fields)))
    with reading() as session:
        found = worklists.find_tasks(session, auth.actor(), wanted, after=(start[0], start[1]) if start else None, limit=query.rows + 1)
        return tables.answer(session, found, query, key=lambda row: (row.due_at or "", row.id), present=present.work)


@bp.get("/<uuid:task_id>")
@contract(summary="任务详情 · One task", answer=TaskDetails)
def get_task(task_id: UUID) -> Response:
    """Give a task with its form."""
    with reading() as session:
        return answer(_shown(session, task_id))


@bp.get("/<uuid:task_id>/findings")
@contract(summary="已查明情况 · What was found", answer=Findings)
def get_findings(task_id: UUID) -> Response:
    """Tell what systems and earlier tasks have left in the process of a task, for whoever decides; what was answered is in the case."""
    with reading() as session:
        return answer({"data": [asdict(found) for found in findings.of_task(session, task_id, actor=auth.actor())]})


@bp.get("/<uuid:task_id>/draft")
@contract(summary="读取暂存 · Read the draft", answer=DraftShown, problems=(409,))
def get_draft(task_id: UUID) -> Response:
    """Give what was filled in so far of a task that you may complete."""
    with reading() as session:
        return answer(present.draft(drafts.find(session, task_id, actor=auth.actor())))


@bp.put("/<uuid:task_id>/draft")
@contract(summary="暂存 · Save a draft", body=FormData, answer=DraftShown, problems=(409, 412))
def save_draft(task_id: UUID, body: FormData) -> Response:
    """Keep what is filled in so far, however incomplete, instead of what was kept before; it is gone when the task ends."""
    with transaction() as session:
        _require_draft_as_seen(session, task_id)
        return answer(present.draft(drafts.save(session, task_id, body.root, actor=auth.actor())))


@bp.delete("/<uuid:task_id>/draft")
@contract(summary="删除暂存 · Throw the draft away", answer=DraftShown, problems=(409, 412))
def discard_draft(task_id: UUID) -> Response:
    """Throw away what is kept, if anything is."""
    with transaction() as session:
        _require_draft_as_seen(session, task_id)
        drafts.discard(session, task_id, actor=auth.actor())
        return answer(present.draft(None))


@bp.post("/<uuid:task_id>/claim")
@contract(summary="认领 · Claim a task", answer=TaskDetails, problems=(409, 412))
def claim(task_id: UUID) -> Response:
    """Take a task for yourself."""
    with transaction() as session:
        require_match(TaskDetails, lambda: _shown(session, task_id))
        tasks.claim(session, task_id, actor=auth.actor())
        return answer(_shown(session, task_id))


@bp.post("/<uuid:task_id>/release")
@contract(summary="退回 · Release a task", answer=TaskDetails, problems=(409, 412))
def release(task_id: UUID) -> Response:
    """Give a claimed task back to its groups."""
    with transaction() as session:
        require_match(TaskDetails, lambda: _shown(session, task_id))
        tasks.release(session, task_id, actor=auth.actor())
        return answer(_shown(session, task_id))


@bp.post("/<uuid:task_id>/complete")
@contract(summary="办理 · Complete a task", body=FormData, answer=TaskDetails, problems=(409, 412))
def complete(task_id: UUID, body: FormData) -> Response:
    """Complete a task; the case runs on to where it next needs somebody."""
    with transaction() as session:
        require_match(TaskDetails, lambda: _shown(session, task_id))
        tasks.complete(session, task_id, actor=auth.actor(), data=body.root)
        return answer(_shown(session, task_id))


def _shown(session: Session, task_id: UUID) -> dict[str, Any]:
    return present.task(worklists.details(session, task_id, auth.actor()))


def _require_draft_as_seen(session: Session, task_id: UUID) -> None:
    require_match(DraftShown, lambda: present.draft(drafts.find(session, task_id, actor=auth.actor(), lock=True)))
