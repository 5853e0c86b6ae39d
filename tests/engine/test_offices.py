"""Departments that are deleted while something goes on that would come to them: no task ends up with a group that nobody is in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select

from engine import definitions, duties, holidays, jobs, offices, processes, tasks
from engine.case_models import Commitment
from engine.errors import Busy, InvalidState
from engine.models import Instance, Job
from engine.states import CommitmentStatus, JobStatus
from engine.variables import Given
from tests import interleaving, tiny
from tests.bpmn import diagrams as d
from tests.hall import OPERATOR


def process(second):
    """Two tasks, one after the other; nobody sees yet whose the second will be."""
    tasks = d.user("a", name="登记", groups="window"), d.user("b", name="核定", groups=second)
    return d.diagram(d.start("s"), *tasks, d.end("e"), d.flows("s -> a -> b -> e"), key="p")


@pytest.fixture
def designer(stage):
    """Somebody who has deployed a process that comes to a department later."""
    with stage.database.transaction() as session:
        offices.put_department(session, "grain", actor=OPERATOR, name="粮食和物资储备局")
    stage.deploy("p", p_bpmn=process("department-grain"))
    return stage.person("designer")


def delete(stage):
    with stage.database.transaction() as session:
        offices.delete_department(session, "grain", actor=OPERATOR)


def test_delete__an_older_version_that_names_it_still_runs(stage, designer):
    case = designer.start("p")
    stage.deploy("p", p_bpmn=process("window"))

    with pytest.raises(InvalidState, match=r"but there are processes p \(version 1\)$"):
        delete(stage)

    with stage.database.transaction() as session:
        processes.end(session, case.id, actor=designer.actor, reason="不办了")
    delete(stage)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_delete__somebody_begins_by_an_older_version_in_the_same_moment(stage, designer):
    """Who deletes waits for whoever has begun, and finds what that was; SQLite lets nobody come between."""

    with stage.reading() as session:
        loaded = definitions.latest(session, "p")
    stage.deploy("p", p_bpmn=process("window"))

    with (
        pytest.raises(InvalidState, match=r"but there are processes p \(version 1\)$"),
        interleaving.waited_for(stage.database, holidays.keep, lambda: delete(stage)) as beginner,
    ):
        processes.open_plain(beginner, loaded, actor=designer.actor, given=Given(values={}))


@pytest.fixture
def just_before(stage, monkeypatch):
    """A newer version is deployed, and the department deleted, just before somebody holds the calendar, to begin something."""
    keep = holidays.keep

    def arrange(name, **files):
        def late(session):
            monkeypatch.undo()
            stage.deploy(name, **files)
            delete(stage)
            keep(session)

        monkeypatch.setattr(holidays, "keep", late)

    return arrange


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_delete__somebody_submits_by_an_older_version_in_the_same_moment(stage, designer, clerk, just_before):
    """He begins anew, by the newest one."""
    older, newer = tiny.folder({"alpha": {}}), tiny.folder({"alpha": {}}, longest_wait="4")
    older["tiny_bpmn"] = older["tiny_bpmn"].replace(b'candidateGroups="window"', b'candidateGroups="department-grain"')
    stage.deploy("p", p_bpmn=process("window"))
    stage.deploy("tiny", **older)
    just_before("tiny", **newer)

    with pytest.raises(Busy, match="by the newest version of tiny, but another one has come just now; try again"):
        clerk.submit("tiny")

    assert stage.tasks(clerk.submit("tiny")) == ["一窗受理"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_delete__a_process_beside_a_case_begins_in_the_same_moment(stage, designer, clerk, monkeypatch):
    """By the newest version; who deletes waits for whoever holds the bundle of the case, to begin it."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = clerk.take_in("tiny")
    with stage.database.transaction() as session:
        row = session.get_one(Instance, stage.item(case, "alpha").instance_id)
        promise = {"kind": "informed", "signed_by": "王小明", "signed_at": row.started_at, "status": CommitmentStatus.VERIFY_DUE}
        session.add(Commitment(**row.key, item_id=row.item_id, **promise))
        job = jobs.owe(session, "start", row, after=timedelta(days=1), process="p", item=str(row.item_id), variables={})
    keep, waits, over, deleting = holidays.keep, Event(), Event(), []
    monkeypatch.setattr(offices.time, "sleep", lambda _seconds: (waits.set(), over.wait()))

    def late(session):
        monkeypatch.setattr(holidays, "keep", keep)
        stage.deploy("p", p_bpmn=process("window"))
        deleting.append(thread.submit(delete, stage))
        deleting[0].add_done_callback(lambda _: waits.set())
        waits.wait()
        assert not deleting[0].done()
        keep(session)

    with ThreadPoolExecutor(1) as thread:
        monkeypatch.setattr(holidays, "keep", late)
        assert duties.perform(stage.database, job.id)
        over.set()
        deleting[0].result()

    with stage.reading() as session:
        begun = session.scalars(select(Instance).where(Instance.definition_id == definitions.latest_id(session, "p"))).all()
    assert len(begun) == 1


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_delete__what_runs_calls_an_older_version_in_the_same_moment(stage, designer, monkeypatch):
    """Who deletes waits for whoever holds a process, too, and finds what he has begun."""
    first = d.user("first", name="受理", groups="window"), d.call("c", of="p")
    stage.deploy("q", q_bpmn=d.diagram(d.start("s"), *first, d.end("e"), d.flows("s -> first -> c -> e"), key="q"))
    task, waits, over = stage.task(stage.of(designer.start("q")), "受理"), Event(), Event()
    monkeypatch.setattr(offices.time, "sleep", lambda _seconds: (waits.set(), over.wait()))

    with ThreadPoolExecutor(1) as thread:
        with stage.database.transaction() as session:
            tasks.complete(session, task.id, actor=stage.person("clerk").actor, data={})
            stage.deploy("p", p_bpmn=process("window"))
            deleting = thread.submit(delete, stage)
            deleting.add_done_callback(lambda _: waits.set())
            waits.wait()
            assert not deleting.done()
        over.set()
        with pytest.raises(InvalidState, match=r"but there are processes p \(version 1\)$"):
            deleting.result()


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_delete__somebody_is_at_work_all_the_time(stage, designer, monkeypatch):
    """It gives up, and nothing has changed."""
    monkeypatch.setattr(offices, "_LOOKS", 2)
    stage.deploy("p", p_bpmn=process("window"))
    task = stage.task(stage.of(designer.start("p")), "登记")

    with stage.database.transaction() as session:
        tasks.complete(session, task.id, actor=stage.person("clerk").actor, data={})
        with pytest.raises(Busy, match="Expected to delete department grain when all who work just now have done"):
            delete(stage)

    delete(stage)


