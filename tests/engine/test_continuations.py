"""Tokens that the engine carries on by itself: in a transaction of their own, as often as the diagram says, never twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from engine import attempts, continuations, deeds, incidents, processes, scheduler, suspension
from engine.database import Database
from engine.errors import InvalidState
from engine.models import Incident
from engine.places import Place
from engine.schedule_models import Continuation
from engine.variables import Given
from tests.bpmn import diagrams as d

BEFORE = {"camunda:asyncBefore": "true"}
AFTER = {"camunda:asyncAfter": "true"}
FAILING = {"camunda:expression": "${missing}", "camunda:resultVariable": "x", **BEFORE}


def retry(cycle):
    return d.tag("camunda:failedJobRetryTimeCycle", cycle)


def computing(expression, attrs=BEFORE, ext="", **more):
    """A process whose only step computes something, as a job."""
    step = d.element("serviceTask", "work", ext=ext, attrs={"camunda:expression": expression, "camunda:resultVariable": "sum", **attrs})
    return d.diagram(d.start("s"), step, d.user("t", name="登记"), d.end("e"), d.flows("s -> work -> t -> e"), key="p", **more)


def start(stage, who, diagram, **variables):
    stage.deploy("p", p_bpmn=diagram)
    return who.start("p", **variables)


def waiting(stage, instance):
    return stage.all(Continuation, stage.of(instance))


def tick(stage, minutes=0):
    stage.traveller.shift(timedelta(minutes=minutes))
    scheduler.drain(stage.database)


def test_continuation__waits_for_the_scheduler(stage, designer):
    """What was done before it is durable, and the caller has its answer, before it begins."""
    instance = start(stage, designer, computing("${1 + 1}"))

    [row] = waiting(stage, instance)
    assert (row.element, row.retries, row.priority, row.error) == ("work", 3, 0, None)
    assert stage.instance(instance).variables == {}
    tick(stage)

    assert waiting(stage, instance) == []
    assert stage.instance(instance).variables == {"sum": 2}
    assert stage.tasks(stage.of(instance)) == ["登记"]


def test_continuation__after(stage, designer):
    instance = start(stage, designer, computing("${1 + 1}", attrs=AFTER))

    assert [row.element for row in waiting(stage, instance)] == ["work"]
    assert stage.instance(instance).variables == {"sum": 2}
    tick(stage)

    assert stage.tasks(stage.of(instance)) == ["登记"]


def test_continuation__a_chain_in_one_tick(stage, designer):
    steps = [d.task(f"t{n}", attrs={**BEFORE, **AFTER}) for n in range(10)]
    path = " -> ".join(f"t{n}" for n in range(10))
    instance = start(stage, designer, d.diagram(d.start("s"), *steps, d.end("e"), d.flows(f"s -> {path} -> e"), key="p"))

    scheduler.tick(stage.database)

    assert stage.instance(instance).status == "completed"


def test_continuation__a_circle_ends_with_the_tick(stage, designer, monkeypatch):
    """It goes round for ever, as it is drawn, but others have their turn in between."""
    circle = d.diagram(d.start("s"), d.exclusive("x"), d.task("a", attrs=BEFORE), d.flows("s -> x -> a -> x"), key="p")
    instance = start(stage, designer, circle)

    assert scheduler.tick(stage.database, limit=5) == 5

    assert len(waiting(stage, instance)) == 1
    monkeypatch.setattr("engine.scheduler.ENDLESS", 20)
    with pytest.raises(InvalidState, match="goes in circles"):
        scheduler.drain(stage.database)


def test_continuation__the_most_urgent_first(stage, designer):
    """Both are due; one piece is done in a tick of one."""
    urgent = {**BEFORE, "camunda:jobPriority": "10"}
    files = {
        key: d.diagram(d.start("s"), d.task("t", attrs=attrs), d.end("e"), d.flows("s -> t -> e"), key=key)
        for key, attrs in (("late", BEFORE), ("soon", urgent))
    }
    stage.deploy("p", late_bpmn=files["late"], soon_bpmn=files["soon"])
    late, soon = designer.start("late"), designer.start("soon")

    scheduler.tick(stage.database, limit=1)

    assert (stage.instance(late).status, stage.instance(soon).status) == ("running", "completed")


# Failure ----------------------------------------------------------------------------------------------------------------------------------


def test_failure__is_undone_and_tried_again(stage, designer):
    """Three times, and then an incident says why; the instance is as it was."""
    instance = start(stage, designer, computing("${missing + 1}"))
    rev = stage.instance(instance).rev

    for left in (2, 1):
        tick(stage, 5)
        [row] = waiting(stage, instance)
        assert (row.retries, "missing" in row.error) == (left, True)
        assert stage.incidents(stage.of(instance)) == []
    tick(stage, 5)

    [row], [incident] = waiting(stage, instance), stage.incidents(stage.of(instance))
    assert (row.retries, incident.wait, incident.element) == (0, row.wait, "work")
    assert "missing" in incident.message
    assert stage.instance(instance).rev == rev
    tick(stage, 600)
    assert len(stage.all(Incident, stage.of(instance))) == 1


def test_failure__where_the_token_comes_to_later(stage, designer):
    """All since the last commit is undone, not the failing step alone."""
    later = d.diagram(
        d.start("s"),
        d.element("serviceTask", "a", attrs={"camunda:expression": "${1}", "camunda:resultVariable": "a", **BEFORE}),
        d.element("serviceTask", "b", attrs={"camunda:expression": "${missing}", "camunda:resultVariable": "b"}),
        d.end("e"),
        d.flows("s -> a -> b -> e"),
        key="p",
    )
    instance = start(stage, designer, later)

    tick(stage)

    [row] = waiting(stage, instance)
    assert (row.element, row.retries) == ("a", 2)
    assert stage.instance(instance).variables == {}


@pytest.mark.parametrize(
    ("cycle", "minutes"),
    [
        ("R2/PT10M", [10]),
        ("R4/PT10M", [10, 10, 10]),
        ("PT1M,PT1H", [1, 60]),
        ("PT30M", [30]),
        ("${cycle}", [7, 7]),
        ("R1/PT10M", []),
        ("${never}", [0, 1]),  # no date is as late as that: it is tried as where nothing is written
    ],
)
def test_failure__as_often_as_the_diagram_says(stage, designer, cycle, minutes):
    instance = start(stage, designer, computing("${missing}", ext=retry(cycle)), cycle="R3/PT7M", never="P9999Y")
    scheduler.tick(stage.database)

    for gap in minutes:
        before, [row] = datetime.now(UTC), waiting(stage, instance)
        assert round((row.due_at - before).total_seconds() / 60) == gap
        tick(stage, gap + 0.5)

    assert waiting(stage, instance)[0].retries == 0
    assert len(stage.incidents(stage.of(instance))) == 1


def test_retry__the_cause_is_mended(stage, designer):
    instance = start(stage, designer, computing("${missing + 1}", ext=retry("R1/PT1M")))
    tick(stage)
    [incident] = stage.incidents(stage.of(instance))
    with designer.acting() as session:
        processes.set_variables(session, Place(instance.id), Given(values={"missing": 4}), actor=designer.actor)

    with designer.acting() as session:
        incidents.retry(session, incident.id, actor=designer.actor)
    tick(stage)

    assert stage.instance(instance).variables["sum"] == 5
    assert stage.incidents(stage.of(instance)) == []


def test_retry__fails_again(stage, designer):
    instance = start(stage, designer, computing("${missing + 1}", ext=retry("R1/PT1M")))
    tick(stage)
    [first] = stage.incidents(stage.of(instance))

    with designer.acting() as session:
        incidents.retry(session, first.id, actor=designer.actor)
    tick(stage)

    [second] = stage.incidents(stage.of(instance))
    assert second.id != first.id


def test_continuation__is_interrupted(stage, designer):
    """What is taken away needs nobody to carry it on, and its incident is over."""
    guarded = d.diagram(
        d.start("s"),
        d.subprocess("sub", d.start("is"), d.element("serviceTask", "work", ext=retry("R1/PT1M"), attrs=FAILING), d.flows("is -> work")),
        d.timer_boundary("late", on="sub", duration="P1D"),
        d.end("over"),
        d.flows("s -> sub", "late -> over"),
        key="p",
    )
    instance = start(stage, designer, guarded)
    tick(stage)
    assert len(stage.incidents(stage.of(instance))) == 1

    stage.travel(2026, 3, 4)

    assert waiting(stage, instance) == []
    assert stage.incidents(stage.of(instance)) == []
    assert stage.instance(instance).status == "completed"


# Never twice ------------------------------------------------------------------------------------------------------------------------------


def test_carry_on__two_schedulers(stage, designer):
    """Each is carried on once, whoever comes first."""
    counting = d.diagram(
        d.start("s"),
        d.element("serviceTask", "work", attrs={"camunda:expression": "${n + 1}", "camunda:resultVariable": "n", **BEFORE}),
        d.user("t", name="登记"),
        d.flows("s -> work -> t"),
        key="p",
    )
    stage.deploy("p", p_bpmn=counting)
    started = [designer.start("p", n=0) for _ in range(5)]
    together = Barrier(2)

    def work(_):
        together.wait()
        scheduler.drain(stage.database)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))

    assert [stage.instance(one).variables["n"] for one in started] == [1] * 5


def test_carry_on__it_is_over_by_now(stage, designer):
    instance = start(stage, designer, computing("${1 + 1}"))
    [row] = waiting(stage, instance)
    assert deeds.carry_on(stage.database, row.id) is True

    assert deeds.carry_on(stage.database, row.id) is False


def test_carry_on__the_process_dies_before_the_commit(stage, designer, monkeypatch):
    """Nothing of it counts, and it is still there for the next one."""
    instance = start(stage, designer, computing("${1 + 1}"))
    [row] = waiting(stage, instance)

    class Dies(BaseException):
        pass

    def die():
        with stage.database.transaction() as session:
            continuations.execute(session, attempts.claim(session, Continuation, row.id), actor=designer.actor)
            raise Dies

    with pytest.raises(Dies):
        die()

    assert stage.instance(instance).variables == {}
    assert [left.retries for left in waiting(stage, instance)] == [3]
    other = Database(str(stage.database.bind.url.render_as_string(hide_password=False)))
    scheduler.drain(other)
    other.close()
    assert stage.instance(instance).variables == {"sum": 2}


def test_carry_on__a_suspended_instance_stands_still(stage, designer):
    instance = start(stage, designer, computing("${1 + 1}"))
    with designer.acting() as session:
        suspension.suspend(session, instance.id, actor=designer.actor)

    tick(stage)
    assert [row.retries for row in waiting(stage, instance)] == [3]
    with designer.acting() as session:
        suspension.activate(session, instance.id, actor=designer.actor)
    tick(stage)

    assert stage.instance(instance).variables == {"sum": 2}
