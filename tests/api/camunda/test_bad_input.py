"""Whatever is sent to whatever address: an answer in JSON that a client can read, and never a fault of ours."""

import orjson
import pytest

from tests.api.camunda.conftest import form_task
from tests.api.camunda.test_external_tasks import fetch

BODIES = [
    b"", b"null", b"[]", b"{", b"\xff\xfe", b'"x"', b"1e999", b"[" * 5000, b'{"a":' * 500 + b"1" + b"}" * 500,
    b'{"variables":{"x":{"value":"\\u0000"}}}', b'{"workerId":"w","variables":{"x":[]}}', b'{"modifications":[1],"deletions":[{}]}', b'{"modifications":{"x":1}}',
    b'{"topics":[{"topicName":"\\u0000","lockDuration":1}],"workerId":"\\u0000","maxTasks":1}', b'{"workerId":{},"errorCode":[],"newDuration":"1","lockDuration":null}',
    b'{"userId":[1],"name":5,"assignee":{},"candidateGroups":[[]],"taskIdIn":[1],"sorting":"x","dueBefore":1}', b'{"processInstanceIds":[null],"variables":[{"name":1}]}',
    b'{"messageName":"m","correlationKeys":[],"processVariables":1,"processInstanceId":"x"}', b'{"retries":99999999999999999999,"priority":-1e3}', b'{"startInstructions":"x"}', b'{"processDefinitionKey":[]}', b'{"name":{}}', b'{"businessKey":[1]}', b'{"assignee":["x"]}', b'{"sortBy":[1]}', b'{"sorting":[{"sortBy":[]}]}',
    b'{"businessKey":5,"processDefinitionKey":[],"processDefinitionId":{},"tenantIdIn":["x"],"activityId":{},"topicName":[],"externalTaskId":1,"processInstanceId":7}',
]  # fmt: skip
QUERIES = ["maxResults=x", "firstResult=-1", "maxResults=99999999999999", "id=x&name=%00", "deserializeValues=2", "processInstanceId=x", "variables=_eq_", "finished=5", "version=x", "externalTaskId=1", "sortBy=x", "latestVersion=1"]  # fmt: skip


@pytest.fixture
def addresses(app, designer, worker):
    """Every call, about things that there are and things that there are not."""
    started = designer.start(form_task())
    task = worker.get("/task").json
    real = {
        "found": started["id"],
        "definition": started["definitionId"],
        "key": "p",
        "name": "n",
        "tenant": "430100",
        "task": task[0]["id"] if task else "x",
    }
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/engine-rest")]
    calls = [
        (method, rule.build({name: values.get(name, "00000000-0000-0000-0000-000000000000") for name in rule.arguments})[1])
        for rule in rules
        for values in (real, {})
        for method in rule.methods - {"OPTIONS", "HEAD"}
    ]
    return sorted(set(calls), key=lambda call: (call[0] == "DELETE", call))


def test_everything__garbage(addresses, worker):
    told = []
    for method, path in addresses:
        sent = BODIES if method != "GET" else [None]
        told += [(method, path, body, worker.call(method, path, prefix="", data=body)) for body in sent]
        if method == "GET":
            told += [(method, f"{path}?{query}", None, worker.get(f"{path}?{query}", prefix="")) for query in QUERIES]

    assert len(told) > 1000
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