@pytest.mark.parametrize("binding", ["deployment", "version"])
def test_delete__an_older_version_that_names_it_is_still_called(stage, designer, binding):
    """By what is deployed with it, or by its number."""
    attrs = {"camunda:calledElementBinding": binding} | ({"camunda:calledElementVersion": "2"} if binding == "version" else {})
    called = d.start("s"), d.call("c", of="p", attrs=attrs), d.end("e"), d.flows("s -> c -> e")
    stage.deploy(
        "both", p_bpmn=process("department-grain").replace("登记".encode(), "登记受理".encode()), q_bpmn=d.diagram(*called, key="q")
    )
    stage.deploy("p", p_bpmn=process("window"))

    with pytest.raises(InvalidState, match=r"but there are processes p \(version 2\)$"):
        delete(stage)


@pytest.mark.parametrize("status", JobStatus)
def test_delete__an_older_version_that_names_it_is_to_begin(stage, designer, status):
    """A signal was thrown that it begins with; also when that has failed, and waits for somebody to try it again."""
    instance = designer.start("p")
    with stage.database.transaction() as session:
        row = session.get_one(Instance, instance.id)
        job = jobs.owe(session, "begin", row, after=timedelta(days=1), definition=str(row.definition_id), at="s", variables={})
        job.status = status
    stage.deploy("p", p_bpmn=process("window"))
    with stage.database.transaction() as session:
        processes.end(session, instance.id, actor=designer.actor, reason="不办了")

    with pytest.raises(InvalidState, match=r"but there are processes p \(version 1\)$"):
        delete(stage)

    with stage.database.transaction() as session:
        session.delete(session.get_one(Job, job.id))
    delete(stage)
