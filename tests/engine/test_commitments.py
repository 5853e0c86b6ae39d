from __future__ import annotations

import pytest

from engine.case_models import Commitment, Notice, Result
from engine.errors import InvalidInput, InvalidState
from engine.models import Job
from tests import tiny
from tests.bpmn import diagrams as d
from tests.restaurant import ANSWERS, MATERIALS

FOUND = {"outcome": "breached", "findings": "疏散通道堵塞"}


@pytest.fixture
def case(stage, clerk, market, fire):
    """A restaurant opened on the promise that the fire regulations are kept; everything is handed out."""
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=MATERIALS)
    clerk.complete(case, "一窗受理", outcome="accept")
    fire.complete(case, "消防承诺审查", outcome="granted", certificate_no="XF-1")
    market.complete(case, "营业执照人工核验", outcome="granted")
    market.complete(case, "食品经营许可审批", outcome="granted")
    clerk.complete(case, "统一出件", mode="unified", delivery="window")
    clerk.complete(case, "好差评", score=5)
    return case


def commitment(stage, case):
    [found] = stage.all(Commitment, case, kind="informed")
    return found


def test_plan_check__due_after_the_decision(stage, case):
    """消防告知承诺: checked on the spot within twenty working days."""
    found = commitment(stage, case)

    assert (found.status, found.signed_by, found.verify_due_on.isoformat()) == ("verify_due", "好味餐饮", "2026-03-30")
    assert stage.task(case, "事后核查").due_at.isoformat() == "2026-03-30T16:00:00+00:00"
    assert stage.case(case).ended_at is not None


def test_verify__as_promised(stage, fire, case):
    fire.complete(case, "事后核查", outcome="verified", findings="符合承诺")

    assert (commitment(stage, case).status, commitment(stage, case).findings) == ("verified", "符合承诺")
    assert stage.tasks(case) == []
    assert stage.item(case, "fire_check_commit").status == "issued"


def test_verify__overdue(stage, case):
    stage.travel(2026, 3, 31)

    assert stage.alerts(case)[-1] == ("red", "overdue")
    assert stage.tasks(case) == ["事后核查"]


def test_verify__breached_and_repaired(stage, fire, case):
    fire.complete(case, "事后核查", **FOUND)
    assert commitment(stage, case).status == "rectifying"
    assert ("yellow", "breach") in stage.alerts(case)

    fire.complete(case, "限期整改", outcome="verified", findings="已整改")

    assert commitment(stage, case).status == "verified"
    assert stage.item(case, "fire_check_commit").status == "issued"
    assert stage.all(Result, case, name=result_name(stage, case))[0].voided_at is None


def result_name(stage, case):
    return stage.item(case, "fire_check_commit").rules["result"]


def test_verify__breached_and_revoked(stage, fire, case):
    """行政许可法 art. 69; the certificate is void, the others stay as they are."""
    fire.complete(case, "事后核查", **FOUND)

    fire.complete(case, "限期整改", outcome="revoke", findings="拒不整改")

    item = stage.item(case, "fire_check_commit")
    voided = {result.name for result in stage.all(Result, case) if result.voided_at}
    assert (item.status, item.reason["reason"]) == ("revoked", "拒不整改")
    assert voided == {result_name(stage, case)}
    assert "行政复议" in stage.all(Notice, case, kind="revocation")[0].content["remedies"]
    assert ("red", "breach") in stage.alerts(case)
    assert stage.statuses(case)["food_permit"] == "issued"


def test_verify__may_be_applied_for_again(stage, clerk, fire, case):
    fire.complete(case, "事后核查", **FOUND)
    fire.complete(case, "限期整改", outcome="revoke", findings="拒不整改")

    again = clerk.handle("reapply", stage.item(case, "fire_check_commit"))

    assert stage.statuses(again) == {"fire_check_commit": "submitted"}


@pytest.mark.parametrize("outcome", ["revoke", "", None, "granted"])
def test_verify__no_finding(stage, fire, case, outcome):
    """Nobody's permit is revoked at the first look: there is time to repair."""
    with pytest.raises(InvalidInput):
        fire.complete(case, "事后核查", outcome=outcome, findings="x")

    assert commitment(stage, case).status == "verify_due"


def committed(stage, clerk, market, *, items, post_check=20):
    """A tiny bundle whose alpha is granted on a promise."""
    alpha = tiny.item(
        "alpha",
        d.start("accepted"),
        tiny.decision("alpha"),
        d.external("plan_check", topic="onething.post-check"),
        d.end("decided"),
        d.flows("accepted -> decide -> plan_check -> decided"),
    )
    stage.deploy("tiny", **tiny.folder({"alpha": {"post_check": post_check}, **items}, processes={"alpha": alpha}))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="accept")
    market.complete(case, "alpha审批", outcome="granted")
    return case


def test_revoke__before_it_was_handed_out(stage, clerk, market):
    case = committed(stage, clerk, market, items={"beta": {}})
    market.complete(case, "事后核查", **FOUND)
    market.complete(case, "限期整改", outcome="revoke", findings="拒不整改")

    market.complete(case, "beta审批", outcome="granted")
    clerk.complete(case, "统一出件")

    assert stage.statuses(case) == {"alpha": "revoked", "beta": "issued"}
    assert [result.name for result in stage.all(Result, case)] == ["beta 证"]


def test_revoke__who_built_on_it_is_reviewed_and_not_revoked(stage, clerk, market):
    case = committed(stage, clerk, market, items={"beta": {"predecessors": "alpha:RM"}, "gamma": {"predecessors": "alpha:DATA"}})
    for name in ("beta审批", "gamma审批"):
        market.complete(case, name, outcome="granted")
    clerk.complete(case, "统一出件")
    market.complete(case, "事后核查", **FOUND)

    market.complete(case, "限期整改", outcome="revoke", findings="拒不整改")

    from engine.case_models import Alert

    concerned = [a.item_id for a in stage.all(Alert, case, kind="breach") if "请复核" in a.message]
    assert concerned == [stage.item(case, "beta").id]
    assert stage.statuses(case) == {"alpha": "revoked", "beta": "issued", "gamma": "issued"}


def test_plan_check__without_a_period(stage, clerk, market):
    """The table gives no days: the step fails, an incident says so, and the decision stands."""
    case = committed(stage, clerk, market, items={"beta": {}}, post_check=None)

    assert stage.item(case, "alpha").status == "granted"
    assert "gives none" in stage.incidents(case)[0].message
    assert [job.kind for job in stage.all(Job, case)] == ["step"]


def test_verify__outside_an_item(stage, clerk):
    body = d.diagram(
        d.start("s"),
        d.user("check", name="核查", groups="window", properties={"onething.kind": "post-check"}),
        d.end("e"),
        d.flows("s -> check -> e"),
        key="odd",
        properties={"onething.kind": "matter"},
    )
    stage.deploy("odd", odd_bpmn=body, odd_dmn=tiny.tables({"alpha": {}}, []), alpha_bpmn=tiny.item("alpha"))
    case = clerk.submit("odd")

    with pytest.raises((InvalidState, InvalidInput)):
        clerk.complete(case, "核查", outcome="verified")
