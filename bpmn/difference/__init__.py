"""What changed between two versions of the same files, in the terms of those who draw: elements, flows, rows of tables, fields of forms.

Things are the same when their ids are: how a drawing looks, and which file something stands in, is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.difference import diagrams, forms, tables
from bpmn.difference.change import Change, ChangeKind, Subject

__all__ = ["Change", "ChangeKind", "Subject", "between"]

Files = Mapping[str, bytes]


def between(before: Files, after: Files, *, process: str | None = None) -> list[Change]:
    """Say what changed from one set of files (by name) to another; `process`: of all diagrams, look at this process only.

    Raises DocumentError for files that could not be deployed.
    """
    return list(_between(before, after, process))


def _between(before: Files, after: Files, process: str | None) -> Iterator[Change]:
    yield from diagrams.between(diagrams.read(before, process), diagrams.read(after, process))
    yield from tables.between(tables.read(before), tables.read(after))
    yield from forms.between(forms.read(before), forms.read(after))
