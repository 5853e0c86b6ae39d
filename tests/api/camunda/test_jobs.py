"""Jobs: timers, and tokens that the engine carries on by itself, as operators see and move them."""

from datetime import datetime, timedelta

import pytest
import time_machine

from tests.api import bundle
from tests.api.camunda.conftest import worked
from tests.api.camunda.test_external_tasks import fetch
from tests.api.conftest import MONDAY, Caller
from tests.bpmn import diagrams as d

TIMED = d.diagram(
    d.start("s"), d.user("t", groups="window"), d.timer_boundary("late", on="t", duration="PT1H"), d.user("u", groups="window"), d.end("e"),
    d.flows("s -> t -> e", "late -> u -> e"), key="p",
)  # fmt: skip
#: A token that cannot go on until there is a variable.
STUCK = d.diagram(
    d.start("s"),
    d.element(
        "serviceTask", "x", attrs={"camunda:asyncBefore": "true", "camunda:expression": "${missing + 1}", "camunda:resultVariable": "n"}
    ),
    d.user("t", groups="window"),
    d.end("e"),
    d.flows("s -> x -> t -> e"),
    key="p",
)


@pytest.fixture
def timer(designer):
    started = designer.start(TIMED)
    (found,) = designer.get(f"/job?processInstanceId={started['id']}").json
    return found


def open_tasks(client):
    return [task["taskDefinitionKey"] for task in client("clerk").get("/task?processDefinitionKey=p").json]


def test_timer__shown(designer, timer):
    assert designer.get(f"/job/{timer['id']}").json == timer
    assert (timer["dueDate"][:16], timer["retries"], timer["exceptionMessage"], timer["suspended"]) == ("2026-03-02T10:00", 3, None, False)
    (at,) = designer.get(f"/execution?processInstanceId={timer['processInstanceId']}&activityId=t").json
    assert timer["executionId"] == at["id"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1), ("timers=true", 1), ("messages=true", 0), ("activityId=late", 1), ("activityId=t", 0), ("withRetriesLeft=true", 1), ("noRetriesLeft=true", 0), ("executable=true", 0),
        ("withException=true", 0), ("dueDates=gt_2026-03-02T09:30:00.000%2B0800", 1), ("dueDates=lt_2026-03-02T09:30:00.000%2B0800", 0), ("suspended=true", 0), ("active=true", 1), ("sortBy=jobDueDate&sortOrder=desc", 1), ("priorityHigherThanOrEquals=1", 0),
    ],
)  # fmt: skip
def test_list__filtered(designer, timer, query, found):
    assert designer.get(f"/job/count?processDefinitionKey=p&{query}").json == {"count": found}
    assert len(designer.get(f"/job?processDefinitionKey=p&{query}").json) == found


@pytest.mark.parametrize("query", ["colour=red", "sortBy=x", "dueDates=is_2026-03-02T09:30:00", "dueDates=gt_soon"])
def test_list__unacceptable(designer, query):
    assert designer.get(f"/job?{query}").status_code == 400


def test_execute__a_timer_before_its_time(designer, client, timer):
    statuses = [designer.post(f"/job/{timer['id']}/execute").status_code for _ in range(2)]

    assert (statuses, open_tasks(client)) == ([204, 404], ["u"])


def test_set_due__later_and_at_once(designer, client, timer, tick):
    """It stays where it was put, whatever goes on beside it."""
    later = datetime.fromisoformat(MONDAY) + timedelta(hours=2)

    assert designer.put(f"/job/{timer['id']}/duedate", {"duedate": "2026-03-02T15:00:00.000+0800"}).status_code == 204
    designer.put(f"/process-instance/{timer['processInstanceId']}/variables/n", {"value": 1})

    assert designer.get(f"/job/{timer['id']}").json["dueDate"] == "2026-03-02T15:00:00.000+0800"
    with time_machine.travel(later):
        assert tick() == 0
        assert designer.put(f"/job/{timer['id']}/duedate", {"duedate": None}).status_code == 204
        assert tick() == 1
    assert open_tasks(client) == ["u"]


