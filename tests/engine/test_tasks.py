from __future__ import annotations

from contextlib import nullcontext
from datetime import date

import pytest
from sqlalchemy.orm import Session

from engine import dials, tasks, worklists
from engine.actors import Role, RoleGrant
from engine.case_models import Item
from engine.clock import Light
from engine.errors import InvalidInput, InvalidState, NotFound, NotPermitted
from engine.models import Task
from engine.worklists import TaskFilter
from tests import tiny
from tests.acceptance import plans
from tests.bpmn import diagrams as d
from tests.restaurant import ANSWERS, MATERIALS


@pytest.fixture
def case(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    return clerk.take_in("tiny")


@pytest.fixture
def colleague(stage):
    """Another officer of the same department."""
    return stage.somebody(RoleGrant(role=Role.OFFICER, department="market"), name="colleague")


def claim(person, task):
    with person.acting() as session:
        return tasks.claim(session, task.id, actor=person.actor).assignee


def release(person, task):
    with person.acting() as session:
        return tasks.release(session, task.id, actor=person.actor).assignee


def test_claim__and_release(stage, market, case):
    task = stage.task(case, "alpha审批")

    assert claim(market, task) == "officer-market"
    assert claim(market, task) == "officer-market"
    assert release(market, task) is None


@pytest.mark.parametrize(("mine", "sees"), [("market", True), ("gas", False)])
def test_claim__who_is_of_many_departments(stage, case, mine, sees):
    codes = (mine, "fire", "urban", "tobacco", "ecology")
    officer = stage.somebody(*(RoleGrant(role=Role.OFFICER, department=code) for code in codes))

    with nullcontext() if sees else pytest.raises(NotFound):
        assert claim(officer, stage.task(case, "alpha审批")) == "somebody"


def test_show_light__on_a_task_that_is_known(stage, case):
    with Session(stage.database.bind) as session:
        task = session.get_one(Task, stage.task(case, "alpha审批").id)
        other = session.get_one(Task, stage.task(case, "beta审批").id)
        item, before = session.get_one(Item, task.item_id), task.red_from
        item.red_from = date(2030, 1, 1)
        dials.show_on_tasks(session, item)

        assert (task.red_from, other.red_from) == (date(2030, 1, 1), before)


def test_claim__somebody_has_it(stage, market, colleague, case):
    task = stage.task(case, "alpha审批")
    claim(market, task)

    with pytest.raises(InvalidState) as refusal:
        claim(colleague, task)
    with pytest.raises(InvalidState, match="officer-market has claimed it"):
        colleague.complete(case, "alpha审批", outcome="granted")
    with pytest.raises(InvalidState):
        release(colleague, task)

    assert refusal.value.details["assignee"] == "officer-market"
    market.complete(case, "alpha审批", outcome="granted")


def test_release__by_a_supervisor(stage, market, supervisor, colleague, case):
    """Somebody is ill: the supervisor gives the task back to the department."""
    task = stage.task(case, "alpha审批")
    claim(market, task)

    assert release(supervisor, task) is None
    colleague.complete(case, "alpha审批", outcome="granted")

    assert stage.item(case, "alpha").decided_by == "colleague"


@pytest.mark.parametrize("name", ["supervisor", "admin"])
def test_claim__who_only_sees_it(stage, case, name):
    who = stage.person(name)
    task = stage.task(case, "alpha审批")

    with pytest.raises(NotPermitted, match="department-market"):
        claim(who, task)
    with pytest.raises(NotPermitted):
        who.complete(case, "alpha审批", outcome="granted")


def test_complete__supervisor_stands_in_at_the_window(stage, supervisor):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = supervisor.submit("tiny")

    supervisor.complete(case, "一窗受理", outcome="accept")

    assert stage.statuses(case) == {"alpha": "in_review"}


@pytest.mark.parametrize("name", ["officer-fire", "clerk-yuelu", "designer"])
def test_get__what_is_not_yours(stage, case, name):
    task = stage.task(case, "alpha审批")

    with stage.reading() as session, pytest.raises(NotFound):
        tasks.get(session, task.id, stage.person(name).actor)


def test_complete__twice(stage, market, case):
    task = stage.task(case, "alpha审批")
    market.complete(case, "alpha审批", outcome="granted")

    with pytest.raises(InvalidState, match="but it is completed"), market.acting() as session:
        tasks.complete(session, task.id, actor=market.actor, data={"outcome": "granted"})


def test_complete__canceled_meanwhile(stage, clerk, market, case):
    task = stage.task(case, "alpha审批")
    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")

    with pytest.raises(InvalidState, match="but it is canceled"), market.acting() as session:
        tasks.complete(session, task.id, actor=market.actor, data={"outcome": "granted"})


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "outcome"),
        ({"outcome": "maybe"}, "outcome"),
        ({"outcome": "denied"}, "reason_code"),
        ({"outcome": "denied", "reason_code": "conditions"}, "reason"),
        ({"outcome": "denied", "reason_code": "whim", "reason": "x"}, "reason_code"),
    ],
)
def test_complete__data_that_the_form_does_not_take(stage, clerk, market, data, field):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=MATERIALS)
    clerk.complete(case, "一窗受理", outcome="accept")

    with pytest.raises(InvalidInput) as refusal:
        market.complete(case, "食品经营许可审批", **data)

    assert field in [error["field"] for error in refusal.value.details["errors"]]
    assert stage.item(case, "food_permit").status == "in_review"


