from __future__ import annotations

import pytest

from engine.case_models import Item, Notice
from engine.errors import InvalidInput, InvalidState, NotPermitted
from tests import tiny
from tests.bpmn import diagrams as d

PLAN = {"material": "plan", "used_by": "beta", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 5, "grace_days": 15}
LEASE = {"material": "lease", "used_by": "gamma"}
DENIED = {"outcome": "denied", "reason_code": "conditions", "reason": "不符合条件"}


def in_review(stage):
    """Alpha is in review; beta and gamma may join."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}}, materials=[PLAN, LEASE]))
    stage.person("clerk").take_in("tiny", items=["alpha"])


@pytest.fixture
def case(begun):
    [case] = begun(in_review)
    return case


def test_request__while_the_bundle_runs(stage, clerk, market, case):
    clerk.follow_on(case, "beta")
    assert stage.tasks(case) == ["alpha审批", "接续受理"]
    assert stage.statuses(case) == {"alpha": "in_review", "beta": "submitted"}

    clerk.hand_in(case, "plan")
    clerk.complete(case, "接续受理", outcome="accept")

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "in_review"}
    for name in ("alpha审批", "beta审批"):
        market.complete(case, name, outcome="granted")
    assert stage.tasks(case) == ["统一出件"]


def test_request__an_item_that_is_named_twice(stage, clerk, case):
    """It joins once: of two the first would be forgotten."""
    clerk.follow_on(case, "beta", "gamma", "beta")

    assert [item.code for item in stage.all(Item, case)] == ["alpha", "beta", "gamma"]


def test_request__its_clock_starts_when_it_is_accepted(stage, clerk, case):
    stage.travel(2026, 3, 4)
    clerk.follow_on(case, "gamma")
    clerk.hand_in(case, "lease")
    stage.travel(2026, 3, 5)

    clerk.complete(case, "接续受理", outcome="accept")

    assert stage.task(case, "gamma审批").due_at.isoformat() == "2026-03-19T16:00:00+00:00"
    assert stage.task(case, "alpha审批").due_at.isoformat() == "2026-03-16T16:00:00+00:00"


def test_decide__something_missing(stage, clerk, case):
    clerk.follow_on(case, "gamma")

    with pytest.raises(InvalidInput, match="lease"):
        clerk.complete(case, "接续受理", outcome="accept")

    assert stage.statuses(case)["gamma"] == "submitted"


def test_decide__with_tolerance(stage, clerk, market, case):
    clerk.follow_on(case, "beta")
    clerk.complete(case, "接续受理", outcome="tolerate", commitment_signed=True)
    for name in ("alpha审批", "beta审批"):
        market.complete(case, name, outcome="granted")

    assert stage.tasks(case) == []
    clerk.hand_in(case, "plan")
    assert stage.tasks(case) == ["统一出件"]


def test_decide__refused_with_no_more_than_a_reason(stage, clerk, market, case):
    """The form of a follow-on asks for the reason alone; the rest of the bundle is untouched."""
    clerk.follow_on(case, "beta")

    clerk.complete(case, "接续受理", outcome="refuse", reason="不属于本机关职权范围")

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "refused"}
    market.complete(case, "alpha审批", outcome="granted")
    assert stage.tasks(case) == ["统一出件"]


def test_decide__refused_for_what_is_missing(stage, clerk, case):
    """The applicant is told all of it, whatever the clerk thinks of; with it the item joins anew."""
    clerk.follow_on(case, "beta", "gamma")

    clerk.complete(case, "接续受理", outcome="refuse", reason="材料不齐")

    [notice] = stage.all(Notice, case, kind="refusal")
    assert [m["code"] for m in notice.content["missing"]] == ["plan", "lease"]
    clerk.handle("reapply", stage.item(case, "gamma"))
    clerk.hand_in(case, "lease")
    clerk.complete(case, "接续受理", outcome="accept")
    assert stage.statuses(case) == {"alpha": "in_review", "beta": "refused", "gamma": "in_review"}


def test_decide__corrections(stage, clerk, case):
    """Who is used to the intake asks for them here, too, and is told where to look."""
    clerk.follow_on(case, "gamma")

    with pytest.raises(InvalidInput, match=r"no corrections of its own \(decision 0025\)"):
        clerk.complete(case, "接续受理", outcome="supplement")


def test_decide__refused_and_the_rest_is_decided_already(stage, clerk, market, case):
    clerk.follow_on(case, "beta")
    market.complete(case, "alpha审批", outcome="granted")
    assert stage.tasks(case) == ["接续受理"]

    clerk.complete(case, "接续受理", outcome="refuse", reason="不属于本机关职权范围")

    assert stage.tasks(case) == ["统一出件"]


def test_decide__two_requests(stage, clerk, case):
    """The first intake disposes of both; at the second nothing is left to do."""
    clerk.follow_on(case, "beta")
    clerk.follow_on(case, "gamma")
    clerk.hand_in(case, "lease")
    clerk.hand_in(case, "plan")
    clerk.complete(case, "接续受理", outcome="accept")
    assert set(stage.statuses(case).values()) == {"in_review"}

    clerk.complete(case, "接续受理", outcome="accept")

    assert stage.tasks(case) == ["alpha审批", "beta审批", "gamma审批"]


def test_decide__withdrawn_meanwhile(stage, clerk, case):
    clerk.follow_on(case, "beta")
    clerk.handle("withdraw", stage.item(case, "beta"), reason="不办了")

    clerk.complete(case, "接续受理", outcome="accept")

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "withdrawn"}


@pytest.mark.parametrize("outcome", ["supplement", None, "", ["accept"]])
def test_decide__no_disposition(stage, clerk, case, outcome):
    clerk.follow_on(case, "beta")

    with pytest.raises(InvalidInput):
        clerk.complete(case, "接续受理", outcome=outcome)


def test_request__still_at_the_window(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN]))
    case = clerk.submit("tiny", items=["alpha"])

    clerk.follow_on(case, "beta")
    with pytest.raises(InvalidInput, match="plan"):
        clerk.complete(case, "一窗受理", outcome="accept")
    clerk.hand_in(case, "plan")
    clerk.complete(case, "一窗受理", outcome="accept")

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "in_review"}


def test_request__there_already(stage, clerk, case):
    with pytest.raises(InvalidState, match=r"it is there as [0-9-]+$"):
        clerk.follow_on(case, "alpha")


def test_request__ended_before_and_not_applied_for_again(stage, clerk, market, case):
    """Who wants it once more applies again for the old one, so that both are linked."""
    clerk.follow_on(case, "gamma")
    market.complete(case, "alpha审批", **DENIED)

    with pytest.raises(InvalidState, match=r"it is there as [0-9-]+: apply for it again \(POST /items/[0-9-]+/reapply\)"):
        clerk.follow_on(case, "alpha")


@pytest.mark.parametrize("code", ["food_permit", "nothing", "", "tiny"])
def test_request__an_item_that_the_matter_does_not_call(stage, clerk, case, code):
    with pytest.raises(InvalidInput, match="Expected an item of tiny"):
        clerk.follow_on(case, code)

    assert stage.statuses(case) == {"alpha": "in_review"}


def test_request__too_late(stage, clerk, market, case):
    market.complete(case, "alpha审批", outcome="granted")

    with pytest.raises(InvalidState, match="joint handling is over"):
        clerk.follow_on(case, "beta")

    assert stage.statuses(case) == {"alpha": "granted"}


def test_request__case_is_over(stage, clerk, market, case):
    market.complete(case, "alpha审批", outcome="granted")
    clerk.complete(case, "统一出件")
    clerk.complete(case, "好差评", score=5)

    with pytest.raises(InvalidState):
        clerk.follow_on(case, "beta")


def test_request__by_a_department(stage, market, case):
    with pytest.raises(NotPermitted):
        market.follow_on(case, "beta")


def test_request__checklist_grows_and_keeps_what_was_told(stage, clerk, case):
    before = stage.case(case).checklist

    clerk.follow_on(case, "beta")

    after = stage.case(case).checklist
    assert [entry["code"] for entry in after["items"]] == ["alpha", "beta"]
    assert after["items"][0] == before["items"][0]
    assert [m["code"] for m in after["materials"]] == ["plan"]


@pytest.fixture
def new_version(stage, case):
    """The tables ask for something else now, and the bundle's clock starts at another moment; the case began with those before."""
    lease = {"material": "lease", "used_by": "beta,gamma"}
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}}, materials=[lease], clock_start="ON_SUBMIT"))


