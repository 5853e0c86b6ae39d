"""Every list is asked for in one way.  What is refused here, Camunda 7.22 refuses (400), unless a test says otherwise."""

import pytest

from tests.api.camunda.conftest import worked

#: Lists, and by what each can be sorted.
LISTS = {
    "deployment": "name",
    "process-definition": "key",
    "process-instance": "instanceId",
    "execution": "instanceId",
    "external-task": "id",
    "incident": "incidentId",
    "job": "jobId",
    "task": "name",
    "history/process-instance": "startTime",
    "history/activity-instance": "activityId",
    "history/task": "taskName",
    "history/variable-instance": "variableName",
}
#: Lists that are asked for with GET alone.
READ = {"deployment", "process-definition", "incident"}


@pytest.mark.parametrize(("path", "name"), LISTS.items())
def test_order(designer, path, name):
    designer.start(worked("print"))
    upwards, downwards = (designer.get(f"/{path}?sortBy={name}&sortOrder={order}").json for order in ("asc", "desc"))

    refused = [f"sortBy={name}", "sortOrder=asc", f"sortBy={name}&sortOrder=", f"sortBy={name}&sortOrder=DESC", "sortBy=x&sortOrder=asc"]
    refused = {query: designer.get(f"/{path}{count}?{query}").status_code for query in refused for count in ("", "/count")}

    assert sorted(one["id"] for one in upwards) == sorted(one["id"] for one in downwards)
    assert set(refused.values()) == {400}, refused


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, name in LISTS.items() if path not in READ])
def test_order__in_a_body(designer, path, name):
    both = {"sortBy": name, "sortOrder": "desc"}
    refused = [{"sortBy": name}, {"sortOrder": "asc"}, {"sorting": [{"sortBy": name}]}, {"sorting": [both | {"sortOrder": "up"}]}]

    taken = [designer.post(f"/{path}", body).status_code for body in ({}, both, {"sorting": [both]}, {"sorting": []}, {"sorting": None})]

    assert taken == [200] * 5
    assert [designer.post(f"/{path}{count}", body).status_code for body in refused for count in ("", "/count")] == [400] * 8


@pytest.mark.parametrize(
    "query",
    [
        *("external-task?locked=", "job?timers=", "task?unassigned=", "history/process-instance?finished="),
        *("process-instance?variables=", "task?processVariables=", "execution?variables=", "execution?processVariables="),
    ],
)
def test_empty_values(designer, query):
    assert designer.get(f"/{query}").status_code == 400


@pytest.mark.parametrize("path", ["process-instance", "execution", "history/process-instance"])
def test_no_variables(designer, path):
    designer.start(worked("print"))

    assert len(designer.post(f"/{path}", {"variables": []}).json) == len(designer.get(f"/{path}").json) > 0
