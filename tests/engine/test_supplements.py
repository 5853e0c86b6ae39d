from __future__ import annotations

import pytest

from engine.actors import Role, RoleGrant
from engine.case_models import Notice, Supplement
from engine.errors import InvalidInput, InvalidState
from tests import restaurant, tiny
from tests.engine.test_recomputing import publish
from tests.restaurant import ANSWERS

MATERIALS = [{"material": "plan", "used_by": "alpha"}, {"material": "lease", "used_by": "beta"}]


@pytest.fixture
def case(stage, clerk):
    return clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.without("m_plan", "m_evac", "m_premises"))


@pytest.fixture
def small(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=MATERIALS))
    return clerk.submit("tiny", materials=["lease"])


def test_issue__names_everything_that_is_missing(stage, clerk, case):
    """The clerk names one defect; the notice lists all materials (art. 32 (4): 一次告知全部内容)."""
    clerk.complete(case, "一窗受理", outcome="supplement", defects="平面图未标注比例")

    [notice] = stage.all(Notice, case, kind="supplement")
    assert {m["code"] for m in notice.content["missing"]} == {"m_evac", "m_plan", "m_premises"}
    assert notice.content["defects"] == "平面图未标注比例"
    assert notice.content["due_on"] == "2026-03-16"
    assert set(stage.statuses(case).values()) == {"correcting"}


def test_issue__nothing_to_correct(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.MATERIALS)

    with pytest.raises(InvalidInput, match="no material is missing and no defect is named"):
        clerk.complete(case, "一窗受理", outcome="supplement", defects="  ")

    assert set(stage.statuses(case).values()) == {"submitted"}


def test_issue__only_a_defect(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.MATERIALS)

    clerk.complete(case, "一窗受理", outcome="supplement", defects="签名不清")
    clerk.complete(case, "补正材料", answered=True)

    assert set(stage.statuses(case).values()) == {"submitted"}


def test_answer__something_still_missing(stage, clerk, case):
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.hand_in(case, "m_plan")

    with pytest.raises(InvalidInput) as refusal:
        clerk.complete(case, "补正材料", answered=True)

    assert {e["field"] for e in refusal.value.details["errors"]} == {"materials.m_evac", "materials.m_premises"}
    assert stage.tasks(case) == ["补正材料"]


def test_answer__what_a_withdrawn_item_needed_is_not_asked(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.handle("withdraw", stage.item(small, "alpha"), reason="不办了")

    clerk.complete(small, "补正材料")

    assert stage.statuses(small) == {"alpha": "withdrawn", "beta": "submitted"}


def test_answer__then_everything_is_accepted(stage, clerk, case):
    clerk.complete(case, "一窗受理", outcome="supplement")
    for code in ("m_plan", "m_evac", "m_premises"):
        clerk.hand_in(case, code)
    clerk.complete(case, "补正材料", answered=True)

    clerk.complete(case, "一窗受理", outcome="accept")

    assert set(stage.statuses(case).values()) == {"in_review"}
    assert [s.status for s in stage.all(Supplement, case)] == ["answered"]


def test_issue__a_second_time(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.hand_in(small, "plan")
    clerk.complete(small, "补正材料")

    with pytest.raises(InvalidState, match="after all corrections came in"):
        clerk.complete(small, "一窗受理", outcome="supplement", defects="还要别的")

    assert stage.statuses(small) == {"alpha": "submitted", "beta": "submitted"}
    assert stage.notices(small) == ["receipt", "supplement"]


def test_issue__a_second_time_with_a_supervisor(stage, clerk, supervisor, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.hand_in(small, "plan")
    clerk.complete(small, "补正材料")

    supervisor.complete(small, "一窗受理", outcome="supplement", defects="图纸与现场不符")

    first, second = stage.all(Supplement, small)
    assert (first.allowed_by, second.allowed_by) == (None, "supervisor")
    assert stage.alerts(small) == [("yellow", "second_supplement")]
    assert set(stage.statuses(small).values()) == {"correcting"}


def test_issue__supervisor_of_another_hall(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.hand_in(small, "plan")
    clerk.complete(small, "补正材料")
    both = stage.somebody(RoleGrant(role=Role.CLERK, hall="changsha"), RoleGrant(role=Role.SUPERVISOR, hall="yuelu"))

    with pytest.raises(InvalidState):
        both.complete(small, "一窗受理", outcome="supplement", defects="x")

    assert stage.alerts(small) == []


def test_lapse__nobody_answers(stage, clerk, case):
    clerk.complete(case, "一窗受理", outcome="supplement")

    stage.travel(2026, 3, 16)
    assert set(stage.statuses(case).values()) == {"correcting"}
    stage.travel(2026, 3, 17, hour=0)

    assert set(stage.statuses(case).values()) == {"returned"}
    assert {item.reason["reason"] for item in stage.items(case).values()} == {"补正不来"}
    assert stage.notices(case) == ["receipt", "supplement", "return"]
    assert stage.bundle(case).status == "completed"
    assert stage.case(case).ended_at is not None
    assert stage.case(case).clock_started_on is None


def test_lapse__its_last_day_becomes_a_day_off(stage, clerk, small):
    """The applicant was told a day; on the next working day it is not too late (民法典 art. 203)."""
    clerk.complete(small, "一窗受理", outcome="supplement")
    publish(stage, 16)

    stage.travel(2026, 3, 17)
    assert stage.statuses(small)["alpha"] == "correcting"
    stage.travel(2026, 3, 18, hour=0)

    assert stage.statuses(small)["alpha"] == "returned"


def test_lapse__an_item_had_joined_meanwhile(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=MATERIALS))
    case = clerk.submit("tiny", items=["alpha"])
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.follow_on(case, "beta")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "returned"}


def test_lapse__nothing_waits_for_them_any_more(stage, clerk, small):
    """What was to be corrected was withdrawn, and an adopted item goes on: nobody is told that nothing is returned."""
    alone = clerk.take_in("alpha", materials=["plan"])
    bundle = clerk.submit("tiny", items=["beta"])
    clerk.adopt(bundle, stage.item(alone, "alpha").number)
    clerk.complete(bundle, "一窗受理", outcome="supplement", defects="签名不清")
    clerk.handle("withdraw", stage.item(bundle, "beta"), reason="不办了")

    stage.travel(2026, 3, 30)

    assert "return" not in stage.notices(bundle)
    assert stage.statuses(bundle) == {"beta": "withdrawn", "alpha": "in_review"}


def test_issue__nothing_is_left_to_correct(stage, clerk, small):
    alone = clerk.take_in("alpha", materials=["plan"])
    bundle = clerk.submit("tiny", items=["beta"])
    clerk.adopt(bundle, stage.item(alone, "alpha").number)
    clerk.handle("withdraw", stage.item(bundle, "beta"), reason="不办了")

    with pytest.raises(InvalidInput, match="waits for an answer"):
        clerk.complete(bundle, "一窗受理", outcome="supplement", defects="签名不清")
