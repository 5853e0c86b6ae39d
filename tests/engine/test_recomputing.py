"""A calendar is published: every clock that runs is counted anew, batch by batch, and nobody sees half of it."""

from __future__ import annotations

import json
import re
import threading
import time
from datetime import date
from functools import partial

import pytest
from sqlalchemy import select, text, update

from api.cli.recomputing import recompute
from engine import (
    calendars,
    cases,
    correlation,
    database,
    deployments,
    duties,
    execution,
    holidays,
    publications,
    recomputing,
    scheduler,
    verification,
)
from engine.actors import Actor, Role, RoleGrant
from engine.case_models import Case, Commitment, Item, Recomputation
from engine.correlation import Message
from engine.database import Database
from engine.errors import Busy
from engine.models import Instance, Job, Task, Timer
from engine.pace import Pace
from tests import interleaving, invariants, tiny
from tests.bpmn import diagrams as d
from tests.engine.test_commitments import committed
from tests.stage import APPLICANT, DESIGNER, WORKFLOWS

ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),))
ITEMS = {"alpha": {"promised": 5, "statutory": 10}, "beta": {"promised": 3}}


def watched(code):
    return tiny.item(
        code,
        d.start("accepted"),
        tiny.decision(code),
        d.timer_boundary("early", on="decide", date="${deadline('warning')}", interrupting=False),
        d.timer_boundary("late", on="decide", date="${deadline('promised')}", interrupting=False),
        d.external("overdue", topic="onething.overdue"),
        d.end("reported"),
        d.end("seen"),
        d.end("decided"),
        d.flows("accepted -> decide -> decided", "late -> overdue -> reported", "early -> seen"),
    )


def at_work(stage):
    """Three bundles whose departments are at work since Monday, 2 March."""
    stage.deploy("tiny", **tiny.folder(ITEMS, promised="7", processes={code: watched(code) for code in ITEMS}))
    clerk = stage.person("clerk")
    for case in [clerk.submit("tiny") for _ in range(3)]:
        clerk.complete(case, "一窗受理", outcome="accept")


@pytest.fixture
def accepted(begun):
    return begun(at_work)


def corrected(*days_off):
    """2026, but these days of March are no working days."""
    document = json.loads((WORKFLOWS / "calendars" / "2026.json").read_bytes())
    weekdays = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
    for day in days_off:
        when = date(2026, 3, day)
        document["days"].append({"date": str(when), "weekday": weekdays[when.weekday()], "kind": "day_off", "holiday": "调整"})
    return document


def publish(stage, *days_off):
    """Correct 2026: these days of March are no working days."""
    with stage.database.transaction() as session:
        publications.publish_year(session, corrected(*days_off), actor=ADMIN)


def dates(stage, case):
    """Last day of each item, of the bundle, and what its tasks are due by and turn red on."""
    with stage.reading() as session:
        items = [str(day) for day in session.scalars(select(Item.promised_on).where(Item.case_id == case.id).order_by(Item.code))]
        tasks = sorted(
            {
                str(task.red_from)
                for task in session.scalars(select(Task).where(Task.case_id == case.id, Task.item_id.is_not(None)))
                if not task.ended_at
            }
        )
        return items, str(session.get_one(Case, case.id).promised_on), tasks


def test_publish__everything_that_runs_follows(stage, accepted):
    assert dates(stage, accepted[0]) == (["2026-03-09", "2026-03-05"], "2026-03-11", ["2026-03-06", "2026-03-10"])

    publish(stage, 4)
    scheduler.drain(stage.database)

    assert dates(stage, accepted[0]) == (["2026-03-10", "2026-03-06"], "2026-03-12", ["2026-03-07", "2026-03-11"])
    invariants.check(stage.database)


def test_publish__takes_back_what_it_gave(stage, accepted):
    before = [dates(stage, case) for case in accepted]
    for days in ((4, 5), ()):
        publish(stage, *days)
        scheduler.drain(stage.database)
        invariants.check(stage.database)

    assert [dates(stage, case) for case in accepted] == before


def test_publish__again_before_all_are_counted(stage, accepted):
    """A process looks at the world between two corrections; the second takes back what it has seen, and its clock gives what it gave."""
    publish(stage, 4)
    for item in stage.items(accepted[0]).values():
        with stage.database.transaction() as session:
            execution.refresh(session, item.instance_id, actor=ADMIN)
    publish(stage)

    scheduler.drain(stage.database)

    invariants.check(stage.database)
    assert list(verification.verify(stage.database)) == []


