"""Where a scheduler begins to look: never behind what is still to be done, for longer than a complete look takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import moments
from engine.floors import RARELY, UNSEEN, Floors
from engine.models import Timer
from tests.engine.test_timers import reminding


class Looking:
    """A scheduler that looks at the timers of a stage, and for whom every look takes a second."""

    def __init__(self, stage):
        self.stage, self.passed = stage, 0.0
        self.floors = Floors(self.tell)

    def tell(self):
        self.passed += 1
        return self.passed

    def first(self, *, after=0.0):
        """When the first timer that it finds was due, before now."""
        self.passed += after
        now = moments.now()
        with self.stage.reading() as session:
            found = self.floors.heads(session, now=now)["timers"]
        return found and now - found


@pytest.fixture
def looking(stage, designer):
    stage.deploy("p", p_bpmn=reminding(date="2027-01-01T00:00:00Z"))
    designer.start("p")
    return Looking(stage)


def let_be_due(stage, ago):
    with stage.database.transaction() as session:
        session.scalars(select(Timer)).one().due_at = moments.now() - ago


def close(found, expected):
    return found is not None and abs(found - expected) < timedelta(seconds=2)


MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_heads__nothing_is_due(looking):
    assert looking.first() is None


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_heads__what_was_committed_late_is_seen(stage, looking):
    """Whoever planned it may have taken a while."""
    looking.first()

    let_be_due(stage, UNSEEN - timedelta(seconds=5))

    assert close(looking.first(), UNSEEN - timedelta(seconds=5))


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_heads__what_was_planned_for_long_ago(stage, looking):
    """It waits for a look from the very beginning, which comes after twenty times the time that the last one took."""
    looking.first()

    let_be_due(stage, 30 * MINUTES)

    assert looking.first() is None
    assert close(looking.first(after=RARELY), 30 * MINUTES)
    assert close(looking.first(), 30 * MINUTES)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_heads__what_is_not_done_is_found_again(stage, looking):
    """The floor never rises above it."""
    let_be_due(stage, 30 * MINUTES)

    assert all(close(looking.first(), 30 * MINUTES) for _ in range(3))
