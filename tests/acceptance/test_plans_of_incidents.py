"""Incidents are kept when they are resolved: who asks for those that stand has the database look at hardly any others."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from engine import gauges, keys
from engine.files import FileStore
from engine.models import Definition, Incident, Instance
from tests.acceptance import plans
from tests.benchmarks import population

RESOLVED, STANDING = 50_000, 5
#: What may be looked at for one statement: some are asked for twice, and an instance has had some that are resolved.
FEW = 100
#: In each instance there have been as many as in any other.
FILLED = f"""
INSERT INTO incidents (id, region, case_id, instance_id, wait, element, message, raised_at)
SELECT md5(id::text || n)::uuid, region, case_id, id, 1 + n, 'x', 'x', started_at
FROM generate_series(1, 20) AS n, instances ORDER BY n LIMIT {RESOLVED + STANDING} - (SELECT count(*) FROM incidents)
""", f"""
UPDATE incidents SET resolved_at = now() WHERE id NOT IN (SELECT id FROM incidents ORDER BY id DESC LIMIT {STANDING})
"""  # fmt: skip
OF_INCIDENTS = (
    *("incidentId={incident}", "processInstanceId={instance}", "executionId={instance}", "configuration={incident}"),
    *("processDefinitionId={definition}", "processDefinitionKeyIn=open_restaurant", "activityId=x", "failedActivityId=x"),
    *("incidentType=failedJob", "incidentType=failedExternalTask", "incidentMessage=x", "incidentMessageLike=%25x%25"),
    *("incidentTimestampBefore=2026-03-01T00:00:00.000%2B0800", "incidentTimestampAfter=2026-03-01T00:00:00.000%2B0800"),
    *(f"sortBy={name}&sortOrder={order}&maxResults=2" for name in ("incidentTimestamp", "processInstanceId") for order in ("asc", "desc")),
)
#: Work of which nothing has failed.
WORKED = """
INSERT INTO external_tasks (id, region, case_id, instance_id, wait, element, topic, priority, created_at)
SELECT md5(id::text || n || 'y')::uuid, region, case_id, id, 1000 + n, 'y', 'y', 0, started_at FROM generate_series(1, 10) AS n, instances
"""
ASKED = (
    "/api/v1/incidents",
    *(f"/engine-rest/incident{counted}" for counted in ("", "/count", *(f"?{query}" for query in OF_INCIDENTS))),
    *(f"/engine-rest/incident/count?{query}" for query in OF_INCIDENTS if "sortBy" not in query),
    "/engine-rest/process-instance?withIncident=true",
    "/engine-rest/process-definition/statistics?incidents=true",
)


def ask(hall, who, path):
    """Give the statements about incidents, and the answer."""
    with plans.recorded(hall.database) as statements:
        answer = hall[who].client.get(path, headers=hall[who].headers)
    assert answer.status_code == 200, (path, answer.json)
    about = {statement: parameters for statement, parameters in statements.items() if "FROM incidents" in statement}
    assert about, path
    return about, answer.json


@pytest.fixture
def mended(crowded):
    """Nearly all that has ever failed is mended."""
    with crowded.database.transaction() as session:
        for statement in FILLED:
            session.execute(text(statement))
        counted = session.execute(select(func.count(), func.count(Incident.resolved_at))).one()
        assert tuple(counted) == (RESOLVED + STANDING, RESOLVED)
    population.settle(crowded.database)
    return crowded


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_plans__of_incidents_that_stand(mended):
    query = select(Incident.id, Incident.instance_id, Definition).join(Instance, keys.its(Incident.instance_id, Instance))
    with mended.database.reading() as session:
        one = session.execute(query.join(Definition).where(Incident.resolved_at.is_(None)).limit(1)).one()
        version = f"{one.Definition.key}:{one.Definition.version}:{one.Definition.id}"
    things = {"incident": one.id, "instance": one.instance_id, "definition": version}
    found = {}
    for path in [path.format(**things) for path in ASKED]:
        for who in ("admin", "supervisor", "officer-market"):
            statements, answer = ask(mended, who, path)
            read = plans.rows_read(mended.database, statements, "incidents")
            found |= {(who, path, rows): statement for statement, rows in read.items() if rows > FEW}
            if who == "admin" and path in ASKED[:2]:
                assert len(answer["data"] if isinstance(answer, dict) else answer) == STANDING

    assert found == {}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_plans__of_work_without_attempts_left(mended):
    with mended.database.transaction() as session:
        session.execute(text(WORKED))
    population.settle(mended.database)

    for path in ("/engine-rest/external-task?noRetriesLeft=true", "/engine-rest/external-task/count?noRetriesLeft=true"):
        statements, _answer = ask(mended, "admin", path)
        assert max(plans.rows_read(mended.database, statements, "external_tasks").values()) <= FEW


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_plans__of_the_gauge(mended, tmp_path):
    with plans.recorded(mended.database) as statements:
        told = gauges.exposition(mended.database, FileStore(tmp_path)).decode()

    assert f"onething_incidents_standing {STANDING:.1f}" in told
    assert list(plans.rows_read(mended.database, statements, "incidents").values()) == [STANDING]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_rows_read__with_those_that_are_passed_over(mended):
    statements = {"SELECT id FROM incidents WHERE element = 'y'": None, "SELECT name FROM halls": None}

    assert plans.rows_read(mended.database, statements, "incidents") == {
        "SELECT id FROM incidents WHERE element = 'y'": RESOLVED + STANDING
    }


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/api/v1/incidents", "/engine-rest/incident", "/engine-rest/incident/count"])
def test_plans__of_incidents_that_stand_on_sqlite(hall, path, tmp_path):
    with plans.recorded(hall.database) as gauge:
        gauges.exposition(hall.database, FileStore(tmp_path))
    for statements in (*(ask(hall, who, path)[0] for who in ("admin", "supervisor", "officer-market")), gauge):
        assert [step for step in plans.scans(hall.database, statements, {"incidents"}) if "ix_incidents_standing" not in step] == []