def test_publish__some_tasks_are_due_otherwise_and_show_the_same_light(stage, accepted):
    """A process has looked at the world between two corrections, and its clock gives what it gave; those of others in its batch do not."""
    publish(stage, 4)
    for case in accepted:
        with stage.database.transaction() as session:
            execution.refresh(session, stage.item(case, "beta").instance_id, actor=ADMIN)
    publish(stage, 9)

    scheduler.drain(stage.database)

    invariants.check(stage.database)
    assert [dates(stage, case) for case in accepted] == [(["2026-03-10", "2026-03-05"], "2026-03-12", ["2026-03-06", "2026-03-11"])] * 3


def test_publish__an_item_goes_to_a_bundle_that_was_counted(stage, clerk, accepted):
    """The case where it came from is looked at later, when it is there no more."""
    alone = clerk.submit("alpha")
    clerk.complete(alone, "一窗受理", outcome="accept")
    bundle = clerk.submit("tiny", items=["beta"])
    stage.checking = False
    publish(stage, 4)
    with stage.database.transaction() as session:
        [walk] = session.scalars(select(Recomputation))
        walk.cursor = alone.id  # it was held, say
        walk.busy = [str(case.id) for case in (*accepted, alone)]
    recomputing.go_on(stage.database, limit=1)

    clerk.adopt(bundle, stage.item(alone, "alpha").number)
    scheduler.drain(stage.database)

    invariants.check(stage.database)


def test_publish__a_warning_that_was_given_is_not_given_again_for_an_earlier_day(stage, accepted):
    """Beta is yellow since Thursday; then Wednesday becomes a day off, and the warning is due once more, on Friday."""
    stage.travel(2026, 3, 5)
    publish(stage, 4)
    scheduler.drain(stage.database)
    invariants.check(stage.database)

    publish(stage)
    scheduler.drain(stage.database)
    stage.travel(2026, 3, 6)


def lasting(code):
    """An item that watches its promise until its process ends, which has something left to do when it is decided."""
    handled = (d.start("begun"), tiny.decision(code), d.user("archive", name="归档", groups="department-market"), d.end("handled"))
    return tiny.item(
        code,
        d.start("accepted"),
        d.subprocess("handling", *handled, d.flows("begun -> decide -> archive -> handled")),
        d.timer_boundary("early", on="handling", date="${deadline('warning')}", interrupting=False),
        d.timer_boundary("late", on="handling", date="${deadline('promised')}", interrupting=False),
        d.external("remind", topic="onething.remind"),
        d.external("overdue", topic="onething.overdue"),
        d.end("reminded"),
        d.end("reported"),
        d.end("over"),
        d.flows("accepted -> handling -> over", "early -> remind -> reminded", "late -> overdue -> reported"),
    )


def warnings(stage, case):
    """What was said about the time that is left."""
    return [alert for alert in stage.alerts(case) if alert[1] in {"reminder", "overdue"}]


@pytest.fixture
def kept(stage, clerk, market):
    """A bundle whose item was decided on the first day, and is still to be put into the archive."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 5}}, promised="7", processes={"alpha": lasting("alpha")}))
    case = clerk.take_in("tiny")
    market.complete(case, "alpha审批", outcome="granted")
    return case


def test_publish__what_was_decided_keeps_its_light(stage, kept):
    """Nothing is due by its clock any more, and its rows say so, whatever calendar comes."""
    publish(stage, 4)
    scheduler.drain(stage.database)

    assert (stage.timer(kept, "early"), stage.timer(kept, "late"), str(stage.item(kept, "alpha").promised_on)) == (None, None, "2026-03-09")
    assert list(verification.verify(stage.database)) == []
    stage.travel(2026, 3, 30)
    assert warnings(stage, kept) == []


def test_verify__what_an_older_release_decided(stage, kept):
    """Its timers still have the days of its clock: they go off for nothing, and sleep then."""
    with stage.database.transaction() as session:
        session.execute(
            update(Timer).where(Timer.case_id == kept.id, Timer.element == "late").values(due_at=calendars.end_of(date(2026, 3, 9)))
        )
    stage.move_to(2026, 3, 3)

    assert list(verification.verify(stage.database)) == []
    stage.travel(2026, 3, 30)

    assert (stage.timer(kept, "late"), warnings(stage, kept)) == (None, [])


def test_publish__what_was_decided_too_late_stays_late(stage, clerk, market):
    """Nobody is told of it a second time, though it would not have been late by the new calendar."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 5}}, processes={"alpha": lasting("alpha")}))
    case = clerk.take_in("tiny")
    stage.travel(2026, 3, 10)
    market.complete(case, "alpha审批", outcome="granted")

    publish(stage, 4)
    scheduler.drain(stage.database)
    stage.travel(2026, 3, 30)

    assert warnings(stage, case) == [("yellow", "reminder"), ("red", "overdue")]
    assert list(verification.verify(stage.database)) == []