@pytest.mark.parametrize(("path", "body"), [("duedate", {"duedate": "soon"}), ("duedate", {"cascade": True}), ("retries", {}), ("retries", {"retries": -1}), ("retries", {"retries": "1"})])  # fmt: skip
def test_change__unacceptable(designer, timer, path, body):
    assert designer.put(f"/job/{timer['id']}/{path}", body).status_code == 400


def test_async__carried_on(designer, client, tick):
    designer.start(
        d.diagram(
            d.start("s", attrs={"camunda:asyncAfter": "true"}), d.user("t", groups="window"), d.end("e"), d.flows("s -> t -> e"), key="p"
        )
    )
    tick()

    assert open_tasks(client) == ["t"]
    assert designer.get("/job").json == []


def test_async__cannot_go_on(designer, client, tick):
    started = designer.start(STUCK)
    for hour in range(4):
        with time_machine.travel(datetime.fromisoformat(MONDAY) + timedelta(hours=hour)):
            tick()

    (job,) = designer.get("/job?noRetriesLeft=true&messages=true&withException=true").json
    assert (job["retries"], job["failedActivityId"]) == (0, "x")
    assert "missing" in job["exceptionMessage"] == designer.get(f"/job/{job['id']}/stacktrace").text
    (incident,) = designer.get(f"/incident?processInstanceId={started['id']}").json
    assert (incident["incidentType"], incident["activityId"], incident["configuration"]) == ("failedJob", "x", job["id"])

    assert designer.post(f"/job/{job['id']}/execute").status_code == 500
    designer.put(f"/process-instance/{started['id']}/variables/missing", {"value": 1})
    assert designer.put(f"/job/{job['id']}/retries", {"retries": 1}).status_code == 204
    assert designer.get("/incident/count").json == {"count": 0}
    with time_machine.travel(datetime.fromisoformat(MONDAY) + timedelta(hours=5)):
        tick()
    assert open_tasks(client) == ["t"]


def test_change__by_whom_it_does_not_concern(client, timer):
    clerk = client("clerk")

    assert clerk.get("/job").json == []
    assert {
        clerk.post(f"/job/{timer['id']}/execute").status_code,
        clerk.put(f"/job/{timer['id']}/retries", {"retries": 1}).status_code,
    } == {404}


def test_change__of_a_case(client):
    """What is due in a case is due by law."""
    admin = client("admin")
    bundle.submit(Caller(admin.app, "clerk"))
    job = admin.get("/job?processDefinitionKey=open_restaurant").json[0]

    answers = [
        admin.post(f"/job/{job['id']}/execute"),
        admin.put(f"/job/{job['id']}/duedate", {"duedate": None}),
    ]

    assert [(answer.status_code, "belongs to case" in answer.json["message"]) for answer in answers] == [(400, True)] * 2
    assert admin.put(f"/job/{job['id']}/retries", {"retries": 5}).status_code == 204  # that mends, and moves nothing
    assert admin.get(f"/job/{job['id']}").json == job | {"retries": 5}
    assert client("clerk").put(f"/job/{job['id']}/retries", {"retries": 1}).status_code == 403


def failing(kind):
    """What goes on by itself, and comes to an expression that cannot be evaluated until there is a variable."""
    begin = d.timer_catch("w", duration="PT1H") if kind == "timer" else d.task("w", attrs={"camunda:asyncBefore": "true"})
    work = d.element("serviceTask", "x", attrs={"camunda:expression": "${missing + 1}"})
    return d.diagram(d.start("s"), begin, work, d.user("t", groups="window"), d.end("e"), d.flows("s -> w -> x -> t -> e"), key="p")


