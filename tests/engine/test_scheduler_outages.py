"""The scheduler on a database that is in the way: what is due stays due, and no attempt is counted."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from math import inf

import pytest
from sqlalchemy import event, func, select, text

from engine import connections, deeds, functions, instances, jobs, queues, returns, scheduler
from engine.database import Database
from engine.errors import Busy, Unavailable
from engine.floors import Floors
from engine.models import Instance, Job, Timer
from engine.schedule_models import Continuation, StartTimer
from tests import databases, tiny
from tests.bpmn import diagrams as d
from tests.engine.test_jobs import complete_and_die

OTHERS_END = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"


@pytest.fixture
def store(postgresql, monkeypatch):
    """SQLite has one lock, and no server that goes away.  Nobody waits for a lock here."""
    monkeypatch.setitem(connections.OURS, "lock_timeout", "50")
    monkeypatch.setattr(databases, "opened", Database)  # one that knows it
    return postgresql


@pytest.fixture
def case(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    return clerk.submit("tiny")


@pytest.fixture
def another(stage):
    """The same database, opened by another node."""
    opened = Database(stage.database.bind.url.render_as_string(hide_password=False))
    yield opened
    opened.close()


@pytest.fixture
def held(stage, case, another):
    """Have somebody work on the bundle, inside the block."""

    @contextmanager
    def held():
        stage.checking = False
        with another.transaction() as session:
            instances.lock(session, instances.of_case(session, case).id)
            yield
        stage.checking = True

    return held


@pytest.fixture
def decided(case, clerk, market, held):
    """The department has decided meanwhile."""
    clerk.complete(case, "一窗受理", outcome="accept")
    with held():
        market.complete(case, "alpha审批", outcome="granted")


def owed(stage):
    with stage.reading() as session:
        return [(job.kind, job.attempts, job.error) for job in session.scalars(select(Job))]


def test_run__somebody_works_on_the_bundle(stage, case, held, decided):
    """The bundle goes on when it is free."""
    assert owed(stage) == [("resume", 0, None)]
    with held():
        assert scheduler.tick(stage.database) == 0
    assert owed(stage) == [("resume", 0, None)]

    assert scheduler.tick(stage.database) == 1

    assert (owed(stage), stage.tasks(case), stage.incidents(case)) == ([], ["统一出件"], [])


@pytest.fixture
def two(stage, clerk):
    """A bundle with two departments at work."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    return clerk.take_in("tiny")


def test_resume__somebody_performs_one_of_several(stage, market, two, another):
    """Nobody waits for that: the bundle is told of the others, and of that one by who has it, or by the scheduler when he dies."""
    for name in ("alpha审批", "beta审批"):
        complete_and_die(stage, market, two, name, {"outcome": "granted"})
    first, _ = stage.jobs(two)
    with another.transaction() as session:
        session.get_one(Job, first.id, with_for_update={"key_share": True})

        assert deeds.resume(stage.database, first.instance_id) == 1

    assert [job.id for job in stage.jobs(two)] == [first.id]
    assert scheduler.tick(stage.database) == 1
    assert (owed(stage), stage.tasks(two)) == ([], ["统一出件"])


def test_resume__somebody_tells_already(stage, market, two, another):
    """Nobody waits for that, either: whoever waited for the lock would be refused here."""
    for name in ("alpha审批", "beta审批"):
        complete_and_die(stage, market, two, name, {"outcome": "granted"})
    bundle = stage.jobs(two)[0].instance_id
    with another.transaction() as session:
        assert returns.lock_parent(session, bundle) is not None
        with stage.database.transaction() as second:
            assert returns.lock_parent(second, bundle) is None

        assert deeds.resume(stage.database, bundle) == 0

    assert deeds.resume(stage.database, bundle) == 2
    assert (owed(stage), stage.tasks(two)) == ([], ["统一出件"])


def test_resume__one_more_finishes_while_nothing_is_found(stage, market, two, monkeypatch):
    """Also whoever has found nothing to tell looks again: until his transaction ends, the other one finds him at it."""
    complete_and_die(stage, market, two, "alpha审批", {"outcome": "granted"})
    bundle = stage.jobs(two)[0].instance_id
    assert deeds.resume(stage.database, bundle) == 1
    claim = jobs.claim_resumes

    def find_nothing(session, instance):
        monkeypatch.setattr(jobs, "claim_resumes", claim)
        found = claim(session, instance)
        complete_and_die(stage, market, two, "beta审批", {"outcome": "granted"})
        assert (found, deeds.resume(stage.database, bundle)) == ({}, 0)
        return found

    monkeypatch.setattr(jobs, "claim_resumes", find_nothing)
    assert deeds.resume(stage.database, bundle) == 1

    assert (owed(stage), stage.tasks(two)) == ([], ["统一出件"])


