"""Hindrances: a list of deadlines says of each row what it waits for now, as far as who asks may see it."""

from __future__ import annotations

import pytest

from engine import deadlines
from engine.deadlines import DeadlineFilter
from engine.models import ExternalTask, Incident, Task, TaskGroup
from engine.moments import now
from tests import tiny
from tests.acceptance import plans
from tests.bpmn import diagrams as d
from tests.listening import listening

PLAN = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 5, "grace_days": 15}


def promised(stage):
    """A bundle of two items; the plan, which alpha needs, may follow."""
    clerk = stage.person("clerk")
    files = tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN], promised="5", processes={"beta": tiny.item("beta", department="fire")})
    stage.deploy("tiny", **files)
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)


@pytest.fixture
def case(begun):
    [case] = begun(promised)
    return case


def listed(stage, person):
    with stage.reading() as session:
        return deadlines.open_ones(session, person.actor, DeadlineFilter(), after=None, limit=100)


def waits_for(stage, person):
    """What each row waits for, by the name of its item (None: the bundle): kind, name, and who must act."""
    return {
        each.name if each.item else None: [(found.kind, found.name, found.assignee or tuple(found.groups)) for found in each.waits_for]
        for each in listed(stage, person)
    }


def fail(stage, instance, at="print"):
    with stage.database.transaction() as session:
        told = {"region": instance.region, "case_id": instance.case_id, "instance_id": instance.id}
        session.add(Incident(**told, wait=1, element=at, message="no paper", raised_at=now()))


MATERIAL = ("material", "plan", ())
ALPHA = ("task", "alpha审批", ("department-market",))
BETA = ("task", "beta审批", ("department-fire",))


def test_of_page__tasks_materials_and_undecided_items(stage, clerk, case):
    assert waits_for(stage, clerk) == {
        None: [MATERIAL, ("item", "alpha", ("department-market",)), ("item", "beta", ("department-fire",))],
        "alpha": [MATERIAL, ALPHA],
        "beta": [BETA],
    }


def test_of_page__who_has_claimed_it_and_since_when(stage, clerk, fire, case):
    stage.travel(2026, 3, 4)
    with fire.acting() as session:
        session.get_one(Task, stage.task(case, "beta审批").id).assignee = fire.actor.name

    (beta,) = (each for each in listed(stage, clerk) if each.name == "beta")

    (found,) = beta.waits_for
    assert (found.assignee, found.groups, found.since.isoformat()) == (fire.actor.name, ["department-fire"], "2026-03-02")


def test_of_page__a_task_of_several_groups_once(stage, clerk, case):
    task = stage.task(case, "beta审批")
    with stage.database.transaction() as session:
        session.add(TaskGroup(**task.key, task_id=task.id, name="window"))

    assert waits_for(stage, clerk)["beta"] == [("task", "beta审批", ("department-fire", "window"))]


def test_of_page__pause_while_it_is_open(stage, clerk, market, case):
    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="规划听证", days=5)

    (alpha,) = (each for each in listed(stage, clerk) if each.name == "alpha")
    pause = alpha.waits_for[0]
    assert (pause.kind, pause.name, pause.reason, pause.since.isoformat()) == ("pause", "hearing", "规划听证", "2026-03-02")

    market.handle("resume", stage.item(case, "alpha"))
    assert waits_for(stage, clerk)["alpha"] == [MATERIAL, ALPHA]


def test_of_page__material_is_owed_when_overdue_and_no_more_when_it_has_come(stage, clerk, case):
    stage.travel(2026, 3, 11)
    alpha = waits_for(stage, clerk)["alpha"]
    assert alpha == [("pause", "tolerance_overdue", ()), MATERIAL, ALPHA]
    (found,) = (found for each in listed(stage, clerk) if each.name == "alpha" for found in each.waits_for if found.kind == "material")
    assert found.due_on.isoformat() == "2026-03-09"

    clerk.hand_in(case, "plan")
    assert waits_for(stage, clerk)["alpha"] == [ALPHA]


def test_of_page__incidents(stage, clerk, case):
    """That of an item is told with it, and with the bundle, which waits for it."""
    fail(stage, stage.own_process(stage.item(case, "beta")))
    found = waits_for(stage, clerk)
    incident = ("incident", "print", ())
    assert (found["beta"], found["alpha"]) == ([incident, BETA], [MATERIAL, ALPHA])
    assert found[None][:2] == [MATERIAL, incident]