def test_request__by_the_tables_that_the_case_began_with(stage, clerk, case, new_version):
    clerk.follow_on(case, "beta", "gamma")

    checklist = stage.case(case).checklist
    assert {m["code"]: (m["used_by"], m["tolerable"]) for m in checklist["materials"]} == {
        "plan": (["beta"], True),
        "lease": (["gamma"], False),
    }
    clerk.hand_in(case, "lease")
    clerk.complete(case, "接续受理", outcome="tolerate", commitment_signed=True)
    assert set(stage.statuses(case).values()) == {"in_review"}


def test_adopt__by_the_tables_that_the_case_began_with(stage, clerk, case, new_version):
    alone = clerk.submit("beta")

    clerk.adopt(case, stage.item(alone, "beta").number)

    assert [m["code"] for m in stage.case(case).checklist["materials"]] == ["plan"]


def test_request__what_the_new_version_calls_and_the_old_one_does_not(stage, clerk, case):
    """Nobody would ever handle it in this bundle."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}, "delta": {}}))

    with pytest.raises(InvalidInput, match="delta"):
        clerk.follow_on(case, "delta")


def test_accept__bundle_clock_starts_as_the_case_was_told(stage, clerk, market):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, clock_start="ON_FIRST_ACCEPT"))
    case = clerk.submit("tiny")
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, clock_start="ON_SUBMIT"))
    stage.travel(2026, 3, 3)

    clerk.complete(case, "一窗受理", outcome="accept")

    assert stage.case(case).clock_started_on.isoformat() == "2026-03-03"


def test_request__everything_is_settled_and_a_process_goes_on(stage, clerk, market):
    """Its department still files what it has denied; the case has ended, and would count as such with an open item in it."""
    file = d.user("file", name="归档", groups="department-market")
    alpha = tiny.item("alpha", d.start("s"), tiny.decision("alpha"), file, d.end("e"), d.flows("s -> decide -> file -> e"))
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, processes={"alpha": alpha}))
    case, alone = clerk.take_in("tiny", items=["alpha"]), clerk.take_in("beta")
    market.complete(case, "alpha审批", **DENIED)

    with pytest.raises(InvalidState, match="its joint handling is over"):
        clerk.follow_on(case, "beta")
    with pytest.raises(InvalidState, match="its joint handling is over"):
        clerk.adopt(case, stage.item(alone, "beta").number)

    assert stage.case(case).ended_at is not None
    assert (stage.statuses(case), stage.statuses(alone)) == ({"alpha": "denied"}, {"beta": "in_review"})
