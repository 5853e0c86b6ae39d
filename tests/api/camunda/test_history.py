"""What instances went through, where they stand, how many do, and how their operators put them right."""

from datetime import datetime, timedelta

import pytest
import time_machine

from tests.api.camunda.conftest import form_task, worked
from tests.api.camunda.test_external_tasks import fetch
from tests.api.conftest import MONDAY
from tests.bpmn import diagrams as d

NESTED = d.diagram(
    d.start("s"),
    d.subprocess("sub", d.start("i"), d.user("t", name="登记", groups="window"), d.external("x", topic="print"), d.end("o"), d.flows("i -> t -> x -> o")),
    d.timer_boundary("late", on="sub", duration="PT1H"),
    d.end("e", terminate=True),
    d.flows("s -> sub -> e", "late -> e"),
    key="p",
    name="流程",
)  # fmt: skip


def went(client, instance, query=""):
    return client.get(f"/history/activity-instance?processInstanceId={instance['id']}{query}").json


@pytest.fixture
def started(designer):
    return designer.start(NESTED, {"n": {"value": 1}, "t": {"value": "甲"}}, business_key="B")


@pytest.fixture
def task(client, started):
    (found,) = client("clerk").get(f"/task?processInstanceId={started['id']}").json
    return found


def test_activities__in_order(designer, client, started, task):
    client("clerk").post(f"/task/{task['id']}/complete")

    told = went(designer, started)

    assert [(one["activityId"], one["activityType"], one["endTime"] is None) for one in told] == [
        ("s", "startEvent", False),
        ("sub", "subProcess", True),
        ("i", "startEvent", False),
        ("t", "userTask", False),
        ("x", "serviceTask", True),
    ]
    (of_task,) = went(designer, started, "&activityType=userTask")
    assert (of_task["taskId"], of_task["activityName"], of_task["canceled"]) == (task["id"], "登记", False)
    assert of_task["parentActivityInstanceId"] == told[1]["id"]
    assert told[1]["parentActivityInstanceId"] == of_task["rootProcessInstanceId"] == started["id"]
    assert [one["id"] for one in went(designer, started, f"&activityInstanceId={of_task['id']}")] == [of_task["id"]]


def test_activities__interrupted(designer, started, task, tick):
    with time_machine.travel(datetime.fromisoformat(MONDAY) + timedelta(hours=2)):
        tick()

    told = {one["activityId"]: one for one in went(designer, started)}

    assert {name for name, one in told.items() if one["canceled"]} == {"sub", "t"}
    assert [told[name]["activityType"] for name in ("late", "e")] == ["boundaryTimer", "terminateEndEvent"]
    assert told["e"]["completeScope"] is True
    assert designer.get("/history/activity-instance/count?canceled=true&processDefinitionKey=p").json == {"count": 2}
    assert told["t"]["durationInMillis"] >= 3_600_000


def test_activities__an_event_subprocess_is_a_subprocess(designer):
    """As Camunda 7 names both: it goes by the tag."""
    inside = d.event_subprocess("ev", d.start("m", message="note", attrs={"isInterrupting": "false"}), d.user("w"), d.flows("m -> w"))
    started = designer.start(d.diagram(d.start("s"), d.user("t"), d.end("e"), inside, d.flows("s -> t -> e"), key="p"))
    assert designer.post("/message", {"messageName": "note"}).status_code == 204

    told = {one["activityId"]: one["activityType"] for one in went(designer, started)}
    tree = designer.get(f"/process-instance/{started['id']}/activity-instances").json

    assert told == {"s": "startEvent", "t": "userTask", "ev": "subProcess", "m": "messageStartEvent", "w": "userTask"}
    assert {one["activityId"]: one["activityType"] for one in tree["childActivityInstances"]} == {"t": "userTask", "ev": "subProcess"}
    assert [one["activityId"] for one in went(designer, started, "&activityType=subProcess")] == ["ev"]


