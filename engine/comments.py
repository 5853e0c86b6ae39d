"""Comments (批注): what people remark on a task, while it is open and afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import arranging, moments, tasks
from engine.actors import Actor
from engine.case_models import Comment
from engine.errors import InvalidInput, NotFound

#: Characters of a remark; Camunda keeps no more.
LONGEST = 4000


def of(session: Session, task_id: UUID, *, actor: Actor) -> Sequence[Comment]:
    """Remarks on a task, the newest first."""
    task = arranging.get(session, task_id, actor)
    return session.scalars(select(Comment).where(Comment.task_id == task.id).order_by(Comment.created_at.desc(), Comment.id.desc())).all()


def get(session: Session, task_id: UUID, comment_id: UUID, *, actor: Actor) -> Comment:
    """One remark on a task; raises NotFound."""
    found = next((comment for comment in of(session, task_id, actor=actor) if comment.id == comment_id), None)
    if found is None:
        raise NotFound(f"Task comment with id {comment_id} does not exist for task id '{task_id}'.")
    return found


def add(session: Session, task_id: UUID, message: str, *, actor: Actor) -> Comment:
    """Remark something on a task that one sees; raises NotFound, InvalidInput."""
    task = arranging.get(session, task_id, actor)
    if len(message) > LONGEST:
        raise InvalidInput(f"Expected a comment of at most {LONGEST} characters, but it has {len(message)}")
    tasks.hold(session, task)  # it stays in its case until this is written
    comment = Comment(**task.key, task_id=task.id, author=actor.name, message=message, created_at=moments.now())
    session.add(comment)
    session.flush()
    return comment
