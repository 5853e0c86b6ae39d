"""The tables of accounts: who can log in, what they may do, where they are logged in, and who has changed that."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.models import Base, own_id


class Account(Base):
    """Somebody, or some system, that can log in."""

    __tablename__ = "accounts"
    id: Mapped[UUID] = own_id()
    name: Mapped[str] = mapped_column(String(80), unique=True)
    display_name: Mapped[str]
    #: argon2; None: cannot log in with a password.
    password_hash: Mapped[str | None]
    disabled: Mapped[bool] = mapped_column(default=False)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class LogIn(Base):
    """A browser that somebody logged in with; a cookie is worth something as long as its row is here."""

    __tablename__ = "log_ins"
    id: Mapped[UUID] = own_id()
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    begun_at: Mapped[datetime] = mapped_column(index=True)


class Grant(Base):
    """A role of an account within a department and a hall; None: in all of them."""

    __tablename__ = "grants"
    id: Mapped[UUID] = own_id()
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    #: clerk, officer, supervisor, designer, admin, channel (an applicants' channel), system (a department's).
    role: Mapped[str] = mapped_column(String(20))
    department: Mapped[str | None] = mapped_column(ForeignKey("departments.code"))
    hall: Mapped[str | None] = mapped_column(ForeignKey("halls.code"))


class ApiKey(Base):
    """A key with which a program logs in; only its SHA-256 is kept."""

    __tablename__ = "api_keys"
    id: Mapped[UUID] = own_id()
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class KeyUse(Base):
    """When a key logged a program in last, as far as it was noted (`key_uses`); apart from the key, which nodes use without it."""

    __tablename__ = "key_uses"
    key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    last_used_at: Mapped[datetime]


class WrongPassword(Base):
    """How many wrong passwords of an account have come from an address in a row (`lockouts`); gone within hours."""

    __tablename__ = "wrong_passwords"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    #: As `api.addresses` tells it.
    address: Mapped[str] = mapped_column(String(45), primary_key=True)
    times: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)


class Administered(Base):
    """One change of accounts, keys, departments and halls (`administration`): append-only, chained by hash."""

    __tablename__ = "administration"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    what: Mapped[str]
    #: The account, the key, the role … by name, never a secret.
    about: Mapped[dict[str, Any]]
    hash: Mapped[str] = mapped_column(String(64))