def test_tree__of_what_lasts(designer, worker, started, task):
    tree = designer.get(f"/process-instance/{started['id']}/activity-instances").json
    (sub,) = tree["childActivityInstances"]
    (inner,) = sub["childActivityInstances"]

    assert (tree["id"], tree["activityType"], tree["activityName"]) == (started["id"], "processDefinition", "流程")
    assert (sub["activityId"], sub["parentActivityInstanceId"]) == ("sub", started["id"])
    assert (inner["activityId"], inner["activityName"], inner["parentActivityInstanceId"]) == ("t", "登记", sub["id"])
    assert designer.get("/process-instance/count?activityIdIn=t,x").json == {"count": 1}
    assert designer.get("/process-instance/count?activityIdIn=x").json == {"count": 0}


def test_tree__with_an_incident(designer, worker):
    started = designer.start(worked("print"))
    (task,) = fetch(worker)
    worker.post(f"/external-task/{task['id']}/failure", {"workerId": "w", "errorMessage": "no paper"})

    (there,) = designer.get(f"/process-instance/{started['id']}/activity-instances").json["childActivityInstances"]

    assert [there["id"]] == [task["activityInstanceId"]]
    assert [{"id": one["id"], "activityId": "t0"} for one in designer.get("/incident").json] == there["incidents"]


def test_tree__with_a_token_that_a_job_carries_on(designer, client, worker):
    """It waits before the activity, which has not begun; it can be cancelled there."""
    waits = d.external("x", topic="print", attrs={"camunda:asyncBefore": "true"})
    both = d.diagram(
        d.start("s"), d.parallel("f"), waits, d.user("t", groups="window"), d.end("e"), d.flows("s -> f -> x -> e", "f -> t -> e"), key="p"
    )
    started = designer.start(both)

    tree = designer.get(f"/process-instance/{started['id']}/activity-instances").json
    assert [one["activityId"] for one in tree["childActivityInstances"]] == ["t"]
    (waiting,) = tree["childTransitionInstances"]
    assert (waiting["activityId"], waiting["targetActivityId"], waiting["activityType"], waiting["parentActivityInstanceId"]) == (
        "x",
        "x",
        "serviceTask",
        started["id"],
    )

    assert modify(designer, started, {"type": "cancel", "transitionInstanceId": waiting["id"]}).status_code == 204
    assert designer.get(f"/process-instance/{started['id']}/activity-instances").json["childTransitionInstances"] == []
    assert designer.get("/job/count").json == {"count": 0}


def test_tree__of_what_has_ended(designer):
    ended = designer.start(d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="p"))

    assert designer.get(f"/process-instance/{ended['id']}/activity-instances").status_code == 404


def test_statistics(designer, worker, client):
    first = designer.start(worked("print"))
    designer.post("/process-definition/key/p/start", {})
    (task,) = fetch(worker, most=1)
    worker.post(f"/external-task/{task['id']}/failure", {"workerId": "w", "errorMessage": "no paper"})

    of = f"/process-definition/{first['definitionId']}/statistics"
    (one,) = designer.get(f"{of}?incidents=true").json
    assert (one["id"], one["instances"], one["incidents"]) == ("t0", 2, [{"incidentType": "failedExternalTask", "incidentCount": 1}])
    assert designer.get(of).json == designer.get("/process-definition/key/p/statistics").json == [one | {"incidents": []}]
    assert designer.get(f"{of}?incidentsForType=failedJob").json[0]["incidents"] == []
    found = {row["definition"]["key"]: row for row in designer.get("/process-definition/statistics?incidents=true&failedJobs=true").json}
    assert (found["p"]["instances"], found["p"]["failedJobs"], found["open_restaurant"]["instances"]) == (2, 0, 0)
    assert client("officer-fire").get(of).json == []
    assert designer.get("/process-definition/x/statistics").status_code == 404


def modify(client, instance, *instructions, **more):
    return client.post(
        f"/process-instance/{instance['id']}/modification", {"instructions": list(instructions), "annotation": "登记错了", **more}
    )


def test_modify__cancel_and_start_elsewhere(designer, worker, started, task):
    answer = modify(
        designer,
        started,
        {"type": "startBeforeActivity", "activityId": "x", "variables": {"n": {"value": 2}}},
        {"type": "cancel", "activityId": "t"},
    )

    assert answer.status_code == 204
    (fetched,) = fetch(worker)
    assert (fetched["activityId"], fetched["variables"]["n"]["value"]) == ("x", 2)
    assert [one["activityId"] for one in went(designer, started) if one["canceled"]] == ["t"]


