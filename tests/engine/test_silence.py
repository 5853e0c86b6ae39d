"""Acceptance by law of what joined later; that of a whole case stands in `test_intake`."""

from __future__ import annotations

import pytest

from engine import scheduler
from engine.case_models import Notice
from engine.errors import InvalidState
from tests import tiny

PLAN = {"material": "plan", "used_by": "alpha"}


@pytest.fixture
def tiny_matter(stage):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}}, materials=[PLAN]))


@pytest.fixture
def case(stage, clerk, tiny_matter):
    """Alpha is in review since Monday, 2 March; beta and gamma may join."""
    return clerk.take_in("tiny", items=["alpha"], materials=["plan"])


def due(stage, case):
    """Last days before the open tasks at the window are due."""
    return stage.timer(case, "silence_of_joined").isoformat()


def test_accept__joined_and_nobody_answered(stage, clerk, case):
    stage.travel(2026, 3, 4)
    clerk.follow_on(case, "beta")
    assert stage.task(case, "接续受理").due_at.isoformat() == "2026-03-11T16:00:00+00:00"

    stage.travel(2026, 3, 11, hour=23, minute=59)
    assert stage.statuses(case)["beta"] == "submitted"
    stage.travel(2026, 3, 12, hour=0)

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "in_review"}
    assert stage.item(case, "beta").accepted_by == "deemed"
    assert stage.alerts(case) == [("red", "deemed_acceptance")]
    assert stage.all(Notice, case, kind="acceptance")[-1].content["basis"] == "deemed"
    assert stage.tasks(case) == ["alpha审批", "beta审批"]


def test_accept__clock_runs_from_the_day_of_joining(stage, clerk, case):
    stage.travel(2026, 3, 4)
    clerk.follow_on(case, "beta")

    stage.travel(2026, 3, 12)

    # Ten working days from Wednesday, 4 March.
    assert stage.task(case, "beta审批").due_at.isoformat() == "2026-03-18T16:00:00+00:00"
    assert stage.case(case).clock_started_on.isoformat() == "2026-03-02"


def test_accept__each_wave_has_its_five_days(stage, clerk, case):
    stage.travel(2026, 3, 4)
    clerk.follow_on(case, "beta")
    stage.travel(2026, 3, 6)
    clerk.follow_on(case, "gamma")

    stage.travel(2026, 3, 12)
    assert stage.statuses(case) == {"alpha": "in_review", "beta": "in_review", "gamma": "submitted"}
    assert stage.tasks(case).count("接续受理") == 1
    assert due(stage, case) == "2026-03-13"
    stage.travel(2026, 3, 14)

    assert stage.statuses(case)["gamma"] == "in_review"
    assert "接续受理" not in stage.tasks(case)
    assert stage.alerts(case) == [("red", "deemed_acceptance")] * 2


def test_accept__scheduler_was_down_for_two_waves(stage, clerk, case):
    stage.travel(2026, 3, 4)
    clerk.follow_on(case, "beta")
    stage.move_to(2026, 3, 6)
    clerk.follow_on(case, "gamma")

    stage.travel(2026, 3, 16)

    assert stage.task(case, "beta审批").due_at.isoformat() == "2026-03-18T16:00:00+00:00"
    assert stage.task(case, "gamma审批").due_at.isoformat() == "2026-03-20T16:00:00+00:00"
    assert "接续受理" not in stage.tasks(case)


def test_accept__answered_in_time(stage, clerk, case):
    """One answer disposes of both waves; the task that is left over goes away, and nobody is told of a silence."""
    for code in ("beta", "gamma"):
        clerk.follow_on(case, code)
    clerk.complete(case, "接续受理", outcome="refuse", reason="不属于本机关职权范围")

    stage.travel(2026, 3, 10)

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "refused", "gamma": "refused"}
    assert stage.tasks(case) == ["alpha审批"]
    assert stage.alerts(case) == []


