"""Suspended process instances: nobody completes, fetches, fires or correlates anything in them, until they are activated."""

from datetime import datetime, timedelta

import pytest
import time_machine

from tests.api import bundle
from tests.api.camunda.conftest import form_task, worked
from tests.api.camunda.test_external_tasks import fetch
from tests.api.conftest import MONDAY
from tests.bpmn import diagrams as d

LATER = datetime.fromisoformat(MONDAY) + timedelta(days=1)


def turn(client, instance, *, suspended):
    answer = client.put(f"/process-instance/{instance['id']}/suspended", {"suspended": suspended})
    assert answer.status_code == 204, answer.json


def test_suspend__shown(designer):
    started = designer.start(form_task())

    turn(designer, started, suspended=True)

    assert designer.get(f"/process-instance/{started['id']}").json["suspended"] is True
    assert [len(designer.get(f"/process-instance?{which}=true").json) for which in ("suspended", "active")] == [1, 0]
    turn(designer, started, suspended=True)
    turn(designer, started, suspended=False)
    assert [len(designer.get(f"/process-instance?{which}=true").json) for which in ("suspended", "active")] == [0, 1]


def test_suspend__task_of_a_person(designer, client):
    started, admin = designer.start(form_task(), {"n": {"value": 1}}), client("admin")
    (task,) = admin.get(f"/task?processInstanceId={started['id']}").json
    turn(designer, started, suspended=True)

    answers = [admin.post(f"/task/{task['id']}/{verb}", {"userId": "admin"}) for verb in ("claim", "complete")]

    assert [(answer.status_code, answer.json["type"]) for answer in answers] == [(500, "SuspendedEntityInteractionException")] * 2
    assert admin.post(f"/tasks/{task['id']}/complete", {}, prefix="/api/v1").status_code == 409
    assert admin.get(f"/task/{task['id']}").json["suspended"] is True
    assert admin.get("/task/count?suspended=true").json == {"count": 1}
    assert designer.put(f"/process-instance/{started['id']}/variables/n", {"value": 2}).status_code == 204  # mending is not going on
    turn(designer, started, suspended=False)
    assert admin.post(f"/task/{task['id']}/complete").status_code == 204


def test_suspend__task_of_a_worker(designer, worker):
    started = designer.start(worked("print"))
    (task,) = fetch(worker)
    turn(designer, started, suspended=True)

    body = {"workerId": "w", "errorCode": "e", "newDuration": 1, "lockDuration": 1}
    refused = {
        verb: worker.post(f"/external-task/{task['id']}/{verb}", body).status_code
        for verb in ("complete", "failure", "bpmnError", "extendLock", "lock")
    }

    assert set(refused.values()) == {500}
    assert worker.post(f"/external-task/{task['id']}/unlock").status_code == 204
    assert fetch(worker) == []
    assert worker.get("/external-task?suspended=true").json[0]["suspended"] is True
    turn(designer, started, suspended=False)
    assert [found["id"] for found in fetch(worker)] == [task["id"]]


def test_suspend__timer_and_message(designer, tick):
    timer = d.timer_boundary("late", on="t", duration="PT1H")
    waiting = d.diagram(
        d.start("s"), d.receive("t", message="paid"), timer, d.user("u"), d.end("e"), d.flows("s -> t -> e", "late -> u -> e"), key="p"
    )
    started = designer.start(waiting)
    turn(designer, started, suspended=True)

    with time_machine.travel(LATER):
        assert tick() == 0
        assert designer.post("/message", {"messageName": "paid"}).status_code == 400
        turn(designer, started, suspended=False)
        assert tick() == 1
    assert designer.post("/message", {"messageName": "paid"}).status_code == 400  # the timer was first


