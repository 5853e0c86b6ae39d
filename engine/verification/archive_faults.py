"""Faults of the archive: documents that are not what was put away, rows beside them that say otherwise, and broken journals."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from engine import archive_documents, journal
from engine.archive_documents import Rows
from engine.archive_models import ArchivedCase
from engine.models import Entry, Instance
from engine.verification.faults import Fault, FaultKind

#: What an archived case is found by, as its document has it.
_FOUND_BY = ("number", "region", "matter", "hall", "applicant_number", "submitted_by")


def of(row: ArchivedCase) -> tuple[list[Fault], dict[str, int]]:
    """Say what is wrong with an archived case, and which uploaded files it has, by hash and size.

    Raises whatever a document raises that cannot be read.
    """
    about = f"archived case {row.number}"
    if hashlib.sha256(row.content).hexdigest() != row.sha256:
        message = "Expected the document that was put away, but its hash differs"
        return [Fault(kind=FaultKind.ARCHIVE, about=about, message=message)], row.files
    rows = archive_documents.unpack(row.content)
    files = archive_documents.files(rows)
    faults = [Fault(kind=FaultKind.ARCHIVE, about=about, message=message) for message in _unlike(row, rows, files)]
    return faults + [Fault(kind=FaultKind.JOURNAL, about=about, message=message) for message in _broken(rows)], files


def _unlike(row: ArchivedCase, rows: Rows, files: dict[str, int]) -> Iterator[str]:
    """Compare what it is found by with the document."""
    case = rows["cases"][0]
    for name in _FOUND_BY:
        if getattr(row, name) != case[name]:
            yield f"Expected its {name} to be {case[name]}, as in its document, but it is {getattr(row, name)}"
    if row.files != files:
        yield f"Expected its row to name {len(files)} files, as its document does, but it names {len(row.files)}, or others"


def _broken(rows: Rows) -> Iterator[str]:
    """Recompute the journals of its instances."""
    entries: dict[UUID, list[Entry]] = defaultdict(list)
    for entry in sorted(rows.get("journal", []), key=lambda entry: int(entry["seq"])):
        entries[entry["instance_id"]].append(Entry(**entry))
    for instance in rows.get("instances", []):
        # Its other columns are those of the release that has put it away.
        told = Instance(**{name: instance[name] for name in ("id", "journal_seq", "journal_hash")})
        if broken := journal.check(told, entries[told.id]):
            yield broken
