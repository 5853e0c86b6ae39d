from __future__ import annotations

from datetime import date

import pytest

from api import particulars
from engine import item_clock, rejections
from engine.case_models import Material, Notice, Tolerance
from engine.errors import InvalidInput, InvalidState, NotFound, NotPermitted
from tests import tiny

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
#: Due on Monday, 9 March.
PLAN = {"material": "plan", "used_by": "alpha,beta", "tolerable": True, "until": "BEFORE_DECISION", "due_days": 5, "grace_days": 3}
SIGNED = {"outcome": "tolerate", "commitment_signed": True}
BLURRED = {"no": 1, "reason": "图纸模糊"}


@pytest.fixture
def case(stage, clerk):
    """A bundle that was accepted without the plan, which two items need; one needs nothing."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}}, materials=[PLAN]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", **SIGNED)
    return case


def owed(stage, case):
    return [(t.status, ",".join(t.used_by), str(t.due_on)) for t in stage.all(Tolerance, case)]


def pauses(stage, case):
    with stage.reading() as session:
        return [(str(p.since), p.until and str(p.until)) for p in item_clock.ledger(session, stage.item(case, "alpha")).pauses]


def test_reject__owed_again_for_the_item(stage, clerk, market, case):
    """It came on Wednesday with three days left, and on Friday the applicant is told: two days more than the three, and one."""
    stage.travel(2026, 3, 4)
    clerk.hand_in(case, "plan")
    stage.travel(2026, 3, 6)

    market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)

    assert owed(stage, case) == [("met", "alpha,beta", "2026-03-09"), ("open", "alpha", "2026-03-12")]
    [notice] = stage.all(Notice, case, kind="material_rejected")
    assert (notice.content["reason"], notice.content["due_on"]) == ("图纸模糊", "2026-03-12")
    assert "grace_until" not in notice.content
    with pytest.raises(InvalidState, match="waits for plan"):
        market.complete(case, "alpha审批", outcome="granted")
    market.complete(case, "beta审批", outcome="granted")


def test_reject__handed_in_anew(stage, clerk, market, case):
    clerk.hand_in(case, "plan")
    market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)

    clerk.hand_in(case, "plan")
    market.complete(case, "alpha审批", outcome="granted")

    assert [status for status, *_ in owed(stage, case)] == ["met", "met"]
    assert stage.statuses(case)["alpha"] == "granted"


def test_reject__then_nothing_comes(stage, clerk, market, case):
    """Reminder, pause and end come as for any tolerance; what another item needs is not touched."""
    stage.travel(2026, 3, 9)
    clerk.hand_in(case, "plan")
    market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)
    assert owed(stage, case)[1:] == [("open", "alpha", "2026-03-10")]

    stage.travel(2026, 3, 11)
    assert {code: item.clock for code, item in stage.items(case).items()} == {"alpha": "paused", "beta": "running", "gamma": "running"}
    stage.travel(2026, 3, 14)

    assert stage.statuses(case) == {"alpha": "terminated", "beta": "in_review", "gamma": "in_review"}
    # The first time on the working day before the 9th; the rejection itself reminds of the 10th.
    assert stage.notices(case).count("reminder") == 1


def test_reject__came_in_the_grace(stage, clerk, market, case):
    """The clock stands still again at once, and no day is taken off twice."""
    stage.travel(2026, 3, 10)
    stage.travel(2026, 3, 11)
    clerk.hand_in(case, "plan")

    stage.travel(2026, 3, 12)
    market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)
    [told] = stage.all(Notice, case, kind="material_rejected")
    assert [told.content[name] for name in ("due_on", "grace_days", "grace_until")] == ["2026-03-11", 3, "2026-03-16"]
    assert particulars.of(told.content, {}).endswith("期限：最迟 2026-03-11，逾期后宽限至 2026-03-16（3 个工作日）")
    stage.travel(2026, 3, 12, hour=10)
    assert owed(stage, case)[1:] == [("overdue", "alpha", "2026-03-11")]
    assert pauses(stage, case) == [("2026-03-10", "2026-03-11"), ("2026-03-12", None)]
    stage.travel(2026, 3, 13)
    clerk.hand_in(case, "plan")

    # Ten working days from the second of March would end on the 16th; from the 10th to the 13th none counted.
    assert stage.item(case, "alpha").clock == "running"
    assert stage.item(case, "alpha").promised_on == date(2026, 3, 20)


def test_reject__in_the_last_hour_of_the_grace(stage, clerk, market, case):
    """Whoever is told has at least the day after."""
    stage.travel(2026, 3, 12, hour=23)
    clerk.hand_in(case, "plan")
    market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)

    stage.travel(2026, 3, 13, hour=23)
    assert stage.statuses(case)["alpha"] == "in_review"
    stage.travel(2026, 3, 14)

    assert stage.statuses(case)["alpha"] == "terminated"


def test_reject__by_both_who_need_it(stage, clerk, market, case):
    clerk.hand_in(case, "plan")
    for code in ("alpha", "beta"):
        market.handle("reject_material", stage.item(case, code), **BLURRED)

    assert owed(stage, case) == [("met", "alpha,beta", "2026-03-09"), ("open", "alpha,beta", "2026-03-10")]


def test_reject__twice(stage, clerk, market, case):
    clerk.hand_in(case, "plan")
    market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)

    with pytest.raises(InvalidState, match="owed again already, until 2026-03-10"):
        market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)

    assert len(stage.all(Notice, case, kind="material_rejected")) == 1


def test_reject__a_better_copy_has_come_in(stage, clerk, market, case):
    """Nobody has looked at that one yet."""
    clerk.hand_in(case, "plan")
    clerk.hand_in(case, "plan")

    with pytest.raises(InvalidState, match="number 2 has come in since"):
        market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)

    assert len(owed(stage, case)) == 1


def test_reject__what_was_there_at_intake(stage, clerk, market):
    """It was accepted with the item: nothing new may be asked."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN]))
    case = clerk.take_in("tiny", materials=["plan"])

    with pytest.raises(InvalidState, match="decide on it"):
        market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)


