"""Process instances and their variables, messages, incidents and history, as Camunda's clients ask for them."""

import base64

import pytest

from tests.api import bundle
from tests.api.camunda.conftest import form_task, worked
from tests.api.camunda.test_external_tasks import fetch
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d


@pytest.fixture
def started(designer):
    """A process that waits for a person."""
    return designer.start(form_task(), {"n": {"value": 1}, "t": {"value": "甲"}}, business_key="B-1")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1), ("processDefinitionKey=p", 1), ("processDefinitionKey=x", 0), ("businessKey=B-1", 1), ("businessKey=B-2", 0),
        ("variables=n_eq_1", 1), ("variables=n_eq_2", 0), ("variables=t_eq_甲", 1), ("variables=n_eq_1,t_eq_乙", 0), ("variables=n_gt_0", 1), ("variables=n_gteq_2", 0), ("variables=n_lt_2,t_neq_乙", 1), ("variables=t_gt_1", 0),
        ("variables=t_like_%25甲", 1), ("variables=t_notLike_甲%25", 0), ("variables=n_eq_true", 0), ("variables=a_b_eq_1", 0), ("processInstanceIds=x", 0), ("rootProcessInstances=true", 1),
        ("superProcessInstance=x", 0), ("withIncident=true", 0), ("withIncident=false", 1), ("businessKeyLike=B%25", 1), ("businessKeyLike=b%25", 0), ("processDefinitionKeyIn=p,q", 1), ("processDefinitionKeyNotIn=p", 0),
        ("tenantIdIn=430100", 1),
        ("tenantIdIn=430200,430100", 1),
    ],
)  # fmt: skip
def test_list__filtered(designer, started, query, found):
    assert len(designer.get(f"/process-instance?{query}").json) == found
    assert designer.get(f"/process-instance/count?{query}").json == {"count": found}


@pytest.mark.parametrize(
    "query",
    ["variables=n_is_1", "variables=n", "colour=red", "sortBy=colour&sortOrder=asc", "tenantIdIn=x", "maxResults=x", "maxResults=-1"],
)
def test_list__unacceptable(designer, query):
    assert designer.get(f"/process-instance?{query}").status_code == 400


def test_list__what_is_not_yours(client, started):
    assert client("clerk").get("/process-instance").json == []
    assert client("clerk").get(f"/process-instance/{started['id']}").status_code == 404


def test_show(designer, started):
    assert designer.get(f"/process-instance/{started['id']}").json == started
    assert designer.get(f"/execution/{started['id']}").json["processInstanceId"] == started["id"]


def test_delete(designer, started):
    answers = [designer.delete(f"/process-instance/{started['id']}").status_code for _ in range(2)]

    assert answers == [204, 404]
    assert designer.get(f"/process-instance/{started['id']}").status_code == 404
    assert designer.get(f"/history/process-instance/{started['id']}").json["state"] == "EXTERNALLY_TERMINATED"


def test_delete__what_it_cancels_cannot_hand_out(designer):
    task = d.user("a", ext=defs.parameters(outputs={"result": "${answer}"}))
    of = f"/process-instance/{designer.start(d.diagram(d.start('s'), task, d.end('e'), d.flows('s -> a -> e'), key='p'))['id']}"

    refused = designer.delete(of)

    assert (refused.status_code, refused.json["type"]) == (400, "ProcessEngineException")
    assert "Expected a to hand out 'result' when it is canceled" in refused.json["message"]
    assert designer.get(of).status_code == 200
    assert designer.delete(f"{of}?skipIoMappings=perhaps").status_code == 400
    assert designer.delete(f"{of}?skipIoMappings=true&skipCustomListeners=true").status_code == 204


def test_delete__case(client, worker):
    typed = {"hall": "changsha", "applicant": bundle.APPLICANT, "answers": bundle.ANSWERS}
    case = client("clerk").post(
        "/process-definition/key/open_restaurant/start", {"variables": {name: {"value": value} for name, value in typed.items()}}
    )

    answer = worker.delete(f"/process-instance/{case.json['id']}")

    assert (answer.status_code, case.json["businessKey"] in answer.json["message"]) == (400, True)
    assert worker.get(f"/process-instance/{case.json['id']}").status_code == 200


def test_variables__every_way(designer, started):
    of = f"/process-instance/{started['id']}/variables"
    assert designer.put(f"{of}/d", {"value": "2026-03-01T08:00:00.000+0800", "type": "Date"}).status_code == 204
    assert designer.post(of, {"workerId": "j", "modifications": {"o": {"value": {"a": [1]}}}, "deletions": ["n"]}).status_code == 204

    assert designer.get(f"{of}/d").json == {"value": "2026-03-01T08:00:00.000+0800", "type": "Date", "valueInfo": {}}
    assert designer.get(f"{of}/o").json["value"] == {"a": [1]}
    assert designer.get(f"{of}?deserializeValues=false").json["o"]["value"] == '{"a":[1]}'
    assert set(designer.get(of).json) == {"t", "d", "o"}
    assert designer.delete(f"{of}/d").status_code == 204
    assert designer.get(f"{of}/d").status_code == 404


