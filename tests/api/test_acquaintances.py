"""Who was known a moment ago: looked up once, again at once when this process changes something, and soon whoever does."""

from __future__ import annotations

import itertools

import pytest

from api import acquaintances
from api.acquaintances import Acquaintances
from engine import accounts
from engine.actors import Actor, Role
from engine.database import Database

CLERK, MAYOR = Actor(name="clerk"), Actor(name="mayor")


class Lookup:
    """Counts how often it is asked."""

    def __init__(self, *answers):
        self.answers = itertools.cycle(answers)
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return next(self.answers)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told to go on."""
    time = [100.0]
    monkeypatch.setattr(acquaintances.time, "monotonic", lambda: time[0])
    return time


@pytest.mark.parametrize(("later", "asked"), [(0.0, 1), (acquaintances.REMEMBERED_FOR - 0.01, 1), (acquaintances.REMEMBERED_FOR, 2)])
def test_know__for_a_while(clock, later, asked):
    known, look_up = Acquaintances(), Lookup(CLERK, MAYOR)
    known.know("key", look_up)
    clock[0] += later

    assert known.know("key", look_up) == (CLERK, MAYOR)[asked - 1]
    assert look_up.asked == asked


def test_know__by_what_each_shows(clock):
    known = Acquaintances()
    assert known.know("one", Lookup(CLERK)) == CLERK
    assert known.know("other", Lookup(MAYOR)) == MAYOR
    assert known.know("one", Lookup(None)) == CLERK


def test_know__not_whom_nobody_knows(clock):
    known, look_up = Acquaintances(), Lookup(None, CLERK)
    assert known.know("key", look_up) is None
    assert known.know("key", look_up) == CLERK


def test_forget__also_whom_somebody_is_looking_up(clock):
    """They were looked up before the change, and come to be remembered after it."""
    known = Acquaintances()

    def look_up():
        known.forget()
        return CLERK

    assert known.know("key", look_up) == CLERK
    assert known.know("key", Lookup(MAYOR)) == MAYOR


def test_know__not_without_end(clock, monkeypatch):
    monkeypatch.setattr(acquaintances, "MOST", 3)
    known = Acquaintances()
    for number in range(10):
        known.know(str(number), Lookup(CLERK))

    assert len(known._known) <= 3
    assert known.know("9", Lookup(MAYOR)) == CLERK


def test_key__is_good_for_a_moment_when_another_process_takes_it_away(app, admin, nobody, clock):
    key = admin.post("/accounts/officer-fire/keys", {"label": "消防系统"}).json["key"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert nobody.get("/me", headers=bearer).status_code == 200
    elsewhere = Database(app.extensions["database"].bind.url.render_as_string(hide_password=False))
    with elsewhere.transaction() as session:
        accounts.disable(session, "officer-fire", actor=accounts.load(session, "admin"))
    elsewhere.close()
    assert nobody.get("/me", headers=bearer).status_code == 200

    clock[0] += acquaintances.REMEMBERED_FOR

    assert nobody.get("/me", headers=bearer).status_code == 401


def test_revoke_key__holds_at_once(admin, nobody, clock):
    leaked, other = (admin.post("/accounts/officer-fire/keys", {"label": label}).json for label in ("消防系统", "报表"))
    bearers = [{"Authorization": f"Bearer {issued['key']}"} for issued in (leaked, other)]
    assert [nobody.get("/me", headers=bearer).status_code for bearer in bearers] == [200, 200]

    for _ in range(2):
        assert admin.post(f"/accounts/officer-fire/keys/{leaked['id']}/revoke").status_code == 200

        assert [nobody.get("/me", headers=bearer).status_code for bearer in bearers] == [401, 200]


def test_grant__holds_at_once(admin, call, clock):
    nobody = call()
    nobody.post("/login", {"name": "clerk", "password": "clerk"})
    assert all(grant["role"] != Role.ADMIN for grant in nobody.get("/me").json["grants"])

    admin.post("/accounts/clerk/grants", {"role": "admin"})

    assert any(grant["role"] == Role.ADMIN for grant in nobody.get("/me").json["grants"])
