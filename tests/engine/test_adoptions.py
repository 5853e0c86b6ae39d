from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine

from engine import item_clock, scheduler
from engine.case_models import ClockEntry, Commitment, Material, Tolerance
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.models import Task
from tests import invariants, tiny
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d
from tests.engine.test_jobs import complete_and_die
from tests.restaurant import ANSWERS
from tests.stage import MONDAY

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
ISSUED = {"mode": "unified", "delivery": "window"}
FOOD = ["m_layout_food", "m_food_rules", "m_plan", "m_premises"]
OTHER = {"kind": "person", "name": "李某", "id_number": "11010519491231002X"}
TINY = {"alpha": {}, "beta": {}}
SIGNED = {"outcome": "tolerate", "commitment_signed": True}
PLAN = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 5, "grace_days": 15}


@pytest.fixture
def tiny_matter(stage):
    stage.deploy(
        "tiny",
        **tiny.folder(
            TINY, materials=[PLAN, PLAN | {"material": "lease", "used_by": "beta"}], processes={"alpha": tiny.inspected("alpha")}
        ),
    )


def running_alone(clerk, stage, code="alpha", **more):
    """An item that was accepted alone."""
    alone = clerk.submit(code, **({"materials": ["plan"]} | more))
    clerk.complete(alone, "一窗受理", outcome="accept")
    return alone, stage.item(alone, code)


def ledger_of(stage, item):
    with stage.reading() as session:
        return item_clock.ledger(session, item)


# Running ----------------------------------------------------------------------------------------------------------------------------------


def test_attach__running_item_keeps_its_clock(stage, clerk, market, tiny_matter):
    _alone, item = running_alone(clerk, stage)
    stage.travel(2026, 3, 4)
    market.handle("pause", item, kind="hearing", reason="听证", days=5)
    before = ledger_of(stage, item)
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])

    clerk.adopt(bundle, item.number)

    adopted = stage.item(bundle, "alpha")
    assert (adopted.number, adopted.origin, adopted.status, adopted.clock) == (item.number, "continued", "in_review", "paused")
    assert ledger_of(stage, adopted) == before
    assert {entry.case_id for entry in stage.all(ClockEntry, bundle)} == {bundle.id}


def test_attach__single_case_is_closed(stage, clerk, market, tiny_matter):
    alone, item = running_alone(clerk, stage)
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])

    clerk.adopt(bundle, item.number)

    assert stage.statuses(alone) == {}
    assert stage.tasks(alone) == []
    assert stage.bundle(alone).status == "canceled"
    assert stage.case(alone).ended_at is not None


def test_attach__tasks_move_to_hall_and_matter(stage, clerk, market, tiny_matter):
    yuelu = stage.person("clerk-yuelu")
    _, item = running_alone(yuelu, stage, hall="yuelu")
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])

    clerk.adopt(bundle, item.number)

    [task] = stage.all(Task, bundle, name="alpha审批")
    assert (task.hall, task.matter, task.status) == ("changsha", "tiny", "open")


def test_attach__tasks_of_what_it_has_called_move_too(stage, clerk, market):
    visit = d.diagram(
        d.start("s"), d.user("visit", name="踏勘", groups="department-market"), d.end("e"), d.flows("s -> visit -> e"), key="site_visit"
    )
    caller = d.diagram(d.start("s"), d.call("sub", of="site_visit"), d.end("e"), d.flows("s -> sub -> e"), key="caller")
    alpha = tiny.item(
        "alpha", d.start("s"), d.call("sub", of="caller"), tiny.decision("alpha"), d.end("e"), d.flows("s -> sub -> decide -> e")
    )
    stage.deploy("visit", site_visit_bpmn=visit, caller_bpmn=caller)
    stage.deploy("tiny", **tiny.folder(TINY, processes={"alpha": alpha}))
    yuelu = stage.person("clerk-yuelu")
    _, item = running_alone(yuelu, stage, hall="yuelu", materials=[])
    bundle = clerk.take_in("tiny", items=["beta"])

    clerk.adopt(bundle, item.number)

    [task] = stage.all(Task, bundle, name="踏勘")
    assert (task.hall, task.matter, task.submitted_by, task.status) == ("changsha", "tiny", "clerk", "open")
    market.complete(bundle, "踏勘")
    assert stage.tasks(bundle) == ["alpha审批", "beta审批"]


