"""Whoever decides sees what a department's system, or a colleague before, has found out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from engine import external_tasks, fetches, findings, functions, processes
from engine.actors import Actor, Role, RoleGrant
from engine.errors import NotFound
from engine.fetches import Fetch, Wanted
from engine.findings import Finding, Left
from engine.models import Entry, Task
from engine.places import Place
from engine.variables import Given
from tests import restaurant, tiny
from tests.bpmn import diagrams as d
from tests.stage import Stage

SYSTEM = Actor(name="register", grants=(RoleGrant(role=Role.SYSTEM, department="market"),))
FIELDS = d.tag("camunda:formData", d.tag("camunda:formField", attrs={"id": "area", "label": "核查面积", "type": "long"}))
CHECKED = tiny.item(
    "alpha",
    d.start("s"),
    d.external("check", topic="register"),
    d.user("visit", ext=FIELDS, name="现场核查", groups="department-market"),
    tiny.decision("alpha"),
    d.end("e"),
    d.flows("s -> check -> visit -> decide -> e"),
)


def answered(stage: Stage, **values: object) -> None:
    """The program of the department has done its task."""
    with stage.database.transaction() as session:
        what = Fetch(worker="w", wanted=(Wanted(topic="register", lock=timedelta(hours=1)),), limit=1)
        [(found, _)] = fetches.fetch(session, what, actor=SYSTEM)
        external_tasks.complete(session, found.task.id, "w", actor=SYSTEM, given=Given(values=values))


@pytest.fixture
def case(stage, clerk):
    files = tiny.with_exclusions(tiny.folder({"alpha": {}}, processes={"alpha": CHECKED}))
    stage.deploy("tiny", **files)
    case = clerk.submit("tiny", answers={"how": "普通注销", "debts": False})
    clerk.complete(case, "一窗受理", outcome="accept")
    answered(stage, register="存续", records=[{"year": 2024}], licence_status="吊销", debts=False)
    return case


def found(stage, person, task):
    """Findings, but for who has left them."""
    return [replace(each, left=None) for each in left(stage, person, task)]


def left(stage, person, task):
    with stage.reading() as session:
        return findings.of_task(session, task.id, actor=person.actor)


def test_of_task__who_has_left_it(stage, market, case):
    """Who has given it last, in which task and when; what nobody has handed in, nobody has left."""
    stage.travel(2026, 3, 3)
    market.complete(case, "现场核查", area=80)

    told = {each.name: each.left for each in left(stage, market, stage.task(case, "alpha审批"))}

    [done] = stage.all(Task, case, name="现场核查")
    [fetched] = [entry for entry in stage.journal(case) if entry.what == "external task completed"]
    officer = Left(
        actor="officer-market", display_name=market.actor.display_name, departments=["market"], task="现场核查", at=done.ended_at
    )
    program = Left(actor="register", display_name="", departments=[], task="check", at=fetched.at)
    assert told["area"] == officer
    assert (told["register"], told["licence_status"]) == (program, program)


def test_of_task__set_by_hand(stage, market, case):
    """Without a task; and a variable that a release before has let a program leave is nobody's."""
    instance = stage.item(case, "alpha").instance_id
    with stage.database.transaction() as session:
        place, given = Place(instance, None), Given(values={"register": "注销", "new": 1})
        processes.set_variables(session, place, given, actor=Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),)))
        session.execute(
            update(Entry).where(Entry.what == "external task completed").values(details={"topic": "register", "element": "check"})
        )

    told = {each.name: each.left for each in left(stage, market, stage.task(case, "现场核查"))}

    assert [(told[name].actor, told[name].task) for name in ("register", "new")] == [("admin", None)] * 2
    assert told["records"] is None


def test_of_task__what_a_program_and_a_colleague_have_left(stage, market, case):
    """Neither what was answered, nor what is known of the applicant: that is in the case, as far as it is the department's to see."""
    visit = stage.task(case, "现场核查")
    told = [
        Finding(name="register", label=None, value="存续"),
        Finding(name="records", label=None, value=[{"year": 2024}]),
        Finding(name="licence_status", label=None, value="吊销"),
    ]
    assert sorted(found(stage, market, visit), key=str) == sorted(told, key=str)

    market.complete(case, "现场核查", area=80)

    decide = stage.task(case, "alpha审批")
    area = Finding(name="area", label="核查面积", value=80)
    assert sorted(found(stage, market, decide), key=str) == sorted([*told, area], key=str)
    assert area in found(stage, market, visit)  # one that is over tells what its process knows now


def test_of_task__of_another_department(stage, fire, clerk, case):
    decide = stage.task(case, "现场核查")

    for stranger in (fire, clerk):
        with pytest.raises(NotFound):
            found(stage, stranger, decide)


def test_of_task__at_the_window(stage, clerk, market, case):
    """The bundle knows what its own tasks have left, and nothing of an item that hands nothing out."""
    market.complete(case, "现场核查", area=80)
    market.complete(case, "alpha审批", outcome="granted")

    names = {each.name for each in found(stage, clerk, stage.task(case, "统一出件"))}

    assert "outcome" in names
    assert not names & {"register", "area", "how", "debts"}


@pytest.mark.parametrize(("matter", "label"), [("food_permit", "受理结论"), ("open_restaurant", None)])
def test_of_task__what_the_engine_hands_in_is_none(stage, clerk, matter, label):
    """Nor is a variable called what only some of its forms call it: a conclusion is that of the intake, or of a follow-on intake."""
    case = clerk.submit(matter, answers=restaurant.ANSWERS)
    clerk.complete(case, "一窗受理", outcome="supplement")

    told = {each.name: each for each in found(stage, clerk, stage.task(case, "补正材料"))}

    assert (told["outcome"].value, told["outcome"].label) == ("supplement", label)
    assert not told.keys() & functions.VARIABLES
