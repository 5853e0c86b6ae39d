"""Claims (认领): open tasks that somebody has taken, and that go back to their groups when he cannot do them any more."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine import visibility
from engine.models import Task


def give_back(session: Session, name: str, *which: ColumnElement[bool]) -> int:
    """Give the tasks that somebody has claimed back to their groups, where they have any; how many there were.

    What is of no group stays: a diagram, or a supervisor, has named who is meant.  Raises Busy when somebody else writes one of them.
    """
    mine = select(Task).where(visibility.OPEN_TASK, Task.assignee == name, visibility.is_of_groups(), *which)
    # Nobody is waited for: whoever holds the instance of one of them may want another.
    found = session.scalars(mine.with_for_update(nowait=True, key_share=True)).all()
    for task in found:
        task.assignee = None
    session.flush()
    return len(found)
