"""Administrators (系统管理员): who can make accounts and grant roles; without one, nobody can over the API."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.account_models import Account, Grant
from engine.actors import Role
from engine.errors import InvalidState

#: Roles that make somebody one, of accounts that are not disabled.
_ROLES = select(Grant.id).join(Account, Account.id == Grant.account_id).where(Grant.role == Role.ADMIN, Account.disabled.is_(False))
# Of two who take each other's role away the second finds that the first has.
_HELD = _ROLES.order_by(Grant.id).with_for_update(of=[Grant.__table__, Account.__table__], key_share=True)


def are_there(session: Session) -> bool:
    """Whether there is one."""
    return session.scalar(_ROLES.limit(1)) is not None


def hold(session: Session) -> None:
    """Let nobody else take one away until this transaction ends; first of all, before anything is changed."""
    session.execute(_HELD)


def require_one(session: Session, *, to: str) -> None:
    """Raise InvalidState when what was just done has left none; `to` completes “Expected to …”."""
    session.flush()
    if not are_there(session):
        raise InvalidState(f"Expected to {to}, but then there would be no administrator")
