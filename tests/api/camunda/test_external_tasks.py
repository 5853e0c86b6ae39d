"""External tasks, as workers call them: fetched under a lock, completed, failed, given back, waited for."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine

from api.camunda import external_tasks
from engine import arrivals
from engine.database import BATCH
from engine.errors import Unavailable
from tests.api.camunda.conftest import worked
from tests.api.conftest import MONDAY
from tests.bpmn import diagrams as d
from tests.listening import listening

LATER = datetime.fromisoformat(MONDAY) + timedelta(minutes=5)
FIELDS = {
    "id", "workerId", "topicName", "lockExpirationTime", "createTime", "activityId", "activityInstanceId", "executionId", "processInstanceId",
    "processDefinitionId", "processDefinitionKey", "processDefinitionVersionTag", "tenantId", "retries", "suspended", "priority", "businessKey",
    "errorMessage", "errorDetails", "variables", "extensionProperties",
}  # fmt: skip


def fetch(worker, name="w", most=10, topics=("print",), wait=None, lock=60_000, **more):
    asked = [{"topicName": topic, "lockDuration": lock, **more} for topic in topics]
    answer = worker.post("/external-task/fetchAndLock", {"workerId": name, "maxTasks": most, "asyncResponseTimeout": wait, "topics": asked})
    assert answer.status_code == 200, answer.json
    return answer.json


@pytest.fixture
def started(designer):
    """A process that waits for a worker."""
    return designer.start(worked("print"), {"n": {"value": 1}}, business_key="B")


def test_fetch__what_a_worker_is_told(worker, started):
    (task,) = fetch(worker)

    assert set(task) == FIELDS
    assert (task["workerId"], task["topicName"], task["businessKey"], task["processDefinitionKey"]) == ("w", "print", "B", "p")
    assert task["processInstanceId"] == started["id"]
    assert re.fullmatch(r"2026-03-02T09:00:\d\d\.\d{3}\+0800", task["createTime"])
    assert re.fullmatch(r"2026-03-02T09:01:\d\d\.\d{3}\+0800", task["lockExpirationTime"])
    assert task["variables"] == {"n": {"value": 1, "type": "Integer", "valueInfo": {}}}
    assert task["retries"] is None


@pytest.fixture
def one_by_one(app, monkeypatch):
    """Each task is locked in a transaction of its own."""
    monkeypatch.setitem(app.extensions["database"].info, BATCH, 1)


def raising_after_two(error):
    """Show two tasks that were fetched, and none after them."""
    shown, present = [], external_tasks._fetched

    def show(*args, **words):
        if len(shown) == 2:
            raise error
        shown.append(args)
        return present(*args, **words)

    return show


@pytest.mark.usefixtures("one_by_one")
def test_fetch__each_case_in_its_own_transaction(app, worker, designer):
    """The answer has all of them, and who asks next has the others."""
    started = [designer.start(worked("print"))["id"] for _ in range(5)]
    commits, bind = [], app.extensions["database"].bind
    note = commits.append

    with listening(bind, commit=note):
        first = fetch(worker, most=3)
    told = len(commits)
    second = fetch(worker, "v", most=3)

    assert [task["processInstanceId"] for task in [*first, *second]] == started
    assert (len(first), told) == (3, 3)
    assert fetch(worker) == []


@pytest.mark.usefixtures("one_by_one")
def test_fetch__the_database_is_away_when_some_are_locked(worker, designer, monkeypatch):
    """The worker is given those; the others wait for the next fetch, and none for its lock to run out."""
    started = [designer.start(worked("print"))["id"] for _ in range(3)]

    with monkeypatch.context() as away:
        away.setattr(external_tasks, "_fetched", raising_after_two(Unavailable("away")))
        first = fetch(worker)

    assert [task["processInstanceId"] for task in [*first, *fetch(worker, "v")]] == started


@pytest.mark.usefixtures("one_by_one")
def test_fetch__dies_when_some_are_locked(worker, designer, monkeypatch):
    """Nobody has been told of them: they are fetched again when that lock has run out."""
    started = [designer.start(worked("print"))["id"] for _ in range(3)]

    with monkeypatch.context() as dying:
        dying.setattr(external_tasks, "_fetched", raising_after_two(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            fetch(worker)

    assert [task["processInstanceId"] for task in fetch(worker, "v")] == started[2:]
    with time_machine.travel(LATER):
        assert [task["processInstanceId"] for task in fetch(worker, "v")] == started


def test_fetch__null_for_everything_that_may_be_left_out(worker, started):
    names = (
        "variables",
        "localVariables",
        "businessKey",
        "processDefinitionId",
        "processDefinitionIdIn",
        "processDefinitionKey",
        "processDefinitionKeyIn",
        "processVariables",
        "tenantIdIn",
        "withoutTenantId",
    )

    assert len(fetch(worker, **dict.fromkeys(names))) == 1


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"businessKey": "B"}, 1),
        ({"businessKey": "C"}, 0),
        ({"processDefinitionKey": "p"}, 1),
        ({"processDefinitionKeyIn": ["x"]}, 0),
        ({"processDefinitionKey": "p", "processDefinitionKeyIn": ["p", "x"]}, 1),
        ({"processDefinitionKey": "p", "processDefinitionKeyIn": ["x"]}, 0),
        ({"processDefinitionKeyIn": []}, 1),
        ({"processDefinitionId": "p:1:gone"}, 0),
        ({"tenantIdIn": ["430200", "430100"]}, 1),
        ({"processDefinitionIdIn": ["p:1:gone", "q:2:00000000-0000-0000-0000-000000000000"]}, 0),
        ({"processVariables": {"n": 1}}, 1),
        ({"processVariables": {"n": 2}}, 0),
        ({"processVariables": {"m": None}}, 0),
    ],
)
def test_fetch__filtered(worker, started, wanted, found):
    assert len(fetch(worker, **wanted)) == found


def test_fetch__of_definitions_some_of_which_are_gone(worker, started):
    ids = ["p:1:gone", started["definitionId"]]

    assert len(fetch(worker, processDefinitionIdIn=ids)) == 1


def test_fetch__some_variables(worker, started):
    (task,) = fetch(worker, variables=["x"])

    assert task["variables"] == {}


def test_fetch__extension_properties(worker, designer):
    designer.start(
        d.diagram(
            d.start("s"), d.external("t", topic="print", properties={"department": "消防"}), d.end("e"), d.flows("s -> t -> e"), key="p"
        )
    )

    (task,) = fetch(worker, includeExtensionProperties=True)

    assert task["extensionProperties"] == {"department": "消防"}


def test_fetch__locked_until_the_lock_runs_out(worker, started):
    (task,) = fetch(worker, "first")

    assert fetch(worker, "second") == []
    with time_machine.travel(LATER):
        assert [t["id"] for t in fetch(worker, "second")] == [task["id"]]
        assert worker.post(f"/external-task/{task['id']}/complete", {"workerId": "first"}).status_code == 400


def test_fetch__by_several_at_once(app, worker, client, designer):
    designer.start(worked("print"))
    for _ in range(11):
        designer.post("/process-definition/key/p/start", {})

    with ThreadPoolExecutor(3) as threads:
        fetched = [task["id"] for tasks in threads.map(lambda n: fetch(client("admin"), f"w{n}", most=4), range(3)) for task in tasks]

    assert len(fetched) == len(set(fetched)) == 12


def test_fetch__the_engine_s_own_topics(worker, client):
    assert fetch(worker, topics=["onething.remind", "onething.return"]) == []


def test_fetch__by_a_clerk(client, started):
    answer = client("clerk").post(
        "/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "print", "lockDuration": 1}]}
    )

    assert answer.status_code == 403


def test_fetch__priority_first(worker, designer):
    first = designer.start(worked("print"))
    second = designer.post("/process-definition/key/p/start", {}).json
    by_instance = {task["processInstanceId"]: task["id"] for task in worker.get("/external-task").json}
    worker.put(f"/external-task/{by_instance[second['id']]}/priority", {"priority": 9})

    body = {"workerId": "w", "maxTasks": 1, "usePriority": True, "topics": [{"topicName": "print", "lockDuration": 1000}]}
    fetched = [worker.post("/external-task/fetchAndLock", body).json[0]["processInstanceId"] for _ in range(2)]

    assert fetched == [second["id"], first["id"]]


@pytest.mark.parametrize(
    "change",
    [
        {"workerId": None},
        {"workerId": ""},
        {"workerId": "w" * 256},
        {"maxTasks": 0},
        {"maxTasks": "1"},
        {"maxTasks": True},
        {"topics": None},
        {"topics": [1]},
        {"topics": [{}]},
        {"topics": [{"topicName": "a"}]},
        {"topics": [{"topicName": "a", "lockDuration": 0}]},
        {"topics": [{"topicName": "a", "lockDuration": 2**62}]},
        {"topics": [{"topicName": "a", "lockDuration": 1, "processDefinitionKeyIn": [1]}]},
        {"asyncResponseTimeout": 1_800_001},
        {"asyncResponseTimeout": -1},
        {"sorting": [{"sortBy": "name"}]},
    ],
)
def test_fetch__unacceptable(worker, change):
    body = {"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "a", "lockDuration": 1}]}

    answer = worker.post("/external-task/fetchAndLock", body | change)

    assert answer.status_code == 400, answer.json
    assert {"type", "message"} <= set(answer.json)


def test_wait__nothing_comes(worker):
    begun = time.monotonic()

    assert fetch(worker, wait=300) == []
    assert time.monotonic() - begun >= 0.3


def await_waiting():
    """Until somebody has come in, and waits: how long that takes is the machine's affair."""
    while not arrivals.count():
        time.sleep(0.01)


