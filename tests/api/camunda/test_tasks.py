"""Tasks of people, as Tasklist-like programs ask for them."""

import json
from urllib.parse import unquote

import pytest

from tests.api import bundle
from tests.api.conftest import Caller
from tests.bpmn import diagrams as d

FORM = {
    "type": "default",
    "id": "registration",
    "schemaVersion": 16,
    "components": [{"type": "number", "key": "age", "label": "年龄", "validate": {"required": True}}],
}
DIAGRAM = d.diagram(
    d.start("s"),
    d.user("t", name="登记", groups="window", form="registration"),
    d.user("u", name="复核", groups="window"),
    d.end("e"),
    d.flows("s -> t -> u -> e"),
    key="p",
)


@pytest.fixture
def task(designer, client):
    """The task of a process, as a clerk sees it."""
    designer.deploy({"p.bpmn": DIAGRAM, "registration.form": json.dumps(FORM)}, name="p")
    designer.post("/process-definition/key/p/start", {"businessKey": "B", "variables": {"name": {"value": "张"}}})
    (found,) = client("clerk").get("/task?processDefinitionKey=p").json
    return found


def test_show(client, task):
    shown = client("clerk").get(f"/task/{task['id']}").json

    assert shown == task
    assert (task["name"], task["taskDefinitionKey"], task["assignee"], task["taskState"]) == ("登记", "t", None, "Created")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("candidateGroup=window", 1), ("candidateGroup=x", 0), ("candidateGroups=window,x", 1), ("assignee=clerk", 0), ("unassigned=true", 1), ("assigned=true", 0),
        ("processInstanceBusinessKey=B", 1), ("processInstanceBusinessKey=C", 0), ("taskDefinitionKey=t", 1), ("taskDefinitionKey=u", 0), ("sortBy=created&sortOrder=desc", 1),
        ("nameLike=登%25", 1), ("taskId=%20", 0), ("minPriority=51", 0), ("priority=50", 1), ("createdAfter=2027-01-01T00:00:00", 0), ("createdBefore=2027-01-01T00:00:00", 1), ("withoutDueDate=true", 1),
        ("processVariables=name_eq_张", 1), ("processVariables=name_neq_张", 0), ("withCandidateGroups=true", 1), ("withoutCandidateGroups=true", 0), ("processDefinitionName=p", 1), ("candidateUser=clerk", 1), ("candidateUser=officer-fire", 0), ("candidateUser=nobody", 0), ("owner=x", 0),
        ("followUpBefore=2027-01-01T00:00:00", 0), ("followUpBeforeOrNotExistent=2027-01-01T00:00:00", 1),
    ],
)  # fmt: skip
def test_list__filtered(client, task, query, found):
    assert client("clerk").get(f"/task/count?processDefinitionKey=p&{query}").json == {"count": found}
    body = {"processDefinitionKey": "p", **dict(part.split("=") for part in unquote(query).split("&"))}
    assert client("clerk").post("/task/count", body).json == {"count": found}


@pytest.mark.parametrize(
    "query", ["orQueries=x", "colour=red", "processVariables=x", "sortBy=colour&sortOrder=asc", "dueBefore=tomorrow", "priority=high"]
)
def test_list__unacceptable(client, query):
    assert client("clerk").get(f"/task?{query}").status_code in {400, 404}


def test_claim__and_give_back(client, task):
    clerk = client("clerk")

    assert clerk.post(f"/task/{task['id']}/claim", {"userId": "clerk"}).status_code == 204
    assert clerk.get("/task?processDefinitionKey=p&candidateGroup=window").json == []
    assert len(clerk.get("/task?processDefinitionKey=p&candidateGroup=window&includeAssignedTasks=true").json) == 1
    assert client("clerk-yuelu").post(f"/task/{task['id']}/claim", {"userId": "clerk-yuelu"}).status_code == 400
    assert {"userId": "clerk", "groupId": None, "type": "assignee"} in clerk.get(f"/task/{task['id']}/identity-links").json
    assert clerk.post(f"/task/{task['id']}/unclaim").status_code == 204
    assert clerk.post(f"/task/{task['id']}/assignee", {"userId": "clerk"}).status_code == 204
    assert clerk.post(f"/task/{task['id']}/assignee", {"userId": None}).status_code == 204


