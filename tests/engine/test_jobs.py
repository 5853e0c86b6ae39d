from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from structlog.testing import capture_logs

from engine import database, deeds, duties, execution, incidents, instances, jobs, scheduler, tasks
from engine.actors import ENGINE
from engine.columns import new_id
from engine.errors import InvalidState, NotFound, NotPermitted
from engine.models import Incident, Instance, Job
from tests import invariants, tiny
from tests.bpmn import diagrams as d
from tests.engine.test_case_migrations import migrate

UNDECIDED = {"outcome": "undecided"}


@pytest.fixture
def case(stage, clerk, market):
    """The process of alpha has ended without a decision, which its bundle cannot take: the job that says so fails."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    case = clerk.take_in("tiny")
    market.complete(case, "alpha审批", **UNDECIDED)
    return case


def owed(stage, case):
    [job] = stage.jobs(case)
    return job


def fail_for_good(stage, case):
    while owed(stage, case).status != "failed":
        stage.traveller.shift(timedelta(hours=1))
        scheduler.drain(stage.database)


def test_remember_failure__plans_the_next_attempt(stage, case):
    job = owed(stage, case)

    assert (job.kind, job.status, job.attempts) == ("resume", "pending", 1)
    assert "Expected item" in job.error
    assert stage.incidents(case) == []


def test_remember_failure__waits_longer_each_time(stage, case):
    waits = []
    for _ in jobs.BACKOFF[1:]:
        before = owed(stage, case).due_at
        stage.traveller.move_to(before + timedelta(seconds=1))
        scheduler.drain(stage.database)
        waits.append(owed(stage, case).due_at - before)

    assert [round(wait.total_seconds() / 60) for wait in waits] == [1, 10]


def test_remember_failure__not_before_it_is_due(stage, case):
    assert scheduler.drain(stage.database) == 0
    assert owed(stage, case).attempts == 1


def test_remember_failure__out_of_retries(stage, case):
    fail_for_good(stage, case)

    job, [incident] = owed(stage, case), stage.incidents(case)
    assert (job.status, job.attempts) == ("failed", len(jobs.BACKOFF) + 1)
    assert (incident.job_id, incident.wait) == (job.id, None)
    stage.travel(2026, 4, 1)
    assert owed(stage, case).attempts == len(jobs.BACKOFF) + 1


@pytest.fixture
def missing(stage, clerk, monkeypatch):
    """A case, and how often its process looks at the world in vain, since something is not there: so many times."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = clerk.submit("tiny")
    times = iter(())

    def refresh(session, job):
        if next(times, None):
            session.get_one(Job, new_id())
        execution.refresh(session, job.instance_id, actor=ENGINE)

    def missing(often):
        nonlocal times
        times = iter([True] * often)
        with stage.database.transaction() as session:
            jobs.owe(session, "refresh", session.get_one(Instance, instances.of_case(session, case).id))
        return case

    monkeypatch.setitem(duties.PERFORM, "refresh", refresh)
    return missing


def test_remember_failure__what_was_there_has_vanished(stage, missing):
    """That was a race: the second attempt knows it."""
    case = missing(1)
    assert owed(stage, case).error.startswith("Vanished: Expected to find")

    stage.traveller.shift(timedelta(minutes=1))
    scheduler.drain(stage.database)

    assert (stage.jobs(case), stage.incidents(case)) == ([], [])


def test_remember_failure__what_is_missing_was_never_there(stage, missing):
    """It is not passed over in silence."""
    case = missing(100)

    fail_for_good(stage, case)

    [incident] = stage.incidents(case)
    assert incident.message.startswith("Vanished: Expected to find")