def test_wait__a_task_comes(worker, client, designer):
    designer.deploy({"p.bpmn": worked("print")})
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(fetch, client("admin"), wait=120_000)
        await_waiting()
        designer.post("/process-definition/key/p/start", {})

        assert len(waiting.result(timeout=60)) == 1  # long before it would have asked for the last time


def test_wait__a_task_is_unlocked(worker, client, started):
    (task,) = fetch(worker, "first")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(fetch, client("admin"), "second", wait=120_000)
        await_waiting()
        assert worker.post(f"/external-task/{task['id']}/unlock").status_code == 204

        assert [t["workerId"] for t in waiting.result(timeout=60)] == ["second"]


def test_wait__same_worker_asks_again(client, designer):
    designer.deploy({"p.bpmn": worked("print")})
    with ThreadPoolExecutor(2) as threads:
        dead = threads.submit(fetch, client("admin"), "w", wait=120_000)
        await_waiting()
        alive = threads.submit(fetch, client("admin"), "w", wait=120_000)
        assert dead.result(timeout=60) == []
        designer.post("/process-definition/key/p/start", {})

        assert len(alive.result(timeout=60)) == 1


def test_wait__same_worker_asks_for_something_else(client, designer):
    designer.deploy({"p.bpmn": worked("print")})
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(fetch, client("admin"), "w", wait=120_000)
        second = threads.submit(fetch, client("admin"), "w", topics=["stamp"], wait=500)
        assert second.result() == []
        designer.post("/process-definition/key/p/start", {})

        assert len(first.result(timeout=60)) == 1


