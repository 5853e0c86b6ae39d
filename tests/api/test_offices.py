"""Departments and halls over HTTP: made, renamed and deleted by administrators, looked up by all; and what the log says of it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from engine import grants, offices
from engine.actors import Role
from engine.archive_models import ArchivedCase
from engine.models import Department
from tests.api import bundle
from tests.hall import OPERATOR
from tests.listening import listening

GRAIN = {"name": "粮食和物资储备局"}
KAIFU = {"name": "开福区政务服务中心", "level": "county"}
BOTH = pytest.mark.parametrize(("path", "code", "body"), [("/departments", "grain", GRAIN), ("/halls", "kaifu", KAIFU)])


def everything(caller, path):
    return caller.get(f"{path}?limit=200").json["data"]


@BOTH
def test_put__made_then_the_same_then_renamed(admin, clerk, path, code, body):
    before = everything(clerk, path)

    answers = [admin.put(f"{path}/{code}", said) for said in (body, body, body | {"name": "another"})]

    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert answers[0].json == answers[1].json == {"code": code, **body}
    assert [one for one in everything(clerk, path) if one not in before] == [{"code": code, **body, "name": "another"}]
    assert len(everything(clerk, path)) == len(before) + 1


def test_put__hall_of_another_level(admin):
    admin.put("/halls/kaifu", KAIFU)

    assert admin.put("/halls/kaifu", KAIFU | {"level": "street"}).json["level"] == "street"


def test_put__an_officer_of_it(admin):
    """What an account can be granted, and the code of what diagrams say, however it is written."""
    for code in ("grain", "MR1430100", "粮食", "a.b-c_d", "x" * 40):
        assert admin.put(f"/departments/{code}", GRAIN).status_code == 201
        assert admin.post("/accounts/clerk/grants", {"role": "officer", "department": code}).status_code == 200


@BOTH
def test_put__not_by_others(call, path, code, body):
    callers = ("clerk", "supervisor", "designer", "worker", "officer-fire")
    assert {call(name).put(f"{path}/{code}", body).status_code for name in callers} == {403}
    assert call().put(f"{path}/{code}", body).status_code == 401
    assert call().get(path).status_code == 401
    assert code not in [one["code"] for one in everything(call("clerk"), path)]


@BOTH
@pytest.mark.parametrize("wrong", ["a b", "a,b", "-a", "${a}", "x" * 41, "a%0A"])
def test_put__wrong_code(admin, path, code, body, wrong):
    answer = admin.put(f"{path}/{wrong}", body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["code"]


@BOTH
def test_put__nul_in_the_code(admin, path, code, body):
    assert admin.put(f"{path}/{code}%00", body).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/departments/grain", {}, "name"),
        ("/departments/grain", {"name": ""}, "name"),
        ("/departments/grain", {"name": "x" * 201}, "name"),
        ("/departments/grain", {"name": 7}, "name"),
        ("/departments/grain", {"name": None}, "name"),
        ("/departments/grain", {"name": "a\0b"}, "name"),
        ("/departments/grain", GRAIN | {"level": "county"}, "level"),
        ("/halls/kaifu", GRAIN, "level"),
        ("/halls/kaifu", KAIFU | {"level": ""}, "level"),
        ("/halls/kaifu", KAIFU | {"level": "x" * 201}, "level"),
        ("/halls/kaifu", KAIFU | {"level": ["county"]}, "level"),
        ("/halls/kaifu", KAIFU | {"level": "a\0b"}, "level"),
    ],
)
def test_put__wrong_data(admin, path, body, field):
    answer = admin.put(path, body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


@BOTH
def test_put__repeated_with_its_key(admin, path, code, body):
    first, again = (admin.put(f"{path}/{code}", body, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_put__somebody_else_makes_it_in_the_same_moment(app):
    """Whoever comes second renames it; SQLite lets nobody come between."""
    database, came = app.extensions["database"], []

    def come_between(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO departments") and not came:
            came.append(statement)
            with database.transaction() as other:
                offices.put_department(other, "grain", actor=OPERATOR, name="first")

    with listening(database.bind, before_cursor_execute=come_between), database.transaction() as session:
        department, made = offices.put_department(session, "grain", actor=OPERATOR, name="second")
        assert (department.name, made) == ("second", False)

    assert came
    with database.reading() as session:
        assert session.get_one(Department, "grain").name == "second"


@pytest.mark.parametrize("path", ["/departments", "/halls"])
def test_list__pages_have_every_row_once(clerk, path):
    seen, cursor = [], ""
    while cursor is not None:
        page = clerk.get(f"{path}?limit=1{cursor and '&cursor=' + cursor}").json
        seen += page["data"]
        cursor = page["next"]

    assert len(seen) > 1
    assert seen == everything(clerk, path)
    assert [one["code"] for one in seen] == sorted({one["code"] for one in seen})


@BOTH
def test_delete__what_nobody_refers_to(admin, clerk, path, code, body):
    before = everything(clerk, path)
    admin.put(f"{path}/{code}", body)

    answers = [admin.delete(f"{path}/{code}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 404]
    assert answers[0].json == {"code": code, **body}
    assert everything(clerk, path) == before
    assert admin.put(f"{path}/{code}", body).status_code == 201


@BOTH
def test_delete__not_by_others(call, path, code, body):
    call("admin").put(f"{path}/{code}", body)

    callers = ("clerk", "supervisor", "designer", "worker", "officer-fire")
    assert {call(name).delete(f"{path}/{code}").status_code for name in callers} == {403}
    assert call().delete(f"{path}/{code}").status_code == 401
    assert code in [one["code"] for one in everything(call("clerk"), path)]


@BOTH
def test_delete__somebody_has_a_role_there(admin, path, code, body):
    """Until the account is disabled; then the role goes along."""
    admin.put(f"{path}/{code}", body)
    admin.post("/accounts", {"name": "li.lei"})
    admin.post("/accounts/li.lei/grants", {"role": "officer", path.strip("/").removesuffix("s"): code})

    refused = admin.delete(f"{path}/{code}")
    admin.post("/accounts/li.lei/disable")
    deleted = admin.delete(f"{path}/{code}")

    assert (refused.status_code, deleted.status_code) == (409, 200)
    assert refused.json["detail"].endswith("but there are accounts li.lei")
    (account,) = (one for one in admin.get("/accounts?limit=200").json["data"] if one["name"] == "li.lei")
    assert account["grants"] == []


def test_delete__what_goes_on_refers_to_it(admin, clerk):
    case = bundle.accepted(clerk)
    tasks = admin.get(f"/tasks?case={case['number']}&limit=200").json["data"]
    department, task = next(
        (group.removeprefix("department-"), task) for task in tasks for group in task["groups"] if "department-" in group
    )

    said = admin.delete(f"/departments/{department}").json["detail"].partition("but there are ")[2].split("; ")

    assert [part.rpartition(" ")[0].split(",")[0].split(" ")[0] for part in said] == ["accounts", "open", "open", "processes"]
    assert task["item"] in said[1]
    assert task["name"] in said[2]
    (item,) = (item["code"] for item in case["items"] if item["number"] == task["item"])
    assert item in said[3]


def test_delete__a_hall_with_cases(app, admin, clerk):
    """Archived ones, too: who looks at one is shown its hall."""
    admin.put("/halls/kaifu", KAIFU)
    case = bundle.submit(clerk)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    said = {
        "matter": "m",
        "applicant_number": "",
        "submitted_by": "",
        "departments": "",
        "brief": {},
        "files": {},
        "content": b"",
        "sha256": "",
    }
    with app.extensions["database"].transaction() as session:
        key = {"id": UUID(int=1), "region": "430100", "hall": "kaifu"}
        session.add(ArchivedCase(number="A-1", ended_at=moment, archived_at=moment, **key, **said))

    assert f"; cases {case['number']}" in admin.delete("/halls/changsha").json["detail"]
    assert admin.delete("/halls/kaifu").json["detail"].endswith("but there are archived cases A-1")


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_delete__somebody_is_given_a_role_there_in_the_same_moment(app, admin):
    """Refused, as a moment later; SQLite lets nobody come between."""
    database, came = app.extensions["database"], []
    admin.put("/departments/grain", GRAIN)

    def come_between(_connection, _cursor, statement, *_):
        if "DELETE FROM departments" in statement and not came:
            came.append(statement)
            with database.transaction() as other:
                grants.grant(other, "clerk", Role.OFFICER, actor=OPERATOR, department="grain")

    with listening(database.bind, before_cursor_execute=come_between):
        answer = admin.delete("/departments/grain")

    assert came
    assert (answer.status_code, answer.json["detail"]) == (
        409,
        "Expected nothing to refer to department grain, but there are accounts clerk",
    )


def test_administered__stands_in_the_log(admin):
    """Who has changed what, when it is durable, once, and nothing that logs in."""
    with capture_logs() as logged:
        admin.post("/accounts", {"name": "li.lei", "password": "very secret"})
        admin.post("/accounts", {"name": "li.lei"})
        for _ in range(2):
            admin.post("/accounts/li.lei/grants", {"role": "officer", "department": "fire"})
        admin.post("/accounts/li.lei/password", {"password": "another secret"})
        key = admin.post("/accounts/li.lei/keys", {"label": "窗口机"}).json
        for path in (f"keys/{key['id']}/revoke", f"keys/{key['id']}/revoke", "disable", "disable"):
            admin.post(f"/accounts/li.lei/{path}")
        for path, code, body in (("departments", "grain", GRAIN), ("halls", "kaifu", KAIFU)):
            for said in (body, body | {"name": "another"}):
                admin.put(f"/{path}/{code}", said)
            admin.delete(f"/{path}/{code}")

    lines = [line for line in logged if line["event"] == "administered"]
    assert [line["what"] for line in lines] == [
        *("account made", "role granted", "password set", "key issued", "key revoked", "account disabled"),
        *("department made", "department named", "department deleted", "hall made", "hall named", "hall deleted"),
    ]
    assert {line["actor"] for line in lines} == {"admin"}
    assert (lines[1]["account"], lines[1]["role"], lines[1]["department"]) == ("li.lei", "officer", "fire")
    assert [line["key"] for line in lines if "key" in line] == [key["id"]] * 2
    assert not any(secret in str(logged) for secret in ("very secret", "another secret", key["key"]))
