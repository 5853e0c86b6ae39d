"""Types that JSON cannot tell, where a drawing hands a variable on as it is: `${x}` gives it with its type, as in Camunda 7."""

from uuid import UUID

import pytest
from sqlalchemy import select

from engine.models import Instance
from tests.api.camunda.conftest import worked
from tests.api.camunda.test_external_tasks import fetch
from tests.bpmn import diagrams as d
from tests.bpmn.definitions import parameters

SINCE = {"value": "2026-03-01T08:00:00.000+0800", "type": "Date", "valueInfo": {}}
TREE = {"value": '{"k":3}', "type": "Json", "valueInfo": {}}
LONG = {"value": 7, "type": "Long", "valueInfo": {}}


@pytest.fixture
def store(sqlite):
    """What is asked here differs in no database."""
    return sqlite


@pytest.fixture
def variables(designer):
    """Variables of an instance."""
    return lambda started: designer.get(f"/process-instance/{started['id']}/variables?deserializeValues=false").json


def test_input_parameter(designer, worker):
    inputs = parameters(inputs={"day": "${since}", "tree": "${tree}", "more": "${number + 1}", "since": "gone"})
    started = designer.start(worked("print", "again", ext=inputs), {"since": SINCE, "tree": TREE, "number": LONG})

    (task,) = fetch(worker)
    worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w"})
    (again,) = fetch(worker, topics=["again"], localVariables=True)

    gone = {"value": "gone", "type": "String", "valueInfo": {}}
    own = {"day": SINCE, "tree": TREE, "more": {"value": 8, "type": "Integer", "valueInfo": {}}, "since": gone}
    assert (task["variables"], again["variables"]) == (own | {"number": LONG}, own)
    told = designer.get(f"/history/variable-instance?processInstanceId={started['id']}&variableName=day").json
    assert [row["type"] for row in told] == ["Date", "Date"]


def test_output_parameter__of_what_a_worker_has_set_locally(designer, worker, variables):
    outputs = parameters(outputs={"until": "${day}", "tree": "${document}", "much": "${plain}"})
    started = designer.start(worked("print", "again", ext=outputs), {"much": LONG})
    (task,) = fetch(worker)

    local = {"day": SINCE, "document": TREE, "plain": {"value": 7}}
    worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w", "localVariables": local})

    assert variables(started) == {"until": SINCE, "tree": TREE, "much": {"value": 7, "type": "Integer", "valueInfo": {}}}


def test_result_variable(designer, variables):
    task = d.element("serviceTask", "t", attrs={"camunda:expression": "${since}", "camunda:resultVariable": "copy"})
    diagram = d.diagram(d.start("s"), task, d.user("u"), d.end("e"), d.flows("s -> t -> u -> e"), key="p")

    assert variables(designer.start(diagram, {"since": SINCE})) == {"since": SINCE, "copy": SINCE}


def test_type__goes_with_its_activation(designer, worker, app):
    """However many there are, one after the other, no more is kept than of those that last."""
    started = designer.start(worked("print", ext=parameters(inputs={"day": "${since}"}, outputs={"copy": "${day}"})), {"since": SINCE})
    (task,) = fetch(worker)

    designer.post(
        f"/process-instance/{started['id']}/modification", {"instructions": [{"type": "startBeforeActivity", "activityId": "t0"}]}
    )
    worker.post(f"/external-task/{task['id']}/complete", {"workerId": "w"})

    with app.extensions["database"].transaction() as session:
        types = session.scalar(select(Instance.types).where(Instance.id == UUID(started["id"])))
    assert len([key for key in types if key.startswith("#")]) == 1
