"""Supervision: whose lateness a red light tells, where nobody may decide for want of what the applicant has promised."""

from __future__ import annotations

from datetime import date

import pytest

from engine import deeds, dials, item_clock, scheduler
from engine.case_models import Alert, Tolerance
from engine.models import Timer
from tests import tiny
from tests.bpmn import diagrams as d
from tests.engine.test_recomputing import watched

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
#: Due on Monday, 9 March, when the promise of five working days ends, too.
PLAN = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_DECISION", "due_days": 15, "grace_days": 15}
SIGNED = {"outcome": "tolerate", "commitment_signed": True}


def tolerated(stage, clerk, promised=5, **material):
    items = {"alpha": {"promised": promised}, "beta": {"promised": 5}}
    stage.deploy("tiny", **tiny.folder(items, materials=[PLAN | material], processes={code: watched(code) for code in items}))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", **SIGNED)
    return case


def late(stage, case):
    """Items of which a supervisor was told that they are late, and those whose light is red."""
    items = stage.items(case)
    alerts = [a.message.split("（")[1].split("）")[0] for a in stage.all(Alert, case, kind="overdue")]
    today = dials.today()
    return sorted(alerts), [code for code, item in items.items() if dials.light(item, today) == "red"]


def pauses(stage, case):
    with stage.reading() as session:
        return [(str(p.since), p.until and str(p.until)) for p in item_clock.ledger(session, stage.item(case, "alpha")).pauses]


@pytest.mark.parametrize("day", [(10, 0), (10, 9), (13, 9)])
def test_overdue__the_applicant_is_late(stage, clerk, day):
    """Both were due by the same midnight; whether anybody was at work then makes no difference."""
    case = tolerated(stage, clerk)
    assert [str(t.due_on) for t in stage.all(Tolerance, case)] == [str(stage.item(case, "alpha").promised_on)] == ["2026-03-09"]

    stage.travel(2026, 3, day[0], hour=day[1])

    assert late(stage, case) == (["beta"], ["beta"])
    assert (stage.item(case, "alpha").clock, pauses(stage, case)) == ("paused", [("2026-03-09", None)])
    assert ("yellow", "tolerance_overdue") in stage.alerts(case)


@pytest.mark.parametrize("first", ["late", "due_due"])
def test_overdue__whichever_timer_goes_off_first(stage, clerk, first):
    """Nothing says which of two that are due at one moment comes first."""
    case = tolerated(stage, clerk)
    stage.move_to(2026, 3, 10, hour=0)
    its = [
        t.id
        for t in stage.all(Timer, case, element=first)
        if t.instance_id in {stage.bundle(case).id, stage.item(case, "alpha").instance_id}
    ]

    for timer in its:
        assert deeds.fire(stage.database, timer)
    scheduler.drain(stage.database)

    assert late(stage, case) == (["beta"], ["beta"])


def test_overdue__it_comes_and_nobody_decides(stage, clerk, market):
    """The department has the day that it did not have: then it is late itself."""
    case = tolerated(stage, clerk)
    stage.travel(2026, 3, 11)
    clerk.hand_in(case, "plan")
    assert str(stage.item(case, "alpha").promised_on) == "2026-03-12"

    stage.travel(2026, 3, 12, hour=23)
    assert late(stage, case) == (["beta"], ["beta"])
    stage.travel(2026, 3, 13)

    assert late(stage, case) == (["alpha", "beta"], ["alpha", "beta"])


def test_overdue__the_department_was_late_before(stage, clerk):
    """What was promised for a day after the department's own promise excuses nothing."""
    case = tolerated(stage, clerk)
    with stage.database.transaction() as session:
        for tolerance in session.query(Tolerance):
            tolerance.due_on = date(2026, 3, 10)

    stage.travel(2026, 3, 11)

    assert late(stage, case) == (["alpha", "beta"], ["alpha", "beta"])


@pytest.mark.parametrize("until", ["BEFORE_ISSUE", "AFTER_ISSUE"])
def test_overdue__it_could_have_decided(stage, clerk, until):
    """Only the issue waits for the material."""
    case = tolerated(stage, clerk, until=until, due_days=5)

    stage.travel(2026, 3, 10)

    assert late(stage, case) == (["alpha", "beta"], ["alpha", "beta"])


def test_overdue__long_before_the_promise_is_over(stage, clerk):
    """The clock is paused from the day after, as it always was: the department has its last days still."""
    case = tolerated(stage, clerk, promised=10, due_days=2)

    stage.travel(2026, 3, 5)

    assert pauses(stage, case) == [("2026-03-05", None)]


def test_overdue__what_its_department_has_kept_too_long(stage, clerk, market):
    """The plan came in the grace, and is rejected on the day on which the department is late: what is owed again was due before, and excuses it not."""
    case = tolerated(stage, clerk)
    stage.travel(2026, 3, 11)
    clerk.hand_in(case, "plan")
    stage.move_to(2026, 3, 16)
    market.handle("reject_material", stage.item(case, "alpha"), no=1, reason="图纸模糊")
    _, again = stage.all(Tolerance, case)
    assert (str(again.due_on), str(stage.item(case, "alpha").promised_on)) == ("2026-03-13", "2026-03-12")

    stage.travel(2026, 3, 16, hour=10)

    assert late(stage, case) == (["alpha", "beta"], ["alpha", "beta"])
    assert pauses(stage, case) == [("2026-03-09", "2026-03-11"), ("2026-03-16", None)]


# Reminders ----------------------------------------------------------------------------------------------------------------------------------


def reminding(code):
    return tiny.item(
        code,
        d.start("accepted"),
        tiny.decision(code),
        d.timer_boundary("early", on="decide", date="${deadline('warning')}", interrupting=False),
        d.external("remind", topic="onething.remind"),
        d.end("reminded"),
        d.end("decided"),
        d.flows("accepted -> decide -> decided", "early -> remind -> reminded"),
    )


@pytest.mark.parametrize(("day", "words"), [(9, "即将到期"), (10, "尚未办结")])
def test_remind__as_late_as_it_is(stage, clerk, day, words):
    """Nobody was at work when it was time: what is over is not about to be."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 5}}, processes={"alpha": reminding("alpha")}))
    case = clerk.take_in("tiny")

    stage.travel(2026, 3, day)

    [alert] = stage.all(Alert, case, kind="reminder")
    assert (alert.light, alert.message.endswith(words)) == ("yellow", True)


def test_remind__the_applicant_of_what_is_over(stage, clerk):
    """He is told that it is overdue, and not in the same moment that he may still bring it."""
    case = tolerated(stage, clerk, until="BEFORE_ISSUE", due_days=3)

    stage.travel(2026, 3, 6)

    assert [kind for kind in stage.notices(case) if kind in {"reminder", "tolerance_overdue"}] == ["tolerance_overdue"]
    [tolerance] = stage.all(Tolerance, case)
    assert (tolerance.status, tolerance.reminded_at is None) == ("overdue", False)
