"""The database fails at each statement of each route: the answer is 503 with Retry-After, or as if nothing had happened; never 500."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import select

from api import auth, repeats
from engine import accounts
from engine.models import Definition, ExternalTask, Task
from engine.schedule_models import Continuation
from tests import everywhere
from tests.api import bundle
from tests.api.conftest import Caller
from tests.listening import listening

#: What SQLite says when somebody is in the way, and when it has no room: PostgreSQL's words are told by their states (`test_outages.py` of the engine).
#: With the latter it undoes the whole transaction.
SAYS = ("database is locked", UNDOES := "database or disk is full")
CREDENTIALS = {"name": "clerk", "password": "clerk"}
#: Commands that get further than one that is sent without what it needs.
COMMANDS = [
    ("clerk", "POST", "/api/v1/cases", bundle.submission()),
    ("clerk", "POST", "/api/v1/matters/open_restaurant/checklist", {"answers": bundle.ANSWERS}),
    ("clerk", "POST", "/api/v1/cases/{number}/materials", {"code": "m_plan"}),
    ("clerk", "POST", "/api/v1/tasks/{task_id}/claim", {}),
    ("clerk", "PUT", "/api/v1/tasks/{task_id}/draft", {"outcome": "accept"}),
    ("clerk", "POST", "/api/v1/tasks/{task_id}/complete", {"outcome": "accept"}),
    ("admin", "POST", "/api/v1/accounts", {"name": "somebody", "password": "a long password"}),
    ("admin", "PUT", "/api/v1/departments/grain", {"name": "粮食和物资储备局"}),
    ("admin", "PUT", "/api/v1/halls/kaifu", {"name": "开福区政务服务中心", "level": "county"}),
    ("admin", "POST", "/api/v1/login", CREDENTIALS),
    ("admin", "POST", "/engine-rest/process-definition/key/everywhere/start", {}),
    ("admin", "POST", "/engine-rest/task/{task}/claim", {"userId": "admin"}),
    ("admin", "POST", "/engine-rest/task/{task}/variables", {"modifications": {"x": {"value": 1}}}),
    ("admin", "POST", "/engine-rest/task/{task}/complete", {}),
    ("admin", "POST", "/engine-rest/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "register", "lockDuration": 9000}]}),
    ("admin", "POST", "/engine-rest/external-task/{external}/complete", {"workerId": "w"}),
    ("admin", "POST", "/engine-rest/message", {"messageName": "answered", "processInstanceId": "{found}"}),
    ("admin", "POST", "/engine-rest/signal", {"name": "alarm"}),
    ("admin", "PUT", "/engine-rest/process-instance/{found}/variables/y", {"value": 2}),
    ("admin", "POST", "/engine-rest/job/{job}/execute", {}),
    ("admin", "PUT", "/engine-rest/process-instance/{found}/suspended", {"suspended": True}),
    ("admin", "DELETE", "/engine-rest/process-instance/{found}", None),
]  # fmt: skip


@pytest.fixture
def things(app, clerk):
    """Something of every kind, by the names that the routes have for them."""
    case = bundle.submit(clerk)
    database = app.extensions["database"]
    instance = everywhere.begin(database)
    with database.reading() as session:
        external, job = (
            session.scalars(select(kind.id).where(kind.instance_id == instance.id)).first() for kind in (ExternalTask, Continuation)
        )
        task = session.scalars(select(Task.id).where(Task.element == "work")).one()
        definition = session.get_one(Definition, instance.definition_id)
    return {
        "number": case["number"], "code": "grain", "task_id": bundle.task(clerk, case, "一窗受理")["id"], "no": 1, "found": instance.id, "instance_id": instance.id,
        "task": task, "external": external, "job": job, "definition": definition.id,
        "deployment_id": definition.deployment_id, "resource": "everywhere.bpmn", "key": "everywhere", "name": "x",
        "comment": uuid4(), "incident_id": uuid4(), "key_id": uuid4(), "rest": "nothing",
    }  # fmt: skip


@contextmanager
def failing(bind, place):
    """Let the database fail at one of the statements that come; gives the list of those that have come until then."""
    came = []

    def fail(cursor, statement, _parameters, _context):
        came.append(statement)
        if len(came) == place:
            said = SAYS[place % len(SAYS)]
            if said == UNDOES:
                cursor.connection.rollback()
            raise sqlite3.OperationalError(said)

    with listening(bind, do_execute=fail):
        yield came


def answers(bind, ask):
    """Ask again and again, and let another statement fail each time, until none does, or it is done all the same: what follows
    the commit is the scheduler's.  Gives all answers, the last one to who was not disturbed."""
    place, found = 1, []
    while True:
        with failing(bind, place) as came:
            found.append(ask())
        if len(came) < place or found[-1].status_code < 300:
            return found
        place += 1


