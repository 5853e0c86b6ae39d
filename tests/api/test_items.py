"""Items over HTTP: clocks paused and extended, withdrawn, applied for again, delivered, reported."""

import pytest
import time_machine

from tests.api.bundle import ANSWERS, complete, item, submit
from tests.benchmarks.meter import counted

PAUSE = {"kind": "inspection", "reason": "现场核查", "days": 3}


@pytest.fixture
def case(running):
    return running


@pytest.fixture
def food(case):
    return item(case, "food_permit")["number"]


def test_get__by_whom_it_concerns(call, clerk, market, fire, food):
    assert market.get(f"/items/{food}").json == clerk.get(f"/items/{food}").json
    assert market.get(f"/items/{food}").json["promised_due"] == {"date": "2026-03-16", "provisional": False}
    for stranger in (fire, call("clerk-yuelu"), call("designer")):
        assert stranger.get(f"/items/{food}").status_code == 404


def test_pause__then_resume(market, food):
    paused = market.post(f"/items/{food}/pause", PAUSE)
    assert (paused.status_code, paused.json["clock"], paused.json["promised_due"]) == (200, "paused", None)
    assert [(e["kind"], e["procedure"], e["days"]) for e in paused.json["ledger"]] == [("paused", "inspection", 3)]

    with time_machine.travel("2026-03-05T09:00:00+08:00"):
        resumed = market.post(f"/items/{food}/resume", {"pause_id": paused.json["ledger"][0]["id"]})

    assert (resumed.status_code, resumed.json["clock"]) == (200, "running")
    assert resumed.json["promised_due"]["date"] == "2026-03-19"


def test_case__is_read_in_one_go_with_all_that_came_about(app, clerk, market, case, food):
    path = f"/cases/{case['number']}"
    with counted(app.extensions["database"].bind) as before:
        clerk.get(path)
    market.post(f"/items/{food}/pause", PAUSE)

    with counted(app.extensions["database"].bind) as after:
        shown = clerk.get(path).json

    assert len(item(shown, "food_permit")["ledger"]) == 1
    # Two for who asks, with a password; on PostgreSQL one for ten tables, and another for why a task waits.
    first, more = {"postgresql": (10, 1), "sqlite": (19, 6)}[app.extensions["database"].bind.dialect.name]
    assert len(before.statements) <= first
    assert len(after.statements) == len(before.statements) + more


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "holiday"}, "kind"),
        ({"kind": "tolerance_overdue"}, "kind"),
        ({"reason": ""}, "reason"),
        ({"days": 0}, "days"),
        ({"days": "3"}, "days"),
        ({"days": 3.5}, "days"),
        ({"until": 1}, "until"),
    ],
)
def test_pause__unacceptable(market, food, changes, field):
    answer = market.post(f"/items/{food}/pause", PAUSE | changes)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json["errors"]]
    assert market.get(f"/items/{food}").json["clock"] == "running"


def test_pause__by_whom_it_does_not_concern(clerk, fire, food):
    assert clerk.post(f"/items/{food}/pause", PAUSE).status_code == 403
    assert fire.post(f"/items/{food}/pause", PAUSE).status_code == 404


def test_resume__nothing_is_paused(market, food):
    assert market.post(f"/items/{food}/resume", {}).status_code == 409
    assert market.post(f"/items/{food}/resume", {"pause_id": "x"}).status_code == 422


def test_extend__once(market, food):
    order = {"days": 5, "approver": "organ_head", "reason": "情况复杂"}

    extended, again = (market.post(f"/items/{food}/extend", order) for _ in range(2))

    assert (extended.status_code, extended.json["promised_due"]["date"]) == (200, "2026-03-23")
    assert again.status_code == 409


def test_extend__changed_since_it_was_seen(market, food):
    tag = market.get(f"/items/{food}").headers["ETag"]
    market.post(f"/items/{food}/pause", PAUSE)

    answer = market.post(f"/items/{food}/extend", {"days": 5, "approver": "organ_head", "reason": "情况复杂"}, headers={"If-Match": tag})

    assert answer.status_code == 412