def test_claim__for_somebody_else(client, task):
    assert client("clerk").post(f"/task/{task['id']}/claim", {"userId": "admin"}).status_code == 400


def test_form(client, task):
    clerk = client("clerk")

    assert clerk.get(f"/task/{task['id']}/form").json["camundaFormRef"]["key"] == "registration"
    assert clerk.get(f"/task/{task['id']}/deployed-form").json == FORM
    assert clerk.get(f"/task/{task['id']}/form-variables").json["name"]["value"] == "张"


def test_submit_form(client, task):
    clerk = client("clerk")

    refused = clerk.post(f"/task/{task['id']}/submit-form", {"variables": {}})
    done = clerk.post(f"/task/{task['id']}/submit-form", {"variables": {"age": {"value": 7}}, "withVariablesInReturn": True})

    assert refused.status_code == 400
    assert "年龄" in refused.json["message"]
    assert (done.status_code, done.json["age"]["value"]) == (200, 7)
    (following,) = clerk.get("/task?processDefinitionKey=p").json
    assert following["name"] == "复核"
    assert clerk.get(f"/task/{following['id']}/deployed-form").status_code == 400
    assert clerk.post(f"/task/{following['id']}/submit-form").status_code == 204
    assert clerk.get(f"/task/{task['id']}").status_code == 404


def test_complete__what_the_form_does_not_take(client, designer, task):
    """The constraints of a form are those of `submit-form`."""
    variables = {"when": {"value": "2026-03-01T08:00:00.000+0800", "type": "Date"}, "gone": {"value": 1, "valueInfo": {"transient": True}}}

    answer = client("clerk").post(f"/task/{task['id']}/complete", {"variables": variables})

    assert answer.status_code == 204
    kept = designer.get(f"/process-instance/{task['processInstanceId']}/variables").json
    assert (set(kept), kept["when"]["type"]) == ({"name", "when"}, "Date")


@pytest.mark.parametrize("verb", ["complete", "submit-form"])
def test_complete__of_a_case(client, verb):
    """What the law decides fits its form, however it is completed."""
    clerk = client("clerk")
    bundle.submit(Caller(clerk.app, "clerk"))
    (task,) = clerk.get("/task").json

    answer = clerk.post(f"/task/{task['id']}/{verb}", {"variables": {"outcome": {"value": "nonsense"}}})

    assert (answer.status_code, answer.json["type"]) == (400, "InvalidRequestException")


CAUGHT = d.diagram(
    d.start("s"),
    d.user("t", name="登记", groups="window"),
    d.error_boundary("wrong", on="t", error="E1"),
    d.user("mend", groups="window"),
    d.end("e"),
    d.flows("s -> t -> e", "wrong -> mend -> e"),
    key="caught",
)


def test_raise_error__caught(client, designer):
    started, clerk = designer.start(CAUGHT, key="caught"), client("clerk")
    (task,) = clerk.get("/task?processDefinitionKey=caught").json

    answer = clerk.post(f"/task/{task['id']}/bpmnError", {"errorCode": "E1", "errorMessage": "m", "variables": {"why": {"value": "x"}}})

    assert answer.status_code == 204
    assert [one["taskDefinitionKey"] for one in clerk.get("/task?processDefinitionKey=caught").json] == ["mend"]
    assert designer.get(f"/process-instance/{started['id']}/variables/why").json["value"] == "x"


def test_raise_escalation__nobody_catches_it(client, task):
    answer = client("clerk").post(f"/task/{task['id']}/bpmnEscalation", {"escalationCode": "up"})

    assert answer.status_code == 400
    assert client("clerk").get(f"/task/{task['id']}").status_code == 200


@pytest.mark.parametrize("verb", ["bpmnError", "bpmnEscalation"])
def test_raise__of_a_case(client, verb):
    clerk = client("clerk")
    bundle.submit(Caller(clerk.app, "clerk"))
    (task,) = clerk.get("/task").json

    answer = clerk.post(f"/task/{task['id']}/{verb}", {"errorCode": "x", "escalationCode": "x"})

    assert (answer.status_code, "with its outcome" in answer.json["message"]) == (400, True)