def test_resume__one_more_finishes_meanwhile(stage, market, two):
    """Whoever tells looks again: the other one has found him telling, and has left it to him."""
    complete_and_die(stage, market, two, "alpha审批", {"outcome": "granted"})
    bundle = stage.jobs(two)[0].instance_id

    def finish(_connection):
        complete_and_die(stage, market, two, "beta审批", {"outcome": "granted"})
        assert deeds.resume(stage.database, bundle) == 0

    event.listen(stage.database.bind, "commit", finish, once=True)
    assert deeds.resume(stage.database, bundle) == 2

    assert (owed(stage), stage.tasks(two)) == ([], ["统一出件"])


def test_fire__somebody_works_on_the_bundle(stage, case, held):
    """The timer is not put off, and no incident says that it failed."""
    stage.move_to(2026, 3, 27)
    [timer] = stage.all(Timer, case, element="silence")
    with held():
        assert deeds.fire(stage.database, timer.id) is False
    assert (stage.all(Timer, case, element="silence")[0].due_at, stage.incidents(case)) == (timer.due_at, [])

    assert deeds.fire(stage.database, timer.id) is True

    assert stage.tasks(case) == ["alpha审批"]


def test_tick__somebody_holds_what_has_failed_before(stage, designer, another, monkeypatch):
    """As a node that hangs, or a person in psql: what others have is in time.  Each that was held was waited for, in turn, at every look."""
    content = (d.start("s"), d.user("work", name="办理"), d.timer_boundary("late", on="work", duration="PT1H", interrupting=False))
    content += (d.user("reminder", name="催办"), d.end("e"), d.flows("s -> work -> e", "late -> reminder"))
    stage.deploy("p", p_bpmn=d.diagram(*content, key="p"))
    held, free = [[designer.start("p") for _ in range(2)] for _ in range(2)]
    with stage.database.transaction() as session:
        for row in session.scalars(select(Timer).where(Timer.instance_id.in_([one.id for one in held]))):
            row.retries, row.error = 2, "it failed"
            session.add(Job(**row.key, instance_id=row.instance_id, kind="refresh", payload={}, due_at=row.due_at, attempts=1))
    stage.move_to(2026, 3, 27)
    monkeypatch.setitem(connections.OURS, "lock_timeout", "2000")
    node = Database(stage.database.bind.url.render_as_string(hide_password=False))

    with another.transaction() as session:
        session.execute(select(Instance.id).where(Instance.id.in_([one.id for one in held])).with_for_update())
        begun = time.monotonic()
        scheduler.drain(node)
        took = time.monotonic() - begun
    meanwhile = [stage.tasks(stage.of(one)).count("催办") for one in (*held, *free)]
    scheduler.drain(node)

    node.close()
    assert (meanwhile, took < 2) == ([0, 0, 1, 1], True)
    assert [stage.tasks(stage.of(one)).count("催办") for one in held] == [1, 1]
    assert [(stage.incidents(stage.of(one)), stage.jobs(stage.of(one))) for one in held] == [([], [])] * 2


@pytest.fixture
def due(stage, designer):
    """One timer, one job and one token are due, each of another process that waits at a task."""
    timer = (d.timer_boundary("late", on="work", duration="PT1H", interrupting=False), d.user("reminder", name="催办"))
    content = (d.start("s"), d.user("work", name="办理"), *timer, d.end("e"), d.flows("s -> work -> e", "late -> reminder"))
    stage.deploy("p", p_bpmn=d.diagram(*content, key="p"))
    later = d.element("serviceTask", "later", attrs={"camunda:asyncBefore": "true", "camunda:expression": "${1}"})
    stage.deploy("q", q_bpmn=d.diagram(d.start("s"), later, d.user("work"), d.end("e"), d.flows("s -> later -> work -> e"), key="q"))
    designer.start("p")
    stage.move_to(2026, 3, 27)
    other = designer.start("p")
    with stage.database.transaction() as session:
        row = session.get_one(Instance, other.id)
        session.add(Job(**row.key, instance_id=row.id, kind="refresh", payload={}, due_at=row.started_at))
    designer.start("q")


