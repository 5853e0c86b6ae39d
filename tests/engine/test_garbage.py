"""No command leaves a circle of objects behind: to look for such, Python lets everybody in its process wait (`engine.garbage`)."""

from __future__ import annotations

import gc
from collections import Counter
from contextlib import contextmanager

import pytest
from sqlalchemy.orm import Session

from engine.errors import EngineError
from tests import tiny
from tests.benchmarks import reference

OURS = ("engine.", "bpmn.", "SpiffWorkflow.")


@contextmanager
def left(*others):
    """What the garbage collector finds of the block, by class: of ours, sessions, through which all else is held, and of others."""
    found = Counter()
    gc.collect()
    gc.freeze()  # what was there before is not looked through, whatever it lets go of: that takes seconds, after thousands of tests
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
    finally:
        gc.collect()
        gc.set_debug(0)
        kinds = [type(each) for each in gc.garbage]
        gc.garbage.clear()
        gc.enable()
    found.update(kind.__qualname__ for kind in kinds if kind.__module__.startswith(OURS) or issubclass(kind, (Session, *others)))


def test_commands__leave_no_garbage(stage, clerk, market):
    """From the window to the last certificate, with what is refused on the way; a first case fills what is cached."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    stage.checking = False

    def course():
        case = clerk.take_in("tiny")
        stage.tasks(case)
        for code in ("alpha", "beta"):
            with pytest.raises(EngineError):
                clerk.complete(case, f"{code}审批", outcome="granted")
            market.complete(case, f"{code}审批", outcome="granted")
        clerk.complete(case, "统一出件")

    course()
    with left() as found:
        course()

    assert not found, found


def test_live_instances__leave_no_garbage_when_others_take_their_place(monkeypatch, database):
    """They lie in memory for long, where Python hardly ever looks for circles: what they took would be far more than their limit."""
    reference.deploy(database)
    monkeypatch.setattr(database.live, "limit", 100_000)
    reference.begin(database)
    with left() as found:
        for _ in range(10):
            reference.begin(database)

    assert database.live.size <= 100_000
    assert not found, found