def test_modify__cancel_all_there_is(designer, started, task):
    """It has not come to its end."""
    assert modify(designer, started, {"type": "cancel", "activityId": "sub"}).status_code == 204

    found = designer.get(f"/history/process-instance/{started['id']}").json
    assert (found["state"], found["endActivityId"]) == ("EXTERNALLY_TERMINATED", None)
    assert designer.get("/history/process-instance/count?completed=true").json == {"count": 0}


def test_modify__one_activation(designer, started, task):
    (there,) = went(designer, started, "&activityId=t")

    answer = modify(
        designer, started, {"type": "startTransition", "transitionId": "i-t"}, {"type": "cancel", "activityInstanceId": there["id"]}
    )

    assert answer.status_code == 204
    assert [one["endTime"] is None for one in went(designer, started, "&activityId=t")] == [False, True]


def test_modify__in_another_scope_with_local_variables(designer, worker, started, task):
    """What lies between the named scope and the element begins anew; local variables are those of what starts."""
    given = {"when": {"value": "2026-03-01T08:00:00.000+0800", "type": "Date", "local": True}, "m": {"value": 1}}
    start = {"type": "startBeforeActivity", "activityId": "x", "variables": given}
    (sub,) = went(designer, started, "&activityId=sub")

    for ancestor in (sub["id"], started["id"]):
        answer = modify(designer, started, start | {"ancestorActivityInstanceId": ancestor}, skipIoMappings=True, skipCustomListeners=True)
        assert answer.status_code == 204, answer.json

    scopes = [one["id"] for one in went(designer, started, "&activityId=sub")]
    assert [one["parentActivityInstanceId"] for one in went(designer, started, "&activityId=x")] == scopes
    first, second = fetch(worker)
    assert first["variables"]["when"]["type"] == second["variables"]["when"]["type"] == "Date"
    assert set(designer.get(f"/process-instance/{started['id']}/variables").json) == {"n", "t", "m"}


def test_modify__everything_is_taken_away(designer, started):
    assert modify(designer, started, {"type": "cancel", "activityId": "sub"}).status_code == 204
    assert designer.get(f"/process-instance/{started['id']}").status_code == 404


@pytest.mark.parametrize(
    "instruction",
    [
        1, {}, {"type": "jump", "activityId": "t"}, {"type": "cancel"}, {"type": "cancel", "activityId": "x"}, {"type": "cancel", "activityInstanceId": "t:1:999"},
        {"type": "startBeforeActivity"}, {"type": "startBeforeActivity", "activityId": "nowhere"}, {"type": "startTransition", "transitionId": "x"},
        {"type": "startBeforeActivity", "activityId": "x", "ancestorActivityInstanceId": "s:1:999"}, {"type": "startBeforeActivity", "activityId": "x", "ancestorActivityInstanceId": "t:1:5"},
    ],
)  # fmt: skip
def test_modify__unacceptable(designer, started, instruction):
    before = went(designer, started)

    assert modify(designer, started, instruction).status_code == 400
    assert went(designer, started) == before


def test_start__elsewhere(designer, worker):
    """A process may begin in its midst, with the variables that would be there by then."""
    designer.deploy({"p.bpmn": NESTED}, name="p")
    elsewhere = [{"type": "startBeforeActivity", "activityId": "x", "variables": {"n": {"value": 2}}}]

    answer = designer.post(
        "/process-definition/key/p/start", {"variables": {"n": {"value": 1}}, "startInstructions": elsewhere, "businessKey": "B"}
    )

    assert (answer.status_code, answer.json["businessKey"]) == (200, "B")
    assert [one["activityId"] for one in went(designer, answer.json)] == ["sub", "x"]
    (task,) = fetch(worker)
    assert task["variables"]["n"]["value"] == 2
    assert worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w"}).status_code == 204
    assert designer.get(f"/history/process-instance/{answer.json['id']}").json["state"] == "COMPLETED"


