"""A clock that stands still for longer than the applicant was told: a supervisor is told of it, once (行政许可法 art. 45)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from engine import calendars, deeds, scheduler, verification
from engine.case_models import Alert
from engine.models import Job, Outbox, Timer
from tests import invariants, tiny
from tests.engine.test_recomputing import publish
from tests.stage import BEIJING, MONDAY

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
HEARING = {"kind": "hearing", "reason": "规划听证", "days": 5}
PLAN = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 4, "grace_days": 2}


def accepted(stage, clerk, **more):
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 20, "extension": 5}, "beta": {}}, **more))
    return clerk.take_in("tiny")


def paused(stage, clerk, market, **how):
    """Since Monday, 2 March, for five working days: until the ninth."""
    case = accepted(stage, clerk)
    market.handle("pause", stage.item(case, "alpha"), **HEARING | how)
    return case


def told(stage, case):
    return [alert.message for alert in stage.all(Alert, case, kind="long_pause")]


def looks(stage, case):
    """Days that are over when the engine looks at pauses of a case."""
    moments = sorted(job.due_at for job in stage.jobs(case) if "pause" in job.payload)
    days = [calendars.local_date(moment - timedelta(seconds=1)) for moment in moments]
    assert [calendars.end_of(day) for day in days] == moments
    return [str(day) for day in days]


def forget(stage, case):
    """Leave the case as the release before would have."""
    with stage.database.transaction() as session:
        session.execute(delete(Job).where(Job.case_id == case.id))


def test_look__when_what_was_told_is_over(stage, clerk, market):
    case = paused(stage, clerk, market)

    stage.travel(2026, 3, 9, hour=23, minute=59)
    assert told(stage, case) == []
    stage.travel(2026, 3, 10, hour=0)

    item = stage.item(case, "alpha")
    [alert] = stage.all(Alert, case, kind="long_pause")
    assert alert.message == f"事项 {item.number}（alpha）自 2026-03-02 起暂停计时，已超出告知申请人的 5 个工作日（至 2026-03-09）：规划听证"
    assert (alert.light, alert.department, alert.item_id) == ("yellow", "market", item.id)
    assert [row.payload["message"] for row in stage.all(Outbox, case, topic="alert")] == [alert.message]
    assert [entry.details["procedure"] for entry in stage.journal(case) if entry.what == "pause outlasted"] == ["hearing"]
    assert stage.jobs(case) == []
    assert list(verification.verify(stage.database)) == []


def test_look__by_the_special_procedure_of_a_drawing(stage, clerk, market):
    case = accepted(stage, clerk, processes={"alpha": tiny.inspected("alpha", at_most="P30D")})
    market.complete(case, "alpha审批", outcome="inspect")

    stage.travel(2026, 3, 6)

    [message] = told(stage, case)
    assert message.endswith("已超出告知申请人的 3 个工作日（至 2026-03-05）：现场核查")


def test_look__for_the_applicant(stage, clerk, market):
    case = paused(stage, clerk, market, kind="supplement", reason="请补正图纸")

    stage.travel(2026, 3, 10)

    [message] = told(stage, case)
    assert message.endswith("（至 2026-03-09），申请人仍未补正：请补正图纸")


def test_look__each_of_two_pauses(stage, clerk, market):
    case = paused(stage, clerk, market)
    market.handle("pause", stage.item(case, "alpha"), kind="testing", reason="检测", days=3)
    found = []

    for day in (5, 6, 10):
        stage.travel(2026, 3, day)
        found.append(len(told(stage, case)))

    assert found == [0, 1, 2]
    assert ["检测" in message for message in told(stage, case)] == [True, False]


def test_look__once_whatever_becomes_of_the_clock(stage, clerk, market):
    case = paused(stage, clerk, market)
    stage.travel(2026, 3, 10)

    market.handle("pause", stage.item(case, "alpha"), kind="testing", reason="检测", days=30)
    market.handle("extend", stage.item(case, "alpha"), days=5, approver="organ_head", reason="案情复杂")
    for day in (11, 12, 13):
        stage.travel(2026, 3, day)

    assert len(told(stage, case)) == 1
    # The first pause of before may be looked at once more, and the other when it is over.
    assert [job.due_at.astimezone(BEIJING).month for job in stage.jobs(case)] == [4]


def kinds(stage, case):
    """What became of the alerts, and what whoever carries them was sent."""
    sent = [row.payload for row in stage.all(Outbox, case, topic="alert")]
    assert [each["message"] for each in sent][-1:] == [alert.message for alert in stage.all(Alert, case)][-1:]
    return [alert.kind for alert in stage.all(Alert, case)], [each["kind"] for each in sent]


def test_recompute__it_was_not_too_long(stage, clerk, market):
    """Two days become days off: the tenth was no day too many.  What is too long after all is told anew, once."""
    case = paused(stage, clerk, market)
    stage.travel(2026, 3, 10)
    [message] = told(stage, case)

    publish(stage, 4, 5)
    scheduler.drain(stage.database)

    [alert] = stage.all(Alert, case)
    assert (alert.kind, alert.light) == ("retracted", "green")
    assert alert.message == f"{message}（工作日历更正后未超出告知的时间，预警作废）"
    assert kinds(stage, case) == (["retracted"], ["long_pause", "retracted"])
    assert looks(stage, case) == ["2026-03-11"]
    stage.travel(2026, 3, 12)
    assert kinds(stage, case) == (["retracted", "long_pause"], ["long_pause", "retracted", "long_pause"])
    assert "（至 2026-03-11）" in told(stage, case)[0]
    publish(stage)
    stage.travel(2026, 3, 13)
    assert kinds(stage, case)[0] == ["retracted", "long_pause"]
    assert list(verification.verify(stage.database)) == []


def test_recompute__the_correction_is_taken_back(stage, clerk, market):
    case = paused(stage, clerk, market)
    stage.travel(2026, 3, 10)
    before = told(stage, case)
    publish(stage, 4, 5)
    scheduler.drain(stage.database)

    for _again in range(2):
        publish(stage)
        scheduler.drain(stage.database)

    assert told(stage, case) == before
    assert [alert.light for alert in stage.all(Alert, case)] == ["yellow"]
    assert kinds(stage, case) == (["long_pause"], ["long_pause", "retracted", "long_pause"])
    stage.travel(2026, 3, 13)
    assert told(stage, case) == before


@pytest.mark.parametrize(("day", "kind"), [(11, "retracted"), (12, "long_pause")])
def test_recompute__it_has_ended_since(stage, clerk, market, day, kind):
    """The eleventh is the last day by then: what ended on it was not too long."""
    case = paused(stage, clerk, market)
    stage.travel(2026, 3, day)
    market.handle("resume", stage.item(case, "alpha"))

    publish(stage, 4, 5)
    scheduler.drain(stage.database)

    assert kinds(stage, case)[0] == [kind]


def test_recompute__one_of_two_pauses_of_a_day(stage, clerk, market):
    """For the same item, since the same day: each has its own alert; one deadline that was missed beside them has its own, too."""
    case = paused(stage, clerk, market)
    market.handle("pause", stage.item(case, "alpha"), kind="testing", reason="检测", days=3)
    stage.travel(2026, 3, 10)
    assert len(told(stage, case)) == 2

    publish(stage, 9)
    scheduler.drain(stage.database)

    assert [(alert.kind, "检测" in alert.message) for alert in stage.all(Alert, case)] == [("long_pause", True), ("retracted", False)]


def test_move__the_walk_has_been_in_the_bundle(stage, clerk, market):
    """It was told alone, and is adopted before the calendar has come to its case: what is not so is not told in the bundle."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 20}, "beta": {}}))
    alone = clerk.take_in("alpha")
    market.handle("pause", stage.item(alone, "alpha"), **HEARING)
    bundle = clerk.take_in("tiny", items=["beta"])
    stage.travel(2026, 3, 10)
    stage.checking = False
    publish(stage, 4, 5)

    clerk.adopt(bundle, stage.item(alone, "alpha").number)

    assert [alert.kind for alert in stage.all(Alert, bundle)] == ["retracted"]
    scheduler.drain(stage.database)
    assert ([alert.kind for alert in stage.all(Alert, bundle)], looks(stage, bundle)) == (["retracted"], ["2026-03-11"])
    invariants.check(stage.database)


