"""Retries of external tasks and the incidents that stand when none are left, as Camunda 7.22 answered the same calls."""

import pytest

from tests.api.camunda.conftest import worked
from tests.api.camunda.test_external_tasks import fetch


@pytest.fixture
def failed(designer, worker):
    """A task that has failed for good, without a word."""
    started = designer.start(worked("print"))
    (task,) = fetch(worker)
    assert worker.post(f"/external-task/{task['id']}/failure", {"workerId": "w", "retries": 0}).status_code == 204
    return task | {"processInstanceId": started["id"]}


def stand(worker, task):
    """How many attempts are left, by how many incidents stand."""
    incidents = worker.get(f"/incident/count?processInstanceId={task['processInstanceId']}").json["count"]
    return worker.get(f"/external-task/{task['id']}").json["retries"], incidents


def test_failure__without_a_message(worker, failed):
    (incident,) = worker.get(f"/incident?processInstanceId={failed['processInstanceId']}").json

    assert (incident["incidentMessage"], incident["incidentType"], incident["configuration"]) == (None, "failedExternalTask", failed["id"])
    assert worker.get(f"/external-task/{failed['id']}").json["errorMessage"] is None


def test_failure__once_more_at_zero(worker, failed):
    worker.post(f"/external-task/{failed['id']}/failure", {"workerId": "w", "retries": 0, "errorMessage": "again"})

    assert stand(worker, failed) == (0, 1)
    assert worker.get(f"/external-task/{failed['id']}").json["errorMessage"] == "again"


def test_set__by_hand(worker, failed):
    told = []
    for retries in (0, 2, 0):
        worker.put(f"/external-task/{failed['id']}/retries", {"retries": retries})
        told.append(stand(worker, failed))

    assert told == [(0, 1), (2, 0), (0, 1)]


def test_complete__while_its_incident_stands(worker, failed):
    assert worker.post(f"/external-task/{failed['id']}/complete", {"workerId": "w"}).status_code == 204

    of_it = f"processInstanceIds={failed['processInstanceId']}"
    assert worker.get("/incident/count").json == {"count": 0}
    assert worker.get(f"/history/process-instance/count?{of_it}&finished=true&withIncidents=true").json == {"count": 1}


@pytest.mark.parametrize(
    "meant",
    [
        lambda task: {"externalTaskIds": [task["id"], task["id"]]},
        lambda task: {"processInstanceIds": [task["processInstanceId"]]},
        lambda task: {"externalTaskQuery": {"noRetriesLeft": True}, "externalTaskIds": None},
        lambda _task: {"processInstanceQuery": {"withIncident": True}},
        lambda _task: {"historicProcessInstanceQuery": {"withIncidents": True}},
    ],
)
def test_set_all(designer, worker, failed, meant):
    other = designer.start(worked("print", key="q"), key="q")

    assert worker.put("/external-task/retries", {"retries": 3, **meant(failed)}).status_code == 204

    assert stand(worker, failed) == (3, 0)
    assert [task["retries"] for task in worker.get(f"/external-task?processInstanceId={other['id']}").json] == [None]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"retries": 3}, 400),
        ({"retries": 3, "externalTaskIds": []}, 400),
        ({"retries": 3, "externalTaskIds": [None]}, 400),
        ({"retries": 3, "externalTaskIds": ["x"]}, 404),
        ({"retries": 3, "externalTaskIds": ["{id}", "00000000-0000-0000-0000-000000000000"]}, 404),
        ({"retries": 3, "externalTaskQuery": {"topicName": "nothing"}}, 400),
        ({"retries": -1, "externalTaskIds": ["{id}"]}, 400),
        ({"externalTaskIds": ["{id}"]}, 400),
    ],
)
def test_set_all__refused(worker, failed, body, status):
    ids = [failed["id"] if one == "{id}" else one for one in body.get("externalTaskIds", ())]

    assert worker.put("/external-task/retries", body | ({"externalTaskIds": ids} if ids else {})).status_code == status
    assert stand(worker, failed) == (0, 1)


def test_set_all__what_is_not_yours(client, failed, worker):
    assert client("officer-fire").put("/external-task/retries", {"retries": 3, "externalTaskIds": [failed["id"]]}).status_code == 404
    assert stand(worker, failed) == (0, 1)


@pytest.mark.parametrize("entry", [{"sortBy": "createTime"}, {"sortBy": "createTime", "sortOrder": "up"}, {"sortOrder": "asc"}])
def test_fetch__in_no_order(worker, entry):
    topics = [{"topicName": "print", "lockDuration": 1000}]

    assert (
        worker.post("/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 1, "topics": topics, "sorting": [entry]}).status_code
        == 400
    )