def wrong(asked, found):
    """Whatever should not have been answered."""
    *disturbed, whole = found
    for place, answer in enumerate(disturbed, start=1):
        if answer.status_code == 503 and int(answer.headers.get("Retry-After", 0)) >= 1:
            continue
        if answer.status_code != whole.status_code:
            yield f"{asked}, statement {place}: {answer.status_code} {answer.get_data(as_text=True)[:300]}"
    if whole.status_code >= 500:
        yield f"{asked}: {whole.status_code} {whole.get_data(as_text=True)[:300]}"


def routes(app, things):
    """All of them; those that delete last, the inner before the outer."""
    asking = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static" and "tenant" not in rule.arguments]
    asked = [
        (rule.methods, rule.build({name: things[name] for name in rule.arguments})[1])
        for rule in sorted(asking, key=lambda rule: rule.rule)
    ]
    yield from ((method, path) for methods, path in asked for method in sorted(methods - {"OPTIONS", "HEAD", "DELETE"}))
    yield from (("DELETE", path) for methods, path in reversed(asked) if "DELETE" in methods)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_every_route__database_fails(app, admin, things, monkeypatch):
    monkeypatch.setattr(repeats, "PAUSES", ())
    bind, faults, disturbed = app.extensions["database"].bind, [], 0

    for method, path in routes(app, things):
        found = answers(bind, lambda: admin.call(method, path, None if method in {"GET", "DELETE"} else {}, prefix=""))  # noqa: B023 - called at once
        faults += wrong(f"{method} {path}", found)
        disturbed += len(found) - 1

    assert faults == []
    assert disturbed > 500


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_command__database_fails(app, things, monkeypatch):
    """The same with commands that have what they need; the last of all attempts is carried out."""
    monkeypatch.setattr(repeats, "PAUSES", ())
    bind, faults, done = app.extensions["database"].bind, [], []

    for name, method, path, asks in COMMANDS:
        caller, asked = Caller(app, name), path.format(**things)
        body = asks and {key: value.format(**things) if isinstance(value, str) else value for key, value in asks.items()}
        found = answers(bind, lambda: caller.call(method, asked, body, prefix=""))  # noqa: B023 - called at once
        faults += wrong(f"{method} {asked}", found)
        done.append((asked, found[-1].status_code))

    assert faults == []
    assert [each for each in done if each[1] >= 300] == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_log_in__database_fails(app, nobody, monkeypatch):
    """Whoever is logged in, and logs in once more, is so until that is done."""
    monkeypatch.setattr(repeats, "PAUSES", ())
    monkeypatch.setattr(app.extensions["acquaintances"], "remembered_for", 0.0)
    nobody.post("/login", CREDENTIALS)
    found = []

    while 200 not in found:
        with failing(app.extensions["database"].bind, len(found) + 1):
            found.append(nobody.post("/login", CREDENTIALS, headers={"Sec-Fetch-Site": "same-origin"}).status_code)
        assert nobody.get("/me").status_code == 200

    assert (set(found[:-1]), found[-1]) == ({503}, 200)


@pytest.mark.parametrize(("module", "name"), [(accounts, "listing"), (auth, "actor")], ids=["in the transaction", "outside"])
def test_request__no_memory(admin, monkeypatch, module, name):
    with monkeypatch.context() as patched:
        patched.setattr(repeats, "PAUSES", ())
        patched.setattr(module, name, lambda *_args, **_kwargs: bytearray(sys.maxsize))
        answer = admin.get("/accounts")

    assert (answer.status_code, "memory" in answer.json["detail"]) == (503, True)
    assert answer.headers["Retry-After"] == "1"