@pytest.mark.parametrize("instruction", [1, {"type": "cancel", "activityId": "t"}, {"type": "startBeforeActivity", "activityId": "nowhere"}, {"type": "startAfterActivity"}])  # fmt: skip
def test_start__nowhere(designer, instruction):
    designer.deploy({"p.bpmn": NESTED}, name="p")

    assert designer.post("/process-definition/key/p/start", {"startInstructions": [instruction]}).status_code == 400
    assert designer.get("/process-instance/count?processDefinitionKey=p").json == {"count": 0}


def test_modify__by_whom_it_does_not_concern(client, started):
    assert modify(client("clerk"), started, {"type": "cancel", "activityId": "t"}).status_code == 404


def test_executions(designer, client, started, task):
    """An instance is one, and so is each activation that lasts."""
    found = designer.get(f"/execution?processInstanceId={started['id']}").json
    whole, of_sub, of_task = (one["id"] for one in found)

    assert found[0] == {"id": started["id"], "processInstanceId": started["id"], "ended": False, "tenantId": None}
    assert [designer.get(f"/execution/{one['id']}").json for one in found] == found
    assert (whole, of_task) == (started["id"], task["executionId"])
    (sub,) = designer.get(f"/process-instance/{started['id']}/activity-instances").json["childActivityInstances"]
    assert (sub["executionIds"], sub["childActivityInstances"][0]["executionIds"]) == ([of_sub], [of_task])
    for place, elements in ((of_task, ["t"]), (whole, ["s", "sub", "i", "t"])):
        assert [one["activityId"] for one in went(designer, started, f"&executionId={place}")] == elements
        assert [one["id"] for one in client("clerk").get(f"/task?executionId={place}").json] == [task["id"]]


@pytest.mark.parametrize(("query", "found"), [("activityId=t", 1), ("activityId=x", 0), ("businessKey=B", 3), ("processDefinitionKey=p", 3), ("variables=n_eq_1", 1), ("processVariables=n_eq_1", 3), ("processVariables=n_eq_2", 0), ("suspended=true", 0), ("active=true&sortBy=instanceId&sortOrder=asc", 3), ("messageEventSubscriptionName=x", 0), ("incidentId=x", 0), ("incidentMessageLike=x", 0)])  # fmt: skip
def test_executions__filtered(designer, started, query, found):
    assert designer.get(f"/execution/count?processInstanceId={started['id']}&{query}").json == {"count": found}
    assert len(designer.get(f"/execution?processInstanceId={started['id']}&{query}").json) == found


def test_signal__a_receive_task(designer):
    waiting = d.diagram(d.start("s"), d.receive("r", message="paid"), d.user("u"), d.end("e"), d.flows("s -> r -> u -> e"), key="p")
    started = designer.start(waiting)

    statuses = [designer.post(f"/execution/{started['id']}/signal", {"variables": {"sum": {"value": 5}}}).status_code for _ in range(2)]

    assert statuses == [204, 400]
    assert designer.get(f"/execution/{started['id']}/localVariables/sum").json["value"] == 5
    assert designer.get("/execution/count?messageEventSubscriptionName=paid").json == {"count": 0}


def test_tasks__that_are_over(designer, client, started, task):
    client("clerk").post(f"/task/{task['id']}/complete")

    (told,) = designer.get(f"/history/task?processInstanceId={started['id']}&finished=true").json

    assert [told[name] for name in ("taskDefinitionKey", "deleteReason", "taskState", "processDefinitionKey")] == [
        "t",
        "completed",
        "Completed",
        "p",
    ]
    assert told["activityInstanceId"] == went(designer, started, "&activityId=t")[0]["id"]
    for query, found in {
        "taskName=登记": 1,
        "taskName=x": 0,
        "unfinished=true": 0,
        "processFinished=true": 0,
        "taskAssignee=x": 0,
        "sortBy=endTime&sortOrder=asc": 1,
    }.items():
        assert designer.get(f"/history/task/count?processDefinitionKey=p&{query}").json == {"count": found}, query


