"""Large values (大值): a variable that is long as JSON has a row of its own, which is written once, and read only if it is not in memory.

An instance says which of its variables these are (`instances.large`: {name: SHA-256 of its JSON}); its other variables are in its row.
Whoever holds it, or looks at it, sees all of them together (docs/decisions/0023).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine import schema
from engine.models import LargeValue
from engine.reads import Read
from engine.writes import Writes

#: A value that is longer lies in a row of its own: bytes of JSON, or characters of a text.
LARGE = 8_000
#: Nodes that know this schema look for values there.
KNOWN_SINCE = "0026"
#: Under this name a database's sessions know whether all nodes look for large values (`Session.info`).
LOOKED_FOR = "large values are looked for"
_VALUES = LargeValue.__table__
_READ = Read(
    (_VALUES.c.sha256, _VALUES.c.content),
    select(_VALUES).where(*(_VALUES.c[name] == bindparam(name) for name in ("instance_id", "case_id", "region"))),
)


class Owner(Protocol):
    """An instance that is held (`holdings.Held`), as far as its large values go."""

    id: UUID
    variables: dict[str, Any]
    #: Names of its variables that are large, with their hashes.
    large: dict[str, str] | None

    @property
    def key(self) -> dict[str, Any]: ...  # noqa: D102 - as `Held` says


def length(value: Any) -> int:
    """How long a value is as JSON, about.  A text is not encoded for that: Python would keep the bytes in memory beside the text."""
    return len(value) if isinstance(value, str) else len(orjson.dumps(value))


def read(session: Session, instance_id: UUID, key: Mapping[str, Any], large: Mapping[str, str]) -> dict[str, Any]:
    """Read large values of an instance (`large`: name → hash), by name; raises KeyError when one is not there."""
    found = {row[0]: row[1] for row in _READ.all(session.connection(), {"instance_id": instance_id, **key})}
    return {name: found[sha256] for name, sha256 in large.items()}


def write(session: Session, writes: Writes, row: Owner, before: Mapping[str, Any]) -> dict[str, str] | None:
    """Write the large values that are new, and delete those that are gone; `before`: the variables as they are stored.

    Returns {name: hash} of the large ones; None: there are none.  While older nodes are connected, which would not look for them, all
    values stay in the row of the instance, however large.
    """
    known = row.large or {}
    if not known and len(orjson.dumps(row.variables)) <= LARGE:
        return None
    large, new = _measured(row.variables, before, known)
    added, gone = new.keys() - known.values(), set(known.values()) - set(large.values())
    if added and not known and not _are_looked_for(session):
        return None
    writes.insert(_VALUES, [{"instance_id": row.id, **row.key, "sha256": sha256, "content": new[sha256]} for sha256 in sorted(added)])
    writes.delete(_VALUES, [{"instance_id": row.id, **row.key, "sha256": sha256} for sha256 in sorted(gone)])
    return large or None


def small(variables: Mapping[str, Any], large: Mapping[str, str] | None) -> Mapping[str, Any]:
    """Return the variables that are not large: they are in the row of the instance itself."""
    return {name: value for name, value in variables.items() if name not in large} if large else variables


def _are_looked_for(session: Session) -> bool:
    """Whether all connected nodes look for large values; once they do it stays so."""
    known: set[str] = session.info.get(LOOKED_FOR, set())
    if not known and schema.is_known_to_all(session.connection(), KNOWN_SINCE):
        known.add(KNOWN_SINCE)
    return bool(known)


def _measured(
    variables: Mapping[str, Any], before: Mapping[str, Any], known: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, orjson.Fragment]]:
    """Return the hashes of the large values, by name; and the content, by hash, of those that may be new."""
    large: dict[str, str] = {}
    new: dict[str, orjson.Fragment] = {}
    for name, value in variables.items():
        if name in known and value is before[name]:  # as it was read, or kept
            large[name] = known[name]
        elif length(value) > LARGE:
            content = orjson.dumps(value)
            large[name] = hashlib.sha256(content).hexdigest()
            new[large[name]] = orjson.Fragment(content)
    return large, new
