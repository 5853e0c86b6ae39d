"""Faults of the archive: documents that are not what was put away, and journals in them that are not whole."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from engine import archive_documents, journal
from engine.archive_models import ArchivedCase
from engine.faults import Fault, FaultKind
from engine.models import Entry, Instance


def of(row: ArchivedCase) -> Iterator[Fault]:
    """Yield what is wrong with an archived case."""
    about = f"archived case {row.number}"
    if hashlib.sha256(row.content).hexdigest() != row.sha256:
        yield Fault(kind=FaultKind.ARCHIVE, about=about, message="Expected the document that was put away, but its hash differs")
        return
    rows = archive_documents.unpack(row.content)
    entries: dict[UUID, list[Entry]] = defaultdict(list)
    for entry in sorted(rows.get("journal", []), key=lambda entry: int(entry["seq"])):
        entries[entry["instance_id"]].append(Entry(**entry))
    for instance in rows.get("instances", []):
        # Its other columns are those of the release that has put it away.
        told = Instance(**{name: instance[name] for name in ("id", "journal_seq", "journal_hash")})
        if broken := journal.check(told, entries[told.id]):
            yield Fault(kind=FaultKind.JOURNAL, about=about, message=broken)
