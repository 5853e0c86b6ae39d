from __future__ import annotations

import pytest
from sqlalchemy import update

from engine import archives, deeds, notices
from engine.case_models import Alert, Case, Commitment, Notice, Result, Tolerance
from engine.errors import InvalidInput, InvalidState
from engine.models import Job, Outbox
from tests import tiny
from tests.bpmn import diagrams as d
from tests.engine.test_crowds import PROMISED
from tests.restaurant import ANSWERS, MATERIALS

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
FOUND = {"outcome": "breached", "findings": "疏散通道堵塞"}
POST = {"onething.kind": "post-check"}


def opened(stage):
    """A restaurant opened on the promise that the fire regulations are kept; everything is handed out."""
    clerk, market, fire = map(stage.person, ("clerk", "officer-market", "officer-fire"))
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=MATERIALS)
    clerk.complete(case, "一窗受理", outcome="accept")
    fire.complete(case, "消防承诺审查", outcome="granted", certificate_no="XF-1")
    market.complete(case, "营业执照人工核验", outcome="granted")
    market.complete(case, "食品经营许可审批", outcome="granted")
    clerk.complete(case, "统一出件", mode="unified", delivery="window")
    clerk.complete(case, "好差评", score=5)


@pytest.fixture
def case(begun):
    [case] = begun(opened)
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
    [order] = stage.all(Notice, case, kind="rectification")
    assert order.content == {
        "items": [stage.item(case, "fire_check_commit").number],
        "reason": "疏散通道堵塞",
        "due_on": "2026-03-16",
        "remedies": notices.REMEDIES,
    }
    assert order.item_id == stage.item(case, "fire_check_commit").id  # its department sees it, too

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


def test_verify__revoked_and_to_be_adopted(stage, clerk, fire, case):
    """By its number and by that of the certificate, which the applicant may still have: neither counts, and it is told what does."""
    fire.complete(case, "事后核查", **FOUND)
    fire.complete(case, "限期整改", outcome="revoke", findings="拒不整改")
    item, bundle = stage.item(case, "fire_check_commit"), clerk.submit("open_restaurant", answers=ANSWERS, materials=MATERIALS)

    with pytest.raises(InvalidState, match=rf"XF-1 is void \(item {item.number}\): let it join as a new item"):
        clerk.adopt(bundle, "XF-1")
    with pytest.raises(InvalidState, match="but it is revoked: let it join as a new item"):
        clerk.adopt(bundle, item.number)


def test_verify__of_what_was_revoked_meanwhile(stage, fire, case):
    """Who takes the decision back by himself has nothing left to check; it would be overdue for ever."""
    fire.handle("revoke", stage.item(case, "fire_check_commit"), reason="不符合承诺条件")

    assert stage.tasks(case) == []
    assert stage.item(case, "fire_check_commit").status == "revoked"
    stage.travel(2026, 3, 31)
    assert ("red", "overdue") not in stage.alerts(case)


def test_revoke__the_commitment_is_settled_by_it(stage, fire, case):
    """Nobody is going to check it, and it says why."""
    fire.handle("revoke", stage.item(case, "fire_check_commit"), reason="误点准予")

    found = commitment(stage, case)
    assert (found.status, found.findings) == ("revoked", "未经核查，决定已撤销：误点准予")


def test_revoke__its_case_is_put_away_in_time(stage, clerk, market):
    """What nobody waits for any more keeps it here no longer."""
    case = committed(stage, clerk, market, items={"beta": {}}, archive_days="30")
    market.complete(case, "beta审批", outcome="granted")
    clerk.complete(case, "统一出件")
    clerk.complete(case, "好差评", score=5)
    market.handle("revoke", stage.item(case, "alpha"), reason="误点准予")
    stage.travel(2026, 4, 20)
    with stage.database.transaction() as session:  # whoever sends what is in the outbox has done so
        session.execute(update(Outbox).where(Outbox.case_id == case.id).values(sent_at=case.submitted_at))

    archives.sweep(stage.database)

    with stage.reading() as session:
        assert session.get(Case, case.id) is None


def test_revoke__what_was_found_before_stays(stage, fire, case):
    fire.complete(case, "事后核查", **FOUND)

    fire.handle("revoke", stage.item(case, "fire_check_commit"), reason="当事人申请后查明")

    assert (commitment(stage, case).status, commitment(stage, case).findings) == ("revoked", "疏散通道堵塞；决定已撤销：当事人申请后查明")


def test_revoke__what_was_verified_stays_so(stage, fire, case):
    fire.complete(case, "事后核查", outcome="verified", findings="符合承诺")

    fire.handle("revoke", stage.item(case, "fire_check_commit"), reason="超越职权")

    assert (commitment(stage, case).status, commitment(stage, case).findings) == ("verified", "符合承诺")


