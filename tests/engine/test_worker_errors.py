"""What a worker says or leaves behind that the diagram calls an error."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import external_tasks
from engine.errors import InvalidInput
from engine.external_tasks import Failure
from engine.models import ExternalTask
from engine.variables import Given
from tests.bpmn import diagrams as d


def drawn(expression):
    """A worker's task with an error on it, and what catches that."""
    error = d.tag(
        "camunda:errorEventDefinition",
        attrs={"id": "when", "errorRef": d.declared("Error", "NO_STOCK"), "expression": expression},
    )
    return d.diagram(
        d.start("s"),
        d.external("work", topic="stock", ext=error),
        d.error_boundary("empty", on="work", error="NO_STOCK"),
        d.user("order", name="补货"),
        d.user("pack", name="打包"),
        d.flows("s -> work -> pack", "empty -> order"),
        key="p",
    )


@pytest.fixture
def begun(stage, designer):
    """Start the process, and let a worker hold its task."""

    def begin(expression):
        stage.deploy("p", p_bpmn=drawn(expression))
        instance = designer.start("p")
        [task] = stage.all(ExternalTask, stage.of(instance))
        with designer.acting() as session:
            external_tasks.lock(session, task.id, "w", timedelta(minutes=1), actor=designer.actor)
        return instance, task

    return begin


def fail(who, task, message, *, retries=0, local=(), **values):
    failure = Failure(message=message, details=None, retries=retries, after=timedelta(0))
    with who.acting() as session:
        given, own = Given(values=values), Given(values=dict(local))
        external_tasks.fail(session, task.id, "w", failure, actor=who.actor, given=given, local=own)


def complete(who, task, local=(), **values):
    with who.acting() as session:
        given, own = Given(values=values), Given(values=dict(local))
        external_tasks.complete(session, task.id, "w", actor=who.actor, given=given, local=own)


def test_fail__is_the_error_that_is_drawn(stage, designer, begun):
    instance, task = begun("${externalTask.errorMessage == 'empty'}")

    fail(designer, task, "empty", shelf=7)

    assert stage.tasks(stage.of(instance)) == ["补货"]
    assert stage.instance(instance).variables == {"shelf": 7}
    assert stage.incidents(stage.of(instance)) == []


def test_fail__is_another_failure(stage, designer, begun):
    """It stands as a failure does."""
    instance, task = begun("${externalTask.errorMessage == 'empty'}")

    fail(designer, task, "fire", shelf=7)

    [incident] = stage.incidents(stage.of(instance))
    assert (incident.wait, incident.message) == (task.wait, "fire")
    assert stage.instance(instance).variables == {"shelf": 7}
    assert [row.retries for row in stage.all(ExternalTask, stage.of(instance))] == [0]


def test_fail__the_condition_cannot_be_put(stage, designer, begun):
    """What the worker has to say is not lost for that."""
    instance, task = begun("${nobody_knows}")

    fail(designer, task, "fire")

    assert [incident.message for incident in stage.incidents(stage.of(instance))] == ["fire"]


def test_complete__is_the_error_that_is_drawn(stage, designer, begun):
    """By the variables that come, those of the task alone among them."""
    instance, task = begun("${left < 1}")

    complete(designer, task, local={"left": 0})

    assert stage.tasks(stage.of(instance)) == ["补货"]
    assert stage.instance(instance).variables == {}


def test_complete__is_none(stage, designer, begun):
    instance, task = begun("${left < 1}")

    complete(designer, task, left=3)

    assert stage.tasks(stage.of(instance)) == ["打包"]


def test_complete__the_condition_cannot_be_put(stage, designer, begun):
    """The worker is told; nothing has changed."""
    instance, task = begun("${left < 1}")

    with pytest.raises(InvalidInput, match="left"):
        complete(designer, task)

    assert [row.worker for row in stage.all(ExternalTask, stage.of(instance))] == ["w"]


@pytest.fixture
def known(stage, designer):
    """Start a process whose worker's task hands out what is called x there, and let a worker hold the task."""
    out = d.tag("camunda:inputOutput", d.tag("camunda:outputParameter", "${x}", attrs={"name": "seen"}))
    error = d.tag("camunda:errorEventDefinition", attrs={"errorRef": "none", "expression": "${x == 'broken'}"})
    body = d.external("work", topic="stock", ext=out + error), d.error_boundary("caught", on="work", error="none"), d.user("pack")
    stage.deploy("p", p_bpmn=d.diagram(d.start("s"), *body, d.end("e"), d.flows("s -> work -> pack -> e", "caught -> e"), key="p"))
    instance = designer.start("p")
    [task] = stage.all(ExternalTask, stage.of(instance))
    with designer.acting() as session:
        external_tasks.lock(session, task.id, "w", timedelta(minutes=1), actor=designer.actor)
    return instance, task


def test_complete__with_a_local_variable_of_the_same_name(stage, designer, known):
    """As in Camunda 7: what comes for the process is the process's, then the task has its own."""
    instance, task = known

    complete(designer, task, local={"x": "task"}, x="process")

    assert stage.instance(instance).variables == {"x": "process", "seen": "task"}


def test_fail__with_a_local_variable_of_the_same_name(stage, designer, known):
    instance, task = known

    fail(designer, task, "fire", local={"x": "task"}, retries=1, x="process")

    assert stage.instance(instance).variables == {"x": "process"}
    with designer.acting() as session:
        external_tasks.lock(session, task.id, "w", timedelta(minutes=1), actor=designer.actor)
    complete(designer, task)
    assert stage.instance(instance).variables == {"x": "process", "seen": "task"}


def test_fail__is_the_error_that_is_drawn__with_a_local_variable(stage, designer, known):
    """It is set as with any failure: the outputs of the task see it."""
    instance, task = known

    fail(designer, task, "fire", local={"x": "broken"}, x="process")

    assert stage.instance(instance).variables == {"x": "process", "seen": "broken"}