@pytest.mark.parametrize("path", ["process-instance/{}/variables/f/data", "execution/{}/localVariables/f/data"])
def test_variables__file(designer, started, path):
    content = base64.b64encode(b"%PDF").decode()
    typed = {"value": content, "type": "File", "valueInfo": {"filename": "表.pdf", "mimeType": "text/html"}}
    designer.put(f"/process-instance/{started['id']}/variables/f", typed)

    answer = designer.get("/" + path.format(started["id"]))

    assert (answer.data, answer.content_type) == (b"%PDF", "application/octet-stream")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert designer.get(f"/process-instance/{started['id']}/variables/n/data").status_code == 400


def waiting(key="p"):
    return d.diagram(d.start("s"), d.message_catch("c", message="paid"), d.user("t"), d.end("e"), d.flows("s -> c -> t -> e"), key=key)


def test_message__by_business_key(designer):
    first = designer.start(waiting(), business_key="A")
    designer.post("/process-definition/key/p/start", {"businessKey": "B"})
    body = {"messageName": "paid", "businessKey": "A", "processVariables": {"sum": {"value": 5}}, "resultEnabled": True}

    answer = designer.post("/message", body)

    assert (answer.status_code, [one["execution"]["processInstanceId"] for one in answer.json]) == (200, [first["id"]])
    assert [(one["resultType"], one["processInstance"]) for one in answer.json] == [("Execution", None)]
    assert designer.get(f"/process-instance/{first['id']}/variables/sum").json["value"] == 5
    assert designer.post("/message", body).status_code == 400


def test_message__for_several(designer):
    designer.start(waiting())
    designer.post("/process-definition/key/p/start", {})

    one, everybody = (designer.post("/message", {"messageName": "paid", "all": everybody}) for everybody in (False, True))

    assert (one.status_code, everybody.status_code) == (400, 204)
    assert designer.post("/message", {"messageName": "paid"}).status_code == 400  # nobody waits any more


def test_message__by_correlation_keys(designer):
    designer.start(waiting(), {"n": {"value": 1}})

    statuses = [designer.post("/message", {"messageName": "paid", "correlationKeys": {"n": {"value": n}}}).status_code for n in (2, 1)]

    assert statuses == [400, 204]


@pytest.mark.parametrize(("operator", "value", "status"), [("gt", 0, 200), ("gt", None, 400), ("lteq", True, 400), ("eq", True, 200)])
def test_list__true_and_null_have_no_order(designer, operator, value, status):
    designer.start(waiting(), {"n": {"value": True}})
    body = {"variables": [{"name": "n", "operator": operator, "value": value}]}

    answer = designer.post("/process-instance/count", body)

    assert (answer.status_code, answer.json.get("count")) == (status, {"gt": 0, "eq": 1}[operator] if status == 200 else None)


@pytest.mark.parametrize(("flag", "status"), [("maybe", 400), ("1", 400), ("True", 200), ("false", 200)])
def test_list__flags_are_true_or_false(designer, flag, status):
    assert designer.get(f"/process-instance/count?active={flag}").status_code == status


def test_message__begins_a_process(designer):
    designer.deploy({"p.bpmn": d.diagram(d.start("s", message="called"), d.user("t"), d.end("e"), d.flows("s -> t -> e"), key="p")})

    answer = designer.post(
        "/message", {"messageName": "called", "businessKey": "K", "resultEnabled": True, "variablesInResultEnabled": True}
    )

    assert [(one["resultType"], one["execution"], one["processInstance"]["businessKey"], one["variables"]) for one in answer.json] == [
        ("ProcessDefinition", None, "K", {})
    ]
    assert designer.post("/process-definition/key/p/start", {}).status_code == 400  # it begins with the message only


@pytest.mark.parametrize("body", [{}, {"messageName": ""}, {"messageName": "x"}, {"messageName": "items_changed"}, {"messageName": 1}])
def test_message__for_nobody(designer, body):
    answer = designer.post("/message", body)

    assert (answer.status_code, set(answer.json)) == (400, {"type", "message", "code"})


def listening(key="p"):
    """A process that waits for a signal."""
    return d.diagram(d.start("s"), d.catch("c", defs.signal("alarm")), d.user("t"), d.end("e"), d.flows("s -> c -> t -> e"), key=key)