def test_attach__the_bundle_waits_for_it_and_issues_it(stage, clerk, market, tiny_matter):
    _, item = running_alone(clerk, stage)
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])
    clerk.adopt(bundle, item.number)

    market.complete(bundle, "beta审批", outcome="granted")
    assert stage.tasks(bundle) == ["alpha审批"]
    market.complete(bundle, "alpha审批", outcome="granted")
    clerk.complete(bundle, "统一出件")

    assert stage.statuses(bundle) == {"alpha": "issued", "beta": "issued"}


def test_attach__decided_before_the_window_was_done(stage, clerk, market, tiny_matter):
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"], adopt=[item.number])
    market.complete(bundle, "alpha审批", outcome="granted")

    clerk.complete(bundle, "接续受理", outcome="accept")
    market.complete(bundle, "beta审批", outcome="granted")
    clerk.complete(bundle, "统一出件")

    assert stage.statuses(bundle) == {"alpha": "issued", "beta": "issued"}


def test_attach__in_place_of_what_was_proposed(stage, clerk, market, tiny_matter):
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", materials=["plan", "lease"])

    clerk.adopt(bundle, item.number)
    clerk.complete(bundle, "一窗受理", outcome="accept")

    assert stage.item(bundle, "alpha").number == item.number
    assert stage.statuses(bundle) == {"alpha": "in_review", "beta": "in_review"}
    assert sorted(stage.tasks(bundle)) == ["alpha审批", "beta审批"]


def test_attach__brings_its_materials(stage, clerk, market, tiny_matter):
    """What a tolerance waited for was handed in with the item: it is not asked again."""
    stage.deploy("tiny", **tiny.folder(TINY, materials=[PLAN | {"used_by": "*"}]))
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"])
    clerk.complete(bundle, "一窗受理", outcome="tolerate", commitment_signed=True)

    clerk.adopt(bundle, item.number)
    for name in ("alpha审批", "beta审批"):
        market.complete(bundle, name, outcome="granted")

    assert [m.code for m in stage.all(Material, bundle)] == ["plan"]
    assert stage.tasks(bundle) == ["统一出件"]


def test_attach__brings_every_part_of_a_material(stage, clerk, tiny_matter):
    """A plan has come on two sheets: its department saw both, and goes on seeing them."""
    alone, item = running_alone(clerk, stage)
    clerk.hand_in(alone, "plan")
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])

    clerk.adopt(bundle, item.number)

    assert [material.code for material in stage.all(Material, bundle)] == ["lease", "plan", "plan"]


def test_attach__what_its_department_has_reported_of_another_item_too(stage, clerk, market, tiny_matter):
    """A department numbers what it reports by item, perhaps: each number counts once in a case."""
    _, item = running_alone(clerk, stage)
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])
    for of, event in ((item, "1"), (item, "2"), (stage.item(bundle, "beta"), "1")):
        market.handle("report", of, event_id=event, state="in_review", external_number=None)

    clerk.adopt(bundle, item.number)

    assert sorted((event.event_id, event.item_id == item.id) for event in stage.all_events(bundle)) == [("1", False), ("2", True)]


def test_join__what_came_alone_is_no_bundle(stage, clerk, tiny_matter):
    """Nothing joins an item that was applied for alone: it joins a bundle."""
    alone = clerk.submit("beta", materials=["lease"])
    _, item = running_alone(clerk, stage)

    with pytest.raises(InvalidState, match=f"Expected case {alone.number} to be a bundle"):
        clerk.adopt(alone, item.number)
    with pytest.raises(InvalidState, match=f"Expected case {alone.number} to be a bundle"):
        clerk.follow_on(alone, "alpha")

    assert [row.code for row in stage.items(alone).values()] == ["beta"]