def test_publish__a_bundle_that_has_ended_keeps_its_light(stage, clerk, market):
    """It was in time by the calendar of its last day, while the applicant may still rate it."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, promised="7"))
    publish(stage, 4)
    scheduler.drain(stage.database)
    case = clerk.take_in("tiny")
    stage.travel(2026, 3, 12)
    market.complete(case, "alpha审批", outcome="granted")
    clerk.complete(case, "统一出件")

    publish(stage)
    scheduler.drain(stage.database)

    assert (stage.tasks(case), str(stage.case(case).promised_on), stage.case(case).red_from) == (["好差评"], "2026-03-12", None)


def test_go_on__dies_between_two_batches(stage, accepted):
    """One case is new, the others old, each whole; another process goes on with the next one."""
    publish(stage, 4)
    recomputing.go_on(stage.database, limit=1)

    assert [dates(stage, case)[1] for case in accepted] == ["2026-03-12", "2026-03-11", "2026-03-11"]
    again = Database(stage.database.bind.url.render_as_string(hide_password=False))
    rows = [recomputing.go_on(again, limit=1) for _ in range(3)]
    again.close()

    assert rows[-1].ended_at is not None
    assert recomputing.go_on(stage.database) is None
    assert {name: rows[-1].report[name] for name in ("cases", "clocks", "changed", "moved", "by +1 days", "timers")} == {
        "cases": 3,
        "clocks": 9,
        "changed": 9,
        "moved": 9,
        "by +1 days": 9,
        "timers": 18,
    }
    invariants.check(stage.database)


def test_go_on__says_what_is_late_by_it(stage, accepted):
    """Wednesday was a day off, and is none any more: on Friday beta is late since yesterday."""
    publish(stage, 4)
    scheduler.drain(stage.database)
    stage.move_to(2026, 3, 6)

    publish(stage)
    row = recomputing.go_on(stage.database, limit=10)

    assert row.report["late by it"] == 3
    assert len(row.report["late"]) == 3
    assert row.report["by -1 days"] == 9


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_go_on__leaves_a_case_on_which_somebody_works_to_the_end(stage, accepted):
    publish(stage, 4)
    with stage.database.transaction() as session:
        session.scalars(select(Instance).where(Instance.case_id == accepted[0].id).with_for_update()).all()
        row = recomputing.go_on(stage.database, limit=10)

        assert (row.busy, row.report["cases"]) == ([str(accepted[0].id)], 2)
        assert recomputing.go_on(stage.database, limit=10) is None
    assert recomputing.go_on(stage.database, limit=10).ended_at is None
    assert recomputing.go_on(stage.database, limit=10).ended_at is not None
    invariants.check(stage.database)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["recomputations", "items"])
def test_go_on__somebody_holds_a_row(stage, accepted, table, monkeypatch):
    """As by hand: timers are not to wait for that, tick by tick."""
    publish(stage, 4)
    monkeypatch.setattr(database, "GLANCE", 50)
    with stage.database.transaction() as session:
        session.execute(text(f"SELECT * FROM {table} FOR UPDATE"))
        began = time.monotonic()

        assert recomputing.go_on(stage.database, limit=10) is None

        assert time.monotonic() - began < database.LOCK_TIMEOUT / 2
    walk(stage)
    assert dates(stage, accepted[0]) == (["2026-03-10", "2026-03-06"], "2026-03-12", ["2026-03-07", "2026-03-11"])


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_go_on__somebody_holds_an_item_of_one_case(stage, accepted, monkeypatch):
    """That case waits; all others of its batch, hundreds of them, are counted at once."""
    publish(stage, 4)
    monkeypatch.setattr(database, "GLANCE", 50)
    with stage.database.transaction() as session:
        session.scalars(select(Item).where(Item.case_id == accepted[1].id).with_for_update()).all()

        row = recomputing.go_on(stage.database, limit=10)

        assert (row.busy, row.report["cases"]) == ([str(accepted[1].id)], 2)
        assert [dates(stage, case)[1] for case in accepted] == ["2026-03-12", "2026-03-11", "2026-03-12"]
        assert recomputing.go_on(stage.database, limit=10) is None
    assert run_to_its_end(stage)["cases"] == 3
    assert [dates(stage, case)[1] for case in accepted] == ["2026-03-12"] * 3
    invariants.check(stage.database)


def walk(stage):
    """Go on until nothing is owed."""
    while recomputing.go_on(stage.database) is not None:
        pass


@pytest.fixture
def dated(stage):
    """A matter whose clock starts with the submission."""
    stage.deploy("tiny", **tiny.folder(ITEMS, promised="7", clock_start="ON_SUBMIT"))


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_publish__a_submission_is_under_way(stage, clerk, dated):
    """Its case is counted anew as well, though nobody could see it when the calendar came."""

    def submit(session):
        what = cases.Submission(region="430100", matter="tiny", hall="changsha", applicant=dict(APPLICANT), answers={})
        cases.submit(session, what, actor=clerk.actor)

    with interleaving.waited_for(stage.database, submit, lambda: publish(stage, 4)):
        walk(stage)
    scheduler.drain(stage.database)

    with stage.reading() as session:
        assert [str(day) for day in session.scalars(select(Case.promised_on))] == ["2026-03-12"]
    invariants.check(stage.database)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_publish__the_check_of_a_promise_is_just_beginning(stage, clerk, market, monkeypatch):
    """It is a process beside those of the case, and who begins it holds none of them."""
    stage.checking = False
    with monkeypatch.context() as patch:
        patch.setattr("engine.jobs.run_after_commit", lambda *_: None)
        case = committed(stage, clerk, market, items={}, post_check=5)
    [job] = [job for job in stage.jobs(case) if job.kind == "start"]

    def begin(session):
        duties.PERFORM["start"](session, job)
        session.delete(session.get_one(Job, job.id))

    with interleaving.waited_for(stage.database, begin, lambda: publish(stage, 4)):
        walk(stage)
    scheduler.drain(stage.database)

    with stage.reading() as session:
        assert str(session.scalars(select(Task.due_at).where(Task.name == "事后核查")).one())[:10] == "2026-03-10"
    invariants.check(stage.database)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_submit__a_calendar_waits_for_somebody_who_is_slow(stage, clerk, dated):
    """Who has begun a case, and hangs, keeps the calendar waiting, and nobody who would wait behind that."""
    with interleaving.waited_for(stage.database, holidays.keep, lambda: publish(stage, 4)):
        clerk.submit("tiny")
        with stage.reading() as session:
            assert [str(day) for day in session.scalars(select(Case.promised_on))] == ["2026-03-11"]
    scheduler.drain(stage.database)

    with stage.reading() as session:
        assert [str(day) for day in session.scalars(select(Case.promised_on))] == ["2026-03-12"]
    invariants.check(stage.database)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_publish__somebody_begins_all_the_time(stage, monkeypatch):
    """It gives up, and nothing has changed; then it waits as long for others as anybody does."""
    monkeypatch.setattr(holidays, "ATTEMPTS", 2)
    with stage.database.transaction() as beginner:
        holidays.keep(beginner)
        with pytest.raises(Busy, match="Expected to publish a calendar when nobody begins a case"):
            publish(stage, 4)

    with stage.reading() as session:
        assert recomputing.owed(session) is None


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_publish__who_has_kept_others_from_beginning_does_not_stand_still(stage):
    """A node that is frozen just then keeps them for two seconds, not for fifteen; nor does it wait for others meanwhile."""
    with stage.database.transaction() as session:
        publications.publish_year(session, corrected(4), actor=ADMIN)
        limits = [session.scalar(text(f"SHOW {name}")) for name in ("lock_timeout", "idle_in_transaction_session_timeout")]

    assert limits == ["250ms", "2s"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_submit__a_calendar_is_being_published(stage, clerk, dated):
    """Whoever submits just then has the new one."""

    def publishing(session):
        publications.publish_year(session, corrected(4), actor=ADMIN)

    with interleaving.waited_for(stage.database, publishing, lambda: clerk.submit("tiny")), stage.reading() as session:
        assert session.scalars(select(Case.promised_on)).all() == []

    with stage.reading() as session:
        assert [str(day) for day in session.scalars(select(Case.promised_on))] == ["2026-03-12"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_publish__a_message_is_on_its_way_to_all(stage, designer, monkeypatch):
    """Whoever it comes to after the calendar, and after its own clocks were counted anew, has the dates of the new one."""
    stage.checking = False
    timer = d.timer_catch("later", date="${workdays(2)}")
    drawn = d.diagram(d.start("s"), d.receive("paid", message="paid"), timer, d.end("e"), d.flows("s -> paid -> later -> e"), key="plain")
    with stage.database.transaction() as session:
        deployments.deploy(session, "plain", {"plain.bpmn": drawn}, actor=DESIGNER)
    designer.start("plain")
    designer.start("plain")
    reached = correlation._reached
    told = []

    def reach(session, **what):
        if told:
            publish(stage, 4)
            walk(stage)
        told.append(reached(session, **what))
        return told[-1]

    monkeypatch.setattr(correlation, "_reached", reach)
    designer.does(partial(correlation.correlate, message=Message(name="paid"), actor=designer.actor, everybody=True))
    scheduler.drain(stage.database)

    with stage.reading() as session:
        due = [timer.due_at.astimezone(calendars.BEIJING) for timer in session.scalars(select(Timer))]
    assert [str(end.date()) for end in due] == ["2026-03-06", "2026-03-06"]
    invariants.check(stage.database)


def interrupted(monkeypatch, between):
    """Let something happen when somebody has noted his cases down, and once more when he has counted them."""
    hold, strike_out = recomputing._hold, recomputing._strike_out

    def holding(session, cases):
        between("noted")
        return hold(session, cases)

    def striking(session, *what):
        between("counted")
        return strike_out(session, *what)

    monkeypatch.setattr(recomputing, "_hold", holding)
    monkeypatch.setattr(recomputing, "_strike_out", striking)


def run_to_its_end(stage):
    """Go on until it has ended; the report."""
    for _ in range(10):
        if (row := recomputing.go_on(stage.database, limit=1)) and row.ended_at:
            return row.report
    raise AssertionError("it has no end")


@pytest.mark.parametrize("when", ["noted", "counted"])
def test_go_on__dies_over_a_batch(stage, accepted, monkeypatch, when):
    """What it had noted down is done at the end, by whoever goes on."""
    publish(stage, 4)

    def die(now):
        if now == when:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        interrupted(patch, die)
        with pytest.raises(KeyboardInterrupt):
            recomputing.go_on(stage.database, limit=2)
    report = run_to_its_end(stage)

    assert [dates(stage, case)[1] for case in accepted] == ["2026-03-12"] * 3
    assert {name: report[name] for name in ("cases", "clocks", "moved", "timers")} == {"cases": 3, "clocks": 9, "moved": 9, "timers": 18}
    invariants.check(stage.database)


def test_go_on__two_at_the_same_cases(stage, accepted, monkeypatch):
    """One has noted all of them down and was slow: another has done them meanwhile, and they are counted once."""
    publish(stage, 4)

    def overtake(when):
        if when == "noted":
            monkeypatch.undo()
            recomputing.go_on(stage.database)  # nothing is ahead: what is noted down is not struck out yet

    interrupted(monkeypatch, overtake)
    assert recomputing.go_on(stage.database) is None
    report = run_to_its_end(stage)

    assert {name: report[name] for name in ("cases", "clocks", "moved")} == {"cases": 3, "clocks": 9, "moved": 9}
    invariants.check(stage.database)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_go_on__a_calendar_is_published_meanwhile(stage, accepted, monkeypatch):
    """Who had counted by the old one finds that the walk has begun anew; what he has counted does not count."""
    publish(stage, 4)

    def publish_again(when):
        if when == "counted":
            monkeypatch.undo()
            publish(stage, 4, 5)
            assert recomputing.go_on(stage.database, limit=2) is None  # these are held, and noted down anew

    interrupted(monkeypatch, publish_again)
    assert recomputing.go_on(stage.database, limit=2) is None
    report = run_to_its_end(stage)

    assert [dates(stage, case)[1] for case in accepted] == ["2026-03-13"] * 3
    assert {name: report[name] for name in ("cases", "clocks", "by +2 days", "by +4 days")} == {
        "cases": 3,
        "clocks": 9,
        "by +2 days": 6,
        "by +4 days": 3,  # with a weekend in between
    }
    invariants.check(stage.database)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_recompute__two_hands(stage, accepted, monkeypatch):
    """Each at cases of its own, at the same time."""
    publish(stage, 4)
    both = threading.Barrier(2, timeout=60)

    def meet(when):
        if when == "counted":
            both.wait()

    monkeypatch.setattr(scheduler, "CASES", 1)
    monkeypatch.setattr(scheduler, "RECOMPUTED", 2)
    with monkeypatch.context() as patch:
        interrupted(patch, meet)
        assert scheduler.recompute(stage.database, Pace(hands=2, together=1)) == 2
    report = run_to_its_end(stage)

    assert report["cases"] == 3
    assert [dates(stage, case)[1] for case in accepted] == ["2026-03-12"] * 3
    invariants.check(stage.database)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_go_on__one_case_in_a_transaction(stage, accepted, monkeypatch, transactions):
    monkeypatch.setitem(stage.database.info, database.BATCH, 1)
    publish(stage, 4)
    transactions.clear()

    while (row := recomputing.go_on(stage.database)).ended_at is None:
        pass

    assert [len(cases) for cases, _ in transactions if cases] == [1] * 3
    assert (row.report["cases"], row.report["moved"]) == (3, 9)
    assert [dates(stage, case)[1] for case in accepted] == ["2026-03-12"] * 3
    invariants.check(stage.database)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_go_on__who_is_held_for_long_keeps_no_other_waiting(stage, accepted, monkeypatch):
    """Somebody has noted all of them down, one after the other, and died each time; now each has its turn."""
    publish(stage, 4)
    with monkeypatch.context() as patch:
        patch.setattr(recomputing, "_hold", lambda *_: ())
        for _ in accepted:
            assert recomputing.go_on(stage.database, limit=1) is None

    with stage.database.transaction() as session:
        session.scalars(select(Instance).where(Instance.case_id == accepted[0].id).with_for_update()).all()
        rows = [recomputing.go_on(stage.database, limit=1) for _ in accepted]

    assert [row and row.report["cases"] for row in rows] == [None, 1, 2]
    assert run_to_its_end(stage)["cases"] == 3
    invariants.check(stage.database)


def test_publish__what_counts_working_days_otherwise_is_woken(stage, clerk):
    """A due date that is no deadline is computed by its own instance."""
    counted = tiny.item(
        "alpha",
        d.start("s"),
        d.user("decide", name="alpha审批", groups="department-market", due="${workdays(2)}", properties={"onething.kind": "decision"}),
        d.end("e"),
        d.flows("s -> decide -> e"),
    )
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": counted}))
    case = clerk.take_in("tiny")
    before = stage.task(case, "alpha审批").due_at

    publish(stage, 4)
    recomputing.go_on(stage.database)
    woken = stage.all(Job, case, kind="refresh")
    scheduler.drain(stage.database)

    assert len(woken) == 1
    assert (stage.task(case, "alpha审批").due_at - before).days == 1


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_recompute__goes_on_where_it_was(stage, accepted, capsys):
    """Whoever gives the command again is told what came of all of it: sums first, then by how many days."""
    publish(stage, 4)
    begun = recomputing.go_on(stage.database, limit=2)

    recompute(stage.database)

    told = dict(re.findall(r"│ (\S[^│]*?) +│ (\d+)", capsys.readouterr().out))
    assert (recomputing.done(begun), told["cases"]) == (2, "3")
    assert list(told)[-1] == "by +1 days"
    assert told["moved"] == told["by +1 days"]
    with stage.reading() as session:
        assert recomputing.owed(session) is None


def test_publish__what_is_checked_after_the_end_follows(stage, clerk, market):
    """The certificate was handed out on a promise, which is checked on the fifth working day after; the case has ended."""
    case = committed(stage, clerk, market, items={}, post_check=5)
    clerk.complete(case, "统一出件")
    assert stage.case(case).ended_at is not None
    others = clerk.submit("tiny")

    def check_due():
        with stage.reading() as session:
            task = session.scalars(select(Task).where(Task.case_id == case.id, Task.name == "事后核查")).one()
            timer = session.scalars(select(Timer).where(Timer.case_id == case.id)).one()
            commitment = session.scalars(select(Commitment).where(Commitment.case_id == case.id)).one()
            return str(task.due_at)[:10], str(timer.due_at)[:10], str(commitment.verify_due_on)

    before = check_due()
    publish(stage, 4)
    with stage.reading() as session:
        assert recomputing.ahead(session) == 2
    rows = [recomputing.go_on(stage.database, limit=1) for _ in range(3)]
    scheduler.drain(stage.database)

    assert (before, check_due()) == (("2026-03-09",) * 3, ("2026-03-10",) * 3)
    assert rows[-1].report["cases"] == 2
    assert stage.case(others).ended_at is None
    assert list(verification.verify(stage.database)) == []