def test_complete__goes_on_with_variables(worker, designer):
    designer.start(worked("print", "stamp"))
    (task,) = fetch(worker)

    answer = worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w", "variables": {"no": {"value": "7", "type": "string"}}})

    (stamp,) = fetch(worker, topics=["stamp"])
    assert (answer.status_code, answer.data) == (204, b"")
    assert stamp["variables"] == {"no": {"value": "7", "type": "String", "valueInfo": {}}}


def test_complete__twice(worker, started):
    (task,) = fetch(worker)

    statuses = [worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w"}).status_code for _ in range(2)]

    assert statuses == [204, 404]


def test_complete__by_a_number(worker, started):
    (task,) = fetch(worker, 17)

    assert worker.post(f"/external-task/{task['id']}/complete", {"workerId": 17}).status_code == 204


def test_complete__by_another_worker(worker, started):
    (task,) = fetch(worker)

    answer = worker.post(f"/external-task/{task['id']}/complete", {"workerId": "x"})

    assert answer.status_code == 400
    assert answer.json["message"] == f"Expected to complete external task {task['id']} as x, but w holds it"


def test_complete__lock_ran_out_and_nobody_else_came(worker, started):
    (task,) = fetch(worker)

    with time_machine.travel(LATER):
        assert worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w"}).status_code == 204


def test_complete__transient_variable(worker, designer):
    designer.start(worked("print", "stamp"))
    (task,) = fetch(worker)

    worker.post(
        f"/external-task/{task['id']}/complete", {"workerId": "w", "variables": {"x": {"value": 1, "valueInfo": {"transient": True}}}}
    )

    assert fetch(worker, topics=["stamp"])[0]["variables"] == {}


@pytest.mark.parametrize("verb", ["complete", "failure", "bpmnError", "extendLock", "lock", "unlock"])
@pytest.mark.parametrize("task", ["x", "00000000-0000-0000-0000-000000000000"])
def test_anything__no_such_task(worker, verb, task):
    body = {"workerId": "w", "errorCode": "e", "newDuration": 1, "lockDuration": 1}

    answer = worker.post(f"/external-task/{task}/{verb}", body)

    assert (answer.status_code, answer.json["message"]) == (404, f"External task with id {task} does not exist")


def test_anything__task_was_cancelled(worker, designer):
    instance = designer.start(d.diagram(
        d.start("s"), d.parallel("f"), d.external("a", topic="print"), d.external("b", topic="stop"), d.element("endEvent", "x", "<bpmn:terminateEventDefinition/>"), d.end("e"),
        d.flows("s -> f -> a -> e", "f -> b -> x"), key="p",
    ))  # fmt: skip
    (task,), (stop,) = fetch(worker), fetch(worker, topics=["stop"])
    worker.post(f"/external-task/{stop['id']}/complete", {"workerId": "w"})

    answer = worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w"})

    assert instance["ended"] is False
    assert answer.status_code == 404


def test_fail__tried_again_later(worker, started):
    (task,) = fetch(worker)

    answer = worker.post(
        f"/external-task/{task['id']}/failure",
        {"workerId": "w", "errorMessage": "x" * 700, "errorDetails": "trace", "retries": 2, "retryTimeout": 60_000},
    )

    assert answer.status_code == 204
    assert fetch(worker) == []
    with time_machine.travel(LATER):
        (again,) = fetch(worker)
    assert (again["retries"], len(again["errorMessage"]), again["errorDetails"]) == (2, 666, "trace")
    assert worker.get(f"/external-task/{task['id']}/errorDetails").text == "trace"


def test_fail__for_good(worker, admin, started):
    (task,) = fetch(worker)

    worker.post(f"/external-task/{task['id']}/failure", {"workerId": "w", "errorMessage": "no paper"})

    (incident,) = admin.get("/incidents").json["data"]
    assert (incident["element"], incident["message"]) == ("t0", "no paper")
    with time_machine.travel(LATER):
        assert fetch(worker) == []
        assert worker.put(f"/external-task/{task['id']}/retries", {"retries": 1}).status_code == 204
        assert len(fetch(worker)) == 1
    assert admin.get("/incidents").json["data"] == []


@pytest.mark.parametrize(
    "body", [{"retries": -1}, {"retries": 2**31}, {"retries": "1"}, {"retryTimeout": -1}, {"retryTimeout": 2**62}, {"errorMessage": 1}]
)
def test_fail__unacceptable(worker, started, body):
    (task,) = fetch(worker)

    assert worker.post(f"/external-task/{task['id']}/failure", {"workerId": "w", **body}).status_code == 400


def test_raise_error__caught(worker, designer):
    designer.start(d.diagram(
        d.start("s"), d.external("t", topic="print"), d.error_boundary("no", on="t", error="E1"), d.external("other", topic="mend"), d.end("e"),
        d.flows("s -> t -> e", "no -> other -> e"), key="p",
    ))  # fmt: skip
    (task,) = fetch(worker)

    answer = worker.post(
        f"/external-task/{task['id']}/bpmnError",
        {"workerId": "w", "errorCode": "E1", "errorMessage": "m", "variables": {"why": {"value": "x"}}},
    )

    (mend,) = fetch(worker, topics=["mend"])
    assert answer.status_code == 204
    assert mend["variables"]["why"]["value"] == "x"


def test_extend__in_time_and_too_late(worker, started):
    (task,) = fetch(worker)

    in_time = worker.post(f"/external-task/{task['id']}/extendLock", {"workerId": "w", "newDuration": 120_000})
    shown = worker.get(f"/external-task/{task['id']}").json["lockExpirationTime"]
    with time_machine.travel(LATER):
        too_late = worker.post(f"/external-task/{task['id']}/extendLock", {"workerId": "w", "newDuration": 120_000})

    assert (in_time.status_code, shown[:16], too_late.status_code) == (204, "2026-03-02T09:02", 400)


@pytest.mark.parametrize("body", [{"data": b"", "headers": {"Content-Type": "application/json"}}, {"data": b"null"}, {}])
def test_unlock__as_each_client_sends_it(worker, started, body):
    (task,) = fetch(worker, "first")

    assert worker.post(f"/external-task/{task['id']}/unlock", **body).status_code == 204
    assert len(fetch(worker, "second")) == 1


def test_lock__held_by_another(worker, started):
    (task,) = fetch(worker)

    statuses = [
        worker.post(f"/external-task/{task['id']}/lock", {"workerId": name, "lockDuration": 1000}).status_code for name in ("x", "w")
    ]

    assert statuses == [400, 204]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("workerId=w", 1),
        ("workerId=x", 0),
        ("topicName=print", 1),
        ("locked=true", 1),
        ("notLocked=true", 0),
        ("noRetriesLeft=true", 0),
        ("withRetriesLeft=true", 1),
        ("activityId=t0", 1),
    ],
)
def test_list__filtered(worker, started, query, found):
    fetch(worker)

    assert len(worker.get(f"/external-task?{query}").json) == found
    assert worker.get(f"/external-task/count?{query}").json == {"count": found}