def test_attach__what_nobody_had_accepted(stage, clerk, market, tiny_matter):
    """Submitted alone and not yet accepted: a follow-on intake is asked for, the item is not forgotten."""
    alone = clerk.submit("alpha", materials=["plan"])
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])

    clerk.adopt(bundle, stage.item(alone, "alpha").number)
    assert stage.statuses(bundle) == {"alpha": "submitted", "beta": "in_review"}
    clerk.complete(bundle, "接续受理", outcome="accept")

    assert stage.statuses(bundle) == {"alpha": "in_review", "beta": "in_review"}


def test_attach__while_its_corrections_are_out(stage, clerk, tiny_matter):
    alone = clerk.submit("alpha")
    clerk.complete(alone, "一窗受理", outcome="supplement")
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])

    with pytest.raises(InvalidState, match="but it is correcting"):
        clerk.adopt(bundle, stage.item(alone, "alpha").number)

    assert stage.tasks(alone) == ["补正材料"]


def test_attach__then_the_bundle_is_refused(stage, clerk, market, tiny_matter):
    """The item that ran alone goes on, and what it yields is handed out."""
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])
    clerk.adopt(bundle, item.number)

    clerk.complete(bundle, "一窗受理", outcome="refuse", refusal_kind="not_accepted", reason="不属于本机关")
    clerk.complete(bundle, "接续受理", outcome="accept")
    market.complete(bundle, "alpha审批", outcome="granted")
    clerk.complete(bundle, "统一出件")

    assert stage.statuses(bundle) == {"alpha": "issued", "beta": "refused"}


def test_attach__then_nothing_is_left_to_refuse(stage, clerk, tiny_matter):
    """All that was applied for was adopted: there is nothing about which the applicant could be told."""
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["alpha"])
    clerk.adopt(bundle, item.number)

    clerk.complete(bundle, "一窗受理", outcome="refuse", refusal_kind="not_accepted", reason="不属于本机关")

    assert "refusal" not in stage.notices(bundle)
    assert stage.statuses(bundle) == {"alpha": "in_review"}


def test_attach__then_the_bundle_is_refused_in_the_moment_in_which_it_began(stage, clerk, tiny_matter):
    """As where time stands still, in a simulation: it is the bundle that goes on which is meant from then on."""
    _, item = running_alone(clerk, stage)
    with time_machine.travel(MONDAY + timedelta(hours=1), tick=False):
        bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])
        clerk.adopt(bundle, item.number)
        clerk.complete(bundle, "一窗受理", outcome="refuse", refusal_kind="not_accepted", reason="不属于本机关")

        assert str(stage.bundle(bundle).status) == "running"


@pytest.mark.parametrize("silent", [False, True])
def test_attach__then_everything_else_was_withdrawn(stage, clerk, market, tiny_matter, silent):
    """Nothing is left to accept: nobody is told so, and nobody is blamed for having kept silent."""
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"])
    clerk.adopt(bundle, item.number)
    clerk.handle("withdraw", stage.item(bundle, "beta"), reason="不办了")

    if silent:
        stage.travel(2026, 3, 10)
    else:
        clerk.complete(bundle, "一窗受理", outcome="accept")

    assert stage.notices(bundle).count("acceptance") == 0
    assert stage.alerts(bundle) == []
    market.complete(bundle, "alpha审批", outcome="granted")
    assert stage.tasks(bundle) == ["统一出件"]


@pytest.mark.parametrize("end", ["refused", "returned", "withdrawn"])
def test_attach__granted_before_the_bundle_ended_at_the_window(stage, clerk, market, tiny_matter, end):
    """What was granted is handed out, whatever became of the rest."""
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"])
    clerk.adopt(bundle, item.number)
    market.complete(bundle, "alpha审批", outcome="granted")
    if end == "refused":
        clerk.complete(bundle, "一窗受理", outcome="refuse", refusal_kind="not_accepted", reason="不属于本机关")
    elif end == "withdrawn":
        clerk.withdraw(bundle)
    else:
        clerk.complete(bundle, "一窗受理", outcome="supplement")
        stage.travel(2026, 3, 17)

    if end != "returned":  # then nothing has waited for an answer since 9 March
        clerk.complete(bundle, "接续受理", outcome="accept")
    clerk.complete(bundle, "统一出件")

    assert stage.statuses(bundle) == {"alpha": "issued", "beta": end}


