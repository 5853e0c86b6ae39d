"""Grants (授权): the roles of accounts in departments and halls, given and taken back."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import accounts, administration, administrators, claims, visibility
from engine.account_models import Account, Grant
from engine.actors import Actor, Role, RoleGrant
from engine.errors import InvalidInput, NotFound
from engine.models import Department, Hall


def of(session: Session, account: Account) -> list[RoleGrant]:
    """List the roles of an account and where they hold."""
    rows = session.scalars(select(Grant).where(Grant.account_id == account.id).order_by(Grant.role, Grant.department, Grant.hall))
    return [RoleGrant(role=Role(row.role), department=row.department, hall=row.hall) for row in rows]


def grant(session: Session, name: str, role: Role, *, actor: Actor, department: str | None = None, hall: str | None = None) -> Account:
    """Give an account a role in a department and a hall (None: in all); once more changes nothing."""
    actor.require(Role.ADMIN, to="grant a role")
    account = accounts.get(session, name)
    if department is not None and session.get(Department, department) is None:
        raise InvalidInput.of_field("department", f"Expected a department, but there is no {department!r}")
    if hall is not None and session.get(Hall, hall) is None:
        raise InvalidInput.of_field("hall", f"Expected a hall, but there is no {hall!r}")
    if RoleGrant(role=role, department=department, hall=hall) not in of(session, account):
        session.add(Grant(account_id=account.id, role=role, department=department, hall=hall))
        session.flush()
        administration.record(session, "role granted", actor=actor, account=name, role=role, department=department, hall=hall)
    return account


def revoke(session: Session, name: str, role: Role, *, actor: Actor, department: str | None = None, hall: str | None = None) -> Account:
    """Take a role back, as it was granted (None: in all); what was claimed by virtue of it alone goes back to its groups.

    Raises NotFound when the account has no such role there, InvalidState when nobody would be left who is an administrator, and Busy when
    somebody else writes a task that goes back.
    """
    actor.require(Role.ADMIN, to="revoke a role")
    if role is Role.ADMIN:
        administrators.hold(session)
    account = accounts.get(session, name)
    before, its = Actor(name=name, grants=tuple(of(session, account))), Grant.__table__.c
    which = its.account_id == account.id, its.role == role, its.department == department, its.hall == hall
    if not session.connection().execute(delete(Grant.__table__).where(*which)).rowcount:
        where = "".join(f" of {kind} {code}" for kind, code in (("department", department), ("hall", hall)) if code is not None)
        raise NotFound(f"Expected account {name} to have role {role}{where or ' everywhere'}, but it has not")
    if role is Role.ADMIN:
        administrators.require_one(session, to=f"revoke the role of {name}")
    now = Actor(name=name, grants=tuple(of(session, account)))
    claims.give_back(session, name, visibility.may_claim(before), ~visibility.may_claim(now))
    administration.record(session, "role revoked", actor=actor, account=name, role=role, department=department, hall=hall)
    return account
