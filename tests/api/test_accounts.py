"""Accounts over HTTP, and what every command and every list has: idempotency, entity tags, pages."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from engine import accounts
from engine.passwords import WELL_KNOWN
from tests.hall import OPERATOR
from tests.listening import listening


def names(page):
    return [account["name"] for account in page["data"]]


def test_create__then_it_is_listed(admin):
    made = admin.post("/accounts", {"name": "li.lei", "display_name": "李雷", "password": "something long"})

    granted = admin.post("/accounts/li.lei/grants", {"role": "officer", "department": "fire"})

    assert made.status_code == 201
    assert granted.json == {
        "name": "li.lei",
        "display_name": "李雷",
        "disabled": False,
        "grants": [{"role": "officer", "department": "fire", "hall": None}],
    }
    assert granted.json in admin.get("/accounts?limit=200").json["data"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_create__somebody_else_takes_the_name_in_the_same_moment(app, admin):
    """Refused, as it is a moment later; SQLite lets nobody come between."""
    database, came = app.extensions["database"], []

    def come_between(_connection, _cursor, statement, *_):
        if "INSERT INTO accounts" in statement and not came:
            came.append(statement)
            with database.transaction() as other:
                accounts.create(other, "new", actor=OPERATOR, password=None, passwords=WELL_KNOWN)

    with listening(database.bind, before_cursor_execute=come_between):
        answer = admin.post("/accounts", {"name": "new"})

    assert answer.status_code == 409
    assert came
    assert "there is one of that name" in answer.json["detail"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/accounts/nobody/grants", {"role": "clerk"}, 404),
        ("/accounts/clerk/grants", {"role": "king"}, 422),
        ("/accounts/clerk/grants", {"role": "officer", "department": "navy"}, 422),
        ("/accounts/nobody/keys", {"label": "x"}, 404),
        ("/accounts/clerk/keys", {"label": ""}, 422),
        (f"/accounts/nobody/keys/{UUID(int=7)}/revoke", None, 404),
        (f"/accounts/clerk/keys/{UUID(int=7)}/revoke", None, 404),
        ("/accounts/clerk/keys/1/revoke", None, 404),
        ("/accounts/clerk/keys/%00/revoke", None, 400),
        ("/accounts/admin/disable", None, 409),
        ("/accounts/clerk/password", {"password": "short"}, 422),
    ],
)
def test_command__refused(admin, path, body, status):
    assert admin.post(path, body).status_code == status


def test_keys__listed_without_what_logs_in(admin):
    issued = [admin.post("/accounts/clerk/keys", {"label": label}).json for label in ("窗口机", "报表")]
    revoked = admin.post(f"/accounts/clerk/keys/{issued[0]['id']}/revoke").json

    listed = admin.get("/accounts/clerk/keys")

    assert {key["id"]: (key["label"], key["revoked_at"]) for key in listed.json["data"]} == {
        issued[0]["id"]: ("窗口机", revoked["revoked_at"]),
        issued[1]["id"]: ("报表", None),
    }
    assert all(set(key) == {"id", "label", "issued_at", "revoked_at", "last_used_at"} for key in listed.json["data"])
    assert revoked["revoked_at"] >= revoked["issued_at"]
    assert revoked in listed.json["data"]


def test_keys__pages_have_every_one_once(admin):
    issued = {admin.post("/accounts/clerk/keys", {"label": str(n)}).json["id"] for n in range(5)}

    seen, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"/accounts/clerk/keys?limit=2{cursor and '&cursor=' + cursor}").json
        seen += [key["id"] for key in page["data"]]
        cursor = page["next"]

    assert len(seen) == len(issued)
    assert set(seen) == issued


@pytest.mark.parametrize(("path", "status"), [("nobody/keys", 404), ("clerk/keys?cursor=x", 422), ("clerk/keys?limit=0", 422)])
def test_keys__refused(admin, path, status):
    assert admin.get(f"/accounts/{path}").status_code == status


def test_revoke_key__of_somebody_else(admin, clerk):
    key = admin.post("/accounts/admin/keys", {"label": "x"}).json

    assert clerk.get("/accounts/admin/keys").status_code == 403
    assert clerk.post(f"/accounts/admin/keys/{key['id']}/revoke").status_code == 403
    assert clerk.post(f"/accounts/clerk/keys/{key['id']}/revoke").status_code == 404
    assert admin.get("/accounts/admin/keys").json["data"][0]["revoked_at"] is None


def test_list__pages_have_every_row_once(admin):
    seen, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"/accounts?limit=4{cursor and '&cursor=' + cursor}").json
        seen += names(page)
        cursor = page["next"]

    assert len(page["data"]) <= 4
    assert seen == sorted(set(seen))
    assert seen == names(admin.get("/accounts?limit=200").json)


def test_list__exactly_one_page(admin):
    total = len(admin.get("/accounts?limit=200").json["data"])

    assert admin.get(f"/accounts?limit={total}").json["next"] is None


def test_get__as_it_was_seen(admin):
    tag = admin.get("/accounts").headers["ETag"]

    assert admin.get("/accounts", headers={"If-None-Match": tag}).status_code == 304
    admin.post("/accounts", {"name": "a-new-one"})
    assert admin.get("/accounts", headers={"If-None-Match": tag}).status_code == 200


def test_idempotency__repeated(admin):
    first = admin.post("/accounts", {"name": "new"}, headers={"Idempotency-Key": "k"})

    again = admin.post("/accounts", {"name": "new"}, headers={"Idempotency-Key": "k"})

    assert (again.status_code, again.json) == (first.status_code, first.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert admin.post("/accounts", {"name": "new"}).status_code == 409


def test_idempotency__other_command(admin):
    admin.post("/accounts", {"name": "new"}, headers={"Idempotency-Key": "k"})

    answer = admin.post("/accounts", {"name": "newer"}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 422
    assert "newer" not in names(admin.get("/accounts?limit=200").json)


def test_idempotency__key_of_another_actor(admin, clerk):
    admin.post("/accounts/clerk/grants", {"role": "clerk"}, headers={"Idempotency-Key": "k"})

    answer = clerk.post("/accounts/clerk/grants", {"role": "clerk"}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 403


def test_issue_key__never_kept(admin):
    first, again = (admin.post("/accounts/clerk/keys", {"label": "x"}, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert first.json["key"] != again.json["key"]


def test_idempotency__refused_first(admin):
    refused = admin.post("/accounts/new/disable", headers={"Idempotency-Key": "k"})
    admin.post("/accounts", {"name": "new"})

    answer = admin.post("/accounts/new/disable", headers={"Idempotency-Key": "k"})

    assert (refused.status_code, answer.status_code) == (404, 200)


def test_idempotency__at_once(app, call):
    callers = [call("admin") for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda c: c.post("/accounts", {"name": "new"}, headers={"Idempotency-Key": "k"}), callers))

    assert {answer.status_code for answer in answers} == {201}
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False, True, True, True]


@pytest.mark.parametrize("key", ["", "x" * 256, "钥匙".encode().decode("latin-1"), "a\tb"])
def test_idempotency__key_of_another_shape(admin, key):
    assert admin.post("/accounts", {"name": "new"}, headers={"Idempotency-Key": key}).status_code == 400


def test_keys__when_they_were_used(app, admin):
    """Noted when the answer has been sent; what logs nobody in was not used."""
    issued = [admin.post("/accounts/clerk/keys", {"label": label}).json for label in ("窗口机", "报表")]
    admin.post(f"/accounts/clerk/keys/{issued[1]['id']}/revoke")
    for key, status in zip(issued, (200, 401), strict=True):
        answer = app.test_client().get("/api/v1/tasks", headers={"Authorization": f"Bearer {key['key']}"})
        answer.close()
        assert answer.status_code == status

    listed = admin.get("/accounts/clerk/keys").json["data"]

    assert {key["label"]: (key["last_used_at"] or "")[:10] for key in listed} == {"窗口机": "2026-03-02", "报表": ""}
