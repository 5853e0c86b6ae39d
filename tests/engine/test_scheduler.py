from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from math import inf
from threading import Barrier

import pytest
from sqlalchemy import select

from engine import deeds, pace, scheduler
from engine.case_models import Alert
from engine.floors import Floors
from engine.models import Timer
from engine.pace import Pace
from tests import tiny
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d
from tests.engine.test_recomputing import publish


def accepted(stage, clerk, items, **folder):
    stage.deploy("tiny", **tiny.folder(items, **folder))
    return clerk.take_in("tiny")


def watched():
    """Decided under a timer that does not interrupt."""
    return tiny.item(
        "alpha",
        d.start("accepted"),
        tiny.decision("alpha"),
        d.timer_boundary("late", on="decide", date="${deadline('promised')}", interrupting=False),
        d.external("overdue", topic="onething.overdue"),
        d.end("reported"),
        d.end("decided"),
        d.flows("accepted -> decide -> decided", "late -> overdue -> reported"),
    )


def timers(stage, case):
    return [timer.id for timer in stage.all(Timer, case)]


def test_fire__not_yet_due(stage, clerk):
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": watched()})

    assert [deeds.fire(stage.database, timer) for timer in timers(stage, case)] == [False] * len(timers(stage, case))


def test_fire__by_many_schedulers_at_the_same_moment(stage, clerk):
    """Whoever comes second finds that it has been done."""
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": watched()})
    stage.move_to(2026, 3, 17)
    due = [t.id for t in stage.all(Timer, case, element="late")] * 4
    together = Barrier(4)

    def fire(timer):
        together.wait()
        deeds.fire(stage.database, timer)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(fire, due))

    assert [alert.kind for alert in stage.all(Alert, case)] == ["overdue"]


def test_fire__moved_since_it_was_claimed(stage, clerk, market):
    """Between the look at the schedule and the lock, a pause has moved it."""
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": watched()})
    stage.move_to(2026, 3, 17)
    [timer] = stage.all(Timer, case, element="late")
    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=5)
    # The limit had run out before; a pause changes nothing about that.
    market.handle("resume", stage.item(case, "alpha"))

    assert deeds.fire(stage.database, timer.id) is True
    assert stage.alerts(case) == [("red", "overdue")]


def test_fire__no_such_timer(stage, clerk):
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": watched()})

    assert deeds.fire(stage.database, case.id) is False


def broken():
    """After the timer comes a special procedure whose days nobody can read."""
    properties = {"onething.kind": "special-procedure", "onething.procedure": "hearing", "onething.days": "some"}
    return tiny.item(
        "alpha",
        d.start("accepted"),
        tiny.decision("alpha"),
        d.timer_boundary("late", on="decide", duration="P1D"),
        d.user("hearing", name="听证", groups="department-market", properties=properties),
        d.end("decided"),
        d.flows("accepted -> decide -> decided", "late -> hearing -> decided"),
    )


def test_fire__fails(stage, clerk):
    """It is put off and tried again by itself; when nothing is left to try, an incident says so once."""
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": broken()})
    stage.move_to(2026, 3, 4)

    left = []
    for _ in range(4):
        scheduler.drain(stage.database)
        [timer] = stage.all(Timer, case, element="late")
        left.append((timer.retries, len(stage.incidents(case))))
        stage.traveller.shift(timedelta(minutes=2))

    assert left == [(2, 0), (1, 0), (0, 1), (0, 1)]
    [incident] = stage.incidents(case)
    assert (incident.element, "onething.days" in incident.message) == ("late", True)


def beside(moment):
    """As `broken`, on a day that moves with the clock; somebody looks at something beside it."""
    properties = {"onething.kind": "special-procedure", "onething.procedure": "hearing", "onething.days": "some"}
    return tiny.item(
        "alpha",
        d.start("accepted"),
        d.parallel("fork"),
        tiny.decision("alpha"),
        d.timer_boundary("late", on="decide", date=f"${{deadline('{moment}')}}", interrupting=False),
        d.user("hearing", name="听证", groups="department-market", properties=properties),
        d.user("look", name="踏勘", groups="department-market"),
        *map(d.end, ("heard", "looked", "decided")),
        d.flows("accepted -> fork -> decide -> decided", "late -> hearing -> heard", "fork -> look -> looked"),
    )


def put_off(stage, case):
    scheduler.drain(stage.database)
    [timer] = stage.all(Timer, case, element="late")
    return timer.retries, timer.due_at


def test_fire__fails_and_its_case_goes_on(stage, clerk, market):
    """It stays put off, though the day with which it moves is over; else whatever is done there would be its next attempt."""
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": beside("promised")})
    stage.move_to(2026, 3, 20)
    first = put_off(stage, case)
    assert first[0] == 2

    market.complete(case, "踏勘")

    assert put_off(stage, case) == first
    stage.traveller.shift(timedelta(seconds=6))
    left, due_at = put_off(stage, case)
    assert (left, due_at - first[1] > timedelta(seconds=30)) == (1, True)