def test_attach__then_withdrawn(stage, clerk, market, tiny_matter):
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])
    clerk.adopt(bundle, item.number)

    clerk.withdraw(bundle)

    assert stage.statuses(bundle) == {"alpha": "withdrawn", "beta": "withdrawn"}
    assert stage.tasks(bundle) == []


@pytest.mark.parametrize("throws", ["escalation", "error"])
def test_attach__while_it_asks_whoever_had_called_it(stage, clerk, market, throws):
    """Its token rests until it is answered; whoever is to answer has lost it to the bundle, where nothing catches that, either."""
    event = d.throw("ask", defs.escalation("HELP")) if throws == "escalation" else d.end("ask", error="LOST")
    look = d.user("look", name="初审", groups="department-market")
    flows = d.flows("s -> fork -> look -> ask", "fork -> decide -> e", *(["ask -> over"] if throws == "escalation" else []))
    body = d.start("s"), d.parallel("fork"), look, event, d.end("over"), tiny.decision("alpha"), d.end("e"), flows
    stage.deploy("tiny", **tiny.folder(TINY, processes={"alpha": tiny.item("alpha", *body)}))
    alone, item = running_alone(clerk, stage, materials=[])
    bundle = clerk.take_in("tiny", items=["beta"])
    complete_and_die(stage, market, alone, "初审", {})

    clerk.adopt(bundle, item.number, checked=False)
    scheduler.drain(stage.database)

    invariants.check(stage.database)
    assert stage.jobs(alone) == stage.jobs(bundle) == []
    market.complete(bundle, "alpha审批", outcome="granted")
    assert stage.own_process(item).status == "completed"
    assert stage.statuses(bundle) == {"alpha": "granted", "beta": "in_review"}


# What was promised for it --------------------------------------------------------------------------------------------------------------


def promised_alone(clerk, stage):
    """An item that was accepted alone while its plan is to follow until 9 March."""
    alone = clerk.submit("alpha")
    clerk.complete(alone, "一窗受理", **SIGNED)
    return alone, stage.item(alone, "alpha")


def tolerances(stage, case):
    return [(each.code, str(each.status), each.used_by, str(each.due_on)) for each in stage.all(Tolerance, case)]


def test_take_along__what_is_promised_holds_its_result(stage, clerk, market, tiny_matter):
    """The promise is kept in the bundle, which nothing leaves without the plan."""
    alone, item = promised_alone(clerk, stage)
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])

    clerk.adopt(bundle, item.number)

    assert tolerances(stage, alone) == [("plan", "waived", ["alpha"], "2026-03-09")]
    assert tolerances(stage, bundle) == [("plan", "open", ["alpha"], "2026-03-09")]
    assert [commitment.signed_by for commitment in stage.all(Commitment, bundle)] == ["好味餐饮"]
    for name in ("alpha审批", "beta审批"):
        market.complete(bundle, name, outcome="granted")
    assert stage.tasks(bundle) == []
    clerk.hand_in(bundle, "plan")
    assert stage.tasks(bundle) == ["统一出件"]


def test_take_along__it_is_not_kept(stage, clerk, tiny_matter):
    _, item = promised_alone(clerk, stage)
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])
    clerk.adopt(bundle, item.number)

    stage.travel(2026, 3, 10)
    assert {code: item.clock for code, item in stage.items(bundle).items()} == {"alpha": "paused", "beta": "running"}
    stage.travel(2026, 3, 31)

    assert stage.statuses(bundle) == {"alpha": "terminated", "beta": "in_review"}


def test_take_along__overdue_already(stage, clerk, tiny_matter):
    """Its clock stands still until the plan comes, to the bundle now."""
    _, item = promised_alone(clerk, stage)
    stage.travel(2026, 3, 10)
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])

    clerk.adopt(bundle, item.number)
    assert (stage.item(bundle, "alpha").clock, tolerances(stage, bundle)[0][1]) == ("paused", "overdue")
    stage.travel(2026, 3, 12)
    clerk.hand_in(bundle, "plan")

    assert (stage.item(bundle, "alpha").clock, tolerances(stage, bundle)[0][1]) == ("running", "met")
    assert stage.timer(bundle, "late").isoformat() == "2026-03-19"


