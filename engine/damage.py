"""Damage (数据损坏): what PostgreSQL has found in its own files that is not what it had written there."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import Connection, text

from engine import clients, postgresql
from engine.diagnoses import Check, CheckStatus

#: The first version of PostgreSQL that counts such pages, as servers count.
_COUNTS = 120_000


def check(connection: Connection) -> list[Check]:
    """See that the server has found no page damaged since its figures were last set back; where nobody looks there is nothing to say."""
    if not postgresql.is_behind(connection) or int(connection.scalar(text("SHOW server_version_num")) or 0) < _COUNTS:
        return []
    known = clients.damaged(connection)
    if known is None:
        return []
    times, last = known
    if not times or last is None:
        return [Check(what="damage", found="the server has found no page damaged")]
    said = f"the server has found pages damaged, {times} times, the last at {last.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    advice = "Look after its disk, keep a copy of its files, run onething verify; docs/operating.md says how to go on."
    return [Check(what="damage", status=CheckStatus.WARNING, found=said, advice=advice)]