def test_reject__unacceptable(stage, clerk, market, fire, case):
    clerk.hand_in(case, "plan")

    for who in (clerk, fire):
        with pytest.raises(NotPermitted):
            who.handle("reject_material", stage.item(case, "alpha"), **BLURRED)
    with pytest.raises(InvalidInput, match="a reason"):
        market.handle("reject_material", stage.item(case, "alpha"), **BLURRED | {"reason": " "})
    for code, no in (("alpha", 2), ("gamma", 1)):  # there is none; it is no material of that item
        with pytest.raises(NotFound):
            market.handle("reject_material", stage.item(case, code), **BLURRED | {"no": no})

    assert len(owed(stage, case)) == 1


def test_reject__results_go_out_already(stage, clerk, market):
    """The item was decided before its material came: with it, all is settled."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, materials=[PLAN | {"used_by": "alpha", "until": "BEFORE_ISSUE"}]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", **SIGNED)
    market.complete(case, "alpha审批", outcome="granted")
    clerk.hand_in(case, "plan")

    with pytest.raises(InvalidState, match="its results go out already"):
        market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)

    assert [status for status, *_ in owed(stage, case)] == ["met"]


def test_reject__while_another_is_awaited(stage, clerk, market):
    """The timers of the loop follow, though it waits for something that is due later."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN, PLAN | {"material": "menu", "due_days": 9}]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", **SIGNED)
    clerk.hand_in(case, "plan")
    market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)

    stage.travel(2026, 3, 11)

    assert {(t.code, t.status) for t in stage.all(Tolerance, case)} == {("plan", "met"), ("plan", "overdue"), ("menu", "open")}
    assert stage.item(case, "alpha").clock == "paused"


def test_reject__applied_for_again(stage, clerk, market, case):
    """What was rejected is asked for, in the bundle and alone."""
    clerk.hand_in(case, "plan")
    market.handle("reject_material", stage.item(case, "alpha"), **BLURRED)
    stage.travel(2026, 3, 14)
    assert stage.statuses(case)["alpha"] == "terminated"

    clerk.handle("reapply", stage.item(case, "alpha"))
    with pytest.raises(InvalidInput, match="plan"):
        clerk.complete(case, "接续受理", outcome="accept")
    clerk.hand_in(case, "plan")
    clerk.complete(case, "接续受理", outcome="accept")

    assert stage.statuses(case)["alpha"] == "in_review"


def test_reject__adopted_by_a_bundle(stage, clerk, market):
    """The bad copy stays where it came in, and the bundle waits for a good one."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN]))
    alone = clerk.submit("alpha")
    clerk.complete(alone, "一窗受理", **SIGNED)
    clerk.hand_in(alone, "plan")
    market.handle("reject_material", stage.item(alone, "alpha"), **BLURRED)
    bundle = clerk.submit("tiny", items=["beta"])
    clerk.complete(bundle, "一窗受理", **SIGNED)

    clerk.adopt(bundle, stage.item(alone, "alpha").number)

    assert stage.all(Material, bundle) == []
    assert [(status, used_by) for status, used_by, _ in owed(stage, bundle)] == [("open", "alpha,beta")]
    # The notice has come along: what has the same number here was not looked at.
    clerk.hand_in(bundle, "plan")
    assert [notice.content["no"] for notice in stage.all(Notice, bundle, kind="material_rejected")] == [1]
    with stage.reading() as session:
        assert rejections.of_case(session, stage.case(bundle)) == {}
