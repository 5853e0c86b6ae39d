"""Executions: each activation that lasts is one, with variables of its own; tasks have them, too."""

import base64

import pytest

from tests.api import bundle
from tests.api.camunda.conftest import form_task, worked
from tests.api.camunda.test_external_tasks import fetch
from tests.api.conftest import Caller
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d

DATE = {"value": "2026-03-01T08:00:00.000+0800", "type": "Date", "valueInfo": {}}
FILE = {"value": base64.b64encode(b"%PDF").decode(), "type": "File", "valueInfo": {"filename": "表.pdf"}}


def side_by_side(*activities, key="p"):
    """Several activities at the same time, within a subprocess."""
    names = [f"x{number}" for number in range(len(activities))]
    paths = [f"i -> {name} -> o" for name in names]
    inside = (d.start("i"), *(make(name) for make, name in zip(activities, names, strict=True)), d.end("o"), d.flows(*paths))
    return d.diagram(d.start("s"), d.subprocess("sub", *inside), d.end("e"), d.flows("s -> sub -> e"), key=key)


def execution(client, instance, element):
    (found,) = client.get(f"/execution?processInstanceId={instance['id']}&activityId={element}").json
    return found["id"]


@pytest.fixture
def store(sqlite):
    """What is asked here differs in no database but by its lists, which `test_history` asks of both."""
    return sqlite


@pytest.fixture
def tasks(designer):
    """Two tasks in a subprocess, and where they are."""
    started = designer.start(side_by_side(d.user, d.user), {"n": {"value": 1}})
    return started, {element: execution(designer, started, element) for element in ("sub", "x0", "x1")}


def test_local_variables__are_seen_where_they_are(designer, tasks):
    started, at = tasks
    assert designer.put(f"/execution/{at['sub']}/localVariables/when", DATE).status_code == 204
    assert designer.put(f"/execution/{at['x0']}/localVariables/when", {"value": "soon"}).status_code == 204

    assert designer.get(f"/execution/{at['sub']}/localVariables").json == {"when": DATE}
    assert designer.get(f"/execution/{at['x0']}/localVariables/when").json["value"] == "soon"
    assert designer.get(f"/execution/{at['x1']}/localVariables").json == {}
    assert designer.get(f"/process-instance/{at['x1']}/variables/when").json == DATE
    assert set(designer.get(f"/process-instance/{at['x1']}/variables").json) == {"n", "when"}
    assert set(designer.get(f"/process-instance/{started['id']}/variables").json) == {"n"}
    assert designer.get(f"/execution/count?variables=when_eq_soon&processInstanceId={started['id']}").json == {"count": 1}


def test_local_variables__are_set_where_they_are(designer, tasks):
    """Whoever sets a variable from within sets the one that is seen from there."""
    started, at = tasks
    designer.put(f"/execution/{at['sub']}/localVariables/when", {"value": "soon"})

    designer.post(f"/process-instance/{at['x0']}/variables", {"modifications": {"when": DATE, "n": {"value": 2}}})

    assert designer.get(f"/execution/{at['sub']}/localVariables").json == {"when": DATE}
    assert designer.get(f"/process-instance/{started['id']}/variables/n").json["value"] == 2
    body = {"modifications": {"a": {"value": 1}}, "deletions": ["when", "unknown"]}
    assert designer.post(f"/execution/{at['sub']}/localVariables", body).status_code == 204
    assert set(designer.get(f"/execution/{at['sub']}/localVariables").json) == {"a"}
    assert designer.delete(f"/process-instance/{at['x0']}/variables/a").status_code == 204
    assert designer.get(f"/execution/{at['sub']}/localVariables").json == {}


def test_local_variables__of_what_is_over(designer, client, tasks):
    _started, at = tasks
    designer.put(f"/execution/{at['x0']}/localVariables/when", DATE)
    (task,) = client("admin").get(f"/task?executionId={at['x0']}").json
    client("admin").post(f"/task/{task['id']}/complete")

    answers = [designer.get(f"/execution/{at['x0']}/localVariables"), designer.put(f"/execution/{at['x0']}/localVariables/a", {"value": 1})]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [designer.get(f"/execution/{text}").status_code for text in (at["x0"], "x", "x:1", f"{at['x0']}0")] == [404] * 4