def test_revoke__supervisors_are_told(stage, fire, case):
    """Of it and of no breach: the applicant has kept what he promised, as far as anybody knows."""
    item = stage.item(case, "fire_check_commit")

    fire.handle("revoke", item, reason="误点准予")

    [alert] = [alert for alert in stage.all(Alert, case) if alert.item_id == item.id and alert.light == "red"]
    assert (alert.kind, alert.department) == ("revoked", "fire")
    assert alert.message == f"事项 {item.number}（{item.name}）的决定已由 officer-fire 撤销：误点准予"


@pytest.mark.parametrize("outcome", ["verified", "revoke"])
def test_verify__a_drawing_that_asks_nothing(stage, clerk, market, outcome):
    """What a form would refuse, the engine refuses: nobody's permit is revoked before there was time to repair."""
    case = committed(
        stage, clerk, market, items={"beta": {}}, check=d.user("verify", name="核查", groups="department-market", properties=POST)
    )
    if outcome == "revoke":
        with pytest.raises(InvalidState, match="but it is verify_due"):
            market.complete(case, "核查", outcome=outcome, findings="x")
        assert stage.item(case, "alpha").status == "granted"
    else:
        market.complete(case, "核查", outcome=outcome, findings="x")
        assert commitment(stage, case).status == "verified"


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


def committed(stage, clerk, market, *, items, post_check=20, check=None, **more):
    """A tiny bundle whose alpha is granted on a promise; `check`: a task by which it is checked."""
    alpha = tiny.item(
        "alpha",
        d.start("accepted"),
        tiny.decision("alpha"),
        d.external("plan_check", topic="onething.post-check"),
        d.end("decided"),
        d.flows("accepted -> decide -> plan_check -> decided"),
    )
    own = {}
    if check is not None:
        own["post_check_bpmn"] = d.diagram(d.start("s"), check, d.end("e"), d.flows("s -> verify -> e"), key="post_check")
    stage.deploy("tiny", **own, **tiny.folder({"alpha": {"post_check": post_check}, **items}, processes={"alpha": alpha}, **more))
    case = clerk.take_in("tiny")
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

    concerned = [a.item_id for a in stage.all(Alert, case, kind="breach") if "请复核" in a.message]
    assert concerned == [stage.item(case, "beta").id]
    assert stage.statuses(case) == {"alpha": "revoked", "beta": "issued", "gamma": "issued"}


def test_revoke__before_the_check_has_begun(stage, clerk, market, monkeypatch):
    """The node that granted it died before it began the check; whoever begins it later finds nothing to check."""
    stage.checking = False
    monkeypatch.setattr("engine.jobs.run_after_commit", lambda *_: None)
    case = committed(stage, clerk, market, items={"beta": {}})
    [start] = [job for job in stage.jobs(case) if job.kind == "start"]

    market.handle("revoke", stage.item(case, "alpha"), reason="误点准予")
    deeds.run(stage.database, start.id)

    assert stage.tasks(case) == ["beta审批"]
    assert "start" not in [job.kind for job in stage.jobs(case)]


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


# Handed out before a promised material came ------------------------------------------------------------------------------------------------

LATER = {"material": "plan", "used_by": "alpha,beta", "tolerable": True, "until": "AFTER_ISSUE", "due_days": 3, "grace_days": 3}


