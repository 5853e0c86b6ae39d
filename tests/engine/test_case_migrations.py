"""Running cases in another version of their diagram: they go on, or nothing has changed; what was moved can be moved back."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, text, update

from engine import (
    arranging,
    case_migrations,
    deployments,
    external_tasks,
    fetches,
    folders,
    incidents,
    jobs,
    models,
    scheduler,
    suspension,
    tasks,
)
from engine.arranging import Facts
from engine.case_models import CaseMigration
from engine.columns import new_id
from engine.errors import InvalidInput, NotFound, NotPermitted
from engine.fetches import Fetch, Wanted
from engine.models import Activity, ExternalTask, Incident, Instance, Subscription, Task, Timer
from engine.schedule_models import Continuation
from engine.states import InstanceStatus, JobStatus
from tests import invariants, redrawn, restaurant, tiny
from tests.acceptance import applicants
from tests.bpmn import diagrams as d
from tests.engine import test_walks
from tests.engine.test_recomputing import publish
from tests.engine.test_walks import Walk
from tests.stage import DESIGNER, WORKFLOWS

GRANTED = {"outcome": "granted"}
#: Who does what, one after the other, from the window to the rating; one material follows later.
STORY = [
    ("clerk", "一窗受理", {"outcome": "tolerate", "commitment_signed": True}),
    ("officer-fire", "消防承诺审查", GRANTED),
    ("officer-market", "食品经营许可审批", GRANTED),
    ("clerk", "m_plan", None),
    ("clerk", "统一出件", {"mode": "unified", "delivery": "window"}),
    ("clerk", "好差评", {"score": 5}),
]
#: What the new versions ask for in addition.
INSERTED = {"出件复核": "clerk", "许可归档": "officer-market"}


def submit(clerk, *missing):
    """A restaurant whose licence is found in the register."""
    return clerk.submit(
        "open_restaurant", answers=restaurant.ANSWERS, materials=restaurant.without(*missing), applicant=applicants.RESTAURANT
    )


def redraw(stage):
    """Deploy the restaurant and the items anew, each with one more task."""
    dropped = {
        "open-restaurant.bpmn": ("issuable_to_issue", "review_issue", {"name": "出件复核", "groups": "window"}),
        "food-permit.bpmn": ("inspection_to_handled", "archive", {"name": "许可归档", "groups": "department-market"}),
    }
    for folder in folders.read([WORKFLOWS / "items", WORKFLOWS / "open-restaurant"]):
        files = dict(folder.resources)
        for file in dropped.keys() & files.keys():
            flow, key, more = dropped[file]
            files[file] = redrawn.drop_task(files[file], flow, key, **more)
        with stage.database.transaction() as session:
            deployments.deploy(session, folder.name, files, actor=DESIGNER)


def migrate(stage, key, *numbers, source=1, target=2, batch=None, **renamed):
    """Move what runs on a version, each instance in a transaction of its own; what holds after every command holds then, too."""
    with stage.reading() as session:
        plan = case_migrations.plan(
            session, key, source=source, target=target, renamed={k.replace("__", "-"): v for k, v in renamed.items()}
        )
        affected = case_migrations.affected(session, plan, numbers)
    reports = []
    for about in affected:
        with stage.reading() as session:
            foretold = case_migrations.preview(session, plan, about, actor=DESIGNER)
        with stage.database.transaction() as session:
            reports.append(case_migrations.move(session, plan, about, batch=batch or new_id(), actor=DESIGNER))
        assert (foretold.steps, foretold.reasons, foretold.notes) == (reports[-1].steps, reports[-1].reasons, reports[-1].notes)
        invariants.check(stage.database)
    return reports


def undo(stage, batch):
    with stage.reading() as session:
        affected = case_migrations.of_batch(session, batch)
    reports = []
    for about in affected:
        with stage.database.transaction() as session:
            reports.append(case_migrations.undo(session, batch, about, actor=DESIGNER))
        invariants.check(stage.database)
    return reports


def act(stage, case, who, what, data):
    """Do the next thing of the story, and before it what was inserted."""
    done = []
    for name in set(stage.tasks(case)) & INSERTED.keys():
        stage.person(INSERTED[name]).complete(case, name)
        done.append(name)
    if data is None:
        stage.person(who).hand_in(case, what)
    else:
        stage.person(who).complete(case, what, **data)
    return done


@pytest.mark.parametrize("rest", range(len(STORY)))
def test_move__at_every_rest_of_a_restaurant_and_it_still_comes_to_its_end(stage, clerk, rest):
    case = submit(clerk, "m_plan")
    for event in STORY[:rest]:
        act(stage, case, *event)
    redraw(stage)
    before = {name: stage.task(case, name).id for name in stage.tasks(case)}

    batch = new_id()
    there = migrate(stage, "open_restaurant", batch=batch) + migrate(stage, "food_permit", batch=batch)
    assert all(report.done for report in [*there, *undo(stage, batch)])
    moved = migrate(stage, "open_restaurant") + migrate(stage, "food_permit")

    assert all(report.done for report in moved)
    assert len(moved) == (2 if 1 <= rest <= 2 else 1)
    assert {name: stage.task(case, name).id for name in stage.tasks(case)} == before
    inserted = [name for event in STORY[rest:] for name in act(stage, case, *event)]
    stage.travel(2026, 3, 27)
    stage.person("officer-fire").complete(case, "事后核查", outcome="verified", findings="一致")
    assert set(stage.statuses(case).values()) == {"issued"}
    assert stage.bundle(case).status is InstanceStatus.COMPLETED
    # What was passed is not asked for again; what is still to come is (an item that starts now starts in its newest version).
    assert sorted(inserted) == sorted((["许可归档"] if rest <= 2 else []) + (["出件复核"] if rest <= 3 else []))


def test_move__new_versions_are_for_new_cases_only(stage, clerk):
    """Whoever is not moved keeps the drawing with which it began."""
    case = submit(clerk)
    redraw(stage)
    other = submit(clerk)

    (moved,) = migrate(stage, "open_restaurant", case.number)

    assert moved.about.case == case.number
    assert stage.bundle(case).definition_id == stage.bundle(other).definition_id == stage.case(case).definition_id


def test_move__journal(stage, clerk):
    case = submit(clerk)
    redraw(stage)
    batch = new_id()

    migrate(stage, "open_restaurant", batch=batch)

    entry = stage.journal(case)[-1]
    assert (entry.actor, entry.what) == ("designer", "case moved to another version")
    assert entry.details == {"process": "open_restaurant", "from": 1, "to": 2, "batch": str(batch)}


# A process with everything that waits ---------------------------------------------------------------------------------------------------

KEPT = {"camunda:historyTimeToLive": "P180D"}


def deploy(stage, *content):
    stage.deploy("check", check_bpmn=d.diagram(*content, key="check", name="核验", attrs=KEPT))


OLD = (
    d.start("s"), d.parallel("f"), d.end("e"),
    d.user("review", name="审查", groups="department-market"), d.timer_boundary("late", on="review", duration="PT9H"), d.message_boundary("stop", on="review", message="stop"),
    d.external("send", topic="post"),
    d.timer_catch("rest", duration="P3D"),
    d.receive("paid", message="fee_paid"),
    d.user("broken", groups="${missing}"),
    d.flows("s -> f -> review -> e", "late -> e", "stop -> e", "f -> send -> e", "f -> rest -> e", "f -> paid -> e", "f -> broken -> e"),
)  # fmt: skip
NEW = (
    d.start("s"), d.parallel("f"), d.end("e"),
    d.user("look", name="复核", groups="department-fire"), d.timer_boundary("late", on="look", duration="PT12H"), d.timer_boundary("hurry", on="look", duration="PT1H", interrupting=False),
    d.external("send", topic="parcel", name="寄送"),
    d.timer_catch("rest", duration="P3D"),
    d.receive("paid", message="fee_settled"),
    d.user("broken", groups="market"),
    d.flows("s -> f -> look -> e", "late -> e", "hurry -> e", "f -> send -> e", "f -> rest -> e", "f -> paid -> e", "f -> broken -> e"),
)  # fmt: skip


@pytest.fixture
def running(stage):
    """An instance of the old version; the new one is deployed."""
    deploy(stage, *OLD)
    instance = stage.somebody(*DESIGNER.grants).start("check")
    deploy(stage, *NEW)
    stage.traveller.shift(timedelta(hours=5))
    return instance


def rows(stage):
    """Everything in the database, as it is stored, save what only grows: the journal, `rev`, and what moves left behind."""
    grows = {"journal", "case_migrations", "alembic_version"}
    with stage.reading() as session:
        found = {}
        for table in models.Base.metadata.sorted_tables:
            if table.name not in grows:
                columns = ", ".join(f'"{c.name}"' for c in table.c if c.name not in {"rev", "journal_seq", "journal_hash"})
                found[table.name] = sorted(map(repr, session.execute(text(f"select {columns} from {table.name}"))))
        return found


def test_move__everything_that_waits(stage, running):
    """Ids, locks and dates stay; names follow; what is new begins, what is gone ends."""
    case = stage.of(running)
    before = {table: {row.wait: row for row in stage.all(table, case)} for table in (Task, Timer, ExternalTask, Subscription)}

    (moved,) = migrate(stage, "check", review="look")

    assert moved.reasons == ()
    (task,) = stage.all(Task, case)
    assert (task.id, task.element, task.name) == (before[Task][task.wait].id, "look", "复核")
    (external,) = stage.all(ExternalTask, case)
    assert (external.id, external.topic) == (before[ExternalTask][external.wait].id, "post")
    timers = {timer.element: timer for timer in stage.all(Timer, case)}
    started = stage.instance(running).started_at
    assert {name: round((timer.due_at - started) / timedelta(hours=1)) for name, timer in timers.items()} == {
        "late": 12,
        "hurry": 6,
        "rest": 72,
    }
    assert timers["late"].id == before[Timer][timers["late"].wait].id
    assert [(s.element, s.name) for s in stage.all(Subscription, case)] == [("paid", "fee_settled")]
    assert [(i.element, i.resolved_at) for i in stage.all(Incident, case)] == [("broken", None)]


def test_move__an_incident_meets_the_new_drawing(stage, running):
    migrate(stage, "check", review="look")
    (incident,) = stage.incidents(stage.of(running))

    with stage.database.transaction() as session:
        incidents.retry(session, incident.id, actor=DESIGNER)

    invariants.check(stage.database)
    assert stage.tasks(stage.of(running)) == ["broken", "复核"]


def test_move__refused_changes_nothing(stage, running):
    before = rows(stage)

    (refused,) = migrate(stage, "check")

    (reason,) = refused.reasons
    assert reason.startswith("Expected “审查” (review) in the new version, but it is not there: say with --map review=…")
    assert not refused.done
    assert rows(stage) == before
    assert stage.all(CaseMigration, stage.of(running)) == []


def test_move__a_lock_is_kept(stage, running):
    wanted = Wanted(topic="post", lock=timedelta(hours=1))
    with stage.database.transaction() as session:
        fetches.fetch(session, Fetch(worker="w", wanted=(wanted,), limit=1), actor=DESIGNER)
    (before,) = stage.all(ExternalTask, stage.of(running))

    migrate(stage, "check", review="look")

    (after,) = stage.all(ExternalTask, stage.of(running))
    assert (after.worker, after.lock_expires_at) == ("w", before.lock_expires_at)


def test_move__suspended(stage, running):
    """Who stands still may be moved meanwhile."""
    with stage.database.transaction() as session:
        suspension.suspend(session, running.id, actor=DESIGNER)

    (moved,) = migrate(stage, "check", review="look")

    assert moved.done
    assert stage.instance(running).suspended


def test_move__twice(stage, running):
    """Whoever comes second finds it moved."""
    with stage.reading() as session:
        plan = case_migrations.plan(session, "check", source=1, target=2, renamed={"review": "look"})
        (about,) = case_migrations.affected(session, plan)
    reports = []
    for _ in range(2):
        with stage.database.transaction() as session:
            reports.append(case_migrations.move(session, plan, about, batch=new_id(), actor=DESIGNER))

    assert [report.done for report in reports] == [True, False]
    assert reports[1].reasons == ("Expected an instance of version 1, but it is of another one by now",)


def test_move__ended(stage, running):
    with stage.database.transaction() as session:
        session.execute(update(Instance).where(Instance.id == running.id).values(status="canceled"))
    with stage.reading() as session:
        plan = case_migrations.plan(session, "check", source=1, target=2)

        assert case_migrations.affected(session, plan) == []


def test_move__not_yours(stage, running, market):
    with stage.reading() as session:
        plan = case_migrations.plan(session, "check", source=1, target=2)
        (about,) = case_migrations.affected(session, plan)

        with pytest.raises(NotPermitted):
            case_migrations.move(session, plan, about, batch=new_id(), actor=market.actor)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"key": "nothing", "source": 1, "target": 2}, NotFound),
        ({"key": "check", "source": 1, "target": 9}, NotFound),
        ({"key": "check", "source": 1, "target": 2, "renamed": {"review": "nowhere"}}, InvalidInput),
    ],
)
def test_plan__refused(stage, running, words, error):
    with stage.reading() as session, pytest.raises(error):
        case_migrations.plan(session, **words)


def test_affected__unknown_number(stage, running):
    with stage.reading() as session:
        plan = case_migrations.plan(session, "check", source=1, target=2)

        with pytest.raises(NotFound, match="Expected 4711 to be handled by version 1 of check"):
            case_migrations.affected(session, plan, ["4711"])


# What has failed, and what waits for a job -------------------------------------------------------------------------------------------


BROKEN = (
    d.start("s"), d.parallel("f"), d.exclusive("x", default="e"), d.user("t", name="送达", attrs={"camunda:asyncBefore": "true"}), d.user("a", name="公示"), d.end("e"),
    d.flows("s -> f -> x -> e", "x -> t [${missing}]", "f -> a -> e", "f -> t -> e"),
)  # fmt: skip
MENDED = (
    d.start("s"), d.parallel("f"), d.inclusive("y", default="e", name="要送达？"), d.user("u", name="送达", attrs={"camunda:asyncBefore": "true"}), d.user("a", name="公示"), d.end("e"),
    d.flows("s -> f -> y -> e", "y -> a [${true}]", "f -> a -> e", "f -> u -> e"),
)  # fmt: skip


@pytest.fixture
def broken(stage):
    """An instance that has failed at a gateway, waits for a job, and for somebody; the new version is deployed."""
    deploy(stage, *BROKEN)
    instance = stage.somebody(*DESIGNER.grants).start("check")
    deploy(stage, *MENDED)
    return instance


def test_move__what_failed_and_what_waits_for_a_job(stage, broken):
    """Their rows go with them, undo gives them back to the last byte, and a retry meets the new drawing."""
    before, batch, case = rows(stage), new_id(), stage.of(broken)

    (moved,) = migrate(stage, "check", x="y", t="u", batch=batch)

    assert moved.done, moved.reasons
    assert [incident.element for incident in stage.all(Incident, case)] == ["y"]
    assert [job.element for job in stage.all(Continuation, case)] == ["u"]
    with stage.reading() as session:
        told = session.execute(select(Activity.name, Activity.type).where(Activity.case_id == case.id, Activity.element == "y")).all()
    assert told == [("要送达？", "inclusiveGateway")]
    undo(stage, batch)
    assert rows(stage) == before

    migrate(stage, "check", x="y", t="u")
    (incident,) = stage.incidents(case)
    with stage.database.transaction() as session:
        incidents.retry(session, incident.id, actor=DESIGNER)
    invariants.check(stage.database)
    assert stage.tasks(case) == ["公示", "公示"]
    assert [incident.resolved_at is None for incident in stage.all(Incident, case)] == [False]


SHORTER = (d.start("s"), d.parallel("f"), d.user("a", name="公示"), d.user("b"), d.end("e"), d.flows("s -> f -> a -> e", "f -> b -> e"))


def test_move__each_case_is_judged_for_itself(stage):
    """Also anew, when it has gone on since it was looked at: one is refused, the others move."""
    deploy(stage, *SHORTER)
    first, second = (stage.somebody(*DESIGNER.grants).start("check") for _ in range(2))
    deploy(stage, d.start("s"), d.user("b"), d.end("e"), d.flows("s -> b -> e"))
    with stage.reading() as session:
        plan = case_migrations.plan(session, "check", source=1, target=2)
        affected = case_migrations.affected(session, plan)
        foretold = [case_migrations.preview(session, plan, about, actor=DESIGNER) for about in affected]
    stage.somebody(*DESIGNER.grants).complete(stage.of(second), "公示")

    reports = []
    for about in affected:
        with stage.database.transaction() as session:
            reports.append(case_migrations.move(session, plan, about, batch=new_id(), actor=DESIGNER))
        invariants.check(stage.database)

    assert [bool(report.reasons) for report in foretold] == [True, True]
    assert {report.about.instance_id: report.done for report in reports} == {first.id: False, second.id: True}
    assert reports[0].reasons[0].startswith("Expected “公示” (a) in the new version, but it is not there: ")


# Undo -----------------------------------------------------------------------------------------------------------------------------------


def test_undo__as_it_was(stage, running):
    before, batch = rows(stage), new_id()
    migrate(stage, "check", review="look", batch=batch)
    assert rows(stage) != before

    (undone,) = undo(stage, batch)

    assert undone.done
    assert rows(stage) == before


def test_undo__a_bundle_as_it_was(stage, clerk):
    case = submit(clerk)
    clerk.complete(case, "一窗受理", outcome="accept")
    redraw(stage)
    before, batch = rows(stage), new_id()
    migrate(stage, "open_restaurant", batch=batch)

    undo(stage, batch)

    assert rows(stage) == before


def test_undo__keeps_what_others_did(stage, running):
    """A claim is no step of the case; it outlasts the way back."""
    batch = new_id()
    migrate(stage, "check", review="look", batch=batch)
    (task,) = stage.all(Task, stage.of(running))
    with stage.database.transaction() as session:
        session.execute(update(Task).where(Task.id == task.id).values(assignee="li"))

    (undone,) = undo(stage, batch)

    assert undone.done
    (task,) = stage.all(Task, stage.of(running))
    assert (task.assignee, task.element, task.name) == ("li", "review", "审查")


def test_undo__what_was_typed_since(stage, running):
    """Whoever has named a task finds it under that name."""
    batch = new_id()
    migrate(stage, "check", review="look", batch=batch)
    (task,) = stage.all(Task, stage.of(running))
    known = {name: getattr(task, name) for name in ("description", "priority", "assignee", "owner", "delegation", "due_at", "follow_up_at")}
    with stage.database.transaction() as session:
        arranging.update(session, task.id, Facts(name="张三的申请", **known), actor=DESIGNER)

    (undone,) = undo(stage, batch)

    assert undone.done
    (task,) = stage.all(Task, stage.of(running))
    assert (task.element, task.name) == ("review", "张三的申请")


def test_undo__a_timer_has_failed_since(stage):
    """Its next attempt waits as long as it did."""
    late = (d.start("s"), d.user("a"), d.timer_boundary("late", on="a", duration="P1D"), d.call("c", of="${'nowhere'}"), d.end("e"))
    flow = d.flows("s -> a -> e", "late -> c -> e")
    deploy(stage, *late, flow)
    case = stage.of(stage.somebody(*DESIGNER.grants).start("check"))
    deploy(stage, *late, d.tag("textAnnotation", attrs={"id": "note"}), flow)
    batch = new_id()
    migrate(stage, "check", batch=batch)
    stage.move_to(2026, 3, 4)
    scheduler.tick(stage.database)
    (failed,) = stage.all(Timer, case)
    assert failed.error is not None

    (undone,) = undo(stage, batch)

    (timer,) = stage.all(Timer, case)
    assert (undone.done, timer.due_at) == (True, failed.due_at)


def test_undo__a_timer_has_failed_for_good_since(stage):
    """The incident stands where the timer does, under the name that it has in the version that it is moved back to."""

    def late(key):
        return (
            d.start("s"), d.user("a"), d.timer_boundary(key, on="a", duration="P1D"), d.call("c", of="${'nowhere'}"), d.end("e"),
            d.flows("s -> a -> e", f"{key} -> c -> e"),
        )  # fmt: skip

    deploy(stage, *late("late"))
    case = stage.of(stage.somebody(*DESIGNER.grants).start("check"))
    deploy(stage, *late("later"))
    batch = new_id()
    (moved,) = migrate(stage, "check", batch=batch, late="later")
    assert moved.done
    for day in (4, 5, 6):
        stage.move_to(2026, 3, day)
        scheduler.tick(stage.database)
    assert [incident.element for incident in stage.incidents(case)] == ["later"]

    (undone,) = undo(stage, batch)

    assert undone.done
    assert [each.element for each in (*stage.all(Timer, case), *stage.incidents(case))] == ["late", "late"]


@pytest.mark.parametrize("failed", ["task", "job"])
def test_undo__somebody_has_allowed_another_attempt(stage, failed):
    """The incident is over, and stays so; one of a job that is tried again nobody could ever have resolved."""
    drawn = (d.start("s"), d.external("send", topic="post"), d.end("e"), d.flows("s -> send -> e"))
    deploy(stage, *drawn)
    instance = stage.somebody(*DESIGNER.grants).start("check")
    deploy(stage, *drawn, d.tag("textAnnotation", attrs={"id": "note"}))
    case, batch = stage.of(instance), new_id()
    if failed == "task":
        (tried,) = stage.all(ExternalTask, case)
        allow = partial(external_tasks.set_retries, task_id=tried.id, actor=DESIGNER)
    else:
        with stage.database.transaction() as session:
            job = jobs.owe(session, "error", session.get_one(Instance, instance.id), after=timedelta(days=1), child="?")
            job.status = JobStatus.FAILED
            session.add(Incident(**job.key, instance_id=instance.id, job_id=job.id, element="", message="?", raised_at=job.due_at))
        allow = None
    if allow:
        with stage.database.transaction() as session:
            allow(session, left=0)
    (incident,) = stage.incidents(case)
    migrate(stage, "check", batch=batch)
    with stage.database.transaction() as session:
        allow(session, left=2) if allow else incidents.retry(session, incident.id, actor=DESIGNER)

    (undone,) = undo(stage, batch)

    assert (undone.done, stage.incidents(case)) == (True, [])


@pytest.mark.parametrize("counted", [True, False])
def test_undo__a_calendar_came_meanwhile(stage, clerk, counted):
    """Its dates are those of the calendar of today, whether its clock was counted anew before, or is afterwards."""
    before = tiny.inspected("alpha")
    for process in (before, before.replace("现场核查".encode(), "踏勘".encode())):
        stage.deploy("tiny", **tiny.folder({"alpha": {"promised": "5"}}, processes={"alpha": process}))
        if process is before:
            case, batch = clerk.take_in("tiny"), new_id()
    migrate(stage, "alpha", batch=batch)
    due_at = stage.task(case, "alpha审批").due_at
    publish(stage, 4)
    if counted:
        scheduler.drain(stage.database)

    with stage.database.transaction() as session:
        (about,) = case_migrations.of_batch(session, batch)
        undone = case_migrations.undo(session, batch, about, actor=DESIGNER)
    scheduler.drain(stage.database)

    assert undone.done
    assert str(stage.timer(case, "late")) == "2026-03-10"
    assert stage.task(case, "alpha审批").due_at - due_at == timedelta(days=1)
    invariants.check(stage.database)


def test_undo__has_gone_on(stage, running, market):
    batch = new_id()
    migrate(stage, "check", review="look", batch=batch)
    (task,) = stage.all(Task, stage.of(running))
    with stage.database.transaction() as session:
        tasks.complete(session, task.id, actor=market.actor, data={})
    before = rows(stage)

    (refused,) = undo(stage, batch)

    assert refused.reasons == ("Expected an instance that stands as the move left it, but it has gone on since",)
    assert rows(stage) == before


def test_undo__twice(stage, running):
    batch = new_id()
    migrate(stage, "check", review="look", batch=batch)
    undo(stage, batch)

    (refused,) = undo(stage, batch)

    assert refused.reasons == ("Expected an instance that was moved, but that was undone already",)
    assert [report.done for report in migrate(stage, "check", review="look")] == [True]


def test_undo__unknown_batch(stage):
    with stage.reading() as session, pytest.raises(NotFound):
        case_migrations.of_batch(session, new_id())


# Bundles and their items ----------------------------------------------------------------------------------------------------------------


def accepted(stage, clerk, items):
    stage.deploy("tiny", **tiny.folder(items))
    return clerk.take_in("tiny")


def test_move__an_item_that_nobody_would_call(stage, clerk):
    """It waits for another, and the new version has no place for it."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {"predecessors": "alpha:FS"}})
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))

    (refused,) = migrate(stage, "tiny", case.number)

    assert refused.reasons == ("Expected the new version to call beta, which waits to be dispatched, but it does not",)


