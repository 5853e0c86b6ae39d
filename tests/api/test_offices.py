"""Departments and halls over HTTP: made and renamed by administrators, looked up by all."""

import pytest

from engine import offices
from engine.models import Department
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