def test_follow__resumed_in_time(stage, clerk, market):
    case = paused(stage, clerk, market)
    assert looks(stage, case) == ["2026-03-09"]

    market.handle("resume", stage.item(case, "alpha"))

    assert stage.jobs(case) == []


def test_follow__completed_in_time(stage, clerk, market):
    case = accepted(stage, clerk, processes={"alpha": tiny.inspected("alpha")})
    market.complete(case, "alpha审批", outcome="inspect")
    assert looks(stage, case) == ["2026-03-05"]

    market.complete(case, "现场核查", findings="ok")

    assert stage.jobs(case) == []


@pytest.mark.parametrize("end", ["withdraw", "decide", "break off"])
def test_follow__its_item_ends(stage, clerk, market, end):
    case = paused(stage, clerk, market)

    if end == "withdraw":
        clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")
    elif end == "decide":
        market.complete(case, "alpha审批", outcome="denied", reason_code="A", reason="不符合")
    else:
        clerk.withdraw(case)

    assert looks(stage, case) == []
    stage.travel(2026, 3, 31)
    assert told(stage, case) == []


@pytest.mark.parametrize("day", [6, 9])
def test_look__what_ends_with_the_day_that_was_told(stage, clerk, market, day):
    """A public notice lasts for three working days, and so it says: it has not lasted too long, also when nobody was at work."""
    case = accepted(stage, clerk, processes={"alpha": tiny.inspected("alpha", at_most="${workdays(3)}")})
    market.complete(case, "alpha审批", outcome="inspect")

    stage.travel(2026, 3, day, hour=0)

    assert (stage.item(case, "alpha").clock, stage.tasks(case)) == ("running", ["alpha审批", "beta审批"])
    stage.travel(2026, 3, 31)
    assert (told(stage, case), looks(stage, case)) == ([], [])


