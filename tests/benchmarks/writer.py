"""Completes tasks one after the other, and says how long each took: with the code of whatever release PYTHONPATH leads to."""

from __future__ import annotations

import sys
import time

from sqlalchemy import select

from engine import tasks
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.models import Task
from engine.states import TaskStatus

#: More than anybody can complete meanwhile.
MOST = 20_000


def main(url: str, department: str) -> None:
    """Complete what is open in a department; a line for each: when it began, how long it took (seconds), how it ended."""
    db, data = Database(url, live=0), {"outcome": "granted", "opinion": "The premises were found as described. " * 52}
    officer = Actor(name="officer", grants=(RoleGrant(role=Role.OFFICER, department=department),))
    with db.reading() as session:
        ours = select(Task.id).where(Task.element == department.replace("d", "department"), Task.status == TaskStatus.OPEN)
        waiting = list(session.scalars(ours.limit(MOST)))
    for task in waiting:
        began, ended = time.time(), "done"
        try:
            with db.transaction() as session:
                tasks.complete(session, task, actor=officer, data=data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            ended = repr(error)
        print(began, time.time() - began, ended, flush=True)  # noqa: T201 - it is what it is for


if __name__ == "__main__":
    main(*sys.argv[1:])