def test_withdraw__the_rest_goes_on(clerk, case, food):
    withdrawn = clerk.post(f"/items/{food}/withdraw", {"reason": "暂不经营食品"})

    after = clerk.get(f"/cases/{case['number']}").json
    assert (withdrawn.status_code, withdrawn.json["status"]) == (200, "withdrawn")
    assert item(after, "fire_check")["status"] == "in_review"
    assert clerk.post(f"/items/{food}/withdraw", {"reason": "再撤"}).status_code == 409


def test_reapply__while_its_bundle_is_open(clerk, fire, case):
    complete(fire, case, "现场检查", inspectors="刘洋、何静", findings="疏散通道宽度不足")
    complete(fire, case, "消防检查决定", outcome="denied", reason_code="standards", reason="疏散通道净宽不足")
    old = item(case, "fire_check")["number"]

    again = clerk.post(f"/items/{old}/reapply")

    assert again.status_code == 201
    assert again.json["number"] == case["number"]
    assert item(again.json, "fire_check")["previous_number"] == old
    assert clerk.post(f"/items/{old}/reapply").status_code == 409


def test_reapply__nothing_was_refused(clerk, food):
    assert clerk.post(f"/items/{food}/reapply").status_code == 409


def test_deliver__came_back(clerk, market, fire, case, food):
    complete(market, case, "食品经营许可审批", outcome="granted")
    complete(fire, case, "现场检查", inspectors="刘洋、何静", findings="合格")
    complete(fire, case, "消防检查决定", outcome="granted")
    complete(clerk, case, "统一出件", mode="unified", delivery="post", recipient="周明远")

    failed = clerk.post(f"/items/{food}/deliver", {"outcome": "failed"})

    assert (failed.status_code, failed.json["delivery"]) == (200, "failed")
    assert clerk.post(f"/items/{food}/deliver", {"outcome": "delivered"}).json["delivery"] == "delivered"
    assert clerk.post(f"/items/{food}/deliver", {"outcome": "failed"}).status_code == 409
    assert clerk.post(f"/items/{food}/deliver", {"outcome": "none"}).status_code == 422


def test_report__from_the_department(clerk, market, case, food):
    fits = market.post(f"/items/{food}/events", {"event_id": "e1", "state": "in_review", "external_number": "SP-1"})
    differs = market.post(f"/items/{food}/events", {"event_id": "e2", "state": "denied"})
    again = market.post(f"/items/{food}/events", {"event_id": "e2", "state": "in_review"})

    assert (fits.json["sync"], fits.json["external_number"]) == ("acked", "SP-1")
    assert differs.json["sync"] == again.json["sync"] == "diverged"
    assert "diverged" in [alert["kind"] for alert in clerk.get(f"/cases/{case['number']}").json["alerts"]]


def test_report__by_whom_it_does_not_concern(clerk, food):
    assert clerk.post(f"/items/{food}/events", {"event_id": "e1", "state": "in_review"}).status_code == 403


def test_deadlines__most_urgent_first(clerk, market, case, food):
    submit(clerk)

    everything = clerk.get("/deadlines").json["data"]
    mine = market.get("/deadlines").json["data"]

    dues = [d["promised"]["date"] for d in everything if d["promised"]]
    assert dues == sorted(dues)
    assert food in [d["item"] for d in mine]
    assert item(case, "fire_check")["number"] not in [d["item"] for d in mine]
    assert clerk.get("/deadlines?light=red").json["data"] == []
    with time_machine.travel("2026-03-17T09:00:00+08:00"):
        assert food in [d["item"] for d in clerk.get("/deadlines?light=red&department=market").json["data"]]


def test_deadlines__pages(clerk, case):
    seen, cursor = [], ""
    while cursor is not None:
        page = clerk.get(f"/deadlines?limit=1{cursor and '&cursor=' + cursor}").json
        seen += page["data"]
        cursor = page["next"]

    assert seen == clerk.get("/deadlines").json["data"]
    assert len(seen) > 1


def test_incidents__none(clerk):
    assert clerk.get("/incidents").json == {"data": []}
    assert clerk.post("/incidents/00000000-0000-0000-0000-000000000000/retry").status_code == 404