def test_follow__one_of_two_is_resumed(stage, clerk, market):
    case = paused(stage, clerk, market)
    testing = market.handle("pause", stage.item(case, "alpha"), kind="testing", reason="检测", days=3)
    assert looks(stage, case) == ["2026-03-05", "2026-03-09"]
    with stage.reading() as session:
        [entry] = [e for e in session.get(type(testing), testing.id).clock_entries if e.procedure == "testing"]

    market.handle("resume", stage.item(case, "alpha"), pause_id=entry.id)

    assert looks(stage, case) == ["2026-03-09"]


def test_follow__an_estimate_beyond_every_calendar(stage, clerk, market):
    """It is taken, and nobody can say when it is over."""
    case = paused(stage, clerk, market, days=1_000_000)

    assert stage.jobs(case) == []
    stage.travel(2026, 3, 31)
    assert told(stage, case) == []


@pytest.mark.parametrize("until", ["BEFORE_ISSUE", "BEFORE_DECISION"])
def test_look__a_material_that_ends_the_item_in_time(stage, clerk, until):
    """Due on Friday, and two days of grace, by which the item ends: the supervisor was told when it became overdue."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 20}, "beta": {}}, materials=[PLAN | {"until": until}]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)

    stage.travel(2026, 3, 11, hour=0)

    assert stage.statuses(case)["alpha"] == "terminated"
    assert (told(stage, case), looks(stage, case)) == ([], [])
    assert ("yellow", "tolerance_overdue") in stage.alerts(case)


def test_look__a_material_that_does_not_end_it(stage, clerk):
    """It should have been given up on Tuesday, and was not."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 20}, "beta": {}}, materials=[PLAN]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    stage.travel(2026, 3, 7)
    with stage.database.transaction() as session:
        session.execute(update(Timer).where(Timer.case_id == case.id, Timer.element == "grace_due").values(retries=0, error="no"))

    stage.move_to(2026, 3, 12)
    scheduler.drain(stage.database)

    [message] = told(stage, case)
    assert message.endswith("已超出告知申请人的 2 个工作日（至 2026-03-10），申请人仍未补正：容缺材料逾期未补：plan")


