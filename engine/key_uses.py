"""Uses of keys (密钥使用): when a key logged a program in last, to the hour.  Where a key has leaked, this tells whether it was used.

A process notes the use of a key when it looks the key up, and then not again for an hour.  If that fails, it tries again at the next
look-up; while the schema has no table for it yet, after a minute at the earliest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import accounts, moments, schema
from engine.account_models import ApiKey, KeyUse
from engine.database import Database
from engine.errors import EngineError

log = structlog.get_logger()
#: How long a key that was noted is not noted again.
NOTED_FOR = timedelta(hours=1)
#: How long a process waits before it asks again whether there is a table for it by now.
ASKED_AFTER = timedelta(minutes=1)
#: The revision of the schema since which there is a table for it.
KNOWN_SINCE = "0028"


class KeyUses:
    """Which keys this process has noted, and when."""

    def __init__(self) -> None:
        self._noted: dict[str, datetime] = {}

    def is_due(self, key: str) -> bool:
        """Whether a use of a key that is in force is to be noted."""
        noted = self._noted.get(accounts.key_hash(key))
        return noted is None or moments.now() - noted >= NOTED_FOR

    def note(self, database: Database, key: str) -> None:
        """Note that a key was used just now; whatever is in the way is only logged."""
        if not self.is_due(key):  # another request has done so meanwhile
            return
        which, now = accounts.key_hash(key), moments.now()
        self._noted[which] = now  # first, so that no other request does the same
        try:
            with database.transaction() as session:
                if schema.has(session.connection(), KNOWN_SINCE):
                    _put(session, which, now)
                else:
                    self._noted[which] = now - NOTED_FOR + ASKED_AFTER
        except (EngineError, SQLAlchemyError) as error:
            self._noted.pop(which, None)
            log.warning("the use of a key was not noted", error=str(error))


def last(session: Session, key_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
    """When keys were used last; those of which no use is known are missing."""
    if not schema.has(session.connection(), KNOWN_SINCE):
        return {}
    found = session.execute(select(KeyUse.key_id, KeyUse.last_used_at).where(KeyUse.key_id.in_(key_ids)))
    return {row.key_id: row.last_used_at for row in found}


def _put(session: Session, key_hash: str, now: datetime) -> None:
    key_id = session.scalars(select(ApiKey.id).where(ApiKey.key_hash == key_hash)).one()
    use = session.get(KeyUse, key_id) or KeyUse(key_id=key_id)
    use.last_used_at = now
    session.add(use)