def test_revoke__before_the_result_goes_out(clerk, market, fire, case, food, tick):
    """Somebody chose the wrong line: what was granted is taken back, and the rest of the bundle goes on."""
    complete(market, case, "食品经营许可审批", outcome="granted")

    revoked = market.post(f"/items/{food}/revoke", {"reason": "误点准予，操作间未分区"})
    complete(fire, case, "现场检查", inspectors="刘洋、何静", findings="合格")
    complete(fire, case, "消防检查决定", outcome="granted")
    tick()
    complete(clerk, case, "统一出件", mode="unified", delivery="window")

    assert (revoked.status_code, revoked.json["status"], revoked.json["reason"]["reason"]) == (200, "revoked", "误点准予，操作间未分区")
    shown = clerk.get(f"/cases/{case['number']}").json
    assert shown["outcome"] == "partial"
    assert {each["code"]: each["status"] for each in shown["items"]}["food_permit"] == "revoked"
    (notice,) = (each for each in shown["notices"] if each["kind"] == "revocation")
    assert "行政复议" in notice["content"]["remedies"]
    told = [each["details"] for each in clerk.get(f"/cases/{case['number']}/journal").json["data"] if each["what"] == "item revoked"]
    assert [(each["item"], each["reason"]) for each in told] == [(food, "误点准予，操作间未分区")]


def test_revoke__after_the_result_went_out(clerk, market, case, food, tick):
    complete(market, case, "食品经营许可审批", outcome="granted", certificate_no="JY-1")
    with time_machine.travel("2026-03-17T09:00:00+08:00"):
        tick()  # the longest wait is over
    assert market.get(f"/items/{food}").json["status"] == "issued"

    revoked = market.post(f"/items/{food}/revoke", {"reason": "超越职权"}).json

    assert (revoked["status"], revoked["certificate"]["voided_at"] is not None) == ("revoked", True)
    assert clerk.post(f"/items/{food}/reapply").status_code == 201


def test_revoke__the_last_that_was_to_be_issued(clerk, call, tick):
    """Nothing is left to hand out, and nothing keeps the case from ending."""
    case = submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"])
    number = item(case, "signboard")["number"]
    urban = call("officer-urban")
    complete(clerk, case, "一窗受理", outcome="accept")
    complete(urban, case, "招牌备案审核", outcome="granted")
    tick()

    assert urban.post(f"/items/{number}/revoke", {"reason": "误点"}).status_code == 200
    tick()
    complete(clerk, case, "统一出件", mode="unified", delivery="window")

    shown = clerk.get(f"/cases/{case['number']}").json
    assert (shown["outcome"], shown["ended_at"] is not None, shown["incidents"]) == ("none_granted", True, [])


def test_revoke__what_waits_for_it_is_blocked(clerk, market):
    case = submit(clerk, answers=ANSWERS | {"q_comprehensive": "是"})
    complete(clerk, case, "一窗受理", outcome="accept")
    complete(market, case, "食品经营许可审批", outcome="granted")

    market.post(f"/items/{item(case, 'food_permit')['number']}/revoke", {"reason": "误点"})

    permit = item(clerk.get(f"/cases/{case['number']}").json, "comprehensive_permit")
    assert (permit["status"], permit["reason"]) == ("blocked", {"reason": "前置事项未通过：食品经营许可（新办）"})


@pytest.mark.parametrize(("who", "status"), [("officer-fire", 404), ("clerk", 403), ("supervisor", 403)])
def test_revoke__by_whom_it_does_not_concern(call, market, case, food, who, status):
    complete(market, case, "食品经营许可审批", outcome="granted")

    assert call(who).post(f"/items/{food}/revoke", {"reason": "误点"}).status_code == status
    assert market.get(f"/items/{food}").json["status"] == "granted"


def test_revoke__nothing_that_was_granted(market, case, food):
    undecided = market.post(f"/items/{food}/revoke", {"reason": "误点"})
    complete(market, case, "食品经营许可审批", outcome="denied", reason_code="conditions", reason="操作间未分区")
    denied = market.post(f"/items/{food}/revoke", {"reason": "误点"})

    assert (undecided.status_code, undecided.json["current_status"]) == (409, "in_review")
    assert (denied.status_code, denied.json["current_status"]) == (409, "denied")
    assert market.post(f"/items/{food}/revoke", {"reason": " "}).status_code == 422