def test_move__an_item_that_is_called_already(stage, clerk):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}})
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))

    (refused,) = migrate(stage, "tiny", case.number)

    (reason,) = refused.reasons
    assert reason.startswith("Expected call_beta in the new version, but it is not there: ")


def test_move__what_joins_later_is_judged_by_the_new_drawing(stage, clerk, market):
    """The old one does not call the item: nobody would ever handle it."""
    case = accepted(stage, clerk, {"alpha": {}})
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    with pytest.raises(InvalidInput, match="Expected an item of tiny, but 'beta' is none"):
        clerk.follow_on(case, "beta")

    migrate(stage, "tiny", case.number)

    clerk.follow_on(case, "beta")
    clerk.complete(case, "接续受理", outcome="accept")
    market.complete(case, "beta审批", outcome="granted")
    assert stage.statuses(case)["beta"] == "granted"


def test_move__what_was_told_stays(stage, clerk):
    case = accepted(stage, clerk, {"alpha": {}})
    before, limits = stage.case(case).checklist, stage.item(case, "alpha").limits
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 3}}))

    migrate(stage, "tiny")
    migrate(stage, "alpha")

    assert (stage.case(case).checklist, stage.item(case, "alpha").limits) == (before, limits)


def test_move__to_tables_that_ask_less(stage, clerk):
    """An answer to what is no longer asked keeps nobody from joining later."""
    case = submit(clerk)
    clerk.complete(case, "一窗受理", outcome="accept")
    (folder,) = folders.read([WORKFLOWS / "open-restaurant"])
    table = folder.resources["open-restaurant.dmn"].decode()
    dropped = re.sub(r'<rule id="situations_\d+">(?:(?!</rule>).)*"q_music".*?</rule>', "", table, flags=re.DOTALL)
    assert dropped != table
    with stage.database.transaction() as session:
        deployments.deploy(session, folder.name, {**folder.resources, "open-restaurant.dmn": dropped.encode()}, actor=DESIGNER)

    migrate(stage, "open_restaurant")

    clerk.follow_on(case, "signboard")
    assert "signboard" in stage.statuses(case)


@pytest.mark.parametrize("seed", range(4))
def test_move__in_the_middle_of_whatever_happens(stage, clerk, market, seed):
    """Clerks, departments, applicants and time have acted at random: all that runs moves, and every bundle comes to an end."""
    walk = Walk(stage, clerk, market, seed)
    story = [walk.step() for _ in range(3 + 4 * seed)]
    files = tiny.folder(
        test_walks.ITEMS, materials=test_walks.MATERIALS, processes={code: tiny.inspected(code) for code in test_walks.ITEMS}
    )
    files["tiny_bpmn"] = redrawn.drop_task(files["tiny_bpmn"], "over-rate", "look", name="复核", groups="department-market")
    stage.deploy("tiny", **files)

    moved = [report for key in ("tiny", *test_walks.ITEMS) for report in migrate(stage, key)]

    assert [report.reasons for report in moved] == [()] * len(moved), walk.told(story)
    story += [walk.step() for _ in range(8)]
    walk.finish()
    assert stage.bundle(walk.case).status is InstanceStatus.COMPLETED, walk.told(story)
    assert stage.jobs(walk.case) == [], walk.told(story)