def test_signal__reaches_everybody(designer, tick):
    first = designer.start(listening())
    second = designer.post("/process-definition/key/p/start", {}).json

    assert designer.post("/signal", {"name": "alarm", "variables": {"level": {"value": 3}}}).status_code == 204

    tick()
    for started in (first, second):
        assert designer.get(f"/process-instance/{started['id']}/variables/level").json["value"] == 3
    assert designer.post("/signal", {"name": "alarm"}).status_code == 204  # nobody listens: that is no error


def test_signal__to_one_execution(designer, client):
    first = designer.start(listening())
    second = designer.post("/process-definition/key/p/start", {}).json

    statuses = [designer.post("/signal", {"name": "alarm", "executionId": first["id"]}).status_code for _ in range(2)]

    assert statuses == [204, 400]
    assert [
        designer.get(f"/execution/count?signalEventSubscriptionName=alarm&processInstanceId={one['id']}").json["count"]
        for one in (first, second)
    ] == [0, 1]
    assert client("clerk").post("/signal", {"name": "alarm"}).status_code == 403


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x", "variables": []}, {"name": "x", "tenantId": "y"}])
def test_signal__unacceptable(designer, body):
    assert designer.post("/signal", body).status_code == 400


def test_incidents__of_a_worker(designer, worker, admin):
    designer.start(worked("print"))
    (task,) = fetch(worker)
    worker.post(f"/external-task/{task['id']}/failure", {"workerId": "w", "errorMessage": "no paper"})

    (incident,) = designer.get("/incident").json

    assert (incident["incidentType"], incident["configuration"], incident["activityId"]) == ("failedExternalTask", task["id"], "t0")
    assert designer.get("/incident/count?incidentType=failedJob").json == {"count": 0}
    assert admin.post(f"/incidents/{incident['id']}/retry").status_code == 200
    assert designer.get("/incident").json == []
    assert [one["id"] for one in fetch(worker, "other")] == [task["id"]]


def test_history__ended(designer):
    straight = d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="p")
    started = designer.start(straight, {"n": {"value": 1}})

    shown = designer.get(f"/history/process-instance/{started['id']}").json

    assert (shown["state"], shown["endActivityId"], shown["processDefinitionKey"]) == ("COMPLETED", "e", "p")
    assert designer.get("/history/process-instance/count?finished=true&processDefinitionKey=p").json == {"count": 1}
    assert designer.get("/history/process-instance?unfinished=true&processDefinitionKey=p").json == []
    assert [v["name"] for v in designer.get(f"/history/variable-instance?processInstanceId={started['id']}").json] == ["n"]


def test_delete_deployment__only_where_nothing_ran(designer, started):
    used = designer.get("/deployment?name=p").json[0]["id"]
    unused = designer.deploy({"q.bpmn": form_task("q")}).json["id"]

    statuses = [designer.delete(f"/deployment/{found}").status_code for found in (used, unused, unused)]

    assert statuses == [400, 204, 404]
    assert designer.get("/process-definition?key=q").json == []


def test_delete_deployment__with_what_was_tried_out(designer, started):
    used = designer.get("/deployment?name=p").json[0]["id"]

    assert designer.delete(f"/deployment/{used}?cascade=true").status_code == 204

    assert designer.get("/process-definition?key=p").json == []
    assert designer.get("/process-instance").json == designer.get("/history/process-instance").json == []


def test_definitions__shown(designer, started):
    (shown,) = designer.get("/process-definition?key=p&latestVersion=true").json

    assert designer.get(f"/process-definition/{shown['id']}").json == shown == designer.get("/process-definition/key/p").json
    assert designer.get("/process-definition/key/p/xml").json["bpmn20Xml"].encode() == form_task()
    (resource,) = designer.get(f"/deployment/{shown['deploymentId']}/resources").json
    assert designer.get(f"/deployment/{shown['deploymentId']}/resources/{resource['id']}/data").data == form_task()


def test_variables__what_waits_for_a_change_goes_on(designer, client):
    condition = d.tag("bpmn:conditionalEventDefinition", d.tag("bpmn:condition", "${n > 1}", attrs={"xsi:type": "bpmn:tFormalExpression"}))
    waiting = d.diagram(
        d.start("s"), d.catch("c", condition), d.user("t", groups="window"), d.end("e"), d.flows("s -> c -> t -> e"), key="p"
    )
    started = designer.start(waiting, {"n": {"value": 1}})

    found = []
    for value in (0, 2):
        designer.put(f"/process-instance/{started['id']}/variables/n", {"value": value})
        found.append(client("clerk").get("/task/count?processDefinitionKey=p").json["count"])

    assert found == [0, 1]