def test_update__everything_at_once(client, designer, task):
    """What is left out is nothing: Camunda sets the whole task."""
    sent = {"name": "登记（急）", "description": "先看", "priority": 90, "assignee": "clerk", "owner": "admin", "due": "2026-03-09T08:00:00.000+0800", "followUp": "2026-03-05T08:00:00.000+0800"}  # fmt: skip

    assert designer.put(f"/task/{task['id']}", sent).status_code == 204

    shown = client("clerk").get(f"/task/{task['id']}").json
    assert {name: shown[name] for name in sent} == sent
    assert shown["lastUpdated"].startswith("2026-03-02T09:00")
    assert client("clerk").put(f"/task/{task['id']}", {"assignee": "clerk"}).status_code == 204  # who has it, may, too
    shown = client("clerk").get(f"/task/{task['id']}").json
    assert [shown[name] for name in ("name", "description", "priority", "owner", "due", "followUp")] == ["t", None, 90, None, None, None]


def test_update__due_date_stays(client, designer):
    """It is not what the diagram says any more, whatever goes on beside the task."""
    both = d.diagram(
        d.start("s"), d.parallel("f"), d.user("a", due="P1D", groups="window"), d.user("b", groups="window"), d.end("e"),
        d.flows("s -> f -> a -> e", "f -> b -> e"), key="p",
    )  # fmt: skip
    designer.start(both)
    a, b = client("clerk").get("/task?processDefinitionKey=p&sortBy=name&sortOrder=asc").json

    designer.put(f"/task/{a['id']}", {"name": "a", "due": "2026-04-01T08:00:00.000+0800"})
    client("clerk").post(f"/task/{b['id']}/complete")

    assert client("clerk").get(f"/task/{a['id']}").json["due"] == "2026-04-01T08:00:00.000+0800"


@pytest.mark.parametrize(
    "sent",
    [{"delegationState": "LOST"}, {"due": "soon"}, {"priority": "high"}, {"priority": 2**31}, {"parentTaskId": "x"}, {"tenantId": "x"}],
)
def test_update__unacceptable(designer, task, sent):
    assert designer.put(f"/task/{task['id']}", sent).status_code == 400


def test_update__by_whom_it_does_not_concern(client, task):
    assert client("clerk").put(f"/task/{task['id']}", {"name": "x"}).status_code == 403


def test_assignee__for_somebody_else(client, designer, task):
    assert designer.post(f"/task/{task['id']}/assignee", {"userId": "clerk-yuelu"}).status_code == 204
    assert client("clerk").post(f"/task/{task['id']}/assignee", {"userId": "clerk-yuelu"}).status_code == 403
    assert client("clerk-yuelu").get(f"/task/{task['id']}").json["assignee"] == "clerk-yuelu"


def test_delegate__and_resolve(client, task):
    """Whose it was has it again once the other is through, and completes it."""
    clerk, officer = client("clerk"), client("officer-fire")
    clerk.post(f"/task/{task['id']}/claim", {"userId": "clerk"})

    assert clerk.post(f"/task/{task['id']}/delegate", {"userId": "officer-fire"}).status_code == 204
    shown = officer.get(f"/task/{task['id']}").json
    assert [shown[name] for name in ("assignee", "owner", "delegationState")] == ["officer-fire", "clerk", "PENDING"]
    assert officer.post(f"/task/{task['id']}/complete").status_code == 400
    assert officer.get("/task/count?delegationState=PENDING").json == {"count": 1}
    assert officer.post(f"/task/{task['id']}/resolve", {"variables": {"found": {"value": "ok"}}}).status_code == 204
    shown = clerk.get(f"/task/{task['id']}").json
    assert [shown[name] for name in ("assignee", "owner", "delegationState")] == ["clerk", "clerk", "RESOLVED"]
    assert clerk.get(f"/task/{task['id']}/variables").json["found"]["value"] == "ok"
    assert clerk.post(f"/task/{task['id']}/complete").status_code == 204


def test_delegate__what_is_not_yours(client, task):
    assert client("clerk").post(f"/task/{task['id']}/delegate", {"userId": "officer-fire"}).status_code == 403
    assert client("clerk").post(f"/task/{task['id']}/resolve").status_code == 403


