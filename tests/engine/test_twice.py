"""Each command that may have an Idempotency-Key, twice at the same moment: the second waits for the first, and is told the same.

A key is unique only beside the rows of one case: that the same command has one effect rests on what each of them locks and makes
(docs/decisions/0021).  So whoever adds a command adds it here.
"""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
import time_machine

from api.simulation.hall import WRONG
from tests import restaurant
from tests.bpmn import diagrams as d
from tests.course import BUNDLE, FIRE, FOOD, MONDAY
from tests.hall import WORKFLOWS, Hall, Person, furnish, item
from tests.twice import at_once

#: What keeps no answer: it changes nothing, or what it tells is not to be kept.
UNKEPT = {
    *("v1.accounts.issue_key", "v1.deployments.check", "v1.matters.make_checklist", "v1.sessions.log_in", "v1.sessions.log_out"),
}
#: Done, and the second time only said again.
DONE = [(True, None), (True, "true")]
AGENT = {"name": "许文清", "id_number": "430105198809211448"}
WORKED = d.diagram(d.start("s"), d.external("work", topic="print"), d.end("e"), d.flows("s -> work -> e"))


class Twice:
    """A hall in which every command comes twice."""

    def __init__(self, hall):
        self.hall, self.given = hall, set()

    def __call__(self, who, path, body=None, method="POST"):
        """Give a command; gives the answer."""
        headers = {"Idempotency-Key": uuid4().hex}

        def do():
            person = Person(self.hall, who)
            return person.client.open(
                f"/api/v1{path}", method=method, json=body if body is not None else {}, headers=person.headers | headers
            )

        answers = at_once(self.hall.database, do)
        one, two = (answer.get_json() for answer in answers)
        assert [(answer.status_code < WRONG, answer.headers.get("Idempotency-Replayed")) for answer in answers] == DONE, one
        assert one == two
        self.given.add(self.hall.app.url_map.bind("").match(f"/api/v1{path}", method)[0])
        return one


@pytest.fixture
def hall(postgresql, tmp_path):
    with postgresql.branch(furnish).fresh() as url, time_machine.travel(MONDAY, tick=True) as traveller:
        hall = Hall(url, tmp_path, traveller)
        yield hall
        hall.close()


def test_commands__twice_at_once(hall):
    twice = Twice(hall)

    to_a_bundle(twice, hall["clerk"])
    to_a_bundle_that_adopts(twice, hall["clerk"])
    to_a_worker(twice, hall["worker"], hall["admin"])
    to_the_installation(twice)

    kept = {
        rule.endpoint
        for rule in hall.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.methods & {"POST", "PUT", "DELETE"}
    }
    assert twice.given == kept - UNKEPT


def to_a_bundle(twice, clerk):
    """From the window to the mark."""
    applicant = BUNDLE["applicant"] | {"agent": AGENT | {"name": "许文情"}}
    case = twice("clerk", "/cases", BUNDLE | {"applicant": applicant, "materials": restaurant.without("m_plan")})
    task = f"/tasks/{clerk.task(case, '一窗受理')['id']}"
    twice("clerk", f"/cases/{case['number']}/contact", {"phone": "13800000001"})
    twice("clerk", f"/cases/{case['number']}/name", {"name": "长沙湘味大馆餐饮有限公司", "reason": "录入有误"})
    twice("clerk", f"/cases/{case['number']}/agent", {"agent": AGENT, "reason": "录入有误"})
    twice("clerk", f"{task}/claim")
    twice("clerk", f"{task}/release")
    twice("clerk", f"{task}/draft", {"outcome": "tolerate"}, method="PUT")
    twice("clerk", f"{task}/draft", method="DELETE")
    twice("clerk", f"{task}/complete", {"outcome": "tolerate", "commitment_signed": True})
    food = f"/items/{item(clerk.case(case), 'food_permit')['number']}"
    twice("officer-market", f"{food}/pause", {"kind": "hearing", "reason": "听证", "days": 3})
    twice("officer-market", f"{food}/resume")
    twice("officer-market", f"{food}/extend", {"days": 3, "approver": "organ_head", "reason": "延期"})
    twice("officer-market", f"{food}/events", {"event_id": "e1", "state": "in_review", "external_number": "SP-1"})
    twice("clerk", f"/cases/{case['number']}/materials", {"code": "m_plan"})
    (plan,) = (m for m in clerk.case(case)["materials"] if m["code"] == "m_plan")
    twice("officer-market", f"{food}/materials/{plan['no']}/reject", {"reason": "图纸模糊"})
    twice("clerk", f"/cases/{case['number']}/materials", {"code": "m_plan"})
    clerk.hall["officer-fire"].complete(case, "消防承诺审查", outcome="granted")
    clerk.hall["officer-market"].complete(case, "食品经营许可审批", outcome="granted")
    clerk.complete(case, "统一出件", mode="unified", delivery="post", recipient="周明远")
    twice("clerk", f"{food}/deliver", {"outcome": "failed"})
    twice("clerk", f"/cases/{case['number']}/rate", {"score": 5})
    twice("officer-market", f"{food}/revoke", {"reason": "误点准予"})


