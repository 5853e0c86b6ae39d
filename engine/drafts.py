"""Drafts (暂存): what is filled in of a task and not handed in yet, so that nothing that was typed is lost.

A task has one, and whoever may complete the task goes on from it.  When the task has ended, its draft is nobody's any more: completing
writes nothing here, and `engine.retention` takes it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from bpmn.errors import FieldError
from bpmn.forms import Form
from engine import keys, moments, tasks
from engine.actors import Actor
from engine.case_models import Draft
from engine.errors import InvalidInput

#: Bytes of a draft, as JSON.
LARGEST = 1 << 20


def find(session: Session, task_id: UUID, *, actor: Actor, lock: bool = False) -> Draft | None:
    """Return the draft of a task, if anybody has saved one; `lock` the task, and nobody else saves one.  Raises as `tasks.at_work`."""
    task = tasks.at_work(session, task_id, actor, to="go on with", lock=lock)
    return keys.get(session, Draft, task.id, task)


def save(session: Session, task_id: UUID, data: dict[str, Any], *, actor: Actor) -> Draft:
    """Keep what was filled in so far, in place of what was kept before.  It may be incomplete, and wrong in what only the whole form tells.

    Raises as `tasks.at_work`, and InvalidInput (`errors` by field) for fields that the form has not, other kinds of values, and too much.
    """
    task = tasks.at_work(session, task_id, actor, to="save a draft of", lock=True)
    _require_fitting(tasks.form(session, task), data)
    draft = keys.get(session, Draft, task.id, task) or Draft(task_id=task.id, **task.key)
    draft.data, draft.saved_at, draft.saved_by = data, moments.now(), actor.name
    session.add(draft)
    session.flush()
    return draft


def discard(session: Session, task_id: UUID, *, actor: Actor) -> None:
    """Throw the draft of a task away, if there is one; raises as `tasks.at_work`."""
    task = tasks.at_work(session, task_id, actor, to="throw away a draft of", lock=True)
    if draft := keys.get(session, Draft, task.id, task):
        session.delete(draft)
        session.flush()


def fitting(form: Form | None, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """Return what a form may keep of a draft, and what is out of place in it; without a form everything has its place."""
    return form.fitting(data) if form is not None else (dict(data), [])


def _require_fitting(form: Form | None, data: Mapping[str, Any]) -> None:
    if (size := len(orjson.dumps(data))) > LARGEST:
        raise InvalidInput(f"Expected a draft of at most {LARGEST} bytes, but it has {size}")
    _, wrong = fitting(form, data)
    if wrong:
        raise InvalidInput.of_fields([(error.field, error.message) for error in wrong])
