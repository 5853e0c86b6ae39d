"""Drafts: what was typed is not lost, is whose the task is, and goes with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import drafts, retention, tasks
from engine.case_models import Draft
from engine.errors import InvalidInput, InvalidState, NotFound, NotPermitted
from engine.models import Task
from tests.bpmn import diagrams as d
from tests.engine.test_case_migrations import KEPT, submit
from tests.stage import DESIGNER

#: A refusal without the reason that it must have, by one of its kinds that there is not.
HALF = {"outcome": "refuse", "refusal_kind": "by mistake"}


def submitted(stage):
    submit(stage.person("clerk"))


@pytest.fixture
def case(begun):
    [case] = begun(submitted)
    return case


@pytest.fixture
def intake(stage, case):
    return stage.task(case, "一窗受理").id


def save(stage, who, task_id, data):
    with stage.database.transaction() as session:
        return drafts.save(session, task_id, data, actor=who.actor)


def find(stage, who, task_id):
    with stage.reading() as session:
        return drafts.find(session, task_id, actor=who.actor)


def discard(stage, who, task_id):
    with stage.database.transaction() as session:
        drafts.discard(session, task_id, actor=who.actor)


def rows(stage, case):
    with stage.reading() as session:
        return [draft.data for draft in session.scalars(select(Draft).where(Draft.case_id == case.id))]


def sweep(stage):
    retention.sweep(stage.database, answers=timedelta(days=3))


def test_save__somebody_else_goes_on(stage, clerk, supervisor, intake):
    assert find(stage, clerk, intake) is None

    saved = save(stage, clerk, intake, HALF)
    found = find(stage, supervisor, intake)

    assert (found.data, found.saved_by, found.saved_at) == (HALF, "clerk", saved.saved_at)
    save(stage, supervisor, intake, {"outcome": "accept"})
    found = find(stage, clerk, intake)
    assert (found.data, found.saved_by) == ({"outcome": "accept"}, "supervisor")
    assert found.saved_at > saved.saved_at


def test_save__changes_nothing_of_the_case(stage, clerk, case, intake):
    before = stage.bundle(case).rev, stage.tasks(case)

    save(stage, clerk, intake, HALF)

    assert (stage.bundle(case).rev, stage.tasks(case)) == before


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"outcome": 1}, "outcome", "to be text, but it is a number"),
        ({"surprise": "x"}, "surprise", "Expected fields of the form only"),
    ],
)
def test_save__out_of_place(stage, clerk, case, intake, data, field, message):
    save(stage, clerk, intake, HALF)

    with pytest.raises(InvalidInput, match=message) as refusal:
        save(stage, clerk, intake, data)

    assert [error["field"] for error in refusal.value.details["errors"]] == [field]
    assert rows(stage, case) == [HALF]


def test_save__too_much(stage, clerk, case, intake):
    with pytest.raises(InvalidInput, match="Expected a draft of at most 1048576 bytes, but it has 10485"):
        save(stage, clerk, intake, {"reason": "章" * (drafts.LARGEST // 3)})

    assert rows(stage, case) == []


@pytest.fixture
def plain(stage, market):
    """A task without a form."""
    content = d.start("s"), d.user("do", groups="department-market"), d.end("e"), d.flows("s -> do -> e")
    stage.deploy("check", check_bpmn=d.diagram(*content, key="check", attrs=KEPT))
    return stage.all(Task, stage.of(stage.somebody(*DESIGNER.grants).start("check")))[0]


def test_save__task_without_a_form(stage, market, plain):
    """It takes anything when it is completed, too."""
    save(stage, market, plain.id, {"any": [{"thing": 1}]})

    assert find(stage, market, plain.id).data == {"any": [{"thing": 1}]}


def test_save__what_python_takes_for_the_same(stage, market, plain):
    for value in (1, True):
        save(stage, market, plain.id, {"agreed": value})

    assert find(stage, market, plain.id).data["agreed"] is True


# Whose it is ----------------------------------------------------------------------------------------------------------------------------


def attempts(stage, who, task_id):
    """Whatever can be done with a draft."""
    yield lambda: find(stage, who, task_id)
    yield lambda: save(stage, who, task_id, {})
    yield lambda: discard(stage, who, task_id)


def test_draft__not_yours(stage, clerk, fire, case, intake):
    save(stage, clerk, intake, HALF)

    for attempt in attempts(stage, fire, intake):
        with pytest.raises(NotFound):
            attempt()
    assert rows(stage, case) == [HALF]


def test_draft__a_supervisor_sees_the_task_of_a_department_and_may_not_do_it(stage, clerk, supervisor, case):
    clerk.complete(case, "一窗受理", outcome="accept")
    task = stage.task(case, "食品经营许可审批")

    for attempt in attempts(stage, supervisor, task.id):
        with pytest.raises(NotPermitted, match="for department-market"):
            attempt()


def test_draft__claimed_by_somebody_else(stage, clerk, supervisor, case, intake):
    """What one has claimed, nobody else reads or writes; given back, whoever takes it over goes on."""
    save(stage, clerk, intake, HALF)
    with stage.database.transaction() as session:
        tasks.claim(session, intake, actor=clerk.actor)

    for attempt in attempts(stage, supervisor, intake):
        with pytest.raises(InvalidState, match="clerk has claimed it"):
            attempt()
    assert find(stage, clerk, intake).data == HALF

    with stage.database.transaction() as session:
        tasks.release(session, intake, actor=clerk.actor)
    assert find(stage, supervisor, intake).data == HALF


# How it ends ----------------------------------------------------------------------------------------------------------------------------


def test_discard__then_nothing_is_kept(stage, clerk, case, intake):
    save(stage, clerk, intake, HALF)

    discard(stage, clerk, intake)
    discard(stage, clerk, intake)

    assert find(stage, clerk, intake) is None
    assert rows(stage, case) == []


def test_draft__of_a_completed_task(stage, clerk, case, intake):
    save(stage, clerk, intake, HALF)
    clerk.complete(case, "一窗受理", outcome="accept")

    for attempt in attempts(stage, clerk, intake):
        with pytest.raises(InvalidState, match="but it is completed"):
            attempt()


def test_draft__of_a_canceled_task(stage, clerk, case, intake):
    save(stage, clerk, intake, HALF)
    clerk.withdraw(case)

    for attempt in attempts(stage, clerk, intake):
        with pytest.raises(InvalidState, match="but it is canceled"):
            attempt()


def test_sweep__takes_drafts_of_tasks_that_have_ended(stage, clerk, market, case, intake, plain):
    save(stage, clerk, intake, HALF)
    save(stage, market, plain.id, HALF)
    sweep(stage)
    assert rows(stage, case) == [HALF]

    clerk.complete(case, "一窗受理", outcome="accept")
    sweep(stage)

    assert rows(stage, case) == []
    assert find(stage, market, plain.id).data == HALF


def test_save__at_once_by_two(stage, clerk, supervisor, case, intake):
    """There is one draft, and it is what one of them has typed."""
    people = {clerk: {"outcome": "accept"}, supervisor: {"outcome": "tolerate"}}
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(save, stage, who, intake, data) for who, data in people.items()]:
            done.result()

    assert rows(stage, case) in [[data] for data in people.values()]


def test_save__while_somebody_completes(stage, clerk, supervisor, case, intake):
    """Nothing is saved behind the end of a task: either before it, or refused."""
    with ThreadPoolExecutor(2) as pool:
        completing = pool.submit(clerk.complete, case, "一窗受理", outcome="accept")
        saving = [pool.submit(save, stage, supervisor, intake, HALF) for _ in range(4)]

    completing.result()
    assert {type(done.exception()) for done in saving} <= {type(None), InvalidState}
    with pytest.raises(InvalidState, match="but it is completed"):
        save(stage, supervisor, intake, HALF)
