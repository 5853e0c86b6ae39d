"""Accounts (账号), for administrators: who may log in, and as what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field

from api import auth, paging, parts
from api.contract import answer, contract
from api.shapes import Body, Line, Page, Paged, Shape
from api.transactions import reading, transaction
from api.v1.sessions import RoleGranted
from engine import accounts, grants, key_uses
from engine.account_models import Account, ApiKey
from engine.actors import Role
from engine.database import Session

bp = Blueprint("accounts", __name__, url_prefix="/accounts")

bp.after_request(auth.look_again)

Password = Annotated[str, Field(min_length=accounts.SHORTEST_PASSWORD, max_length=accounts.LONGEST_PASSWORD)]


class NewAccount(Body):
    """An account to be opened; without a password only keys log in."""

    #: What one logs in with: small letters, digits, dots, dashes and underscores.
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
    #: What people read.
    display_name: Annotated[str, Field(max_length=200)] = ""
    #: null: only keys log in.
    password: Password | None = None


class GrantData(Body):
    """A role, and where it holds; null: everywhere."""

    #: What the account may do.
    role: Role
    #: Code of the department in which the role holds; null: in all.
    department: Line | None = None
    #: Code of the hall in which the role holds; null: in all.
    hall: Line | None = None


class NewPassword(Body):
    """The new password."""

    #: Whoever is logged in with the old one is logged out.
    password: Password


class NewKey(Body):
    """What the key is for."""

    #: Which program has it, and where it runs.
    label: Line


class AccountShown(Shape):
    """An account."""

    name: str
    display_name: str
    disabled: bool
    grants: list[RoleGranted]


class KeyIssued(Shape):
    """A key; it is shown this once."""

    id: UUID
    label: str
    key: str


class KeyShown(Shape):
    """What is known of a key; the key itself is kept nowhere."""

    id: UUID
    label: str
    issued_at: datetime
    #: null: it is in force.
    revoked_at: datetime | None
    #: When it logged a program in last, to the hour; null: no use is known.
    last_used_at: datetime | None


@bp.get("")
@contract(summary="账号列表 · List accounts", query=Paged, answer=Page[AccountShown])
def list_accounts(query: Paged) -> Response:
    """List accounts by name."""
    after = paging.last(query.cursor, str) or ""
    with reading() as session:
        found = accounts.listing(session, actor=auth.actor(), after=after, limit=query.limit + 1)
        return answer(paging.page(found, query.limit, key=lambda a: (a.name,), present=lambda a: _presented(session, a)))


@bp.post("")
@contract(summary="新建账号 · Open an account", body=NewAccount, answer=AccountShown, status=201, problems=(409,))
def create(body: NewAccount) -> Response:
    """Open an account."""
    with transaction() as session:
        made = accounts.create(
            session, body.name, actor=auth.actor(), password=body.password, display_name=body.display_name, passwords=parts.passwords()
        )
        return answer(_presented(session, made))


@bp.post("/<name>/grants")
@contract(summary="授予角色 · Grant a role", body=GrantData, answer=AccountShown)
def grant(name: str, body: GrantData) -> Response:
    """Grant a role."""
    with transaction() as session:
        granted = grants.grant(session, name, body.role, actor=auth.actor(), department=body.department, hall=body.hall)
        return answer(_presented(session, granted))


@bp.post("/<name>/grants/revoke")
@contract(summary="收回角色 · Revoke a role", body=GrantData, answer=AccountShown, problems=(409,))
def revoke(name: str, body: GrantData) -> Response:
    """Revoke a role, just as it was granted; the last administrator keeps that (409)."""
    with transaction() as session:
        left = grants.revoke(session, name, body.role, actor=auth.actor(), department=body.department, hall=body.hall)
        return answer(_presented(session, left))


@bp.post("/<name>/password")
@contract(summary="修改口令 · Set a password", body=NewPassword, answer=AccountShown)
def set_password(name: str, body: NewPassword) -> Response:
    """Set a password; one's own, or as an administrator."""
    with transaction() as session:
        return answer(
            _presented(session, accounts.set_password(session, name, body.password, actor=auth.actor(), passwords=parts.passwords()))
        )


@bp.post("/<name>/disable")
@contract(summary="停用账号 · Disable an account", answer=AccountShown, problems=(409,))
def disable(name: str) -> Response:
    """Disable an account."""
    with transaction() as session:
        return answer(_presented(session, accounts.disable(session, name, actor=auth.actor())))


@bp.post("/<name>/keys")
@contract(summary="签发密钥 · Issue a key", body=NewKey, answer=KeyIssued, status=201)
def issue_key(name: str, body: NewKey) -> Response:
    """Issue a key with which a program logs in."""
    with parts.database().transaction() as session:  # not `transaction`, which would keep the answer, and the key in it
        row, key = accounts.issue_key(session, name, label=body.label, actor=auth.actor())
        return answer({"id": row.id, "label": row.label, "key": key})


@bp.get("/<name>/keys")
@contract(summary="密钥列表 · List keys", query=Paged, answer=Page[KeyShown])
def list_keys(name: str, query: Paged) -> Response:
    """List the keys of an account, revoked ones too; one's own, or as an administrator."""
    after = paging.last(query.cursor, UUID)
    with reading() as session:
        found = accounts.keys(session, name, actor=auth.actor(), after=after, limit=query.limit + 1)
        used = key_uses.last(session, [key.id for key in found])
        return answer(paging.page(found, query.limit, key=lambda k: (k.id,), present=partial(_presented_key, used=used)))


@bp.post("/<name>/keys/<uuid:key_id>/revoke")
@contract(summary="吊销密钥 · Revoke a key", answer=KeyShown)
def revoke_key(name: str, key_id: UUID) -> Response:
    """Revoke a key, for ever; one's own, or as an administrator."""
    with transaction() as session:
        revoked = accounts.revoke_key(session, name, key_id, actor=auth.actor())
        return answer(_presented_key(revoked, used=key_uses.last(session, [key_id])))


def _presented_key(key: ApiKey, *, used: Mapping[UUID, datetime]) -> dict[str, Any]:
    moments = {"issued_at": key.created_at, "revoked_at": key.revoked_at, "last_used_at": used.get(key.id)}
    return {"id": key.id, "label": key.label, **moments}


def _presented(session: Session, account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "display_name": account.display_name,
        "disabled": account.disabled,
        "grants": [{"role": g.role, "department": g.department, "hall": g.hall} for g in grants.of(session, account)],
    }
