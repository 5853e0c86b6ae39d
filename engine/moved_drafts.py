"""Drafts of tasks that are moved to another version: they stay as far as the other form has their fields, and undo gives back the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bpmn.errors import FieldError
from bpmn.forms import Form
from engine import drafts, keys
from engine.case_models import Draft
from engine.holdings import Held
from engine.models import Instance, Task
from engine.states import TaskStatus

#: The form that a task has in the other version.
Forms = Callable[[Task], Form | None]


@dataclass(frozen=True, kw_only=True)
class Refit:
    """A draft in another form."""

    task: Task
    draft: Draft
    #: What the form has a field for, and what it has not.
    kept: dict[str, Any]
    lost: Sequence[FieldError]


def refit(session: Session, row: Held | Instance, forms: Forms) -> list[Refit]:
    """Look at the drafts of an instance in other forms; nothing is written."""
    found = []
    for task, draft in _drafts(session, row):
        kept, lost = drafts.fitting(forms(task), draft.data)
        found.append(Refit(task=task, draft=draft, kept=kept, lost=lost))
    return found


def told(refits: Sequence[Refit]) -> tuple[str, ...]:
    """Say what drafts lose."""
    return tuple(f"The draft of {each.task.name} loses {error.field}: {error.message}" for each in refits for error in each.lost)


def hold(session: Session, row: Held) -> None:
    """Let nobody save a draft until the transaction ends: it would be looked at in a form that its task has no more."""
    session.execute(select(Task.id).where(*_open(row)).order_by(Task.id).with_for_update(key_share=True))


def write(refits: Sequence[Refit]) -> list[dict[str, Any]]:
    """Leave out what the other form has no field for; returns the drafts that lose something, as they were."""
    losing = [each for each in refits if each.lost]
    before = [{"task_id": each.draft.task_id, "data": each.draft.data, "saved_at": each.draft.saved_at} for each in losing]
    for each in losing:
        each.draft.data = each.kept
    return before


def put_back(session: Session, row: Held, before: Sequence[dict[str, Any]], *, old: Forms, new: Forms) -> tuple[str, ...]:
    """After a move is undone, give drafts back what they had lost by it; returns what they lose by going back.

    What was typed since then stays, as far as the old form has the field; a draft that was thrown away since then stays away.
    """
    lost = {UUID(each["task_id"]): each for each in before}
    for task, draft in _drafts(session, row):
        if task.id in lost:
            draft.data = _given_back(draft, new(task), **lost[task.id])
    refits = refit(session, row, old)
    write(refits)
    return told(refits)


def _given_back(draft: Draft, form: Form | None, data: dict[str, Any], saved_at: str, **_: Any) -> dict[str, Any]:
    if draft.saved_at == datetime.fromisoformat(saved_at):
        return data
    asked = {field.key for field in form.fields} if form is not None else set()
    return {key: value for key, value in data.items() if key not in asked} | draft.data


def _drafts(session: Session, row: Held | Instance) -> Sequence[tuple[Task, Draft]]:
    query = select(Task, Draft).join(Draft, keys.its(Draft.task_id, Task)).where(*_open(row)).order_by(Task.id)
    return [(task, draft) for task, draft in session.execute(query)]


def _open(row: Held | Instance) -> tuple[ColumnElement[bool], ...]:
    return keys.its(Task.instance_id, row), Task.status == TaskStatus.OPEN