def names(person, **filters):
    with person.stage.reading() as session:
        found = worklists.find_tasks(session, person.actor, TaskFilter(**filters), after=None, limit=10)
        return sorted(task.name for task in found)


def test_search__filters(stage, market, colleague, case):
    claim(market, stage.task(case, "alpha审批"))

    assert names(colleague) == ["alpha审批", "beta审批"]
    assert names(colleague, assignee="officer-market") == ["alpha审批"]
    assert names(colleague, group="department-fire") == []
    assert names(colleague, matter="tiny", group="department-market") == ["alpha审批", "beta审批"]
    assert names(colleague, matter="another") == []


def test_complete__what_others_do_not_see(stage, market, fire):
    """Who asks alike, of another department, is answered by the same compiled query: with what is his own."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, processes={"beta": tiny.item("beta", department="fire")}))
    case = stage.person("clerk").take_in("tiny")
    for person, name, others in ((market, "alpha审批", "beta审批"), (fire, "beta审批", "alpha审批")):
        with stage.reading() as session:
            assert worklists.details(session, stage.task(case, name).id, person.actor).entry.name == name
            with pytest.raises(NotFound):
                worklists.details(session, stage.task(case, others).id, person.actor)
        with pytest.raises(NotFound):
            person.complete(case, others, outcome="granted")
    for person, name in ((market, "alpha审批"), (fire, "beta审批")):
        person.complete(case, name, outcome="granted")
    done = {task.name: task.completed_by for task in stage.all(Task, case)}
    assert (done["alpha审批"], done["beta审批"]) == (market.actor.name, fire.actor.name)


@pytest.mark.parametrize("light", [None, Light.GREEN])
def test_search__what_is_of_no_hall(stage, clerk, designer, case, light):
    """It is looked for only where there is any, for its groups and, when it has none, for who may start it."""
    plain = d.diagram(
        *(d.start("s"), d.user("t", name="登记", groups="window"), d.user("u", name="核对"), d.end("e")),
        d.flows("s -> t -> e", "s -> u -> e"),
        key="plain",
    )
    stage.deploy("plain", plain_bpmn=plain)
    with plans.recorded(stage.database) as without:
        assert names(clerk, light=light) == names(designer, light=light) == []

    designer.start("plain")

    with plans.recorded(stage.database) as there:
        assert (names(clerk), names(designer)) == (["登记"], ["核对"])
        assert names(clerk, light=light) == ([] if light else ["登记"])
    assert len(max(without, key=len)) < len(max(there, key=len))


@pytest.mark.parametrize("light", [None, Light.GREEN])
def test_search__what_is_of_several_groups(stage, market, designer, case, light):
    """It is looked for only where there is any: by each of its groups."""
    plain = d.diagram(
        *(d.start("s"), d.user("t", name="登记", groups="window, department-market"), d.end("e")), d.flows("s -> t -> e"), key="plain"
    )
    stage.deploy("plain", plain_bpmn=plain)
    with plans.recorded(stage.database) as without:
        before = names(market, light=light)

    designer.start("plain")

    with plans.recorded(stage.database) as there:
        assert names(market) == ["alpha审批", "beta审批", "登记"]
        assert names(market, light=light) == (before if light else names(market))
        assert names(market, group="window") == ["登记"]
    assert len(max(without, key=len)) < len(max(there, key=len))


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_search__what_is_planned_once(stage, market, clerk, case):
    """Whoever asks for a matter may be given all there is, or nothing, and is not to be answered as others are."""

    def limits(person, **filters):
        with plans.recorded(stage.database) as statements:
            names(person, **filters)
        return {"LIMIT %(limit)s" in statement for statement in statements if "FROM tasks JOIN cases" in statement}

    assert limits(market) == limits(clerk) == limits(market, light=Light.GREEN) == {False}
    assert limits(market, matter="tiny") == limits(market, assignee="x") == limits(market, group="window") == {True}
