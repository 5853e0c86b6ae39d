"""Whatever is asked for with GET is asked for among many cases: no table that is full is read whole for it, save where all of it is asked for.

What commands cost is looked at where they are used: in whole courses (`test_plans`), and by the number of their statements.
"""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from api.contract import contract_of
from engine import deployments
from engine.case_models import Item
from engine.models import ExternalTask, Task, Timer
from tests.acceptance import crowd, plans
from tests.benchmarks import population
from tests.bpmn import diagrams as d
from tests.hall import OPERATOR, number

PROCESS = d.diagram(
    d.start("s"),
    d.parallel("fork"),
    d.user("person", groups="window"),
    d.timer_boundary("late", on="person", duration="P20D"),
    d.external("program", topic="work"),
    d.message_catch("message", message="paid"),
    d.parallel("join"),
    d.end("e"),
    d.end("over"),
    d.flows("s -> fork", "fork -> person -> join", "fork -> program -> join", "fork -> message -> join", "join -> e", "late -> over"),
    key="routes",
)
#: Routes that are not looked at, and why.
LEFT_OUT = {
    "/static/<path:filename>": "a file",
    "/engine-rest/": "says that there is nothing",
    "/engine-rest/<path:rest>": "says that there is nothing",
    "/api/v1/metrics": "counts a period: it reads what falls into it",
}
OF_TENANTS = ("deployed-start-form", "form-variables", "rendered-form", "startForm", "xml")
#: Routes that have no answer here, which shows that they have looked: there is nothing of the kind, and finding that out was looked at.
UNANSWERED = {
    *(f"/engine-rest/{thing}/<found>/localVariables/<name>/data" for thing in ("execution", "task")),
    *(f"/engine-rest/{thing}/<found>/variables/<name>/data" for thing in ("process-instance", "task")),
    *(f"/engine-rest/process-definition/<definition>/{form}" for form in ("deployed-start-form", "rendered-form")),
    *(f"/engine-rest/process-definition/key/<key>/{form}" for form in ("deployed-start-form", "rendered-form")),
    *(f"/engine-rest/process-definition/key/<key>/tenant-id/<tenant>{rest}" for rest in ("", *(f"/{part}" for part in OF_TENANTS))),
    *(f"/engine-rest/task/<task>/{part}" for part in ("comment/<comment>", "deployed-form", "rendered-form")),
    *("/engine-rest/task/<found>/localVariables/<name>", "/engine-rest/execution/<found>/messageSubscriptions/<name>"),
    "/api/v1/cases/<number>/materials/<int:no>/file",
    "/api/v1/items",  # asks whose: each of its filters is looked at
}


def lists_all(rule):
    """Whether a route has nothing that says which ones are meant: Camunda 7 then gives, or counts, all there are, and so do the meters."""
    return rule.rule == "/metrics" or (rule.rule.startswith("/engine-rest/") and (not rule.arguments or rule.rule.endswith("/statistics")))


@pytest.fixture
def things(crowded):
    """What a route may be asked about, by the variable of its path."""
    with crowded.database.transaction() as session:
        deployment = deployments.deploy(session, "routes", {"routes.bpmn": PROCESS}, actor=OPERATOR).id
    started = crowded["designer"].camunda("/process-definition/key/routes/start", {"variables": {"a": {"value": 1}}})
    with crowded.database.reading() as session:
        task, work, timer = (session.scalar(select(row.id).where(row.instance_id == started["id"])) for row in (Task, ExternalTask, Timer))
        item = session.scalar(select(Item.number).order_by(Item.id).limit(1))
    case = crowded["admin"].get("/cases", limit=1)["data"][0]
    crowded["admin"].post("/accounts", {"name": "a"})
    names = {"key": "routes", "deployment_id": deployment, "resource": "routes.bpmn", "definition": started["definitionId"], "name": "a"}
    return names | {
        "number": number(case),
        "no": 1,
        "tenant": "t",
        **dict.fromkeys(("task_id", "task"), task),
        **dict.fromkeys(("instance_id", "comment", "found"), started["id"]),
        "job": timer,
        "matter": "open_restaurant",
        "of item": item,
        "of work": work,
    }


