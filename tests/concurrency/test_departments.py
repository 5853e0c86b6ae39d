"""Departments that finish at the same moment: all succeed at once, and the bundle goes on."""

from __future__ import annotations

import pytest

from engine import scheduler
from engine.database import Database
from tests import invariants
from tests.soak import departments


@pytest.fixture
def db(postgresql):
    with postgresql.fresh() as url:
        opened = Database(url)
        departments.furnish(opened)
        yield opened
        opened.close()


def test_complete__five_departments_at_the_same_moment(db):
    """No lock error is shown to anyone, nobody is told to try again, and nothing is left to the scheduler but what a job was busy with."""
    departments.put_to_work(db, 40)
    with departments.threads(db) as crew:
        trials = list(departments.finish_together(departments.decisions(db), crew))

    assert len(trials) == 40
    assert [trial.errors for trial in trials if trial.errors] == []
    assert departments.decisions(db) == []
    scheduler.drain(db)
    assert departments.waiting_for_issuance(db) == len(trials)
    invariants.check(db)