@pytest.mark.parametrize("there", ["open", "overdue", "handed in"])
def test_take_along__the_bundle_waits_for_it_or_has_it(stage, clerk, tiny_matter, there):
    """Both wait for one plan then, as long as the bundle does."""
    processes = {"alpha": tiny.inspected("alpha")}
    stage.deploy("tiny", **tiny.folder(TINY, materials=[PLAN | {"used_by": "*"}], processes=processes))
    if there == "overdue":
        bundle = clerk.submit("tiny", items=["beta"])
        clerk.complete(bundle, "一窗受理", **SIGNED)
        stage.travel(2026, 3, 10)
    _, item = promised_alone(clerk, stage)
    if there != "overdue":
        stage.travel(2026, 3, 17)
        bundle = clerk.submit("tiny", items=["beta"], materials=["plan"] if there == "handed in" else [])
        clerk.complete(bundle, "一窗受理", **({"outcome": "accept"} if there == "handed in" else SIGNED))

    clerk.adopt(bundle, item.number)

    expected = {
        "open": ("running", [("plan", "open", ["alpha", "beta"], "2026-03-24")]),
        "overdue": ("paused", [("plan", "overdue", ["alpha", "beta"], "2026-03-09")]),
        "handed in": ("running", []),
    }
    assert (stage.item(bundle, "alpha").clock, tolerances(stage, bundle)) == expected[there]


# Finished ---------------------------------------------------------------------------------------------------------------------------------


def test_attach__finished_item_is_imported(stage, clerk, market, tiny_matter):
    alone, item = running_alone(clerk, stage)
    market.complete(alone, "alpha审批", outcome="granted", certificate_no="A-7")
    clerk.complete(alone, "统一出件", **ISSUED)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"], adopt=[item.number])

    clerk.complete(bundle, "接续受理", outcome="accept")

    imported = stage.item(bundle, "alpha")
    assert (imported.status, imported.origin, imported.previous_number) == ("imported", "imported", item.number)
    assert imported.result["certificate_no"] == "A-7"
    assert stage.statuses(alone) == {"alpha": "issued"}
    assert stage.tasks(bundle) == ["beta审批"]


def test_attach__finished_item_by_what_was_issued(stage, clerk, market, tiny_matter):
    """The applicant has a certificate, and no number of an item."""
    alone, item = running_alone(clerk, stage)
    market.complete(alone, "alpha审批", outcome="granted", certificate_no="A-7")
    clerk.complete(alone, "统一出件", **ISSUED)

    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"], adopt=["A-7"])

    assert stage.item(bundle, "alpha").previous_number == item.number


@pytest.mark.parametrize("typed", [" {} ", "　{}", "wide"])
def test_find__however_it_is_typed(stage, clerk, tiny_matter, typed):
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])
    wide = item.number.translate({ord(letter): ord(letter) + 0xFEE0 for letter in "0123456789-"})

    clerk.adopt(bundle, wide if typed == "wide" else typed.format(item.number))

    assert stage.item(bundle, "alpha").number == item.number


@pytest.mark.parametrize("typed", ["{}", "{}-W01", "{}-07", "{}-01-W02"])
def test_find__number_of_a_case_or_a_notice(stage, clerk, tiny_matter, typed):
    """It is told which items are meant; nothing is told to who asks for another applicant."""
    alone, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])
    stranger = clerk.submit("tiny", items=["beta"], materials=["lease"], applicant=OTHER)

    with pytest.raises(NotFound, match=rf"the items of that case are {item.number}$"):
        clerk.adopt(bundle, typed.format(alone.number))
    with pytest.raises(NotFound, match=r"is none$"):
        clerk.adopt(stranger, typed.format(alone.number))