def to_a_bundle_that_adopts(twice, clerk):
    alone = clerk.submit(**BUNDLE | {"matter": "food_permit", "materials": FOOD})
    clerk.complete(alone, "一窗受理", outcome="accept")
    bundle = clerk.submit(**BUNDLE, items=["fire_check_commit"], materials=FIRE)
    clerk.complete(bundle, "一窗受理", outcome="accept")
    case, food = f"/cases/{bundle['number']}", alone["items"][0]["number"]
    twice("clerk", f"{case}/adopt", {"item_no": food})
    twice("clerk", f"{case}/follow-on", {"items": ["signboard"]})
    twice("clerk", f"/items/{food}/withdraw", {"reason": "不办了"})
    twice("clerk", f"/items/{food}/reapply")
    twice("clerk", f"{case}/withdraw", {"reason": "不办了"})


def to_a_worker(twice, worker, admin):
    """Something fails, and is tried again."""
    twice("designer", "/deployments", {"name": "worked", "files": [{"name": "p.bpmn", "content": WORKED.decode()}]})
    worker.hall["designer"].camunda("/process-definition/key/p/start", {})
    topic = {"topicName": "print", "lockDuration": 600_000}
    (task,) = worker.camunda("/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 1, "topics": [topic]})
    worker.camunda(f"/external-task/{task['id']}/failure", {"workerId": "w", "errorMessage": "no paper"})
    (incident,) = admin.get("/incidents")["data"]
    twice("admin", f"/incidents/{incident['id']}/retry")
    twice("admin", "/messages/confirm", {"ids": [message["id"] for message in admin.get("/messages", limit=500)["data"]]})


def to_the_installation(twice):
    twice("admin", "/departments/grain", {"name": "粮食和物资储备局"}, method="PUT")
    twice("admin", "/halls/kaifu", {"name": "开福区政务服务中心", "level": "county"}, method="PUT")
    twice("admin", "/departments/grain", method="DELETE")
    twice("admin", "/halls/kaifu", method="DELETE")
    twice("admin", "/accounts", {"name": "li.lei"})
    twice("admin", "/accounts/li.lei/grants", {"role": "officer", "department": "fire"})
    twice("admin", "/accounts/li.lei/grants/revoke", {"role": "officer", "department": "fire"})
    twice("admin", "/accounts/li.lei/password", {"password": "something long"})
    key = twice.hall["admin"].post("/accounts/li.lei/keys", {"label": "报表"})
    twice("admin", f"/accounts/li.lei/keys/{key['id']}/revoke")
    twice("admin", "/accounts/li.lei/disable")
    twice("admin", "/calendar", json.loads((WORKFLOWS / "calendars/2026.json").read_text("utf-8")))
