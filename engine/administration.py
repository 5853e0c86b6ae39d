"""Administration (系统管理): who has changed what of accounts, keys, departments and halls.  The log is where that is kept."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from engine import database
from engine.actors import Actor

log = structlog.get_logger()


def tell(session: Session, what: str, *, actor: Actor, **about: str | None) -> None:
    """Write a line once this transaction is durable: what was done, by whom, and what it is about, which is never a secret."""
    database.after_commit(session, lambda _db: log.info("administered", what=what, actor=actor.name, **about))