@pytest.mark.parametrize("kind", ["timer", "message"])
def test_execute__fails(designer, client, kind):
    """Each failure counts, nothing else of it does; after the last an incident stands, and goes when it is mended."""
    started = designer.start(failing(kind))
    (job,) = designer.get("/job?processDefinitionKey=p").json

    answers = [designer.post(f"/job/{job['id']}/execute") for _ in range(4)]

    assert [(answer.status_code, answer.json["type"], "missing" in answer.json["message"]) for answer in answers] == [
        (500, "ProcessEngineException", True)
    ] * 4
    assert designer.get(f"/job/{job['id']}").json["retries"] == 0
    assert "missing" in designer.get(f"/job/{job['id']}/stacktrace").text
    (incident,) = designer.get(f"/incident?processInstanceId={started['id']}&configuration={job['id']}").json
    assert (incident["incidentType"], incident["activityId"], incident["configuration"]) == ("failedJob", "w", job["id"])
    assert open_tasks(client) == []
    (at,) = designer.get(f"/execution?incidentId={incident['id']}").json
    assert at["id"] == incident["executionId"] == job["executionId"]
    designer.put(f"/process-instance/{started['id']}/variables/missing", {"value": 1})
    assert designer.post(f"/job/{job['id']}/execute").status_code == 204
    assert (open_tasks(client), designer.get("/incident").json, designer.get("/job").json) == (["t"], [], [])


def test_execute__a_timer_that_watches_fails(designer):
    """Its incident is found where it watches."""
    work = d.element("serviceTask", "x", attrs={"camunda:expression": "${missing + 1}"})
    late = d.timer_boundary("late", on="t", duration="PT1H")
    started = designer.start(
        d.diagram(d.start("s"), d.user("t"), late, work, d.end("e"), d.flows("s -> t -> e", "late -> x -> e"), key="p")
    )
    (job,) = designer.get("/job?processDefinitionKey=p").json

    for _ in range(3):
        assert designer.post(f"/job/{job['id']}/execute").status_code == 500

    (incident,) = designer.get("/incident?processDefinitionKeyIn=p").json
    (there,) = designer.get(f"/process-instance/{started['id']}/activity-instances").json["childActivityInstances"]
    assert (incident["activityId"], there["activityId"]) == ("late", "t")
    assert there["incidentIds"] == [incident["id"]]
    (at,) = designer.get(f"/execution?incidentId={incident['id']}").json
    assert there["executionIds"] == [incident["executionId"]] == [at["id"]]
    assert designer.get(f"/incident/count?executionId={at['id']}").json == {"count": 1}
    assert designer.delete(f"/process-instance/{started['id']}").status_code == 204
    assert designer.get("/incident/count").json == {"count": 0}


def test_retries__as_the_diagram_says(designer, tick):
    """An attempt that the scheduler makes counts as one by hand does, at the intervals that are drawn."""
    cycle = d.tag("camunda:failedJobRetryTimeCycle", "R2/PT10M")
    waits = d.timer_catch("w", duration="PT1H", ext=cycle)
    work = d.element("serviceTask", "x", attrs={"camunda:expression": "${missing + 1}"})
    designer.start(d.diagram(d.start("s"), waits, work, d.end("e"), d.flows("s -> w -> x -> e"), key="p"))

    left = []
    for minutes in (61, 66, 72):
        with time_machine.travel(datetime.fromisoformat(MONDAY) + timedelta(minutes=minutes)):
            tick()
            left.append(designer.get("/job?processDefinitionKey=p").json[0]["retries"])

    assert left == [1, 1, 0]
    assert designer.get("/incident/count").json == {"count": 1}


BEGINS = d.diagram(
    d.start("s", d.timer(cycle="R/PT1H")),
    d.element("serviceTask", "x", attrs={"camunda:expression": "${missing + 1}"}),
    d.user("t", groups="window"),
    d.flows("s -> x -> t"),
    key="p",
)
BEGINS_WELL = BEGINS.replace(b"${missing + 1}", b"${1 + 1}")