def test_delegate__of_a_case(client):
    """Whose the task of a case is, the law says."""
    clerk = client("clerk")
    bundle.submit(Caller(clerk.app, "clerk"))
    (task,) = clerk.get("/task").json
    clerk.post(f"/task/{task['id']}/claim", {"userId": "clerk"})

    statuses = {
        clerk.post(f"/task/{task['id']}/delegate", {"userId": "officer-fire"}).status_code,
        clerk.put(f"/task/{task['id']}", {}).status_code,
    }

    assert statuses == {400}


def test_identity_links(client, designer, task):
    of = f"/task/{task['id']}/identity-links"

    assert designer.post(of, {"userId": "officer-fire", "type": "candidate"}).status_code == 204
    assert designer.post(of, {"userId": "admin", "type": "owner"}).status_code == 204
    assert designer.get(of).json == [
        {"userId": "admin", "groupId": None, "type": "owner"},
        {"userId": "officer-fire", "groupId": None, "type": "candidate"},
        {"userId": None, "groupId": "window", "type": "candidate"},
    ]
    assert designer.get(f"{of}?type=owner").json == [{"userId": "admin", "groupId": None, "type": "owner"}]
    assert designer.post(f"{of}/delete", {"groupId": "window", "type": "candidate"}).status_code == 204
    assert client("clerk").get(of).status_code == 404
    assert client("officer-fire").post(of, {"userId": "officer-gas", "type": "candidate"}).status_code == 403


@pytest.mark.parametrize("link", [{}, {"type": "candidate"}, {"type": "friend", "userId": "x"}, {"type": "owner", "groupId": "x"}])
def test_identity_links__unacceptable(designer, task, link):
    assert designer.post(f"/task/{task['id']}/identity-links", link).status_code == 400


def test_comments__also_when_it_is_over(client, task):
    clerk, of = client("clerk"), f"/task/{task['id']}/comment"

    made = clerk.post(f"{of}/create", {"message": "缺章"}).json
    clerk.post(f"/task/{task['id']}/complete")
    clerk.post(f"{of}/create", {"message": "已补"})

    assert [made[name] for name in ("userId", "message", "taskId", "processInstanceId")] == [
        "clerk",
        "缺章",
        task["id"],
        task["processInstanceId"],
    ]
    assert [one["message"] for one in clerk.get(of).json] == ["已补", "缺章"]
    assert clerk.get(f"{of}/{made['id']}").json == made
    assert clerk.get(f"{of}/x").status_code == 404
    assert client("officer-fire").get(of).status_code == 404


@pytest.mark.parametrize("body", [{}, {"message": ""}, {"message": 1}, {"message": "x" * 4001}])
def test_comments__unacceptable(client, task, body):
    assert client("clerk").post(f"/task/{task['id']}/comment/create", body).status_code == 400


def test_list__in_one_way_or_another(client, task):
    """`orQueries`: each is what any of its filters finds."""
    clerk = client("clerk")

    def count(*queries):
        return clerk.post("/task/count", {"processDefinitionKey": "p", "orQueries": list(queries)}).json["count"]

    assert (
        count({"name": "登记", "assignee": "x"}),
        count({"name": "x", "assignee": "x"}),
        count({"name": "登记"}, {"name": "x"}),
        count({}),
    ) == (1, 0, 0, 1)
    assert clerk.post("/task", {"orQueries": [1]}).status_code == 400


@pytest.mark.parametrize("task_id", ["x", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize(
    ("method", "verb"),
    [("GET", ""), ("POST", "/claim"), ("POST", "/unclaim"), ("POST", "/complete"), ("GET", "/form"), ("GET", "/identity-links")],
)
def test_anything__no_such_task(client, task_id, method, verb):
    assert client("clerk").call(method, f"/task/{task_id}{verb}").status_code == 404


def test_number__is_none_of_a_case(admin, client, task):
    number = admin.get(f"/tasks/{task['id']}").json["case"]

    assert admin.get(f"/cases/{number}").status_code == 404
    assert number not in [case["number"] for case in admin.get("/cases").json["data"]]
