"""What the applicant hands in in time is in time, however slow the hall is (行政许可法 art. 32 (4), (5))."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from engine import calendars, notices, scheduler, verification
from engine.case_models import Notice, Supplement
from engine.models import Timer
from tests import restaurant, tiny
from tests.engine.test_recomputing import publish
from tests.restaurant import ANSWERS

MATERIALS = [{"material": "plan", "used_by": "alpha"}, {"material": "map", "used_by": "alpha"}, {"material": "lease", "used_by": "beta"}]


@pytest.fixture
def case(stage, clerk):
    """Two materials of alpha are missing since Monday, 2 March; what is asked for may be handed in until the 16th."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=MATERIALS))
    return clerk.submit("tiny", materials=["lease"])


def ask(clerk, case, **more):
    clerk.complete(case, "一窗受理", outcome="supplement", **more)


def test_supply__on_the_last_day(stage, clerk, case):
    """The window has its five days to look at it; what it does not say in them, the law says."""
    ask(clerk, case)
    clerk.hand_in(case, "plan")
    stage.travel(2026, 3, 16, hour=23)
    clerk.hand_in(case, "map")

    stage.travel(2026, 3, 23)
    assert stage.statuses(case) == {"alpha": "correcting", "beta": "correcting"}
    assert stage.tasks(case) == ["补正材料"]
    stage.travel(2026, 3, 24, hour=0)

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "in_review"}
    assert [str(s.status) for s in stage.all(Supplement, case)] == ["answered"]
    assert stage.alerts(case) == [("red", "deemed_acceptance")]
    assert str(stage.item(case, "alpha").promised_on) == "2026-03-30"


def test_supply__early(stage, clerk, case):
    """Nobody waits for the end of the period when nothing is missing any more."""
    ask(clerk, case)
    stage.travel(2026, 3, 3)
    for code in ("plan", "map"):
        clerk.hand_in(case, code)
    assert str(stage.timer(case, "lapse")) == "2026-03-10"

    stage.travel(2026, 3, 11, hour=0)

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "in_review"}
    assert str(stage.item(case, "alpha").promised_on) == "2026-03-17"


def test_supply__by_the_forms_of_a_real_matter(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.without("m_plan", "m_premises"))
    ask(clerk, case)
    stage.travel(2026, 3, 13)
    for code in ("m_plan", "m_premises"):
        clerk.hand_in(case, code)

    stage.travel(2026, 3, 17)
    assert set(stage.statuses(case).values()) == {"correcting"}
    stage.travel(2026, 3, 21)

    assert set(stage.statuses(case).values()) == {"in_review"}


def test_supply__a_part_only(stage, clerk, case):
    """What lacks nothing must be accepted; the applicant is told what was missing of the rest."""
    ask(clerk, case)
    clerk.hand_in(case, "plan")

    stage.travel(2026, 3, 17, hour=0)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "in_review"}
    [told] = stage.all(Notice, case, kind="return")
    assert told.content["missing"] == [{"code": "map", "name": "map"}]
    assert told.content["remedies"] == notices.REMEDIES


def test_supply__too_late(stage, clerk, case):
    """The scheduler was asleep: that makes nothing timely."""
    ask(clerk, case)
    clerk.hand_in(case, "plan")
    stage.move_to(2026, 3, 17, hour=0, minute=1)
    clerk.hand_in(case, "map")

    scheduler.drain(stage.database)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "in_review"}


def test_supply__after_the_last_day_became_a_day_off(stage, clerk, case):
    ask(clerk, case)
    clerk.hand_in(case, "plan")
    publish(stage, 16)
    stage.travel(2026, 3, 17)
    clerk.hand_in(case, "map")

    stage.travel(2026, 3, 18)
    assert stage.statuses(case)["alpha"] == "correcting"
    stage.travel(2026, 3, 25)

    assert stage.statuses(case)["alpha"] == "in_review"


def test_supply__a_defect(stage, clerk, case):
    """Only a person can say whether it is mended: the window, in its five days after the last that came in."""
    for code in ("plan", "map"):
        clerk.hand_in(case, code)
    ask(clerk, case, defects="签名不清")
    stage.travel(2026, 3, 13)
    clerk.hand_in(case, "plan")
    stage.travel(2026, 3, 16)
    clerk.hand_in(case, "map")

    stage.travel(2026, 3, 23)
    assert stage.statuses(case)["alpha"] == "correcting"
    stage.travel(2026, 3, 24, hour=0)

    assert stage.statuses(case)["alpha"] == "in_review"


def test_supply__nothing_for_a_defect(stage, clerk, case):
    for code in ("plan", "map"):
        clerk.hand_in(case, code)
    ask(clerk, case, defects="签名不清")

    stage.travel(2026, 3, 17, hour=0)

    assert stage.statuses(case)["alpha"] == "returned"


def test_supply__what_was_missing_is_needed_no_more(stage, clerk, case):
    """What is left lacks nothing: it is not returned for what another item needed."""
    ask(clerk, case)
    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")

    stage.travel(2026, 3, 17)
    assert stage.statuses(case) == {"alpha": "withdrawn", "beta": "correcting"}
    clerk.complete(case, "补正材料", answered=True)

    assert stage.statuses(case)["beta"] == "submitted"


def test_answer__days_after_everything_came_in(stage, clerk, case):
    """The window's five days count from the day on which it had everything, not from its own click."""
    ask(clerk, case)
    stage.travel(2026, 3, 3)
    for code in ("plan", "map"):
        clerk.hand_in(case, code)
    stage.travel(2026, 3, 6)
    clerk.complete(case, "补正材料", answered=True)

    stage.travel(2026, 3, 10)
    assert stage.statuses(case)["alpha"] == "submitted"
    stage.travel(2026, 3, 11, hour=0)

    assert stage.statuses(case)["alpha"] == "in_review"
    assert str(stage.item(case, "alpha").promised_on) == "2026-03-17"


def test_supply__for_a_timer_of_an_older_release(stage, clerk, case):
    """Its row says the end of the period until the process goes on: it goes off for nothing, and looks again."""
    ask(clerk, case)
    stage.travel(2026, 3, 16)
    for code in ("plan", "map"):
        clerk.hand_in(case, code)
    was_due = calendars.end_of(calendars.local_date(stage.all(Timer, case, element="lapse")[0].due_at).replace(day=16))
    with stage.database.transaction() as session:
        session.execute(update(Timer).where(Timer.case_id == case.id, Timer.element == "lapse").values(due_at=was_due))

    stage.move_to(2026, 3, 17)
    scheduler.drain(stage.database)

    assert stage.statuses(case)["alpha"] == "correcting"
    assert str(stage.timer(case, "lapse")) == "2026-03-23"
    assert list(verification.verify(stage.database)) == []