def _meant(rule, name):
    """What the variable of a path is called among the things, where it means different ones."""
    others = {
        ("/items/", "number"): "of item",
        ("/external-task/", "task"): "of work",
        ("/matters/", "key"): "matter",
        ("/task/", "found"): "task",
    }
    return next((thing for (part, variable), thing in others.items() if part in rule and variable == name), name)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_plans__of_every_route(crowded, things):
    asked, found = [], {}
    rules = [rule for rule in crowded.app.url_map.iter_rules() if "GET" in rule.methods]
    looked_at = [rule for rule in rules if rule.rule not in LEFT_OUT and not lists_all(rule)]
    for rule in looked_at:
        _domain, path = rule.build({name: things.get(_meant(rule.rule, name), things[name]) for name in rule.arguments})
        for who in ("admin", "supervisor"):
            with plans.recorded(crowded.database) as statements:
                answer = crowded[who].client.get(path, headers=crowded[who].headers)
            assert answer.status_code < 500, path
            if answer.status_code == 200:
                asked.append(rule.rule)
            found |= {
                (rule.rule, *tables): statement
                for statement, tables in plans.whole_reads(crowded.database, statements, crowd.CROWDED).items()
            }

    assert found == {}
    assert {rule.rule for rule in looked_at} - set(asked) == UNANSWERED


#: What each filter is asked for, in lists of `/api/v1`.
VALUES = {
    "matter": ["open_restaurant"],
    "applicant_number": ["91430100MA4L0F0000"],
    "id_type": ["passport"],
    "id_country": ["USA"],
    "paused": ["true", "false"],
    "open": ["true", "false"],
    "archived": ["true"],
    "light": ["green", "yellow", "red"],
    "group": ["window", "department-market"],
    "assignee": ["clerk"],
    "case": ["nothing"],
    "department": ["market"],
    "topic": ["alert"],
    "format": ["csv"],
    "hall": ["changsha"],
    "actor": ["admin"],
    "account": ["clerk"],
    "what": ["role granted", "no such thing"],
    "kind": ["overdue"],
    "since": ["2026-03-01"],
    "until": ["2026-03-31"],
    "due_before": ["2026-03-05", "2026-03-05T00:00:00Z"],
}
#: What says how a list is shown, and routes that count a period.
NO_FILTERS, OF_A_PERIOD = {"limit", "cursor"}, {"/api/v1/metrics"}
#: What a list must be asked for in any case.
NEEDED = {"/api/v1/items": {"applicant_number": "91430100MA4L0F0000"}}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_plans__of_every_filter(crowded):
    asked, found = set(), {}
    for rule in crowded.app.url_map.iter_rules():
        promised = contract_of(crowded.app.view_functions[rule.endpoint])
        if promised is None or promised.query is None or "GET" not in rule.methods or rule.arguments or rule.rule in OF_A_PERIOD:
            continue
        for name in promised.query.model_fields.keys() - NO_FILTERS:
            for value in VALUES[name]:
                for who in ("admin", "supervisor", "officer-market"):
                    with plans.recorded(crowded.database) as statements:
                        given = NEEDED.get(rule.rule, {}) | {name: value}
                        answer = crowded[who].client.get(rule.rule, query_string=given, headers=crowded[who].headers)
                    asked |= {(rule.rule, name)} if answer.status_code == 200 else set()
                    whole = plans.whole_reads(crowded.database, statements, crowd.CROWDED)
                    found |= {(rule.rule, name, value, who, *tables): statement for statement, tables in whole.items()}

    assert found == {}
    assert {name for _rule, name in asked} == VALUES.keys()


#: As much in the archive, of as many days as there are cases.
ARCHIVED = """
INSERT INTO archived_cases (id, number, region, matter, hall, applicant_number, submitted_by, departments, brief, files, ended_at, archived_at,
  content, sha256)
SELECT id, number, region, matter, hall, applicant_number, submitted_by, '|market|', '{}', '{}',
  submitted_at - row_number() OVER (ORDER BY id) * interval '1 day', now(), '', '' FROM cases
"""


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("by", ["submitted", "ended"])
def test_plans__of_a_period(crowded, by):
    """Of a day on which little happened no more is read than what did, by either day."""
    with crowded.database.transaction() as session:
        session.execute(text(ARCHIVED))
    population.settle(crowded.database)
    found = {}
    for who in ("admin", "supervisor"):
        with plans.recorded(crowded.database) as statements:
            crowded[who].get("/metrics", since="2025-03-01", until="2025-03-01", by=by)
        found |= plans.whole_reads(crowded.database, statements, crowd.CROWDED | {"archived_cases"})

    assert found == {}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("path", ["/departments/market", "/halls/changsha"])
def test_plans__of_a_deletion(crowded, path):
    with plans.recorded(crowded.database) as statements:
        answer = crowded["admin"].client.delete(f"/api/v1{path}", headers=crowded["admin"].headers)

    assert answer.status_code == 409
    assert plans.whole_reads(crowded.database, statements, crowd.CROWDED | {"archived_cases"}) == {}