def test_attach__finished_lets_go_who_waited_for_it(stage, clerk, market):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}}))
    alone, item = running_alone(clerk, stage, materials=())
    market.complete(alone, "alpha审批", outcome="granted")

    bundle = clerk.submit("tiny", adopt=[item.number])
    clerk.complete(bundle, "接续受理", outcome="accept")

    assert stage.statuses(bundle) == {"alpha": "imported", "beta": "in_review"}


def test_attach__nothing_else_was_applied_for(stage, clerk, market, tiny_matter):
    _alone, item = running_alone(clerk, stage)

    bundle = clerk.submit("tiny", items=["alpha"], adopt=[item.number])

    assert stage.case(bundle).ended_at is None
    clerk.complete(bundle, "接续受理", outcome="accept")
    market.complete(bundle, "alpha审批", outcome="granted")
    clerk.complete(bundle, "统一出件")
    assert stage.case(bundle).ended_at is not None


# Refused ----------------------------------------------------------------------------------------------------------------------------------


def test_attach__another_bundle_has_it(stage, clerk, tiny_matter):
    _, item = running_alone(clerk, stage)
    first, second = (clerk.submit("tiny", items=["beta"], materials=["lease"]) for _ in range(2))
    clerk.adopt(first, item.number)

    with pytest.raises(InvalidState) as refusal:
        clerk.adopt(second, item.number)

    assert refusal.value.details["case"] == first.number
    with pytest.raises(InvalidState, match=f"to join case {first.number}, but it is there already"):
        clerk.adopt(first, item.number)
    assert stage.statuses(second) == {"beta": "submitted"}


def test_attach__finished_item_is_in_another_open_bundle(stage, clerk, market, tiny_matter):
    alone, item = running_alone(clerk, stage)
    market.complete(alone, "alpha审批", outcome="granted")
    first, second = (clerk.submit("tiny", items=["beta"], materials=["lease"]) for _ in range(2))
    clerk.adopt(first, item.number)

    with pytest.raises(InvalidState, match=first.number):
        clerk.adopt(second, item.number)


@pytest.mark.parametrize("end", ["denied", "withdrawn"])
def test_attach__ended_without_a_result(stage, clerk, market, tiny_matter, end):
    alone, item = running_alone(clerk, stage)
    if end == "denied":
        market.complete(alone, "alpha审批", outcome="denied", reason_code="conditions", reason="不符合条件")
    else:
        clerk.withdraw(alone)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])

    with pytest.raises(InvalidState, match=f"but it is {end}: let it join as a new item"):
        clerk.adopt(bundle, item.number)


def test_attach__another_applicants(stage, clerk, tiny_matter):
    _, item = running_alone(clerk, stage, applicant=OTHER)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])

    with pytest.raises(NotFound):
        clerk.adopt(bundle, item.number)


def test_attach__an_item_that_the_matter_does_not_know(stage, clerk, tiny_matter):
    """Nobody would ever call it: the bundle would wait for ever."""
    alone = clerk.submit("food_permit", answers=ANSWERS, materials=FOOD)
    clerk.complete(alone, "一窗受理", outcome="accept")
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])

    with pytest.raises(InvalidInput, match="Expected an item of tiny"):
        clerk.adopt(bundle, stage.item(alone, "food_permit").number)
    with pytest.raises(InvalidInput, match="Expected an item of tiny"):
        clerk.submit("tiny", adopt=[stage.item(alone, "food_permit").number])

    assert stage.statuses(alone) == {"food_permit": "in_review"}


def test_attach__handled_by_the_bundle_already(stage, clerk, tiny_matter):
    _, item = running_alone(clerk, stage)
    bundle = clerk.take_in("tiny", materials=["plan", "lease"])

    with pytest.raises(InvalidState, match="not to handle alpha yet"):
        clerk.adopt(bundle, item.number)


def test_attach__one_that_ran_was_adopted_before(stage, clerk, market, tiny_matter):
    """At the window nothing is dispatched yet; the first is no mere proposal all the same."""
    (_, first), (_, second) = (running_alone(clerk, stage) for _ in range(2))
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])
    clerk.adopt(bundle, first.number)

    with pytest.raises(InvalidState, match="not to handle alpha yet"):
        clerk.adopt(bundle, second.number)

    assert stage.item(bundle, "alpha").number == first.number


