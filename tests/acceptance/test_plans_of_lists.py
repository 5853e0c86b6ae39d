"""Lists of `/engine-rest` are asked for by what finds few rows: then no table that is full is read whole, however much there is of it.

By what else they may be asked (an element, a name, a moment) all that is open is looked through, and in history all there is.
"""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from engine.models import ExternalTask, Incident, Instance, Task, Timer
from tests.acceptance import crowd, plans
from tests.benchmarks import population

#: What lasts in each instance, and what is over.
LASTING = """
INSERT INTO external_tasks (id, region, case_id, instance_id, wait, element, topic, priority, created_at)
SELECT id, region, case_id, id, 1, 'x', left(id::text, 12), 0, started_at FROM instances
""", """
INSERT INTO activities (region, case_id, instance_id, number, element, name, type, rev, place, started_at, ended_at, outcome)
SELECT i.region, i.case_id, i.id, 100 + n, drawn.element, 'x', 'userTask', 1, 1, started_at,
       CASE WHEN n > 1 THEN started_at END, CASE WHEN n > 1 THEN 'completed' END
FROM instances AS i, generate_series(1, 5) AS n, (
    SELECT definition_id, min(element) AS element FROM activities JOIN instances ON instances.id = instance_id GROUP BY definition_id
) AS drawn
WHERE drawn.definition_id = i.definition_id
"""  # fmt: skip
GROWING = crowd.CROWDED | {"external_tasks", "activities"}
_OF_INSTANCES = "businessKey={business}", "processInstanceIds={instance},{task}", "processDefinitionId=p:1:{instance}"
ASKED = {
    "process-instance": (*_OF_INSTANCES, "superProcessInstance={instance}", "subProcessInstance={instance}", "incidentId={incident}"),
    "execution": (
        *("businessKey={business}", "processInstanceId={instance}", "processDefinitionId=p:1:{instance}"),
        *("messageEventSubscriptionName=paid", "signalEventSubscriptionName=paid", "incidentId={incident}"),
        "messageEventSubscriptionName=paid&processDefinitionKey=open_restaurant",
    ),
    "external-task": (
        *("externalTaskId={external}", "externalTaskIdIn={external},{task}", "topicName=print", "topicName=print&locked=true"),
        *("processInstanceId={instance}", "processInstanceIdIn={instance},{task}", "executionId={instance}", "workerId=w&topicName=print"),
        "processDefinitionId=p:1:{instance}",
    ),
    "incident": ("incidentId={incident}", "processInstanceId={instance}", "executionId={instance}"),
    "job": ("jobId={timer}", "jobIds={timer},{task}", "processInstanceId={instance}", "processInstanceIds={instance},{task}"),
    "task": (
        *("taskId={task}", "taskIdIn={task},{instance}", "processInstanceId={instance}", "processInstanceIdIn={instance},{task}"),
        *("executionId={instance}", "processInstanceBusinessKey={business}", "assignee=nobody", "assigneeIn=nobody,none"),
    ),
    "history/process-instance": (
        *("processInstanceId={instance}", "processInstanceIds={instance},{task}", "processInstanceBusinessKey={business}"),
        *("superProcessInstanceId={instance}", "processDefinitionId=p:1:{instance}"),
    ),
    "history/activity-instance": ("processInstanceId={instance}", "executionId={instance}", "processInstanceIdIn={instance},{task}"),
    "history/task": ("taskId={task}", "processInstanceId={instance}", "processInstanceBusinessKey={business}", "taskAssignee=nobody"),
    "history/variable-instance": ("processInstanceId={instance}", "processInstanceIdIn={instance},{task}", "executionIdIn={instance}"),
}


@pytest.fixture
def found(crowded):
    """One thing of each kind."""
    with crowded.database.transaction() as session:
        for statement in LASTING:
            session.execute(text(statement))
    population.settle(crowded.database)
    with crowded.database.reading() as session:
        instance, business = session.execute(select(Instance.id, Instance.business_key).order_by(Instance.id.desc()).limit(1)).one()
        kinds = {"task": Task, "external": ExternalTask, "timer": Timer, "incident": Incident}
        return {name: session.scalar(select(kind.id).limit(1)) for name, kind in kinds.items()} | {
            "instance": instance,
            "business": business,
        }


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_plans__of_what_clients_ask_for(crowded, found):
    whole = {}
    for path, query in [(path, query.format(**found)) for path, queries in ASKED.items() for query in queries]:
        for who in ("admin", "designer"):
            for asked in (f"{path}?{query}", f"{path}/count?{query}"):
                with plans.recorded(crowded.database) as statements:
                    answer = crowded[who].client.get(f"/engine-rest/{asked}", headers=crowded[who].headers)
                assert answer.status_code == 200, (asked, answer.json)
                read = plans.whole_reads(crowded.database, statements, GROWING)
                whole |= {(asked, who, *tables): statement for statement, tables in read.items()}

    assert whole == {}
