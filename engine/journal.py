"""The journal (流转记录): who did what when, in the law's words; append-only and hash-chained within each instance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import holdings, keys, moments
from engine.actors import Actor
from engine.holdings import Held
from engine.models import Entry, Instance

_JOURNAL = Entry.__table__


def record(session: Session, instance: Held, *, actor: Actor, what: str, **details: Any) -> None:
    """Append an entry: `what` was done, with `details` as JSON.  The instance is held, so nobody else can append one at the same time."""
    now, seq = moments.now(), instance.journal_seq + 1
    hashed = digest(instance.journal_hash, seq, now, actor.name, what, details)
    entry = {
        "region": instance.region,
        "case_id": instance.case_id,
        "instance_id": instance.id,
        "seq": seq,
        "at": now,
        "actor": actor.name,
        "what": what,
        "details": details,
        "hash": hashed,
    }
    holdings.of(session).writes.insert(_JOURNAL, [entry])
    instance.journal_seq, instance.journal_hash = seq, hashed


def has(session: Session, instance: Held, what: str, **details: Any) -> bool:
    """Whether an entry of an instance says `what`, with these details and perhaps others."""
    said = select(Entry.details).where(Entry.instance_id == instance.id, keys.same_case(Entry, instance), Entry.what == what)
    return any(details.items() <= each.items() for each in session.scalars(said))


def check(instance: Instance, entries: Sequence[Entry]) -> str | None:
    """Recompute the chain of an instance from all its entries, in order; returns None when it holds, else what is wrong with it."""
    previous = ""
    for place, entry in enumerate(entries, start=1):
        if entry.seq != place:
            return f"Expected entry {place} of instance {instance.id}, but found {entry.seq}"
        previous = digest(previous, entry.seq, entry.at, entry.actor, entry.what, entry.details)
        if previous != entry.hash:
            return f"Expected entry {place} of instance {instance.id} to be as it was written, but its hash differs"
    if (len(entries), previous) != (instance.journal_seq, instance.journal_hash):
        return f"Expected {instance.journal_seq} entries of instance {instance.id}, but found {len(entries)}"
    return None


def digest(previous: str, seq: int, at: datetime, actor: str, what: str, details: dict[str, Any]) -> str:
    """Return the hash of an entry, in hexadecimal; it contains the hash of the entry before (`previous`), which makes the chain."""
    content = orjson.dumps([previous, seq, at.astimezone(UTC).isoformat(), actor, what, details], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()