def expired(stage):
    """Alpha went out on Friday, 6 March; beta is still in review; the plan has not come by Tuesday, 10 March, the end of its grace."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}}, materials=[LATER]))
    clerk = stage.person("clerk")
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    stage.person("officer-market").complete(case, "alpha审批", outcome="granted")
    stage.travel(2026, 3, 10)
    assert stage.statuses(case) == {"alpha": "issued", "beta": "in_review", "gamma": "in_review"}
    stage.travel(2026, 3, 11)


@pytest.fixture
def handed_out(begun):
    [case] = begun(expired)
    return case


def test_rectify__its_department_orders_it(stage, handed_out):
    """What is in review is given back as drawn; what is handed out is not taken back by itself."""
    [broken] = stage.all(Commitment, handed_out, item_id=stage.item(handed_out, "alpha").id)
    assert (broken.kind, broken.status, broken.findings) == ("tolerance", "rectifying", "容缺材料期满未补：plan")
    assert broken.signed_by == "好味餐饮"
    assert stage.all(Tolerance, handed_out)[0].status == "expired"
    assert stage.statuses(handed_out) == {"alpha": "issued", "beta": "terminated", "gamma": "in_review"}
    assert stage.tasks(handed_out) == ["gamma审批", "限期整改"]
    assert stage.task(handed_out, "限期整改").due_at.isoformat() == "2026-03-25T16:00:00+00:00"
    assert ("yellow", "breach") in stage.alerts(handed_out)


def test_rectify__the_applicant_is_told_of_each(stage, handed_out):
    [order] = stage.all(Notice, handed_out, kind="rectification")
    [ended] = stage.all(Notice, handed_out, kind="termination")

    assert order.content["items"] == [stage.item(handed_out, "alpha").number]
    assert ended.content["items"] == [stage.item(handed_out, "beta").number]
    assert [told.content["reason"] for told in (order, ended)] == ["容缺材料期满未补：plan", "容缺材料未补：plan"]
    assert {told.content["remedies"] for told in (order, ended)} == {notices.REMEDIES}
    assert order.content["due_on"] == "2026-03-25"


def test_rectify__supplied_after_all(stage, clerk, market, handed_out):
    clerk.hand_in(handed_out, "plan")

    market.complete(handed_out, "限期整改", outcome="verified", findings="已补交")

    [broken] = stage.all(Commitment, handed_out, item_id=stage.item(handed_out, "alpha").id)
    assert broken.status == "verified"
    assert stage.item(handed_out, "alpha").status == "issued"


def test_rectify__never_supplied(stage, market, handed_out):
    market.complete(handed_out, "限期整改", outcome="revoke", findings="拒不补交")

    assert stage.item(handed_out, "alpha").status == "revoked"
    assert stage.all(Result, handed_out)[0].voided_at is not None
    assert stage.all(Notice, handed_out, kind="revocation")[0].content["remedies"]


def test_rectify__nobody_looks(stage, handed_out):
    stage.travel(2026, 3, 26)

    assert ("red", "overdue") in stage.alerts(handed_out)
    assert "限期整改" in stage.tasks(handed_out)


def test_rectify__the_case_is_over_for_the_rest(stage, market, handed_out):
    market.complete(handed_out, "gamma审批", outcome="denied", reason_code="conditions", reason="不符合条件")

    assert stage.case(handed_out).ended_at is not None
    assert "限期整改" in stage.tasks(handed_out)


def test_rectify__whoever_checks_the_item_anyway_is_told(stage, clerk, market, fire):
    """消防告知承诺: the plan of evacuation was promised for the check on the spot; there is one check, not two."""
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=[code for code in MATERIALS if code != "m_evac"])
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    fire.complete(case, "消防承诺审查", outcome="granted", certificate_no="XF-1")

    stage.travel(2026, 6, 1)

    assert stage.item(case, "fire_check_commit").status == "issued"
    assert stage.all(Tolerance, case)[0].status == "expired"
    assert [task for task in stage.tasks(case) if task in {"事后核查", "限期整改"}] == ["事后核查"]
    assert "容缺材料期满未补" in commitment(stage, case).findings
    assert ("yellow", "breach") in stage.alerts(case)
    fire.complete(case, "事后核查", **FOUND)
    assert commitment(stage, case).status == "rectifying"


def test_rectify__the_process_has_no_such_start(stage, clerk, market):
    """An older drawing of the check: an incident says what to do, nothing else goes wrong."""
    plain = d.diagram(d.start("s"), d.user("verify", groups="department-market"), d.end("e"), d.flows("s -> verify -> e"), key="post_check")
    stage.deploy("tiny", post_check_bpmn=plain, **tiny.folder({"alpha": {}, "gamma": {}}, materials=[LATER | {"used_by": "alpha"}]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    market.complete(case, "alpha审批", outcome="granted")

    for day in range(6, 13):
        for hour in range(9, 12):
            stage.travel(2026, 3, day, hour=hour)

    assert "deploy its newest version" in stage.incidents(case)[0].message
    assert stage.tasks(case) == ["gamma审批"]


def test_verify__what_was_given_back_meanwhile(stage, clerk, market):
    """It was granted on a commitment, and never handed out since a material has not come: nothing is left of it to revoke."""
    plan = {"material": "plan", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 5, "grace_days": 15}
    stage.deploy("tiny", **tiny.folder({"zeta": {"post_check": 3}}, materials=[plan], processes={"zeta": PROMISED}))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    market.complete(case, "zeta审批", outcome="granted")
    stage.travel(2026, 3, 10)
    stage.travel(2026, 4, 30)

    market.complete(case, "事后核查", **FOUND)
    market.complete(case, "限期整改", outcome="revoke", findings="仍不符合")

    assert stage.statuses(case) == {"zeta": "terminated"}
    assert commitment(stage, case).status == "revoked"
    assert "revocation" not in stage.notices(case)
