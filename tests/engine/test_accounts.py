"""Accounts: logging in, lockout, keys, roles, and the samples of a new installation."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import uuid4

import pytest
import time_machine

from engine import accounts, grants, lockouts, samples
from engine.actors import Actor, Role, RoleGrant
from engine.errors import Busy, InvalidInput, InvalidState, NotFound, NotPermitted
from engine.passwords import WELL_KNOWN, Passwords
from engine.settings import Environment

ADMIN = Actor(name="root", grants=(RoleGrant(role=Role.ADMIN),))
NOBODY = Actor(name="nobody")
MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def seeded(database):
    with database.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
    return database


def log_in(database, name, password):
    return accounts.authenticate(database, name, password, passwords=WELL_KNOWN)


def test_seed__new_installation(database):
    with database.transaction() as session:
        done = samples.seed(session, Environment.DEVELOPMENT)

    assert done
    assert {name: log_in(database, name, name).name for name in samples.ACCOUNTS} == {name: name for name in samples.ACCOUNTS}
    assert log_in(database, "clerk", "clerk").halls() == {"changsha"}
    assert log_in(database, "officer-fire", "officer-fire").groups() == {"department-fire"}


def test_seed__somebody_has_an_account(seeded):
    with seeded.transaction() as session:
        accounts.disable(session, "clerk", actor=ADMIN)

    with seeded.transaction() as session:
        done = samples.seed(session, Environment.DEVELOPMENT)

    assert not done
    assert log_in(seeded, "clerk", "clerk") is None


def test_seed__production(database):
    with pytest.raises(NotPermitted, match="for production"), database.transaction() as session:
        samples.seed(session, Environment.PRODUCTION)

    with database.reading() as session:
        assert accounts.find(session, "admin") is None


@pytest.mark.parametrize(("name", "password"), [("clerk", "wrong"), ("clerk", ""), ("nobody", "nobody"), ("", ""), ("clerk' --", "clerk")])
def test_authenticate__wrong(seeded, name, password):
    assert log_in(seeded, name, password) is None


def test_authenticate__account_without_password(seeded):
    with seeded.transaction() as session:
        accounts.create(session, "robot", actor=ADMIN, password=None, passwords=WELL_KNOWN)

    assert log_in(seeded, "robot", "") is None


def test_authenticate__too_many_failures(seeded):
    now = datetime.now(UTC)
    for _ in range(lockouts.FAILURES):
        log_in(seeded, "clerk", "wrong")

    assert log_in(seeded, "clerk", "clerk") is None
    assert log_in(seeded, "supervisor", "supervisor") is not None
    with time_machine.travel(now + lockouts.LOCKED_FOR + timedelta(minutes=1)):
        assert log_in(seeded, "clerk", "clerk") is not None


def test_authenticate__failures_with_a_success_between(seeded):
    for _ in range(2):
        for _ in range(lockouts.FAILURES - 1):
            log_in(seeded, "clerk", "wrong")
        assert log_in(seeded, "clerk", "clerk") is not None


def test_authenticate__failures_at_once(seeded):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: log_in(seeded, "clerk", "wrong"), range(lockouts.FAILURES)))

    assert log_in(seeded, "clerk", "clerk") is None


class Counting:
    """argon2, and how often it was asked."""

    def __init__(self, real):
        self.real, self.verified = real, 0

    def hash(self, password):
        return self.real.hash(password)

    def verify(self, kept, password):
        self.verified += 1
        return self.real.verify(kept, password)


@pytest.fixture
def passwords():
    passwords = Passwords(time_cost=1, memory_cost=8, parallelism=1)
    passwords._argon2 = Counting(passwords._argon2)
    return passwords


def test_verify__stranger_costs_as_much_as_a_friend(passwords):
    assert not passwords.verify(None, "")
    assert not passwords.verify(None, "")

    assert passwords._argon2.verified == 2


def test_verify__right_password_again(passwords):
    kept = passwords.hash("secret")

    assert [passwords.verify(kept, "secret") for _ in range(3)] == [True, True, True]
    assert not passwords.verify(kept, "other")
    assert not passwords.verify(passwords.hash("new"), "secret")

    assert passwords._argon2.verified == 3


def test_verify__remembers_no_more_than_it_may(passwords, monkeypatch):
    monkeypatch.setattr("engine.passwords.REMEMBERED", 2)

    for n in range(5):
        assert passwords.verify(passwords.hash(str(n)), str(n))

    assert len(passwords._verified) <= 2


def test_verify__too_many_at_once():
    passwords = Passwords(time_cost=1, memory_cost=8, parallelism=1, at_once=1, patience=0.01)
    begun, go_on = Event(), Event()

    def hold():
        with passwords._place():
            begun.set()
            go_on.wait(60)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        begun.wait(60)
        with pytest.raises(Busy, match="too many people"):
            passwords.verify(None, "x")
        go_on.set()

    assert passwords.verify(passwords.hash("x"), "x")


def test_passwords__strong_by_default():
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in Passwords().hash("x")


def test_issue_key__logs_in(seeded):
    with seeded.transaction() as session:
        row, key = accounts.issue_key(session, "officer-fire", label="消防系统", actor=ADMIN)

    with seeded.reading() as session:
        assert accounts.authenticate_key(session, key).name == "officer-fire"
        assert accounts.authenticate_key(session, key + "x") is None
        assert accounts.authenticate_key(session, row.key_hash) is None


def test_issue_key__account_is_disabled_later(seeded):
    with seeded.transaction() as session:
        _, key = accounts.issue_key(session, "officer-fire", label="消防系统", actor=ADMIN)
        accounts.disable(session, "officer-fire", actor=ADMIN)

    with seeded.reading() as session:
        assert accounts.authenticate_key(session, key) is None


@pytest.fixture
def issued(seeded):
    """Two keys of one account, with what logs in."""
    with seeded.transaction() as session:
        return [accounts.issue_key(session, "officer-fire", label=label, actor=ADMIN) for label in ("消防系统", "报表")]


@pytest.mark.parametrize("actor", [ADMIN, Actor(name="officer-fire")])
def test_revoke_key__alone(seeded, issued, actor):
    (leaked, shown), (_, other) = issued

    with seeded.transaction() as session:
        accounts.revoke_key(session, "officer-fire", leaked.id, actor=actor)

    with seeded.reading() as session:
        assert accounts.authenticate_key(session, shown) is None
        assert accounts.authenticate_key(session, other).name == "officer-fire"
        assert log_in(seeded, "officer-fire", "officer-fire") is not None


def test_revoke_key__again(seeded, issued):
    (leaked, _), _ = issued
    with time_machine.travel(MORNING, tick=False), seeded.transaction() as session:
        accounts.revoke_key(session, "officer-fire", leaked.id, actor=ADMIN)

    with time_machine.travel(MORNING + timedelta(days=1)), seeded.transaction() as session:
        again = accounts.revoke_key(session, "officer-fire", leaked.id, actor=ADMIN)

    assert again.revoked_at == MORNING


def test_revoke_key__of_a_disabled_account(seeded, issued):
    (leaked, _), _ = issued
    with seeded.transaction() as session:
        accounts.disable(session, "officer-fire", actor=ADMIN)

        assert accounts.revoke_key(session, "officer-fire", leaked.id, actor=ADMIN).revoked_at is not None


def test_revoke_key__of_another_account(seeded, issued):
    """Who asks about the wrong account has not revoked anything."""
    (leaked, shown), _ = issued

    with pytest.raises(NotFound, match="of account clerk, but there is none"), seeded.transaction() as session:
        accounts.revoke_key(session, "clerk", leaked.id, actor=ADMIN)

    with seeded.reading() as session:
        assert accounts.authenticate_key(session, shown) is not None


def test_keys__one_after_the_other(seeded, issued):
    with seeded.reading() as session:
        first = accounts.keys(session, "officer-fire", actor=ADMIN, limit=1)
        others = accounts.keys(session, "officer-fire", actor=Actor(name="officer-fire"), after=first[0].id)

        assert {key.id for key in [*first, *others]} == {key.id for key, _ in issued}
        assert (len(first), len(others)) == (1, 1)
        assert accounts.keys(session, "clerk", actor=ADMIN) == []


def test_set_password__old_one_ends(seeded):
    with seeded.transaction() as session:
        accounts.set_password(session, "clerk", "new password", actor=Actor(name="clerk"), passwords=WELL_KNOWN)

    assert log_in(seeded, "clerk", "clerk") is None
    assert log_in(seeded, "clerk", "new password") is not None


def test_resume__password_was_changed(seeded):
    with seeded.transaction() as session:
        clerk, admin = accounts.begin(session, "clerk"), accounts.begin(session, "admin")
        assert accounts.resume(session, clerk).name == "clerk"

        accounts.set_password(session, "clerk", "new password", actor=ADMIN, passwords=WELL_KNOWN)

        assert accounts.resume(session, clerk) is None
        assert accounts.resume(session, admin).name == "admin"


def test_resume__one_of_two_browsers_has_logged_out(seeded):
    with seeded.transaction() as session:
        hall, home = (accounts.begin(session, "clerk") for _ in range(2))

        for _ in range(2):
            accounts.end(session, hall)

        assert accounts.resume(session, hall) is None
        assert accounts.resume(session, home).name == "clerk"


def test_resume__account_was_disabled(seeded):
    with seeded.transaction() as session:
        log_in = accounts.begin(session, "clerk")

        accounts.disable(session, "clerk", actor=ADMIN)

        assert accounts.resume(session, log_in) is None


def test_resume__the_next_day(seeded):
    with time_machine.travel(MORNING), seeded.transaction() as session:
        log_in = accounts.begin(session, "clerk")

    with time_machine.travel(MORNING + accounts.LOGGED_IN_FOR - timedelta(minutes=1)), seeded.reading() as session:
        assert accounts.resume(session, log_in).name == "clerk"
    with time_machine.travel(MORNING + accounts.LOGGED_IN_FOR + timedelta(minutes=1)), seeded.reading() as session:
        assert accounts.resume(session, log_in) is None


def test_create__account_with_a_role(seeded):
    with seeded.transaction() as session:
        accounts.create(session, "li.lei", actor=ADMIN, password="something long", passwords=WELL_KNOWN, display_name="李雷")
        for _ in range(2):
            grants.grant(session, "li.lei", Role.CLERK, actor=ADMIN, hall="yuelu")

    assert log_in(seeded, "li.lei", "something long") == Actor(
        name="li.lei", display_name="李雷", grants=(RoleGrant(role=Role.CLERK, hall="yuelu"),)
    )


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (lambda s: accounts.create(s, "clerk", actor=ADMIN, password=None, passwords=WELL_KNOWN), InvalidState),
        (lambda s: accounts.create(s, "Li Lei", actor=ADMIN, password=None, passwords=WELL_KNOWN), InvalidInput),
        (lambda s: accounts.create(s, "a:b", actor=ADMIN, password=None, passwords=WELL_KNOWN), InvalidInput),
        (lambda s: accounts.create(s, "short", actor=ADMIN, password="1234567", passwords=WELL_KNOWN), InvalidInput),
        (lambda s: accounts.create(s, "new", actor=NOBODY, password=None, passwords=WELL_KNOWN), NotPermitted),
        (lambda s: grants.grant(s, "clerk", Role.ADMIN, actor=NOBODY), NotPermitted),
        (lambda s: grants.grant(s, "clerk", Role.OFFICER, actor=ADMIN, department="navy"), InvalidInput),
        (lambda s: grants.grant(s, "clerk", Role.CLERK, actor=ADMIN, hall="moon"), InvalidInput),
        (lambda s: grants.grant(s, "nobody", Role.CLERK, actor=ADMIN), NotFound),
        (lambda s: accounts.set_password(s, "admin", "12345678", actor=NOBODY, passwords=WELL_KNOWN), NotPermitted),
        (lambda s: accounts.issue_key(s, "admin", label="x", actor=NOBODY), NotPermitted),
        (lambda s: accounts.keys(s, "admin", actor=NOBODY), NotPermitted),
        (lambda s: accounts.keys(s, "nobody", actor=ADMIN), NotFound),
        (lambda s: accounts.revoke_key(s, "admin", uuid4(), actor=NOBODY), NotPermitted),
        (lambda s: accounts.revoke_key(s, "nobody", uuid4(), actor=ADMIN), NotFound),
        (lambda s: accounts.revoke_key(s, "clerk", uuid4(), actor=ADMIN), NotFound),
        (lambda s: accounts.disable(s, "root", actor=ADMIN), InvalidState),
        (lambda s: accounts.listing(s, actor=NOBODY), NotPermitted),
        (lambda s: accounts.load(s, "nobody"), NotFound),
    ],
)
def test_command__refused(seeded, command, error):
    with pytest.raises(error, match=r"^Expected"), seeded.transaction() as session:
        command(session)
