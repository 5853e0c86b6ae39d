"""Upkeep (日常维护): what has to go on day by day, and is missed only when it is needed: a scheduler, backups, nodes that were replaced."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from engine import clients, postgresql, queues, schema
from engine.command_models import IdempotentAnswer
from engine.diagnoses import Check, CheckStatus
from engine.files import FileStore
from engine.models import Entry

#: How late what is due may be, and what is to be deleted: sweeps are made each hour, and not while a node is down.
LATE, UNSWEPT = timedelta(minutes=10), timedelta(days=1)
#: How old the newest backup may be, and an installation without one: who backs up once a week is not told each time.
OUTDATED = timedelta(days=8)
_MOMENT = "%Y-%m-%d %H:%M UTC"


def check_scheduler(session: Session, *, now: datetime, answers: timedelta | None = None) -> Check:
    """See that a scheduler does what is due, and deletes what has served its time: `answers`, for how long those are kept."""
    since = {f"{name} are due": due for name, due in queues.heads(session, now=now - LATE, since={}).items() if due is not None}
    if answers is not None:
        unswept = select(IdempotentAnswer.answered_at).where(IdempotentAnswer.answered_at <= now - answers - UNSWEPT)
        if oldest := session.scalar(unswept.order_by(IdempotentAnswer.answered_at).limit(1)):
            since["answers to commands are kept"] = oldest
    if not since:
        return Check(what="scheduler", found="nothing is late")
    found = ", ".join(f"{what} since {moment.astimezone(UTC):{_MOMENT}}" for what, moment in since.items())
    advice = "See that a serve without --no-scheduler, or a work, runs, and what its log says (tick failed)."
    return Check(what="scheduler", status=CheckStatus.WARNING, found=found, advice=advice)


def check_nodes(connection: Connection) -> list[Check]:
    """Find nodes of an older version that are connected: after an upgrade one is easily forgotten, which goes on with its old faults."""
    if not postgresql.is_behind(connection):
        return []
    old = Counter(
        f"{client.name} from {client.address or 'the host of the database'}"
        for client in clients.connected(connection)
        if schema.is_older(client)
    )
    if not old:
        return [Check(what="nodes", found="none of an older version is connected")]
    found = ", ".join(f"{who} ({times} connections)" for who, times in sorted(old.items()))
    advice = "They are of an older version: replace them, as docs/operating.md says (Upgrade)."
    return [Check(what="nodes", status=CheckStatus.WARNING, found=found, advice=advice)]


def backed_up_since(session: Session, files: FileStore) -> datetime | None:
    """Of when the newest backup is that was noted; without one, since when there is something to lose; None: there is nothing yet."""
    return files.backed_up_at() or _begun(session)


def _begun(session: Session) -> datetime | None:
    return session.scalar(select(Entry.at).order_by(Entry.id).limit(1))


def check_backups(session: Session, files: FileStore, *, now: datetime) -> Check:
    """See that there is a backup of late, as far as it was noted; one that another program makes is noted by whoever touches the file."""
    newest, begun = files.backed_up_at(), _begun(session)
    if newest is not None and newest > now - OUTDATED:
        return Check(what="backups", found=f"the newest is of {newest:{_MOMENT}}")
    if newest is None and (begun is None or begun > now - OUTDATED):
        return Check(what="backups", found="none yet")
    found = f"the newest is of {newest:{_MOMENT}}" if newest else "none is known of"
    advice = f"Give onething backup each night; where another program backs up, have it touch {files.noted}."
    return Check(what="backups", status=CheckStatus.WARNING, found=found, advice=advice)
