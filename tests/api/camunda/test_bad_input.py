"""Whatever is sent to whatever address: an answer in JSON that a client can read, and never a fault of ours."""

from contextlib import ExitStack

import orjson
import pytest
import time_machine

from tests import everywhere
from tests.api.camunda.conftest import Client, form_task
from tests.api.camunda.test_external_tasks import fetch
from tests.api.conftest import MONDAY, Caller, serving
from tests.bpmn import diagrams as d
from tests.listening import listening
from tests.stage import Beginning, furnish

BODIES = [
    b"", b"null", b"[]", b"{", b"\xff\xfe", b'"x"', b"1e999", b"[" * 5000, b'{"a":' * 500 + b"1" + b"}" * 500,
    b'{"variables":{"x":{"value":"\\u0000"}}}', b'{"workerId":"w","variables":{"x":[]}}', b'{"modifications":[1],"deletions":[{}]}', b'{"modifications":{"x":1}}',
    b'{"topics":[{"topicName":"\\u0000","lockDuration":1}],"workerId":"\\u0000","maxTasks":1}', b'{"workerId":{},"errorCode":[],"newDuration":"1","lockDuration":null}',
    b'{"userId":[1],"name":5,"assignee":{},"candidateGroups":[[]],"taskIdIn":[1],"sorting":"x","dueBefore":1}', b'{"processInstanceIds":[null],"variables":[{"name":1}]}',
    b'{"messageName":"m","correlationKeys":[],"processVariables":1,"processInstanceId":"x"}', b'{"retries":99999999999999999999,"priority":-1e3}', b'{"startInstructions":"x"}', b'{"processDefinitionKey":[]}', b'{"name":{}}', b'{"businessKey":[1]}', b'{"assignee":["x"]}', b'{"sortBy":[1]}', b'{"sorting":[{"sortBy":[]}]}',
    b'{"businessKey":5,"processDefinitionKey":[],"processDefinitionId":{},"tenantIdIn":["x"],"activityId":{},"topicName":[],"externalTaskId":1,"processInstanceId":7}',
]  # fmt: skip
QUERIES = ["maxResults=x", "firstResult=-1", "maxResults=99999999999999", "id=x&name=%00", "deserializeValues=2", "processInstanceId=x", "variables=_eq_", "finished=5", "version=x", "externalTaskId=1", "sortBy=x", "latestVersion=1"]  # fmt: skip


class Served:
    """An application, who calls it, and all that can be called there: about things that there are, and things that there are not."""

    def __init__(self, app):
        self.worker, self.asked, self.answered = Client(app, "worker"), 0, 0
        started = Client(app, "designer").start(form_task())
        real = {
            "found": started["id"],
            "definition": started["definitionId"],
            "key": "p",
            "name": "n",
            "tenant": "430100",
            "task": self.worker.get("/task").json[0]["id"],
        }
        self.calls = [
            (method, rule.build({name: values.get(name, "00000000-0000-0000-0000-000000000000") for name in rule.arguments})[1])
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/engine-rest")
            for values in (real, {})
            for method in sorted(rule.methods - {"OPTIONS", "HEAD"})
        ]
        # By a key: of a thousand questions of one second the database is asked but once who asks.
        key = Caller(app, "admin").post("/accounts/worker/keys", {"label": "garbage"}).json["key"]
        self.worker.headers = {"Authorization": f"Bearer {key}"}

    def ask(self, method, path, body):
        """Send it; what is answered, and whether the database was asked."""
        self.asked, self.answered = 0, self.answered + 1
        return self.worker.call(method, path, prefix="", data=body), bool(self.asked)

    def count(self, *_about):
        self.asked += 1


