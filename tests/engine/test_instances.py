"""Instances: whoever gets the lock sees the world as those left it who had it before, whatever he has read already."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy.orm import Session

from engine import case_items, instances, item_clock
from engine.actors import ENGINE
from engine.case_models import Case, Item
from tests import tiny

PLAN = {"material": "plan", "used_by": "alpha", "tolerable": True, "due_days": 5}
SIGNED = {"outcome": "tolerate", "commitment_signed": True}


@pytest.fixture
def case(stage, clerk):
    """A bundle of two items at work, with a third that may join and a material that may follow."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}}, materials=[PLAN]))
    case = clerk.submit("tiny", items=["alpha", "beta"])
    clerk.complete(case, "一窗受理", **SIGNED)
    return case


@contextmanager
def one_session(stage):
    """A session that goes on after its first transaction and has forgotten nothing of it."""
    with Session(stage.database.bind, expire_on_commit=False) as session:
        yield session


def test_wake__the_ledger_went_on(stage, market, case):
    item = stage.item(case, "alpha")
    with one_session(stage) as session:
        known = session.get_one(Item, item.id)
        assert item_clock.ledger(session, known).pauses == ()
        session.commit()

        market.handle("pause", item, kind="hearing", reason="听证", days=5)
        instances.wake(session, item.instance_id, actor=ENGINE)

        assert known.clock == "paused"
        assert [pause.kind for pause in item_clock.ledger(session, known).pauses] == ["hearing"]


def test_hold__the_ledger_went_on(stage, market, case):
    item = stage.item(case, "alpha")
    with one_session(stage) as session:
        known = session.get_one(Item, item.id)
        assert item_clock.ledger(session, known).pauses == ()
        session.commit()

        market.handle("pause", item, kind="hearing", reason="听证", days=5)
        instances.hold(session, known)

        assert [pause.kind for pause in item_clock.ledger(session, known).pauses] == ["hearing"]


def test_wake__an_item_joined_and_a_material_came(stage, clerk, case):
    with one_session(stage) as session:
        known = session.get_one(Case, case.id)
        assert [item.code for item in case_items.live(known)] == ["alpha", "beta"]
        assert [tolerance.code for tolerance in case_items.open_tolerances(known)] == ["plan"]
        session.commit()

        clerk.follow_on(case, "gamma")
        clerk.hand_in(case, "plan")
        instances.wake(session, stage.bundle(case).id, actor=ENGINE)

        assert [item.code for item in case_items.live(known)] == ["alpha", "beta", "gamma"]
        assert case_items.open_tolerances(known) == []