def test_of_page__an_incident_at_an_element_with_a_name(stage, clerk, case):
    """The supervisor knows the drawing, not the ids of its elements."""
    fail(stage, stage.own_process(stage.item(case, "beta")), at="decide")
    fail(stage, stage.bundle(case), at="issue")

    found = waits_for(stage, clerk)

    assert found["beta"] == [("incident", "beta审批", ()), BETA]
    assert ("incident", "统一出件", ()) in found[None]


def test_of_page__programs_that_have_not_answered(stage, clerk, market):
    """Nobody has a task for it: without, the row of an item that only its department's system can go on with would say nothing."""
    asked = d.external("ask", topic="licence-check")
    flows = d.flows("begun -> ask -> decide -> over")
    process = tiny.item("alpha", d.start("begun"), asked, tiny.decision("alpha"), d.end("over"), flows)
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, promised="5", processes={"alpha": process}))
    case = clerk.take_in("tiny")
    waiting = ("system", "licence-check", ("department-market",))

    assert waits_for(stage, clerk) == {None: [("item", "alpha", ("department-market",))], "alpha": [waiting]}
    assert waits_for(stage, market)["alpha"] == [waiting]

    (task,) = stage.all(ExternalTask, case)
    with stage.database.transaction() as session:
        session.get_one(ExternalTask, task.id).retries = 0
    assert waits_for(stage, clerk)["alpha"] == []


def test_of_page__decided_items_hold_nothing_up(stage, clerk, market, fire, case):
    """The bundle then waits for what is to be done with them together."""
    clerk.hand_in(case, "plan")
    market.complete(case, "alpha审批", outcome="granted")
    assert [kind for kind, *_ in waits_for(stage, clerk)[None]] == ["item"]

    fire.complete(case, "beta审批", outcome="granted")
    assert waits_for(stage, clerk) == {None: [("task", "统一出件", ("window",))]}


def test_of_page__a_department_is_told_what_its_dossier_shows(stage, market, fire, case):
    """Of its own items, what is owed of them, too: not what the others lack, nor what failed elsewhere."""
    fail(stage, stage.own_process(stage.item(case, "beta")))
    fail(stage, stage.bundle(case))

    assert waits_for(stage, market) == {None: [("item", "alpha", ("department-market",))], "alpha": [MATERIAL, ALPHA]}
    incident = ("incident", "print", ())
    assert waits_for(stage, fire) == {None: [incident, ("item", "beta", ("department-fire",))], "beta": [incident, BETA]}


def test_of_page__what_failed_after_a_decision(stage, clerk, market, fire, case):
    """The bundle waits there, however green its row is; whose item it was is told, as his dossier does, and others are not."""
    fire.complete(case, "beta审批", outcome="granted")
    fail(stage, stage.own_process(stage.item(case, "beta")))

    incident = ("incident", "print", ())
    assert waits_for(stage, fire) == {None: [incident]}
    assert waits_for(stage, market) == {None: [("item", "alpha", ("department-market",))], "alpha": [MATERIAL, ALPHA]}
    assert waits_for(stage, clerk)[None] == [MATERIAL, incident, ("item", "alpha", ("department-market",))]


def test_of_page__of_several_bundles(stage, clerk, fire, case):
    """Each row says what is its own, and more rows take no more statements."""
    first = _statements(stage, clerk)
    other = clerk.submit("tiny", materials=["plan"])
    clerk.complete(other, "一窗受理", outcome="accept")
    fire.complete(other, "beta审批", outcome="granted")

    found = {(each.case, each.name if each.item else None): [h.name for h in each.waits_for] for each in listed(stage, clerk)}

    assert found == {
        (case.number, None): ["plan", "alpha", "beta"],
        (case.number, "alpha"): ["plan", "alpha审批"],
        (case.number, "beta"): ["beta审批"],
        (other.number, None): ["alpha"],
        (other.number, "alpha"): ["alpha审批"],
    }
    assert _statements(stage, clerk) == first


def _statements(stage, person):
    seen = []
    with listening(stage.database.bind, before_cursor_execute=lambda *told: seen.append(told[2])):
        listed(stage, person)
    assert len([each for each in seen if "tolerances" in each]) == 1
    return len(seen)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_of_page__nothing_is_read_whole(stage, clerk, case):
    """PostgreSQL is asked in `acceptance/test_plans`, among many."""
    with plans.recorded(stage.database) as statements:
        listed(stage, clerk)

    found = {statement: told for statement, told in statements.items() if ".case_id AS case_id" in statement}
    assert len(found) == 5
    assert plans.scans(stage.database, found, plans.GROWING) == []