@pytest.fixture
def served(sqlite, postgresql, tmp_path, compiled_once):
    """An application on a database of each kind."""
    with ExitStack() as stack:
        stack.enter_context(time_machine.travel(MONDAY))
        both = []
        for kind, store in (("sqlite", sqlite), ("postgresql", postgresql)):
            url = stack.enter_context(store.branch(furnish).fresh(warm=True))
            app = stack.enter_context(serving(url, tmp_path / kind))
            both.append(Served(app))
            stack.enter_context(listening(app.extensions["database"].bind, before_cursor_execute=both[-1].count))
        yield both


def test_everything__garbage(served):
    """PostgreSQL is sent what SQLite was asked about: nothing else would come to it, for it is answered before."""
    told = []
    calls = sorted(set(zip(*(each.calls for each in served), strict=True)), key=lambda calls: (calls[0][0] == "DELETE", calls))
    for (method, path), (_, there) in calls:
        sent = [("", None), *((f"?{query}", None) for query in QUERIES)] if method == "GET" else [("", body) for body in BODIES]
        for query, body in sent:
            answer, is_asked = served[0].ask(method, path + query, body)
            told.append((method, path + query, body, answer))
            if is_asked:
                told.append((method, there + query, body, served[1].ask(method, there + query, body)[0]))

    assert min(each.answered for each in served) > 1000
    assert 401 not in {answer.status_code for *_, answer in told}
    assert [(m, p, b) for m, p, b, answer in told if answer.status_code >= 500] == []
    refused = [answer for *_, answer in told if answer.status_code >= 400]
    assert {answer.content_type for answer in refused} == {"application/json"}
    assert all(set(orjson.loads(answer.data)) >= {"type", "message", "code"} for answer in refused)


def test_everything__asked_by_somebody_without_a_role(client, worker, designer):
    started = designer.start(form_task())

    answers = [
        client("officer-fire").get(path)
        for path in ("/process-instance", "/external-task", "/task", "/incident", "/history/process-instance", "/history/task")
    ]

    assert [answer.json for answer in answers] == [[]] * 6
    assert client("officer-fire").get(f"/process-instance/{started['id']}/variables").status_code == 404
    assert fetch(worker, topics=["nothing"]) == []


#: Something of each kind.
EVERYWHERE = Beginning(lambda stage: everywhere.begin(stage.database))


@pytest.fixture
def beginning(request):
    return EVERYWHERE if "things" in request.fixturenames else None


@pytest.fixture
def things(app):
    """Something of each kind, by the names that addresses have for it."""
    caller = Client(app, "admin")
    ids = {name: caller.get(f"/{path}").json[0]["id"] for name, path in (("external", "external-task"), ("job", "job"))}
    (task,) = caller.get("/task?processDefinitionKey=callee").json
    return {**ids, "task": task["id"], "instance": task["processInstanceId"]}


