"""Tasks of people, as Tasklist-like programs ask for them."""

import json
from urllib.parse import unquote

import pytest

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


@pytest.mark.parametrize("query", ["orQueries=x", "colour=red", "sortBy=colour", "dueBefore=tomorrow", "priority=high"])
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


@pytest.mark.parametrize("verb", ["complete", "submit-form"])
def test_complete(client, task, verb):
    clerk = client("clerk")

    refused = clerk.post(f"/task/{task['id']}/{verb}", {"variables": {}})
    done = clerk.post(f"/task/{task['id']}/{verb}", {"variables": {"age": {"value": 7}}, "withVariablesInReturn": True})

    assert refused.status_code == 400
    assert "年龄" in refused.json["message"]
    assert (done.status_code, done.json["age"]["value"]) == (200, 7)
    (following,) = clerk.get("/task?processDefinitionKey=p").json
    assert following["name"] == "复核"
    assert clerk.get(f"/task/{following['id']}/deployed-form").status_code == 400
    assert clerk.post(f"/task/{following['id']}/complete").status_code == 204
    assert clerk.get(f"/task/{task['id']}").status_code == 404


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