def test_suspend__a_condition_is_not_put(designer):
    """Setting a variable is mending, not going on; once it is activated, the next change counts."""
    condition = d.tag("bpmn:conditionalEventDefinition", d.tag("bpmn:condition", "${n > 1}", attrs={"xsi:type": "bpmn:tFormalExpression"}))
    waiting = d.diagram(d.start("s"), d.catch("c", condition), d.end("e"), d.flows("s -> c -> e"), key="p")
    started = designer.start(waiting, {"n": {"value": 1}})
    turn(designer, started, suspended=True)

    designer.put(f"/process-instance/{started['id']}/variables/n", {"value": 2})
    turn(designer, started, suspended=False)

    assert designer.get(f"/process-instance/{started['id']}/variables/n").json["value"] == 2
    designer.put(f"/process-instance/{started['id']}/variables/m", {"value": 1})
    assert designer.get(f"/history/process-instance/{started['id']}").json["state"] == "COMPLETED"


def test_suspend__what_it_called_goes_on(designer, client, tick):
    """The one that is suspended waits for its child, and is told once it is activated."""
    designer.deploy({"c.bpmn": form_task("child")}, name="child")
    parent = designer.start(d.diagram(d.start("s"), d.call("c", of="child"), d.end("e"), d.flows("s -> c -> e"), key="p"))
    (task,) = client("admin").get("/task?processDefinitionKey=child").json
    turn(designer, parent, suspended=True)

    assert client("admin").post(f"/task/{task['id']}/complete").status_code == 204
    assert (tick(), designer.get(f"/process-instance/{parent['id']}").json["ended"]) == (0, False)
    turn(designer, parent, suspended=False)

    assert tick() == 1
    assert designer.get(f"/history/process-instance/{parent['id']}").json["state"] == "COMPLETED"


def test_suspend__a_modification_takes_away_but_starts_nothing(designer):
    """As in Camunda 7: what would go on is refused, whoever asks for it."""
    both = d.diagram(
        d.start("s"), d.parallel("f"), d.user("t"), d.user("u"), d.end("e"), d.flows("s -> f -> t -> e", "f -> u -> e"), key="p"
    )
    started = designer.start(both)
    turn(designer, started, suspended=True)

    def modify(**instruction):
        return designer.post(f"/process-instance/{started['id']}/modification", {"instructions": [instruction]})

    refused = [modify(type=f"start{where}Activity", activityId="t") for where in ("Before", "After")]
    refused.append(modify(type="startTransition", transitionId="t-e"))

    assert [(answer.status_code, answer.json["type"]) for answer in refused] == [(500, "SuspendedEntityInteractionException")] * 3
    assert modify(type="cancel", activityId="t").status_code == 204
    turn(designer, started, suspended=False)
    assert [one["taskDefinitionKey"] for one in designer.get(f"/task?processInstanceId={started['id']}").json] == ["u"]
    assert modify(type="startBeforeActivity", activityId="t").status_code == 204


def test_suspend__by_definition(designer):
    designer.start(form_task())
    designer.post("/process-definition/key/p/start", {})

    statuses = [
        designer.put("/process-instance/suspended", {"suspended": True, "processDefinitionKey": key}).status_code
        for key in ("x", "p", None)
    ]

    assert statuses == [204, 204, 400]
    assert designer.get("/process-instance/count?suspended=true").json == {"count": 2}


def test_suspend__deleted(designer):
    started = designer.start(form_task())
    turn(designer, started, suspended=True)

    assert designer.delete(f"/process-instance/{started['id']}").status_code == 204
    assert designer.put(f"/process-instance/{started['id']}/suspended", {"suspended": False}).status_code == 400
    assert designer.get(f"/history/process-instance/{started['id']}").json["state"] == "EXTERNALLY_TERMINATED"


@pytest.mark.parametrize("body", [{}, {"suspended": None}, {"suspended": "true"}])
def test_suspend__unacceptable(designer, body):
    started = designer.start(form_task())

    assert designer.put(f"/process-instance/{started['id']}/suspended", body).status_code == 400


def test_suspend__a_case(client, worker):
    """What pauses a case is a procedure of the law."""
    typed = {"hall": "changsha", "applicant": bundle.APPLICANT, "answers": bundle.ANSWERS}
    case = client("clerk").post(
        "/process-definition/key/open_restaurant/start", {"variables": {name: {"value": value} for name, value in typed.items()}}
    )

    answer = client("admin").put(f"/process-instance/{case.json['id']}/suspended", {"suspended": True})

    assert (answer.status_code, case.json["businessKey"] in answer.json["message"]) == (400, True)