DEEP = orjson.Fragment("[" * 900 + "]" * 900)
TOPIC = {"topicName": "print", "lockDuration": 1000}
FETCH = {"workerId": "w", "maxTasks": 1, "topics": [TOPIC]}
NUL = "a\0b"
HUGE, LONG = 2**31, "x" * 256


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/external-task/fetchAndLock", FETCH | {"maxTasks": HUGE}, "maxTasks"),
        ("POST", "/external-task/fetchAndLock", FETCH | {"topics": []}, "topics"),
        ("POST", "/external-task/fetchAndLock", FETCH | {"topics": [TOPIC] * 501}, "topics"),
        ("POST", "/external-task/fetchAndLock", FETCH | {"topics": [TOPIC | {"processDefinitionKeyIn": ["p"] * 10_001}]}, "topics"),
        ("POST", "/external-task/fetchAndLock", FETCH | {"topics": [TOPIC | {"variables": [1]}]}, "variables"),
        ("POST", "/external-task/fetchAndLock", FETCH | {"workerId": LONG}, "workerId"),
        ("POST", "/external-task/fetchAndLock", FETCH | {"workerId": DEEP}, "levels"),
        ("POST", "/external-task/fetchAndLock", FETCH | {"sorting": DEEP}, "levels"),
        ("POST", "/external-task/{external}/failure", {"workerId": "w", "retries": HUGE}, "retries"),
        ("PUT", "/external-task/{external}/retries", {"retries": HUGE}, "retries"),
        ("PUT", "/job/{job}/retries", {"retries": HUGE}, "retries"),
        ("PUT", "/job/{job}/duedate", {"duedate": "0001-01-01T00:00:00"}, "duedate"),
        ("PUT", "/task/{task}", {"priority": HUGE}, "priority"),
        ("PUT", "/task/{task}", {"assignee": LONG}, "assignee"),
        ("PUT", "/task/{task}", {"owner": LONG}, "owner"),
        ("PUT", "/task/{task}", {"due": "9999-12-31T23:59:59.000-0800"}, "due"),
        ("PUT", "/task/{task}", {"due": "0001-01-01T00:00:00"}, "due"),
        ("POST", "/task/{task}/delegate", {"userId": LONG}, "userId"),
        ("POST", "/task/{task}/assignee", {"userId": LONG}, "userId"),
        ("POST", "/process-definition/key/callee/start", {"businessKey": LONG}, "businessKey"),
        ("POST", "/message", {"messageName": "m", "businessKey": LONG}, "businessKey"),
        ("PUT", "/process-instance/{instance}/variables/x", {"value": NUL}, "variable x"),
        ("PUT", "/process-instance/{instance}/variables/x", {"value": {"a": [NUL]}}, "variable x"),
        ("PUT", "/process-instance/{instance}/variables/x", {"value": {NUL: 1}}, "variable x"),
        ("PUT", "/process-instance/{instance}/variables/x", {"value": '"\\u0000"', "type": "Json"}, "variable x"),
        ("PUT", "/process-instance/{instance}/variables/x", {"value": '"\\ud800"', "type": "Json"}, "variable x"),
        ("PUT", "/process-instance/{instance}/variables/x", {"value": 1, "type": "Object", "valueInfo": {"serializationDataFormat": []}}, "variable x"),
        ("POST", "/process-instance/{instance}/variables", {"modifications": {NUL: {"value": 1}}}, "NUL"),
        ("POST", "/process-instance", {"variables": [{"name": "x", "operator": [], "value": 1}]}, "variables"),
        ("POST", "/process-instance", {"processInstanceIds": ["x"] * 10_001}, "filters"),
        ("POST", "/job", {"dueDates": [{"operator": {}, "value": "2026-03-01T08:00:00"}]}, "dueDates"),
        ("POST", "/task", {"orQueries": [{"name": "x"}] * 101}, "orQueries"),
        ("POST", "/task", {"sorting": [{"sortBy": "id", "sortOrder": "asc"}] * 2000}, "sort by"),
        ("POST", "/task", {"priority": 2**63}, "priority"),
        ("GET", "/process-definition?version=9999999999999999999", None, "version"),
        ("GET", "/process-definition?keysIn=" + "x," * 10_001, None, "filters"),
    ],
)  # fmt: skip
def test_refused__says_what_is_wrong(app, things, method, path, body, named):
    caller = Client(app, "admin")
    before = caller.get("/history/process-instance").json, caller.get("/task").json, caller.get("/job").json

    answer = caller.call(method, path.format(**things), data=body and orjson.dumps(body))

    assert (answer.status_code, answer.json["message"][:8]) == (400, "Expected"), answer.json
    assert named in answer.json["message"]
    assert (caller.get("/history/process-instance").json, caller.get("/task").json, caller.get("/job").json) == before


@pytest.mark.parametrize(
    "query",
    [
        f"process-definition?version={HUGE}",
        f"process-definition?version=-{2**63 - 1}",
        f"task?priority={HUGE}",
        f"task?minPriority={2**63 - 1}",
        f"external-task?priorityHigherThanOrEquals={2**63 - 1}",
        f"job?priorityHigherThanOrEquals={2**63 - 1}",
        f"history/task?taskPriority={HUGE}",
    ],
)
def test_list__asked_for_more_than_a_column_keeps(app, things, query):
    """There is none."""
    answer = Client(app, "admin").get(f"/{query}")

    assert (answer.status_code, answer.json) == (200, [])