def test_remember_failure__cannot_be_kept(stage, clerk, monkeypatch):
    """It stays due, and keeps nothing else from being done."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    cases = [clerk.submit("tiny") for _ in range(2)]
    broken, done = bundle(stage, cases[0]).id, []
    monkeypatch.setitem(duties.PERFORM, "refresh", lambda _, job: done.append(1 / (job.instance_id != broken)))
    monkeypatch.setattr(jobs, "remember_failure", lambda *_: 1 / 0)
    with stage.database.transaction() as session:
        for case in cases:
            jobs.owe(session, "refresh", instances.of_case(session, case))
        session.info.pop(database._AFTER_COMMIT)

    with capture_logs() as logged:
        scheduler.drain(stage.database)

    assert [len(stage.jobs(case)) for case in cases] == [1, 0]
    assert "failed attempt not counted" in {each["event"] for each in logged}


def test_remember_failure__the_job_has_vanished(stage, missing, monkeypatch):
    """What is not there any more cannot fail, and nobody is told."""
    remember = jobs.remember_failure

    def deleted(session, job_id, error):
        with stage.database.transaction() as other:
            other.execute(delete(Job).where(Job.id == job_id))
        return remember(session, job_id, error)

    monkeypatch.setattr(jobs, "remember_failure", deleted)

    with capture_logs() as logged:
        case = missing(100)

    assert (stage.jobs(case), stage.incidents(case), logged) == ([], [], [])


def test_retry__the_cause_is_mended(stage, clerk, supervisor, case):
    """The item is withdrawn, so its bundle may go on."""
    fail_for_good(stage, case)
    [incident] = stage.incidents(case)
    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")

    with supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)

    assert stage.incidents(case) == []
    assert stage.jobs(case) == []
    assert stage.tasks(case) == ["beta审批"]


def test_retry__fails_again(stage, supervisor, case):
    fail_for_good(stage, case)
    [incident] = stage.incidents(case)

    with supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)
    assert (owed(stage, case).status, owed(stage, case).attempts) == ("pending", 1)
    fail_for_good(stage, case)

    [second] = stage.incidents(case)
    assert second.id != incident.id


def test_retry__by_whom_it_does_not_concern(stage, clerk, market, case):
    fail_for_good(stage, case)
    [incident] = stage.incidents(case)

    for who in (clerk, market):
        with pytest.raises(NotPermitted), who.acting() as session:
            incidents.retry(session, incident.id, actor=who.actor)


def test_retry__by_the_designer(stage, case):
    """Who draws the diagrams mends what they did wrong, in whatever hall."""
    fail_for_good(stage, case)
    designer = stage.person("designer")
    with stage.reading() as session:
        [incident] = session.scalars(incidents.search(designer.actor)).all()

    with designer.acting() as session:
        incidents.retry(session, incident.id, actor=designer.actor)

    assert owed(stage, case).status == "pending"


def test_retry__resolved_already(stage, supervisor, case):
    fail_for_good(stage, case)
    [incident] = stage.incidents(case)
    with supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)

    with pytest.raises(NotFound), supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)


def test_step__one_incident_from_the_first_failure_to_the_end(stage, clerk, supervisor):
    """A step stands as an incident at once; when its job gives up, it is still the same one."""
    alpha = tiny.item("alpha", d.start("s"), d.external("decide", topic="onething.decide"), d.end("e"), d.flows("s -> decide -> e"))
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": alpha}))
    case = clerk.take_in("tiny")
    [first] = stage.incidents(case)

    fail_for_good(stage, case)

    [incident] = stage.incidents(case)
    assert (incident.id, incident.job_id) == (first.id, owed(stage, case).id)
    with supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)
    assert [i.id for i in stage.incidents(case)] == [first.id]


def test_step__fails_where_its_case_was_moved_to(stage, clerk):
    """The incident stands where the step stands now, also when its job was written before the move."""
    files = tiny.folder({"alpha": {}})
    for version, key in enumerate(("decide", "judge"), 1):
        files["alpha_bpmn"] = tiny.item(
            "alpha", d.start("s"), d.external(key, topic="onething.decide"), d.end("e"), d.flows(f"s -> {key} -> e")
        )
        stage.deploy("tiny", **files)
        if version == 1:
            case = clerk.take_in("tiny")

    migrate(stage, "alpha", decide="judge")
    fail_for_good(stage, case)

    [incident] = stage.incidents(case)
    assert (incident.element, incident.job_id) == ("judge", owed(stage, case).id)


def test_step__repaired(stage, clerk, supervisor):
    """The table gave nothing; now it does, and one retry ends the incident and its job."""
    alpha = tiny.item("alpha", d.start("s"), d.external("decide", topic="onething.decide"), d.end("e"), d.flows("s -> decide -> e"))
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": alpha}))
    case = clerk.take_in("tiny")
    [incident] = stage.incidents(case)
    with supervisor.acting() as session, execution.running(session, stage.item(case, "alpha").instance_id, actor=ENGINE) as run:
        run.process.variables["outcome"] = "granted"

    with supervisor.acting() as session:
        incidents.retry(session, incident.id, actor=supervisor.actor)

    assert stage.statuses(case) == {"alpha": "granted"}
    assert stage.incidents(case) == []
    stage.travel(2026, 3, 2, hour=10)
    assert stage.jobs(case) == []


def complete_and_die(stage, market, case, name, data):
    """The officer's decision is committed, and the bundle is not told."""
    task = stage.task(case, name)
    with market.acting(checked=False) as session:
        tasks.complete(session, task.id, actor=market.actor, data=data)
        session.info.pop(database._AFTER_COMMIT)