@pytest.mark.parametrize("finished", [False, True], ids=["running", "finished"])
def test_attach__two_of_one_kind(stage, clerk, market, tiny_matter, finished):
    """What is refused is no case: it is said by which number the other one is found."""
    both = [running_alone(clerk, stage) for _ in range(2)]
    for alone, _ in both if finished else ():
        market.complete(alone, "alpha审批", outcome="granted")
        clerk.complete(alone, "统一出件", **ISSUED)

    with pytest.raises(InvalidState, match="not to handle alpha yet") as refusal:
        clerk.submit("tiny", items=["beta"], materials=["lease"], adopt=[item.number for _, item in both])

    first = both[0][1].number
    assert (refusal.value.details["item"], set(re.findall(r"[0-9]{20}", str(refusal.value)))) == (first, {first[:20]})


@pytest.mark.parametrize("end", ["issuing", "ended", "refused", "withdrawn"])
def test_attach__joint_handling_is_over(stage, clerk, market, tiny_matter, end):
    """Nobody would take it any more."""
    _, item = running_alone(clerk, stage)
    bundle = clerk.submit("tiny", items=["beta"], materials=["lease"])
    if end == "withdrawn":
        clerk.withdraw(bundle)
    elif end == "refused":
        clerk.complete(bundle, "一窗受理", outcome="refuse", refusal_kind="not_accepted", reason="不属于本机关")
    else:
        clerk.complete(bundle, "一窗受理", outcome="accept")
        market.complete(bundle, "beta审批", outcome="granted")
    if end == "ended":
        clerk.complete(bundle, "统一出件")

    with pytest.raises(InvalidState, match="joint handling is over"):
        clerk.adopt(bundle, item.number)


# At the same moment -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("finished", [False, True], ids=["running", "finished"])
def test_attach__two_bundles_at_the_same_moment(stage, clerk, market, tiny_matter, finished):
    """One wins; the other is told the case that has it."""
    alone, item = running_alone(clerk, stage)
    if finished:
        market.complete(alone, "alpha审批", outcome="granted")
        clerk.complete(alone, "统一出件", **ISSUED)
    bundles = [clerk.submit("tiny", items=["beta"], materials=["lease"]) for _ in range(2)]
    together = Barrier(2)

    def take(bundle):
        together.wait()
        try:
            clerk.adopt(bundle, item.number, checked=False)
        except InvalidState as refusal:
            return refusal.details["case"]
        return None

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(take, bundles))

    winner = bundles[told.index(None)]
    assert sorted(told, key=str) == sorted([None, winner.number], key=str)
    assert "alpha" in stage.statuses(winner)
    assert sum("alpha" in stage.statuses(bundle) for bundle in bundles) == 1


def test_restaurant__licence_first_then_the_bundle(stage, clerk, market, fire):
    """先办单项，后并入: the permit was applied for on Monday, the rest on Thursday; its ten days count from Monday."""
    alone = clerk.submit("food_permit", answers=ANSWERS, materials=FOOD)
    clerk.complete(alone, "一窗受理", outcome="accept")
    number = stage.item(alone, "food_permit").number
    stage.travel(2026, 3, 5)

    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=["m_evac", "m_fireplan", "m_fire_rules"], adopt=[number])
    clerk.complete(case, "接续受理", outcome="accept")

    assert stage.case(case).entry == "follow_on"
    assert stage.statuses(case) == {"food_permit": "in_review", "business_licence_check": "in_review", "fire_check_commit": "in_review"}
    assert stage.task(case, "食品经营许可审批").due_at.isoformat() == "2026-03-16T16:00:00+00:00"
    market.complete(case, "营业执照人工核验", outcome="granted")
    market.complete(case, "食品经营许可审批", outcome="granted")
    fire.complete(case, "消防承诺审查", outcome="granted")
    clerk.complete(case, "统一出件", mode="unified", delivery="window")
    assert set(stage.statuses(case).values()) == {"issued"}
