"""What is looked at after every command (`tests/invariants.py`) finds what does not hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from engine.case_models import Case, ClockEntry, Item
from engine.models import Activity, Entry, Instance, Subscription, Task, TaskGroup, Timer
from engine.states import ClockStatus, InstanceStatus, ItemStatus, TaskStatus
from tests import invariants, tiny
from tests.stage import MONDAY

PLAN = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 5, "grace_days": 15}
TASK, BUNDLE = Task.status == TaskStatus.OPEN, Instance.item_id.is_(None)
DAMAGES = (
    delete(Task).where(TASK),
    update(Task).where(TASK).values(element="elsewhere"),
    update(Task).where(TASK).values(red_from=None),
    update(Task).where(TASK).values(sole_group="somebody"),
    update(Task).where(TASK).values(status=TaskStatus.CANCELED),
    delete(TaskGroup),
    delete(Subscription),
    delete(Timer),
    update(Timer).values(due_at=MONDAY + timedelta(days=1)),
    delete(Entry).where(Entry.seq == 1),
    update(Activity).where(Activity.ended_at.is_(None)).values(ended_at=MONDAY),
    delete(Activity).where(Activity.ended_at.is_(None)),
    update(Instance).where(BUNDLE).values(status=InstanceStatus.COMPLETED),
    update(Instance).values(journal_seq=9),
    update(Instance).where(~BUNDLE).values(parent_wait=0),
    update(Case).values(red_from=MONDAY.date()),
    update(Case).values(ended_at=MONDAY),
    update(Item).values(red_from=None),
    update(Item).values(hall="elsewhere"),
    update(Item).values(clock=ClockStatus.PAUSED),
    update(Item).values(status=ItemStatus.WAITING),
    delete(ClockEntry),
)


def test_look__something_is_wrong(stage, clerk):
    """A law that cannot be broken in a test proves nothing."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN]))
    clerk.complete(clerk.submit("tiny"), "一窗受理", outcome="tolerate", commitment_signed=True)

    for damage in DAMAGES:
        with stage.database.transaction() as session:
            invariants.look(session)
            assert session.execute(damage).rowcount > 0, damage
            with pytest.raises(AssertionError):
                invariants.look(session)
            session.rollback()