def test_owe__the_process_dies_before_it_is_run(stage, clerk, market):
    """The officer's decision is committed, the process dies before it tells the bundle: the scheduler does."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}}))
    case = clerk.take_in("tiny")
    complete_and_die(stage, market, case, "alpha审批", {"outcome": "granted"})

    assert stage.statuses(case) == {"alpha": "granted", "beta": "waiting"}
    assert owed(stage, case).kind == "resume"
    scheduler.drain(stage.database)
    assert stage.statuses(case) == {"alpha": "granted", "beta": "in_review"}
    assert stage.jobs(case) == []


@pytest.fixture
def three(stage, clerk):
    """A bundle with three departments at work."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}}))
    return clerk.take_in("tiny")


def bundle(stage, case):
    with stage.reading() as session:
        return instances.of_case(session, case)


def test_resume__several_have_ended(stage, market, three):
    """While somebody held the bundle, all departments have finished: it is told of them in one go."""
    for name in ("alpha审批", "beta审批", "gamma审批"):
        complete_and_die(stage, market, three, name, {"outcome": "granted"})
    before = bundle(stage, three)

    assert deeds.resume(stage.database, before.id) == 3

    assert (stage.jobs(three), stage.tasks(three)) == ([], ["统一出件"])
    assert bundle(stage, three).rev == before.rev + 1
    assert deeds.resume(stage.database, before.id) == 0  # nobody else has anything to tell
    assert bundle(stage, three).rev == before.rev + 1
    invariants.check(stage.database)


def test_resume__what_one_leads_to_the_next_one_finds(stage, clerk, market):
    """Two predecessors have ended: what waited for both begins once, in the same transaction."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {"predecessors": "alpha:FS beta:FS"}}))
    case = clerk.take_in("tiny")
    for name in ("alpha审批", "beta审批"):
        complete_and_die(stage, market, case, name, {"outcome": "granted"})

    assert deeds.resume(stage.database, bundle(stage, case).id) == 2

    assert (stage.jobs(case), stage.tasks(case)) == ([], ["gamma审批"])
    invariants.check(stage.database)


def called(key):
    return d.diagram(d.start("s"), d.user("t", name=key), d.end("e"), d.flows("s -> t -> e"), key=key)


def test_resume__what_one_leads_to_the_next_one_cancels(stage, designer):
    """What has been called a moment ago, in the same transaction, does not go on for nobody."""
    calls = (d.call(each, of=each) for each in ("one", "two", "three"))
    flows = d.flows("s -> fork -> one -> three -> done", "fork -> two -> over")
    caller = d.diagram(d.start("s"), d.parallel("fork"), *calls, d.end("done"), d.end("over", terminate=True), flows, key="caller")
    stage.deploy("calls", caller_bpmn=caller, one_bpmn=called("one"), two_bpmn=called("two"), three_bpmn=called("three"))
    instance = designer.start("caller")
    for name in ("one", "two"):
        complete_and_die(stage, designer, stage.of(instance), name, {})

    assert deeds.resume(stage.database, instance.id) == 2

    assert (str(stage.instance(instance).status), stage.tasks(stage.of(instance))) == ("completed", [])
    assert {str(row.status) for row in stage.all(Instance, stage.of(instance), parent_id=instance.id)} == {"completed", "canceled"}
    invariants.check(stage.database)


def test_resume__one_of_several_fails(stage, market, three):
    """The bundle is told of the others; the one that fails is remembered with its error, and is the scheduler's."""
    complete_and_die(stage, market, three, "alpha审批", UNDECIDED)
    complete_and_die(stage, market, three, "beta审批", {"outcome": "granted"})

    deeds.resume(stage.database, bundle(stage, three).id)

    job = owed(stage, three)
    assert (job.kind, job.attempts) == ("resume", 1)
    assert "Expected item" in job.error
    market.complete(three, "gamma审批", outcome="granted")
    assert owed(stage, three).attempts == 1  # it is not due yet


def test_owe__rolled_back_with_its_cause(stage, clerk, case):
    with pytest.raises(InvalidState), clerk.acting() as session:  # noqa: PT012 - the second undoes the first
        jobs.owe(session, "refresh", instances.of_case(session, case))
        raise InvalidState("no")

    assert [job.kind for job in stage.jobs(case)] == ["resume"]


def test_run__nobody_elses(stage, case):
    """A job that is done is gone; who comes second is told that it was not his."""
    with stage.database.transaction() as session:
        job = jobs.owe(session, "message", instances.of_case(session, case), message="nothing")
        session.info.pop(database._AFTER_COMMIT)

    assert deeds.run(stage.database, job.id) is True
    assert deeds.run(stage.database, job.id) is False
    with stage.reading() as session:
        assert session.get(Job, job.id) is None


def test_search__only_cases_that_one_sees(stage, clerk, supervisor, case):
    fail_for_good(stage, case)

    with stage.reading() as session:
        assert len(session.scalars(incidents.search(supervisor.actor)).all()) == 1
        assert session.scalars(incidents.search(stage.person("clerk-yuelu").actor)).all() == []
        assert session.scalars(select(Incident)).all() != []