def test_fire__fails_and_a_calendar_is_corrected(stage, clerk):
    """The day with which it moves is another one, and over all the same: it stays put off; it begins anew with one that is to come."""
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": beside("promised")})
    stage.move_to(2026, 3, 20)
    first = put_off(stage, case)
    assert first[0] == 2

    publish(stage, 4)
    assert put_off(stage, case) == first
    publish(stage, 4, 5, 6, 9, 10)

    scheduler.drain(stage.database)
    assert str(stage.timer(case, "late")) == "2026-03-23"


def test_fire__fails_and_its_clock_moves(stage, clerk, market):
    """It sleeps with its clock, and begins anew when that goes on."""
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": beside("warning")})
    stage.move_to(*stage.timer(case, "late").timetuple()[:3], hour=23, minute=59)
    stage.traveller.shift(timedelta(minutes=2))
    assert put_off(stage, case)[0] == 2

    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=5)
    assert put_off(stage, case)[1] is None
    market.handle("resume", stage.item(case, "alpha"))
    stage.move_to(2026, 3, 31)

    assert put_off(stage, case)[0] == 2


def test_fire__fails_with_a_text_that_postgresql_does_not_keep(stage, designer):
    """The failure is counted all the same."""
    hands_out = defs.parameters(outputs={"sum": "${answer + 1}"})
    late = d.timer_boundary("late", on="a", duration="P1D")
    plain = d.diagram(d.start("s"), d.user("a", ext=hands_out), late, d.end("e"), d.flows("s -> a -> e", "late -> e"), key="plain")
    stage.deploy("plain", plain_bpmn=plain)
    case = stage.of(designer.start("plain", answer="a\0b"))
    stage.move_to(2026, 3, 4)

    scheduler.drain(stage.database)

    [timer] = stage.all(Timer, case)
    assert (timer.retries, "to hand out 'sum'" in timer.error, "\0" in timer.error) == (2, True, False)


def test_drain__a_chain_of_timers(stage, clerk):
    """One that is due brings up the next, and that is due, too."""
    alpha = tiny.item(
        "alpha",
        d.start("s"),
        d.timer_catch("one", duration="PT1H"),
        d.timer_catch("two", date="2026-03-02T12:00:00+08:00"),
        tiny.decision("alpha"),
        d.end("e"),
        d.flows("s -> one -> two -> decide -> e"),
    )
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": alpha})

    stage.travel(2026, 3, 3)

    assert stage.tasks(case) == ["alpha审批"]


def test_tick__nothing_is_due(stage, clerk):
    accepted(stage, clerk, {"alpha": {}})

    assert scheduler.tick(stage.database) == 0


def test_tick__only_so_much_in_one_go(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    for _ in range(3):
        clerk.submit("tiny")
    stage.move_to(2026, 3, 10)

    assert scheduler.tick(stage.database, limit=2) == 2
    with stage.reading() as session:
        assert len(session.scalars(select(Timer).where(Timer.due_at <= datetime.now(UTC))).all()) == 1


def test_tick__two_schedulers(stage, clerk):
    """Any number of nodes may run it: what is due is done once."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    cases = [clerk.submit("tiny") for _ in range(4)]
    stage.move_to(2026, 3, 10)
    together = Barrier(2)

    def work(_):
        together.wait()
        scheduler.drain(stage.database)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))

    assert [stage.alerts(case) for case in cases] == [[("red", "deemed_acceptance")]] * 4
    assert [stage.statuses(case) for case in cases] == [{"alpha": "in_review"}] * 4
    assert [len([n for n in stage.notices(case) if n == "acceptance"]) for case in cases] == [1] * 4


@pytest.mark.parametrize(("people", "claims"), [(True, [1, 1, 1, 1]), (False, [4])])
def test_tick__the_first_of_a_mass_gives_way(stage, clerk, monkeypatch, people, claims):
    """Who is there is asked for before anything of a mass is done: already its first batch is a small one."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    for _ in range(4):
        clerk.submit("tiny")
    stage.move_to(2026, 3, 10)
    for module, name, count in ((pace, "MASS", 4), (scheduler, "MASS", 4), (pace, "FEW", 1)):
        monkeypatch.setattr(module, name, count)
    claimed, together = [], deeds.do_together
    monkeypatch.setattr(deeds, "do_together", lambda db, kind, limit, since: claimed.append(limit) or together(db, kind, limit, since))

    scheduler.tick(stage.database, pace=Pace(people=lambda: people))

    assert claimed == claims


def test_pulse__says_when_the_next_is_due(stage, clerk):
    """To the moment, whoever has set it; what is due already may not be all."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    assert scheduler.pulse(stage.database, Floors()) == inf
    case = clerk.submit("tiny")
    due = min(timer.due_at for timer in stage.all(Timer, case) if timer.due_at)

    stage.traveller.move_to(due - timedelta(seconds=0.25))
    assert 0 < scheduler.pulse(stage.database, Floors()) <= 0.25
    stage.traveller.move_to(due)
    assert scheduler.pulse(stage.database, Floors()) == 0