def test_accept__joined_while_the_bundle_waited_at_the_window(stage, clerk, tiny_matter):
    """What joined on Wednesday is not accepted with the bundle of Monday: it is asked to the window again, and has its own five days."""
    case = clerk.submit("tiny", items=["alpha"], materials=["plan"])
    stage.travel(2026, 3, 4)
    clerk.follow_on(case, "beta")

    stage.travel(2026, 3, 10)
    assert stage.statuses(case) == {"alpha": "in_review", "beta": "submitted"}
    assert stage.tasks(case) == ["alpha审批", "接续受理"]
    assert due(stage, case) == "2026-03-11"
    stage.travel(2026, 3, 12)

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "in_review"}


def test_accept__joined_while_corrections_were_out(stage, clerk, tiny_matter):
    """It is received with them."""
    case = clerk.submit("tiny", items=["alpha"])
    clerk.complete(case, "一窗受理", outcome="supplement")
    stage.travel(2026, 3, 3)
    clerk.follow_on(case, "beta")
    stage.travel(2026, 3, 11)
    clerk.hand_in(case, "plan")
    clerk.complete(case, "补正材料", answered=True)

    stage.travel(2026, 3, 18)
    assert set(stage.statuses(case).values()) == {"submitted"}
    stage.travel(2026, 3, 19)

    assert {item.accepted_by for item in stage.items(case).values()} == {"deemed"}


def test_accept__adopted_before_anybody_answered(stage, clerk, case):
    """Its five days began when it was submitted alone."""
    alone = clerk.submit("beta")
    stage.travel(2026, 3, 5)

    clerk.adopt(case, stage.item(alone, "beta").number)
    assert due(stage, case) == "2026-03-09"
    stage.travel(2026, 3, 10)

    assert stage.statuses(case)["beta"] == "in_review"


def test_accept__adopted_after_its_corrections_came_in(stage, clerk, tiny_matter):
    """They began anew then, and go on as they began."""
    alone = clerk.submit("alpha")
    clerk.complete(alone, "一窗受理", outcome="supplement")
    stage.travel(2026, 3, 5)
    clerk.hand_in(alone, "plan")
    clerk.complete(alone, "补正材料", answered=True)
    bundle = clerk.take_in("tiny", items=["beta"])

    clerk.adopt(bundle, stage.item(alone, "alpha").number)

    assert due(stage, bundle) == "2026-03-12"


def test_accept__nothing_but_what_was_adopted(stage, clerk, market, tiny_matter):
    """A bundle of adopted items does not wait for the window for ever."""
    alone = clerk.submit("alpha", materials=["plan"])
    clerk.complete(alone, "一窗受理", outcome="accept")
    bundle = clerk.submit("tiny", items=["alpha"], adopt=[stage.item(alone, "alpha").number])
    assert "接续受理" in stage.tasks(bundle)

    stage.travel(2026, 3, 10)

    assert stage.alerts(bundle) == []
    market.complete(bundle, "alpha审批", outcome="granted")
    assert stage.tasks(bundle) == ["统一出件"]


@pytest.mark.parametrize("outcome", ["refuse", "supplement", "accept", "tolerate"])
def test_decide__after_the_five_days(stage, clerk, tiny_matter, outcome):
    """The scheduler was away over the end of the fifth day: what the law has accepted the window can neither send away nor begin later."""
    case = clerk.submit("tiny", items=["alpha"])
    said = {"refusal_kind": "not_accepted", "reason": "x", "defects": "y", "commitment_signed": True}
    stage.move_to(2026, 3, 10, hour=0)

    with pytest.raises(InvalidState, match=r"counts as accepted"):
        clerk.complete(case, "一窗受理", outcome=outcome, **said)
    scheduler.drain(stage.database)

    assert stage.statuses(case) == {"alpha": "in_review"}
    assert stage.task(case, "alpha审批").due_at.isoformat() == "2026-03-16T16:00:00+00:00"


def test_decide__joined_and_after_the_five_days(stage, clerk, case):
    clerk.follow_on(case, "beta")
    stage.move_to(2026, 3, 10, hour=0)

    with pytest.raises(InvalidState, match=r"counts as accepted"):
        clerk.complete(case, "接续受理", outcome="refuse", reason="x")
