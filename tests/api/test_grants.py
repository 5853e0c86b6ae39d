"""Roles taken back over HTTP: what somebody may do then, with what is under way; and that an administrator is left."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID

import pytest

from engine import accounts, arrivals, grants
from engine.actors import Role
from engine.errors import InvalidState
from engine.models import Task
from tests.api import bundle
from tests.api.camunda.conftest import Client, form_task, worked
from tests.api.conftest import Caller
from tests.hall import OPERATOR

FIRE = {"role": "officer", "department": "fire"}


def held(admin, name):
    return next(account["grants"] for account in admin.get("/accounts?limit=200").json["data"] if account["name"] == name)


def test_revoke__only_what_was_granted_so(admin):
    for more in ({"role": "officer"}, {"role": "officer", "department": "gas"}, {"role": "clerk", "hall": "yuelu"}):
        admin.post("/accounts/officer-fire/grants", more)

    answer = admin.post("/accounts/officer-fire/grants/revoke", FIRE)

    assert answer.status_code == 200
    left = [(grant["role"], grant["department"], grant["hall"]) for grant in answer.json["grants"]]
    assert sorted(left, key=str) == [("clerk", None, "yuelu"), ("officer", "gas", None), ("officer", None, None)]
    assert held(admin, "officer-fire") == answer.json["grants"]
    again = admin.post("/accounts/officer-fire/grants/revoke", FIRE)
    assert again.status_code == 404
    assert again.json["detail"] == "Expected account officer-fire to have role officer of department fire, but it has not"


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("nobody", FIRE, 404),
        ("clerk", {"role": "clerk"}, 404),
        ("clerk", {"role": "clerk", "hall": "moon"}, 404),
        ("clerk", {"role": "king"}, 422),
        ("clerk", {}, 422),
    ],
)
def test_revoke__refused(admin, name, body, status):
    assert admin.post(f"/accounts/{name}/grants/revoke", body).status_code == status


def test_revoke__not_by_others(call):
    assert {call(name).post("/accounts/officer-fire/grants/revoke", FIRE).status_code for name in ("officer-fire", "supervisor")} == {403}


def test_revoke__repeated_with_its_key(admin):
    first, again = (admin.post("/accounts/officer-fire/grants/revoke", FIRE, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json == first.json


def test_revoke__holds_at_once(admin, call):
    """For a browser that is logged in, and for a key."""
    browser, program = call(), call()
    browser.post("/login", {"name": "clerk", "password": "clerk"})
    program.headers = {"Authorization": f"Bearer {admin.post('/accounts/clerk/keys', {'label': 'x'}).json['key']}"}
    case = bundle.submit(call("clerk"))
    assert [caller.get(f"/cases/{case['number']}").status_code for caller in (browser, program)] == [200, 200]

    admin.post("/accounts/clerk/grants", {"role": "officer", "department": "gas"})
    admin.post("/accounts/clerk/grants/revoke", {"role": "clerk", "hall": "changsha"})

    assert program.post("/cases", bundle.submission(hall="changsha")).status_code == 403
    assert [caller.get("/tasks").json["data"] for caller in (browser, program)] == [[], []]
    assert [caller.get("/me").json["grants"] for caller in (browser, program)] == [held(admin, "clerk")] * 2


def test_revoke__what_was_claimed_goes_back(admin, call):
    """Else somebody who is of the department no more could still decide for it."""
    clerk, fire = call("clerk"), call("officer-fire")
    for where in ({"hall": "changsha"}, {"hall": "yuelu"}):
        admin.post("/accounts/officer-fire/grants", {"role": "clerk", **where})
    bundle.accepted(clerk)
    mine = bundle.submit(clerk)["tasks"][0]
    (theirs,) = (task for task in fire.get("/tasks").json["data"] if "department-fire" in task["groups"])
    assert [fire.post(f"/tasks/{task['id']}/claim").status_code for task in (mine, theirs)] == [200, 200]

    admin.post("/accounts/officer-fire/grants/revoke", FIRE)

    assert fire.post(f"/tasks/{theirs['id']}/complete", {"outcome": "granted"}).status_code == 404
    assert admin.get(f"/tasks/{theirs['id']}").json["assignee"] is None
    assert fire.get(f"/tasks/{mine['id']}").json["assignee"] == "officer-fire"  # of the hall they still are
    admin.post("/accounts/officer-fire/grants/revoke", {"role": "clerk", "hall": "yuelu"})
    assert fire.get(f"/tasks/{mine['id']}").json["assignee"] == "officer-fire"
    admin.post("/accounts/officer-fire/grants/revoke", {"role": "clerk", "hall": "changsha"})
    assert fire.get(f"/tasks/{mine['id']}").status_code == 404


def test_disable__what_was_claimed_goes_back(app, admin, call):
    """Who cannot log in can give nothing back."""
    clerk, fire = call("clerk"), call("officer-fire")
    admin.post("/accounts", {"name": "new", "password": "something long"})
    admin.post("/accounts/new/grants", FIRE)
    bundle.accepted(clerk)
    mine = bundle.submit(clerk)["tasks"][0]
    (theirs,) = (task for task in fire.get("/tasks").json["data"] if "department-fire" in task["groups"])
    assert [caller.post(f"/tasks/{task['id']}/claim").status_code for caller, task in ((fire, theirs), (clerk, mine))] == [200, 200]
    designer = Client(app, "designer")
    designer.deploy({"p.bpmn": form_task()})
    designer.post("/process-definition/key/p/start", {})
    (alone,) = designer.get("/task").json
    assert Client(app, "admin").post(f"/task/{alone['id']}/assignee", {"userId": "officer-fire"}).status_code == 204

    assert admin.post("/accounts/officer-fire/disable").status_code == 200

    assert call("officer-fire").get("/tasks").status_code == 401
    new = Caller(app)
    new.post("/login", {"name": "new", "password": "something long"})
    assert new.post(f"/tasks/{theirs['id']}/claim", headers={"X-Requested-With": "x"}).json["assignee"] == "new"
    assert admin.get(f"/tasks/{mine['id']}").json["assignee"] == "clerk"
    assert admin.get(f"/tasks/{alone['id']}").json["assignee"] == "officer-fire"
    (entry,) = (entry for entry in admin.get("/administration").json["data"] if entry["what"] == "account disabled")
    assert entry["about"] == {"account": "officer-fire", "tasks_given_back": "1"}


def test_disable__once_more_for_what_came_to_the_account_since(app, admin, call):
    """At another node that still knew it; or it was disabled by a version that left its tasks with it."""
    bundle.accepted(call("clerk"))
    (theirs,) = (task for task in call("officer-fire").get("/tasks").json["data"] if "department-fire" in task["groups"])
    admin.post("/accounts/officer-fire/disable")
    with app.extensions["database"].transaction() as session:
        session.get_one(Task, UUID(theirs["id"])).assignee = "officer-fire"

    assert [admin.post("/accounts/officer-fire/disable").status_code for _ in range(2)] == [200, 200]

    assert admin.get(f"/tasks/{theirs['id']}").json["assignee"] is None
    assert [(entry["what"], entry["about"]["tasks_given_back"]) for entry in admin.get("/administration").json["data"]] == [
        ("tasks given back", "1"),
        ("account disabled", "0"),
    ]


def test_revoke__who_is_named_keeps_what_is_named(app, admin, call):
    """A diagram, or whoever gives a task to somebody, says who is meant, whatever their roles are."""
    designer = Client(app, "designer")
    designer.deploy({"p.bpmn": form_task()})
    designer.post("/process-definition/key/p/start", {})
    (task,) = designer.get("/task").json
    assert Client(app, "admin").post(f"/task/{task['id']}/assignee", {"userId": "officer-fire"}).status_code == 204

    admin.post("/accounts/officer-fire/grants/revoke", FIRE)

    assert [one["id"] for one in call("officer-fire").get("/tasks").json["data"]] == [task["id"]]


def test_revoke__a_worker_that_waits(app, admin, monkeypatch):
    """What comes afterwards is not given to it: it is told so when it looks again."""
    Client(app, "designer").deploy({"p.bpmn": worked("print")})
    waiting, wait = [], arrivals.Waiter.sleep

    def sleep(waiter, seconds):
        if not waiting:
            waiting.append(waiter)
            with ThreadPoolExecutor(1) as somebody:
                somebody.submit(admin.post, "/accounts/worker/grants/revoke", {"role": "system"}).result()
                somebody.submit(Client(app, "designer").post, "/process-definition/key/p/start", {}).result()
        return wait(waiter, seconds)

    monkeypatch.setattr(arrivals.Waiter, "sleep", sleep)
    topics = [{"topicName": "print", "lockDuration": 600_000}]
    asked = {"workerId": "w", "maxTasks": 1, "asyncResponseTimeout": 60_000, "topics": topics}

    answer = Client(app, "worker").post("/external-task/fetchAndLock", asked)

    assert waiting
    assert answer.status_code == 403, answer.json
    (task,) = Client(app, "designer").get("/external-task").json
    assert task["workerId"] is None


def test_revoke__the_last_administrator(admin):
    refused = admin.post("/accounts/admin/grants/revoke", {"role": "admin"})

    assert refused.status_code == 409
    assert refused.json["detail"] == "Expected to revoke the role of admin, but then there would be no administrator"
    admin.post("/accounts", {"name": "other"})
    admin.post("/accounts/other/grants", {"role": "admin"})
    admin.post("/accounts/other/disable")  # who cannot log in any more is none
    assert admin.post("/accounts/admin/grants/revoke", {"role": "admin"}).status_code == 409
    admin.post("/accounts/clerk/grants", {"role": "admin", "hall": "changsha"})
    assert admin.post("/accounts/admin/grants/revoke", {"role": "admin"}).status_code == 200
    assert admin.get("/accounts").status_code == 403


@pytest.mark.parametrize("take", ["revoke", "disable"])
def test_revoke__two_take_each_others_role(app, admin, take):
    """At the same moment: one of them is left."""
    admin.post("/accounts/clerk/grants", {"role": "admin"})
    database = app.extensions["database"]
    with database.reading() as session:
        pairs = [(accounts.load(session, one), other) for one, other in (("admin", "clerk"), ("clerk", "admin"))]

    def act(pair):
        with suppress(InvalidState), database.transaction() as session:
            if take == "revoke":
                grants.revoke(session, pair[1], Role.ADMIN, actor=pair[0])
            else:
                accounts.disable(session, pair[1], actor=pair[0])

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(act, pairs))
        with database.reading() as session:
            assert [name for name in ("admin", "clerk") if _is_administrator(session, name)]
        with database.transaction() as session:  # as before
            for name in ("admin", "clerk"):
                accounts.get(session, name).disabled = False
                grants.grant(session, name, Role.ADMIN, actor=OPERATOR)


def _is_administrator(session, name):
    account = accounts.get(session, name)
    return not account.disabled and Role.ADMIN in {one.role for one in grants.of(session, account)}