def test_variables__looked_for(designer, started):
    def names(query):
        return [one["name"] for one in designer.get(f"/history/variable-instance?processInstanceId={started['id']}&{query}").json]

    assert names("") == ["n", "t"]
    assert names("sortBy=variableName&sortOrder=desc&maxResults=1") == ["t"]
    assert (names("variableName=n"), names("variableName=n&variableValue=1"), names("variableName=n&variableValue=2")) == (["n"], ["n"], [])
    assert (names("variableNameLike=t%25"), names("variableTypeIn=integer"), names("variableNameIn=n,x")) == (["t"], ["n"], ["n"])
    assert designer.get("/history/variable-instance/count?processDefinitionKey=p").json == {"count": 2}
    assert designer.post(
        "/history/variable-instance/count", {"processInstanceIdIn": [started["id"]], "variableName": "t", "variableValue": "甲"}
    ).json == {"count": 1}


@pytest.mark.parametrize(
    "query",
    [
        "variable-instance?variableValue=1",
        "variable-instance?sortBy=x&sortOrder=asc",
        "activity-instance?sortBy=x&sortOrder=asc",
        "task?colour=red",
    ],
)
def test_history__unacceptable(designer, query):
    assert designer.get(f"/history/{query}").status_code == 400


def test_instance__an_error_on_one_of_its_paths(designer):
    """It goes on, and has not ended by that."""
    beside = d.flows("s -> f -> a -> e", "f -> bad")
    running = designer.start(d.diagram(d.start("s"), d.parallel("f"), d.user("a"), d.end("e"), d.end("bad", error="E1"), beside, key="p"))

    told = designer.get(f"/history/process-instance/{running['id']}").json

    assert (told["state"], told["uncaughtError"], told["deleteReason"]) == ("ACTIVE", "E1", None)
    [task] = designer.get("/task").json
    designer.post(f"/task/{task['id']}/complete", {})
    told = designer.get(f"/history/process-instance/{running['id']}").json
    assert (told["state"], told["uncaughtError"], told["deleteReason"], told["endActivityId"]) == ("COMPLETED", "E1", None, "e")


def test_instance__ended_by_an_error(designer):
    failed = designer.start(d.diagram(d.start("s"), d.end("e", error="E1"), d.flows("s -> e"), key="p"))

    told = designer.get(f"/history/process-instance/{failed['id']}").json

    assert (told["state"], told["endActivityId"]) == ("COMPLETED", "e")  # as in Camunda 7, which says no more
    assert (told["uncaughtError"], told["deleteReason"]) == ("E1", "Error E1 was caught by nothing")
    [start, ended] = designer.get(f"/history/activity-instance?processInstanceId={failed['id']}&sortBy=startTime&sortOrder=asc").json
    assert (start["uncaughtError"], ended["uncaughtError"]) == (None, "E1")
    assert (ended["activityId"], ended["canceled"], ended["completeScope"]) == ("e", False, True)
    assert (told["startActivityId"], told["startUserId"]) == ("s", "designer")
    for query, found in {
        "internallyTerminated=true": 0,
        "completed=true": 1,
        "startedBy=designer": 1,
        "startedBy=x": 0,
        "executedActivityIdIn=e": 1,
        "activeActivityIdIn=e": 0,
    }.items():
        assert designer.get(f"/history/process-instance/count?processDefinitionKey=p&{query}").json == {"count": found}, query


def test_instance__called_by_another(designer):
    designer.deploy({"c.bpmn": form_task("child")}, name="child")
    parent = designer.start(d.diagram(d.start("s"), d.call("c", of="child"), d.end("e"), d.flows("s -> c -> e"), key="p"))

    (child,) = designer.get(f"/history/process-instance?superProcessInstanceId={parent['id']}").json

    assert (child["superProcessInstanceId"], child["rootProcessInstanceId"]) == (parent["id"], parent["id"])
    assert went(designer, parent, "&activityId=c")[0]["calledProcessInstanceId"] == child["id"]
    assert [one["id"] for one in designer.get(f"/process-instance?subProcessInstance={child['id']}").json] == [parent["id"]]
    assert designer.get("/process-instance/count?leafProcessInstances=true").json == {"count": 1}
