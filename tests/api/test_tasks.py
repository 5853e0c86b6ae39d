"""The worklist, and completing a task over HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine

from tests.api.bundle import APPLICANT, accepted, complete, submit, task
from tests.api.test_tables import read


def names(answer):
    return [t["name"] for t in answer.json["data"]]


def test_list__each_sees_what_is_theirs(call, clerk, fire, market):
    accepted(clerk)
    submit(clerk)

    assert names(clerk.get("/tasks")) == ["一窗受理"]
    assert names(fire.get("/tasks")) == ["现场检查"]
    assert names(market.get("/tasks")) == ["食品经营许可审批"]
    assert names(call("clerk-yuelu").get("/tasks")) == names(call("officer-health").get("/tasks")) == []
    assert sorted(names(call("supervisor").get("/tasks"))) == sorted(["一窗受理", "现场检查", "食品经营许可审批"])


def test_list__says_whose_it_is_and_what_it_is_about(clerk, fire):
    """Who has two hundred of them looks for a name, and opens none to find it."""
    accepted(clerk)
    submit(clerk)

    (at_the_window,), (at_the_department,) = (caller.get("/tasks").json["data"] for caller in (clerk, fire))
    assert (at_the_window["applicant"], at_the_window["item_name"]) == (APPLICANT["name"], None)
    name = "公众聚集场所投入使用、营业前消防安全检查（一般程序）"
    assert (at_the_department["applicant"], at_the_department["item_name"]) == (APPLICANT["name"], name)
    (row,) = read(fire, "/tasks?format=csv")
    assert (row["申请人"], row["事项名称"]) == (APPLICANT["name"], name)


def test_list__filters(running, supervisor):
    first, second = task(supervisor, running, "现场检查"), task(supervisor, running, "食品经营许可审批")
    earlier, later = sorted([first, second], key=lambda t: (t["due_at"] or "9", t["id"]))

    assert names(supervisor.get("/tasks?group=department-fire")) == ["现场检查"]
    assert names(supervisor.get("/tasks?matter=newborn")) == []
    assert names(supervisor.get("/tasks?assignee=clerk")) == []
    assert len(names(supervisor.get("/tasks?light=green"))) == 2
    assert names(supervisor.get("/tasks?light=red")) == []
    assert names(supervisor.get("/tasks?due_before=2026-03-02T00:00:00Z")) == []
    page = supervisor.get("/tasks?limit=1").json
    assert [t["id"] for t in page["data"]] == [earlier["id"]]
    assert [t["id"] for t in supervisor.get(f"/tasks?limit=1&cursor={page['next']}").json["data"]] == [later["id"]]


@pytest.mark.parametrize(
    "query", ["due_before=tomorrow", "due_before=2026-03-02T00:00:00", "light=blue", "cursor=WyJ4IiwieCJd", "status=open"]
)
def test_list__unacceptable_query(clerk, query):
    assert clerk.get(f"/tasks?{query}").status_code == 422


@pytest.mark.parametrize("few", [2000, 0])
def test_list__red_when_time_has_passed(clerk, supervisor, market, few, rare):
    """Whether red ones are few enough to be looked at one by one, or not."""
    rare(few)
    accepted(clerk)

    with time_machine.travel("2026-04-02T09:00:00+08:00"):
        assert len(names(supervisor.get("/tasks?light=red"))) == 2
        assert names(market.get("/tasks?light=red")) == ["食品经营许可审批"]
        assert names(market.get("/tasks?light=yellow")) == names(market.get("/tasks?light=green")) == []
        assert len(supervisor.get("/cases?light=red").json["data"]) == 1


def test_get__has_its_form(clerk):
    shown = clerk.get(f"/tasks/{task(clerk, submit(clerk), '一窗受理')['id']}").json

    assert shown["applicant"] == "长沙湘味小馆餐饮有限公司"
    outcome = next(field for field in shown["form"] if field["key"] == "outcome")
    assert [option["value"] for option in outcome["options"]] == ["accept", "tolerate", "supplement", "refuse"]


def test_claim__then_release(call, app, clerk):
    found = task(clerk, submit(clerk), "一窗受理")

    assert clerk.post(f"/tasks/{found['id']}/claim").json["assignee"] == "clerk"
    assert clerk.post(f"/tasks/{found['id']}/claim").status_code == 200
    assert call("supervisor").post(f"/tasks/{found['id']}/claim").status_code == 409
    assert clerk.post(f"/tasks/{found['id']}/release").json["assignee"] is None
    assert clerk.post(f"/tasks/{found['id']}/release").status_code == 409


def test_complete__advances_the_case(clerk, submitted):
    done = complete(clerk, submitted, "一窗受理", outcome="accept")

    assert (done["status"], done["completed_by"], done["data"]["outcome"]) == ("completed", "clerk", "accept")
    assert {i["code"]: i["status"] for i in clerk.get(f"/cases/{submitted['number']}").json["items"]} == {
        "business_licence_check": "granted",
        "food_permit": "in_review",
        "fire_check": "in_review",
    }


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "outcome"),
        ({"outcome": "maybe"}, "outcome"),
        ({"outcome": 1}, "outcome"),
        ({"outcome": ["accept"]}, "outcome"),
        ({"outcome": None}, "outcome"),
        ({"outcome": "accept", "surprise": 1}, "surprise"),
        ({"outcome": "accept", "reason": "x"}, "reason"),
        ({"outcome": "refuse"}, "reason"),
        ({"outcome": "refuse", "refusal_kind": "not_required", "reason": {"a": 1}}, "reason"),
        ({"outcome": "refuse", "refusal_kind": "not_accepted", "reason": "不属于本机关职权"}, "competent_organ"),
        ({"outcome": "accept\0"}, "outcome"),
    ],
)
def test_complete__unacceptable_form(clerk, submitted, data, field):
    found = task(clerk, submitted, "一窗受理")

    answer = clerk.post(f"/tasks/{found['id']}/complete", data)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json["errors"]]
    assert clerk.get(f"/cases/{submitted['number']}").json == submitted


@pytest.mark.parametrize("body", ["[]", '"accept"', "null", "1"])
def test_complete__no_object(clerk, body):
    found = task(clerk, submit(clerk), "一窗受理")

    assert clerk.post(f"/tasks/{found['id']}/complete", data=body, content_type="application/json").status_code == 422


@pytest.mark.parametrize("command", ["claim", "release", "complete"])
def test_command__task_of_somebody_else(call, clerk, fire, command):
    found = task(clerk, submit(clerk), "一窗受理")

    for stranger in (fire, call("clerk-yuelu"), call("designer")):
        assert stranger.post(f"/tasks/{found['id']}/{command}", {}).status_code == 404
    assert clerk.get(f"/tasks/{found['id']}").json["status"] == "open"


@pytest.mark.parametrize("task_id", ["00000000-0000-0000-0000-000000000000", "1", "a b"])
def test_complete__unknown_task(clerk, task_id):
    assert clerk.post(f"/tasks/{task_id}/complete", {}).status_code == 404


def test_complete__twice(clerk):
    found = task(clerk, submit(clerk), "一窗受理")
    clerk.post(f"/tasks/{found['id']}/complete", {"outcome": "accept"})

    again = clerk.post(f"/tasks/{found['id']}/complete", {"outcome": "accept"})

    assert (again.status_code, again.json["current_status"]) == (409, "completed")
    assert "but it is completed" in again.json["detail"]


def test_complete__twice_with_one_key(clerk, submitted):
    found = task(clerk, submitted, "一窗受理")

    first, again = (clerk.post(f"/tasks/{found['id']}/complete", {"outcome": "accept"}, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (first.status_code, again.status_code, again.json) == (200, 200, first.json)
    assert [e["what"] for e in clerk.get(f"/cases/{submitted['number']}/journal").json["data"]].count("case accepted") == 1


def test_complete__at_once_by_two(call, clerk, submitted):
    found = task(clerk, submitted, "一窗受理")

    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda who: call(who).post(f"/tasks/{found['id']}/complete", {"outcome": "accept"}), ["clerk", "supervisor"])
        )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [e["what"] for e in clerk.get(f"/cases/{submitted['number']}/journal").json["data"]].count("case accepted") == 1


def test_complete__at_once_with_one_key(call, clerk, submitted):
    path = f"/tasks/{task(clerk, submitted, '一窗受理')['id']}/complete"

    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda c: c.post(path, {"outcome": "accept"}, headers={"Idempotency-Key": "k"}), [call("clerk") for _ in range(4)])
        )

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False, True, True, True]
    assert [e["what"] for e in clerk.get(f"/cases/{submitted['number']}/journal").json["data"]].count("case accepted") == 1


def test_complete__claimed_by_somebody_else(call, clerk):
    found = task(clerk, submit(clerk), "一窗受理")
    clerk.post(f"/tasks/{found['id']}/claim")

    answer = call("supervisor").post(f"/tasks/{found['id']}/complete", {"outcome": "accept"})

    assert (answer.status_code, answer.json["assignee"]) == (409, "clerk")


def test_complete__changed_since_it_was_seen(clerk):
    found = task(clerk, submit(clerk), "一窗受理")
    tag = clerk.get(f"/tasks/{found['id']}").headers["ETag"]
    clerk.post(f"/tasks/{found['id']}/claim")

    stale = clerk.post(f"/tasks/{found['id']}/complete", {"outcome": "accept"}, headers={"If-Match": tag})

    assert stale.status_code == 412
    assert clerk.get(f"/tasks/{found['id']}").json["status"] == "open"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("2026-03-25T08:30:00+08:00", "in an address + is written %2B"),
        ("2026-03-25T08:30:00", "Expected a moment with its time zone"),
        ("2026-03-25", "Expected a moment with its time zone"),
        ("20260325", "but it is a number"),
        ("1774400000.5", "but it is a number"),
        ("2026-03-25T00:30:00Z&due_before=2026-03-26T00:30:00Z", "Expected one value, but there are several"),
    ],
)
def test_list__due_before_no_moment(clerk, query, message):
    """Somebody is told what he can do; a plus that is not written as %2B arrives as a blank."""
    answer = clerk.get(f"/tasks?due_before={query}")

    assert (answer.status_code, [error["field"] for error in answer.json["errors"]]) == (422, ["due_before"])
    assert message in answer.json["errors"][0]["message"]


def test_findings__what_the_inspection_has_left(running, supervisor, fire, market):
    """Whoever decides sees what was found, by the label of its form; the answers are in the case."""
    visit = task(supervisor, running, "现场检查")
    assert fire.get(f"/tasks/{visit['id']}/findings").json == {"data": []}

    complete(fire, running, "现场检查", inspectors="周检查、吴检查", findings="符合要求")

    decide = task(supervisor, running, "消防检查决定")
    told = {each["name"]: (each["label"], each["value"]) for each in fire.get(f"/tasks/{decide['id']}/findings").json["data"]}
    assert told["findings"] == ("核查情况", "符合要求")
    assert not told.keys() & {"q_area", "applicant_name"}
    assert market.get(f"/tasks/{decide['id']}/findings").status_code == 404
