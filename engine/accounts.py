"""Accounts (账号): who can log in, what they may do, and the keys of programs."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import administration, administrators, claims, lockouts, moments, outages
from engine.account_models import Account, ApiKey, Grant, LogIn
from engine.actors import ENGINE, Actor, Role, RoleGrant
from engine.database import Database
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.passwords import Passwords
from engine.reads import Read

#: How long a browser stays logged in.
LOGGED_IN_FOR = timedelta(hours=12)
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


def authenticate(database: Database, name: str, password: str, *, passwords: Passwords, address: str = "") -> Actor | None:
    """Log in with a password; None: the name or the password is wrong, or the account is locked at this address, or disabled.

    `address`: where it comes from, for `lockouts`.  It takes the database, not a session: checking a password takes long, and nobody shall
    wait for a lock meanwhile.
    """
    with database.reading() as session:
        known = _known(session, _BY_NAME, name)
        wrong = 0 if known is None else lockouts.wrong(session, known.id, address)
    usable = known is not None and not known.disabled and wrong < lockouts.FAILURES
    right = passwords.verify(known.password_hash if known is not None and usable else None, password)
    if known is not None and wrong < lockouts.FAILURES and (wrong or not right):
        with database.transaction() as session:
            (lockouts.forget if right else lockouts.count)(session, known.id, address)
    return known.actor if known is not None and right else None


def authenticate_key(session: Session, key: str) -> Actor | None:
    """Log in with the key of a program; None: unknown, revoked, or its account is disabled."""
    known = _known(session, _BY_KEY, key_hash(key))
    return None if known is None or known.disabled else known.actor


def begin(session: Session, name: str) -> UUID:
    """Log a browser in for `LOGGED_IN_FOR`; the id is what its cookie names."""
    log_in = LogIn(account_id=get(session, name).id, begun_at=moments.now())
    session.add(log_in)
    session.flush()
    return log_in.id


def resume(session: Session, log_in: UUID) -> Actor | None:
    """Go on with a log-in; None: it has ended (log-out, another password, too long ago), or the account is disabled."""
    known = _known(session, _BY_LOG_IN, log_in, since=moments.now() - LOGGED_IN_FOR)
    return None if known is None or known.disabled else known.actor


def end(session: Session, log_in: UUID) -> None:
    """Log a browser out: no copy of its cookie is worth anything any more.  Repeating it does nothing."""
    session.execute(delete(LogIn).where(LogIn.id == log_in))


def find(session: Session, name: str) -> Account | None:
    """Find an account by its name."""
    return session.scalar(select(Account).where(Account.name == name))


def load(session: Session, name: str) -> Actor:
    """Give the actor behind an account; NotFound also when it is disabled."""
    known = _known(session, _BY_NAME, name)
    if known is None or known.disabled:
        raise NotFound(f"Expected an account named {name}, but there is none, or it is disabled")
    return known.actor


def get(session: Session, name: str) -> Account:
    """Find an account by its name, or raise NotFound."""
    account = find(session, name)
    if account is None:
        raise NotFound(f"Expected account {name}, but there is none of that name")
    return account


def listing(session: Session, *, actor: Actor, after: str = "", limit: int = 50) -> Sequence[Account]:
    """List accounts by name, from the one that follows `after`."""
    actor.require(Role.ADMIN, to="list accounts")
    return session.scalars(select(Account).where(Account.name > after).order_by(Account.name).limit(limit)).all()


def display_names(session: Session, names: Collection[str]) -> dict[str, str]:
    """Tell what people call those of these names who have an account, and the engine; by name."""
    found = session.execute(select(Account.name, Account.display_name).where(Account.name.in_(names))).all()
    return {ENGINE.name: ENGINE.display_name, **dict(found)}


def create(session: Session, name: str, *, actor: Actor, password: str | None, passwords: Passwords, display_name: str = "") -> Account:
    """Open an account without any role; without a password only keys log in."""
    actor.require(Role.ADMIN, to="create an account")
    require_new(session, name)
    account = Account(name=name, display_name=display_name or name, password_hash=None, created_at=moments.now())
    if password is not None:
        account.password_hash = _hashed(password, passwords)
    session.add(account)
    try:
        session.flush()
    except IntegrityError as error:
        if not outages.is_taken(error):
            raise
        raise _taken(name) from error  # by somebody else in the same moment
    administration.record(session, "account made", actor=actor, account=name)
    return account


def require_new(session: Session, name: str) -> None:
    """Raise InvalidInput unless an account may have the name, InvalidState when there is one that has it."""
    if not _NAME.fullmatch(name):
        raise InvalidInput.of_field(
            "name", f"Expected a name of small letters, digits, dots, dashes and underscores, 80 at most, but got {name!r:.100}"
        )
    if find(session, name) is not None:
        raise _taken(name)


def set_password(session: Session, name: str, password: str, *, actor: Actor, passwords: Passwords) -> Account:
    """Give an account a new password, which ends its lock and its log-ins; everybody may change their own."""
    _require_own(name, actor, to="set the password of another account")
    account = get(session, name)
    account.password_hash = _hashed(password, passwords)
    lockouts.forget(session, account.id)
    session.execute(delete(LogIn).where(LogIn.account_id == account.id))
    administration.record(session, "password set", actor=actor, account=name)
    return account


def disable(session: Session, name: str, *, actor: Actor) -> Account:
    """Close an account for ever; what it did stays in the journal under its name, what it has claimed goes back to its groups.

    Repeated, it gives back what has come to the account since.  Raises Busy when somebody else writes a task that goes back.
    """
    actor.require(Role.ADMIN, to="disable an account")
    if name == actor.name:
        raise InvalidState(f"Expected to disable another account, but {name} is your own")
    administrators.hold(session)
    account = get(session, name)
    was_open, account.disabled = not account.disabled, True
    administrators.require_one(session, to=f"disable account {name}")
    given_back = claims.give_back(session, name)
    if was_open or given_back:
        what = "account disabled" if was_open else "tasks given back"
        administration.record(session, what, actor=actor, account=name, tasks_given_back=str(given_back))
    return account


def issue_key(session: Session, name: str, *, label: str, actor: Actor) -> tuple[ApiKey, str]:
    """Give a program a key; it is told once, only its hash is kept."""
    _require_own(name, actor, to="issue a key for another account")
    key = secrets.token_urlsafe(32)
    row = ApiKey(account_id=get(session, name).id, key_hash=key_hash(key), label=label, created_at=moments.now())
    session.add(row)
    session.flush()
    administration.record(session, "key issued", actor=actor, account=name, key=str(row.id), label=label)
    return row, key


def keys(session: Session, name: str, *, actor: Actor, after: UUID | None = None, limit: int = 50) -> Sequence[ApiKey]:
    """List the keys of an account, revoked ones too, from the one that follows `after`; everybody may list their own."""
    _require_own(name, actor, to="list the keys of another account")
    query = select(ApiKey).where(ApiKey.account_id == get(session, name).id)
    if after is not None:
        query = query.where(ApiKey.id > after)
    return session.scalars(query.order_by(ApiKey.id).limit(limit)).all()


def revoke_key(session: Session, name: str, key_id: UUID, *, actor: Actor) -> ApiKey:
    """Let a key log nobody in any more, for ever; other keys of its account still do.  Repeating it changes nothing."""
    _require_own(name, actor, to="revoke a key of another account")
    query = select(ApiKey).where(ApiKey.account_id == get(session, name).id, ApiKey.id == key_id)
    key = session.scalar(query.with_for_update())  # of two who revoke it the first one's moment stays
    if key is None:
        raise NotFound(f"Expected key {key_id} of account {name}, but there is none")
    if key.revoked_at is None:
        key.revoked_at = moments.now()
        administration.record(session, "key revoked", actor=actor, account=name, key=str(key.id), label=key.label)
    return key


def _require_own(name: str, actor: Actor, *, to: str) -> None:
    if name != actor.name:
        actor.require(Role.ADMIN, to=to)


@dataclass(frozen=True)
class _Known:
    """What a log-in asks of an account."""

    actor: Actor
    id: UUID
    password_hash: str | None
    disabled: bool


# Asked by every request: one statement, made once.
_OF_ACCOUNT = ("name", "display_name", "id", "password_hash", "disabled")
_OF_GRANT = ("role", "department", "hall")
_COLUMNS = [of.__table__.c[name] for of, names in ((Account, _OF_ACCOUNT), (Grant, _OF_GRANT)) for name in names]
_WITH_GRANTS = select(Account.id).outerjoin(Grant, Grant.account_id == Account.id).order_by(Grant.id)
_BY_NAME = Read(_COLUMNS, _WITH_GRANTS.where(Account.name == bindparam("which")))
_BY_LOG_IN = Read(
    _COLUMNS,
    _WITH_GRANTS.join(LogIn, LogIn.account_id == Account.id).where(LogIn.id == bindparam("which"), LogIn.begun_at > bindparam("since")),
)
_BY_KEY = Read(
    _COLUMNS,
    _WITH_GRANTS.join(ApiKey, ApiKey.account_id == Account.id).where(ApiKey.key_hash == bindparam("which"), ApiKey.revoked_at.is_(None)),
)


def _known(session: Session, read: Read, which: str | UUID, **more: datetime) -> _Known | None:
    session.flush()
    rows = read.all(session.connection(), {"which": which, **more})
    if not rows:
        return None
    name, display_name, *more_of_account = rows[0][: len(_OF_ACCOUNT)]
    granted = (row[len(_OF_ACCOUNT) :] for row in rows)
    grants = tuple(RoleGrant(role=Role(role), department=department, hall=hall) for role, department, hall in granted if role is not None)
    return _Known(Actor(name=name, display_name=display_name, grants=grants), *more_of_account)


def _hashed(password: str, passwords: Passwords) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput.of_field("password", f"Expected a password of at least {SHORTEST_PASSWORD} characters, but got {len(password)}")
    if len(password) > LONGEST_PASSWORD:
        raise InvalidInput.of_field("password", f"Expected a password of at most {LONGEST_PASSWORD} characters, but got {len(password)}")
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in password):
        raise InvalidInput.of_field("password", "Expected a password of characters, but it has a NUL, or half of one")
    return passwords.hash(password)


def key_hash(key: str) -> str:
    """What is kept of a key: its SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()


def _taken(name: str) -> InvalidState:
    return InvalidState(f"Expected to create account {name}, but there is one of that name")