def test_recompute__a_calendar_is_corrected(stage, clerk, market):
    case = paused(stage, clerk, market)
    publish(stage, 4, 5)
    scheduler.drain(stage.database)
    assert looks(stage, case) == ["2026-03-11"]

    stage.travel(2026, 3, 11, hour=23)
    assert told(stage, case) == []
    publish(stage)
    stage.travel(2026, 3, 11, hour=23, minute=30)

    [message] = told(stage, case)
    assert "（至 2026-03-09）" in message


def test_look__before_the_walk_has_come(stage, clerk, market):
    """A calendar was just corrected, and this clock is not counted by it yet: nobody is told what it takes back."""
    case = paused(stage, clerk, market)
    [job] = stage.jobs(case)
    stage.move_to(2026, 3, 10)
    publish(stage, 4, 5)

    assert deeds.run(stage.database, job.id)

    assert (told(stage, case), looks(stage, case)) == ([], ["2026-03-11"])
    stage.travel(2026, 3, 12)
    assert len(told(stage, case)) == 1


def test_recompute__a_pause_that_had_begun_before(stage, clerk, market):
    """The release before set no looks: the next calendar does, and what is over by then is told at once."""
    cases = [paused(stage, clerk, market), paused(stage, clerk, market, days=9)]
    for case in cases:
        forget(stage, case)
    stage.travel(2026, 3, 11)
    assert [told(stage, case) for case in cases] == [[], []]

    publish(stage, 30)
    stage.travel(2026, 3, 11, hour=10)

    assert [len(told(stage, case)) for case in cases] == [1, 0]
    assert looks(stage, cases[1]) == ["2026-03-13"]


def test_follow__a_pause_that_had_begun_before(stage, clerk, market):
    """Or whatever is done to its clock next."""
    case = paused(stage, clerk, market)
    forget(stage, case)

    market.handle("extend", stage.item(case, "alpha"), days=5, approver="organ_head", reason="案情复杂")

    assert looks(stage, case) == ["2026-03-09"]


def test_follow__its_item_is_adopted(stage, clerk, market):
    """Whoever supervises the hall of the bundle is told."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 20}, "beta": {}}))
    alone = clerk.take_in("alpha")
    market.handle("pause", stage.item(alone, "alpha"), **HEARING)
    bundle = clerk.take_in("tiny", items=["beta"])

    clerk.adopt(bundle, stage.item(alone, "alpha").number)

    assert (looks(stage, alone), looks(stage, bundle)) == ([], ["2026-03-09"])
    stage.travel(2026, 3, 10)
    assert (told(stage, alone), len(told(stage, bundle))) == ([], 1)


def test_refresh__by_a_node_of_before(stage, clerk, market):
    """It knows the kind of the job, looks at timers, and leaves no incident."""
    case = paused(stage, clerk, market)

    assert [(job.kind, sorted(job.payload)) for job in stage.jobs(case)] == [("refresh", ["item", "pause"])]


def test_verify__timers_of_what_is_paused(stage, clerk, market):
    """What is owed for weeks excuses no timer that is late."""
    case = accepted(stage, clerk, processes={"alpha": tiny.inspected("alpha")})
    market.complete(case, "alpha审批", outcome="inspect")
    with stage.database.transaction() as session:
        session.execute(update(Timer).where(Timer.element == "too_long").values(due_at=MONDAY + timedelta(days=60)))

    [fault] = verification.verify(stage.database)

    assert "Expected the timer at too_long" in fault.message