def test_local_variables__of_rounds(designer):
    loop = d.tag("bpmn:multiInstanceLoopCharacteristics", attrs={"camunda:collection": "${names}", "camunda:elementVariable": "name"})
    started = designer.start(
        d.diagram(d.start("s"), d.user("t", loop), d.end("e"), d.flows("s -> t -> e"), key="p"), {"names": {"value": ["甲", "乙"]}}
    )

    rounds = designer.get(f"/execution?processInstanceId={started['id']}&activityId=t").json
    body = execution(designer, started, "t%23multiInstanceBody")

    seen = [designer.get(f"/execution/{one['id']}/localVariables").json for one in rounds]
    assert [{name: typed["value"] for name, typed in one.items()} for one in seen] == [
        {"loopCounter": 0, "name": "甲"},
        {"loopCounter": 1, "name": "乙"},
    ]
    assert designer.get(f"/execution/{body}/localVariables/nrOfInstances").json["value"] == 2


def told(client, instance, query=""):
    found = client.get(f"/history/variable-instance?processInstanceId={instance['id']}{query}").json
    assert client.get(f"/history/variable-instance/count?processInstanceId={instance['id']}{query}").json == {"count": len(found)}
    return [(one["name"], one["executionId"], one["value"]) for one in found]


def test_history__of_local_variables(designer, client, tasks):
    """They are told while they last, and afterwards, with where they were."""
    started, at = tasks
    designer.put(f"/execution/{at['sub']}/localVariables/when", DATE)
    designer.put(f"/execution/{at['x0']}/localVariables/a", {"value": 1})
    before = told(designer, started)
    for task in client("admin").get(f"/task?processInstanceId={started['id']}").json:
        client("admin").post(f"/task/{task['id']}/complete")

    assert designer.get(f"/history/process-instance/{started['id']}").json["state"] == "COMPLETED"
    assert told(designer, started) == before == [("n", started["id"], 1), ("when", at["sub"], DATE["value"]), ("a", at["x0"], 1)]
    assert told(designer, started, "&variableTypeIn=Date") == before[1:2]
    assert told(designer, started, f"&executionIdIn={at['x0']},{at['x1']}") == before[2:]
    (activity,) = designer.get(f"/history/activity-instance?processInstanceId={started['id']}&activityId=sub").json
    assert told(designer, started, f"&activityInstanceIdIn={activity['id']}") == before[1:2]
    assert told(designer, started, f"&executionIdIn={started['id']}") == before[:1]


def test_history__of_what_a_worker_leaves_to_its_outputs(designer, worker):
    started = designer.start(worked("print"))
    (task,) = fetch(worker)

    worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w", "localVariables": {"own": DATE}})

    assert told(designer, started) == [("own", task["executionId"], DATE["value"])]


@pytest.mark.parametrize("path", ["process-instance/{}/variables/f/data", "execution/{}/localVariables/f/data"])
def test_worker__file_of_its_task(designer, worker, path):
    """The Java client asks for a file under the id of its execution."""
    designer.start(worked("print"))
    (task,) = fetch(worker)
    assert designer.put(f"/execution/{task['executionId']}/localVariables/f", FILE).status_code == 204

    assert worker.get("/" + path.format(task["executionId"])).data == b"%PDF"
    assert worker.get(f"/external-task?executionId={task['executionId']}").json[0]["id"] == task["id"]


def test_worker__failure_leaves_its_types(designer, worker):
    designer.start(worked("print"))
    (task,) = fetch(worker)
    body = {"workerId": "w", "retries": 1, "variables": {"seen": DATE}, "localVariables": {"own": DATE}}

    worker.post(f"/external-task/{task['id']}/failure", body)

    (again,) = fetch(worker)
    assert again["variables"] == {"seen": DATE, "own": DATE}
    assert designer.get(f"/process-instance/{task['processInstanceId']}/variables").json == {"seen": DATE}


def test_signal__one_of_several_receive_tasks(designer):
    started = designer.start(side_by_side(*[lambda name: d.receive(name, message="paid")] * 2))
    one, other = (execution(designer, started, element) for element in ("x0", "x1"))

    statuses = [designer.post(f"/execution/{at}/signal").status_code for at in (started["id"], one, one, started["id"])]

    assert statuses == [400, 204, 400, 204]
    assert designer.get(f"/execution/{other}").status_code == 404