def test_start_timer__executed_and_put_off(designer, client):
    designer.deploy({"p.bpmn": BEGINS_WELL})
    (job,) = designer.get("/job?processDefinitionKey=p&timers=true&active=true").json
    assert [job[name] for name in ("processInstanceId", "executionId", "processDefinitionKey", "retries", "suspended")] == [
        None,
        None,
        "p",
        3,
        False,
    ]

    assert designer.put(f"/job/{job['id']}/duedate", {"duedate": "2026-03-02T15:00:00.000+0800"}).status_code == 204
    assert designer.get(f"/job/{job['id']}").json["dueDate"] == "2026-03-02T15:00:00.000+0800"
    assert designer.post(f"/job/{job['id']}/execute").status_code == 204

    assert open_tasks(client) == ["t"]
    assert client("clerk").get("/job").json == []
    assert {client("clerk").post(f"/job/{job['id']}/execute").status_code, client("clerk").get(f"/job/{job['id']}").status_code} == {404}


def test_start_timer__fails(designer, client, admin, tick):
    """Nothing has begun, so the incident belongs to the definition; a new version ends it."""
    designer.deploy({"p.bpmn": BEGINS})
    for hour in range(1, 5):
        with time_machine.travel(datetime.fromisoformat(MONDAY) + timedelta(hours=hour)):
            tick()

    (job,) = designer.get("/job?noRetriesLeft=true&withException=true").json
    (incident,) = designer.get("/incident?processDefinitionKeyIn=p").json
    assert [incident[name] for name in ("processInstanceId", "executionId", "activityId", "configuration")] == [None, None, "s", job["id"]]
    assert (incident["processDefinitionId"], "missing" in incident["incidentMessage"]) == (job["processDefinitionId"], True)
    assert designer.get("/process-instance/count?processDefinitionKey=p").json == {"count": 0}
    assert [(one["case"], one["element"]) for one in admin.get("/incidents").json["data"]] == [(None, "s")]
    assert client("clerk").get("/incident").json == []
    assert designer.get("/process-definition/key/p/statistics?failedJobs=true").status_code == 200

    assert admin.post(f"/incidents/{incident['id']}/retry").status_code == 200
    assert (designer.get(f"/job/{job['id']}").json["retries"], designer.get("/incident").json) == (1, [])
    assert designer.post(f"/job/{job['id']}/execute").status_code == 500
    assert designer.get("/incident/count").json == {"count": 1}
    designer.deploy({"p.bpmn": BEGINS_WELL})
    assert designer.get("/incident/count").json == {"count": 0}


def parameters(**values):
    inputs = (d.tag("camunda:inputParameter", text, attrs={"name": name}) for name, text in values.items())
    return d.tag("camunda:inputOutput", *inputs, d.tag("camunda:outputParameter", "${no}", attrs={"name": "printed"}))


def test_worker__local_variables(designer, worker):
    """A worker sees what its task alone has, and what it leaves there serves the outputs of the task."""
    started = designer.start(worked("print", ext=parameters(copies="${n + 1}")), {"n": {"value": 1}})

    (task,) = fetch(worker)
    worker.post(f"/external-task/{task['id']}/unlock")
    (local,) = fetch(worker, localVariables=True)

    assert {name: typed["value"] for name, typed in task["variables"].items()} == {"n": 1, "copies": 2}
    assert {name: typed["value"] for name, typed in local["variables"].items()} == {"copies": 2}
    body = {"workerId": "w", "localVariables": {"no": {"value": 7}}, "variables": {"n": {"value": 5}}}
    assert worker.post(f"/external-task/{task['id']}/complete", body).status_code == 204
    told = designer.get(f"/history/variable-instance?processInstanceId={started['id']}").json
    assert {one["name"]: one["value"] for one in told if one["executionId"] == started["id"]} == {"n": 5, "printed": 7}
    assert {one["name"]: one["value"] for one in told if one["executionId"] == task["executionId"]} == {"copies": 2, "no": 7}


def test_worker__of_one_version(designer, worker):
    designer.start(worked("print", key="p"))

    assert fetch(worker, processDefinitionVersionTag="2026") == []
    assert len(fetch(worker, processDefinitionVersionTag=None)) == 1
