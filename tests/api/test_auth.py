"""Who asks: Basic, keys, sessions, forgery; and that every route asks."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from api import auth
from engine import lockouts
from engine.actors import Actor, Role, RoleGrant
from engine.settings import Settings

ROOT = Actor(name="root", grants=(RoleGrant(role=Role.ADMIN),))
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def basic(name, password):
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def test_every_route__asks_who_is_there(app, nobody):
    asked = []
    for rule in app.url_map.iter_rules():
        if auth.is_public(app.view_functions[rule.endpoint]):
            continue
        path = rule.build({name: "00000000-0000-0000-0000-000000000000" if name.endswith("_id") else "1" for name in rule.arguments})[1]
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            answer = nobody.client.open(path, method=method)
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.headers.getlist("WWW-Authenticate")
            asked.append(path)
    assert asked


def test_basic__right_password(clerk):
    answer = clerk.get("/me")

    assert answer.json == {
        "name": "clerk",
        "display_name": "综合窗口",
        "grants": [{"role": "clerk", "department": None, "hall": "changsha"}],
    }


@pytest.mark.parametrize(
    "header",
    [
        basic("clerk", "wrong"),
        basic("nobody", "nobody"),
        basic("a\0b", "x"),
        bearer("x"),
        bearer(""),
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic"},
        {"Authorization": "Digest username=clerk"},
        {"Authorization": "nonsense"},
        {"Authorization": ""},
        {"Cookie": "onething=forged"},
    ],
)
def test_credentials__wrong(nobody, header):
    answer = nobody.get("/me", headers=header)

    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert 'Basic realm="onething"' in answer.headers["WWW-Authenticate"]


def test_basic__locked_account_tells_nothing_else(nobody):
    for _ in range(lockouts.FAILURES):
        wrong = nobody.get("/me", headers=basic("clerk", "wrong"))

    locked = nobody.get("/me", headers=basic("clerk", "clerk"))

    assert locked.json == wrong.json
    assert locked.status_code == 401


@pytest.mark.parametrize("proxies", [0, 1])
def test_basic__locked_where_wrong_passwords_come_from(app, monkeypatch, tmp_path, proxies):
    """By Basic and by the page; where nobody says that there is a proxy, all who come through it come from one place."""
    monkeypatch.setitem(app.extensions, "settings", Settings(data_dir=tmp_path, proxies=proxies))
    stranger, desk = ({"X-Forwarded-For": address} for address in ("203.0.113.9", "10.0.0.7"))
    client = app.test_client()
    for _ in range(lockouts.FAILURES):
        client.get("/api/v1/me", headers=stranger | basic("clerk", "wrong"))

    seen = {
        client.get("/api/v1/me", headers=desk | basic("clerk", "clerk")).status_code,
        client.post("/api/v1/login", json={"name": "clerk", "password": "clerk"}, headers=desk).status_code,
    }

    assert seen == ({200} if proxies else {401})
    assert client.get("/api/v1/me", headers=stranger | basic("clerk", "clerk")).status_code == 401


def test_key__in_force_until_its_account_is_disabled(app, admin, nobody):
    key = admin.post("/accounts/officer-fire/keys", {"label": "消防系统"}).json["key"]
    assert nobody.get("/me", headers=bearer(key)).json["name"] == "officer-fire"

    admin.post("/accounts/officer-fire/disable")

    assert nobody.get("/me", headers=bearer(key)).status_code == 401


def test_session__from_login_to_logout(nobody):
    assert nobody.post("/login", {"name": "clerk", "password": "clerk"}).json["name"] == "clerk"
    cookie = nobody.client.get_cookie("onething")
    assert (cookie.http_only, cookie.same_site) == (True, "Lax")
    assert nobody.get("/me").json["name"] == "clerk"

    assert nobody.post("/logout", headers=SAME_ORIGIN).status_code == 200

    assert nobody.get("/me").status_code == 401


def test_session__a_copy_of_the_cookie_ends_with_it(nobody, app):
    nobody.post("/login", {"name": "clerk", "password": "clerk"})
    stolen = {"Cookie": f"onething={nobody.client.get_cookie('onething').value}"}
    thief = app.test_client(use_cookies=False)  # sends what it is told to
    assert thief.get("/api/v1/me", headers=stolen).json["name"] == "clerk"

    nobody.post("/logout", headers=SAME_ORIGIN)

    assert thief.get("/api/v1/me", headers=stolen).status_code == 401


@pytest.fixture
def elsewhere(nobody, app):
    """Log in by a clock that is so many seconds ahead; gives what asks with that cookie at a node whose clock is right."""

    def log_in(seconds=0, forge=str):
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds)):
            nobody.post("/login", {"name": "clerk", "password": "clerk"})
        cookie = {"Cookie": f"onething={forge(nobody.client.get_cookie('onething').value)}"}
        return app.test_client(use_cookies=False).get("/api/v1/me", headers=cookie).status_code

    return log_in


@pytest.mark.parametrize("seconds", [5, -5, 3 * 24 * 3600])
def test_session__begun_at_a_node_whose_clock_is_another(elsewhere, seconds):
    """Whoever is logged in is so at every node."""
    assert elsewhere(seconds) == 200


def test_session__too_old(elsewhere):
    assert elsewhere(-13 * 3600) == 401


def test_session__signed_by_somebody_else(elsewhere):
    assert elsewhere(forge=lambda signed: f"{signed[:-4]}AAAA") == 401


def test_login__again_ends_the_log_in_before(nobody, app):
    nobody.post("/login", {"name": "clerk", "password": "clerk"})
    before = {"Cookie": f"onething={nobody.client.get_cookie('onething').value}"}
    elsewhere = app.test_client(use_cookies=False)
    assert elsewhere.get("/api/v1/me", headers=before).status_code == 200

    nobody.post("/login", {"name": "clerk", "password": "clerk"}, headers=SAME_ORIGIN)

    assert nobody.get("/me").status_code == 200
    assert elsewhere.get("/api/v1/me", headers=before).status_code == 401


def test_login__wrong_password(nobody):
    answer = nobody.post("/login", {"name": "clerk", "password": "wrong"})

    assert answer.status_code == 401
    assert nobody.get("/me").status_code == 401


def test_session__password_was_changed_elsewhere(admin, nobody):
    nobody.post("/login", {"name": "clerk", "password": "clerk"})

    admin.post("/accounts/clerk/password", {"password": "another one"})

    assert nobody.get("/me").status_code == 401


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example", "X-Requested-With": "fetch"}, 403),
        ({"X-Requested-With": "fetch"}, 201),
        ({"Origin": "http://localhost"}, 201),
        (SAME_ORIGIN, 201),
    ],
)
def test_command__by_cookie(nobody, header, status):
    nobody.post("/login", {"name": "admin", "password": "admin"})

    answer = nobody.post("/accounts", {"name": "new"}, headers=header)

    assert answer.status_code == status


def test_command__by_remembered_basic_credentials_from_another_site(admin):
    answer = admin.post("/accounts", {"name": "new"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