def test_topic_names__as_they_are_asked_for(client, worker, designer):
    """Each once, those that are there; nobody is told who is no worker."""
    names = ("print", "register", "print", "mail")
    for number, name in enumerate(names):
        designer.start(worked(name, key=f"p{number}"), key=f"p{number}")
    fetch(worker, topics=("register",))
    (failed,) = fetch(worker, topics=("mail",))
    worker.post(f"/external-task/{failed['id']}/failure", {"workerId": "w", "retries": 0})

    def topics(query, who=worker):
        return who.get(f"/external-task/topic-names?{query}").json

    assert topics("") == ["mail", "print", "register"]
    assert topics("withLockedTasks=true") == ["register"]
    assert topics("withUnlockedTasks=true") == ["mail", "print"]
    assert topics("withRetriesLeft=true") == ["print", "register"]
    assert topics("withUnlockedTasks=true&withRetriesLeft=true&withLockedTasks=false") == ["print"]
    assert topics("", client("clerk")) == []


@pytest.mark.parametrize("query", ["withLockedTasks=yes", "locked=true", "firstResult=1"])
def test_topic_names__asked_for_by_something_else(worker, query):
    assert worker.get(f"/external-task/topic-names?{query}").status_code == 400


def test_anything__at_the_same_moment(client, worker, started):
    (task,) = fetch(worker)
    together = threading.Barrier(4)

    def complete(_number):
        together.wait()
        return client("admin").post(f"/external-task/{task['id']}/complete", {"workerId": "w"}).status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(complete, range(4))) == [204, 404, 404, 404]