def test_date__so_late_that_it_is_never(app, things):
    """Whoever writes that it is due never makes no list unreadable."""
    caller = Client(app, "admin")
    never = "9999-12-31T23:59:59.000+0000"

    assert caller.put(f"/task/{things['task']}", {"due": never, "followUp": never}).status_code == 204

    (task,) = caller.get("/task?processDefinitionKey=callee").json
    assert (task["due"], task["followUp"]) == (never, never)
    assert caller.get("/history/task").status_code == 200


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ({"value": "YQ==", "type": "File", "valueInfo": {"filename": "a\r\nX: b.txt"}}, 200),
        ({"value": "YQ==", "type": "Bytes"}, 200),
        ({"value": None, "type": "File", "valueInfo": {"filename": "a"}}, 200),
        ({"value": "YQ==", "type": "String"}, 400),
    ],
)
def test_content__of_a_variable(app, things, value, status):
    caller, at = Client(app, "admin"), f"/process-instance/{things['instance']}/variables"
    assert caller.post(at, {"modifications": {"a\nb": value}}).status_code == 204

    answer = caller.get(f"{at}/a%0Ab/data")

    assert answer.status_code == status
    assert "X" not in answer.headers


def test_content__of_what_was_a_file(designer):
    """The process has made a number of it since."""
    diagram = d.diagram(
        d.start("s"), d.element("serviceTask", "c", attrs={"camunda:expression": "${1}", "camunda:resultVariable": "x"}), d.user("u"), d.end("e"),
        d.flows("s -> c -> u -> e"), key="p",
    )  # fmt: skip
    started = designer.start(diagram, {"x": {"value": "YQ==", "type": "File", "valueInfo": {"filename": "a"}}})

    answer = designer.get(f"/process-instance/{started['id']}/variables/x/data")

    assert (answer.status_code, answer.json["message"]) == (400, "Expected variable x to be a File or Bytes, but it is Integer")


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "://", "http://localhost:x"])
def test_command__from_an_origin_that_is_none(designer, origin):
    assert designer.post("/message", {"messageName": "m"}, headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("x" * 300 + ".bpmn", {}),
        ("a.bpmn", {"deployment-name": NUL}),
        ("a.bpmn", {"deployment-source": NUL}),
    ],
)
def test_deployment__that_no_database_keeps(designer, file, fields):
    answer = designer.deploy({file: form_task()}, **fields)

    assert (answer.status_code, answer.json["message"][:8]) == (400, "Expected")


def test_deployment__of_a_start_that_is_never(designer):
    diagram = form_task().replace(
        b'<bpmn:startEvent id="s"/>',
        b'<bpmn:startEvent id="s"><bpmn:timerEventDefinition><bpmn:timeDuration>${now().plusDays(99999999)}</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:startEvent>',
    )

    answer = designer.deploy({"p.bpmn": diagram})

    assert (answer.status_code, answer.json["message"][:8]) == (400, "Expected")


def test_task__of_somebody_whose_name_no_column_keeps(designer):
    """What a diagram makes of what was sent is nobody's fault who sent it: an incident at its element, on both databases."""
    diagram = d.diagram(d.start("s"), d.user("u", assignee="${who}"), d.end("e"), d.flows("s -> u -> e"), key="p")
    designer.deploy({"p.bpmn": diagram})

    answer = designer.post("/process-definition/key/p/start", {"variables": {"who": {"value": LONG}}})

    assert answer.status_code == 200, answer.json
    [incident] = designer.get("/incident").json
    assert (incident["activityId"], incident["incidentMessage"][:8]) == ("u", "Expected")
    assert designer.get("/task").json == []