@pytest.mark.parametrize("queue", [Timer, Job, Continuation, StartTimer])
def test_pulse__somebody_has_a_table_for_himself(stage, due, another, monkeypatch, queue):
    """As `VACUUM FULL` does: all else that is due is done, and once that is known nobody is waited for, look by look."""
    floors, left = Floors(), {Timer: 2, Job: 1, Continuation: 1}
    with another.transaction() as session:
        session.execute(text(f"LOCK TABLE {queue.__tablename__} IN ACCESS EXCLUSIVE MODE"))
        assert scheduler.pulse(stage.database, floors) == 0
        monkeypatch.setattr(queues, "heads", None)  # which would wait for the table
        looks = [scheduler.pulse(stage.database, floors) for _ in range(2)]
        done = {kind: left[kind] - session.scalar(select(func.count()).select_from(kind)) for kind in left}
    monkeypatch.undo()

    assert (looks, floors.out_of_reach) == ([inf, inf], [queue.__tablename__])
    assert done == {kind: int(kind is not queue) for kind in left}
    while scheduler.pulse(stage.database, floors) == 0:
        pass
    assert floors.out_of_reach == []
    with stage.reading() as session:
        assert [session.scalar(select(func.count()).select_from(kind)) for kind in left] == [1, 0, 0]


def test_tick__a_table_is_kept_from_our_role(stage, due):
    """As in the middle of a restoration by hand: what does not need it goes on, and what does when it is there again."""
    floors, rename = Floors(), "ALTER TABLE {} RENAME TO {}"
    with stage.database.transaction() as session:
        session.execute(text(rename.format("jobs", "kept")))
    assert (scheduler.tick(stage.database, floors=floors), floors.out_of_reach) == (2, ["jobs"])

    with stage.database.transaction() as session:
        session.execute(text(rename.format("kept", "jobs")))
    assert (scheduler.tick(stage.database, floors=floors), floors.out_of_reach) == (1, [])


def test_run__database_goes_away(stage, case, another, decided):
    """The whole tick is over, as nothing else would go well; the next one does it all."""
    [job] = stage.jobs(case)
    with another.transaction() as session:
        session.execute(text(OTHERS_END))
    with pytest.raises(Unavailable):
        deeds.run(stage.database, job.id)
    assert owed(stage) == [("resume", 0, None)]

    assert deeds.run(stage.database, job.id) is True

    assert (owed(stage), stage.tasks(case)) == ([], ["统一出件"])


def test_complete__database_goes_away_while_the_diagram_asks(stage, case, clerk, another, monkeypatch):
    """That is no wrong expression: no incident is told of, the command is over and can be given again."""

    def ask(world, _code):
        with another.transaction() as session:
            session.execute(text(OTHERS_END))
        return world.session.scalar(text("select true"))

    with monkeypatch.context() as patched:
        patched.setattr(functions.World, "ready", ask)
        with pytest.raises(Unavailable):
            clerk.complete(case, "一窗受理", outcome="accept")

    assert (stage.tasks(case), stage.incidents(case)) == (["一窗受理"], [])
    clerk.complete(case, "一窗受理", outcome="accept")
    assert stage.tasks(case) == ["alpha审批"]


def test_adopt__a_job_of_the_item_is_just_being_done(stage, clerk, another):
    """Whoever does it waits for the instance that the bundle holds: the bundle does not wait for it as well."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    alone, bundle = clerk.submit("alpha"), clerk.submit("tiny", items=["beta"])
    clerk.complete(alone, "一窗受理", outcome="accept")
    item = stage.item(alone, "alpha")
    with stage.database.transaction() as session:
        jobs.owe(session, "refresh", session.get_one(Instance, item.instance_id), after=timedelta(days=1))

    with another.transaction() as session:
        session.scalars(select(Job).with_for_update()).all()
        with pytest.raises(Busy, match="some of it is just being done"):
            clerk.adopt(bundle, item.number)

    clerk.adopt(bundle, item.number)
    assert [job.case_id for job in stage.jobs(bundle)] == [bundle.id]