def watching():
    """A task with boundary events for a message and a signal, which watch on; and an event subprocess for a message."""
    more = {"interrupting": False}
    begin = d.start("b", message="news", attrs={"isInterrupting": "false"})
    return d.diagram(
        d.start("s"),
        d.user("t"),
        d.message_boundary("m", on="t", message="recall", **more),
        d.boundary("g", defs.signal("alarm"), on="t", **more),
        d.event_subprocess("ev", begin, d.end("f"), d.flows("b -> f")),
        d.end("e"),
        d.end("e2"),
        d.flows("s -> t -> e", "m -> e2", "g -> e2"),
        key="p",
    )


def test_subscriptions__of_the_activity_that_waits(designer):
    started = designer.start(watching())
    at = execution(designer, started, "t")

    found = {
        (kind, name): [one["id"] for one in designer.get(f"/execution?{kind}EventSubscriptionName={name}").json]
        for kind, name in (("message", "recall"), ("signal", "alarm"), ("message", "news"), ("signal", "recall"))
    }

    assert found == {("message", "recall"): [at], ("signal", "alarm"): [at], ("message", "news"): [started["id"]], ("signal", "recall"): []}
    shown = designer.get(f"/execution/{at}/messageSubscriptions/recall").json
    assert (shown["executionId"], shown["eventType"], shown["eventName"], shown["activityId"]) == (at, "message", "recall", "m")


def test_subscriptions__triggered(designer):
    started = designer.start(watching())
    at = execution(designer, started, "t")

    statuses = [
        designer.post(f"/execution/{at}/messageSubscriptions/recall/trigger", {"variables": {"by": {"value": "甲"}}}).status_code,
        designer.post(f"/execution/{at}/messageSubscriptions/news/trigger").status_code,
        designer.post(f"/execution/{started['id']}/messageSubscriptions/news/trigger").status_code,
        designer.post("/signal", {"name": "alarm", "executionId": at}).status_code,
        designer.post("/signal", {"name": "recall", "executionId": at}).status_code,
    ]

    assert statuses == [204, 400, 204, 204, 400]
    assert designer.get(f"/process-instance/{started['id']}/variables/by").json["value"] == "甲"
    passed = designer.get(f"/history/activity-instance?processInstanceId={started['id']}&finished=true").json
    assert {one["activityId"] for one in passed} >= {"m", "g", "b", "ev"}
    (reached,) = designer.post("/message", {"messageName": "recall", "resultEnabled": True}).json
    assert reached["execution"]["id"] == at


def test_subscriptions__whose_they_are_not(client, designer):
    started = designer.start(watching())

    answers = [
        client("clerk").get(f"/execution/{started['id']}"),
        client("clerk").post(f"/execution/{started['id']}/messageSubscriptions/news/trigger"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert client("clerk").get("/execution").json == []


def test_tasks__variables(designer, client):
    started, admin = designer.start(form_task(), {"n": {"value": 1}}), client("admin")
    (task,) = admin.get(f"/task?processInstanceId={started['id']}").json
    of = f"/task/{task['id']}"

    assert admin.put(f"{of}/localVariables/when", DATE).status_code == 204
    assert admin.post(f"{of}/variables", {"modifications": {"n": {"value": 2}, "f": FILE}}).status_code == 204

    assert admin.get(f"{of}/localVariables").json == {"when": DATE}
    assert set(admin.get(f"{of}/variables").json) == {"n", "f", "when"}
    assert admin.get(f"{of}/variables/f/data").data == b"%PDF"
    assert set(designer.get(f"/process-instance/{started['id']}/variables").json) == {"n", "f"}
    assert admin.delete(f"{of}/localVariables/when").status_code == 204
    assert admin.get(f"{of}/variables/when").status_code == 404
    assert admin.put(f"{of}/variables/x", {"value": "one", "type": "Integer"}).status_code == 400


def test_tasks__variables_of_a_case(client, worker):
    """What a case knows is what its forms and the law say."""
    admin = client("admin")
    bundle.submit(Caller(admin.app, "clerk"))
    task = admin.get("/task").json[0]

    assert admin.put(f"/task/{task['id']}/localVariables/x", {"value": 1}).status_code == 400
    assert client("clerk").get(f"/task/{task['id']}/variables").status_code == 200
