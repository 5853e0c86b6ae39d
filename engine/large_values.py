"""Large values (大值): variables that are long as JSON lie in rows of their own: written once, and read by those to whom they are new.

An instance says which of its variables these are (`instances.large`: {name: SHA-256 of its JSON}); its other variables are in its row.
Whoever holds it, or looks at it, sees all of them (docs/decisions/0023).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine import schema
from engine.reads import Read
from engine.value_models import LargeValue
from engine.writes import Writes

if TYPE_CHECKING:
    from engine.holdings import Held
    from engine.live import LiveInstances
    from engine.models import Instance

#: How long a value is, at least, that lies apart: bytes of JSON, or characters of a text.
LARGE = 8_000
#: The release since which nodes look for them there.
KNOWN_SINCE = "0026"
#: Under these names a database's sessions know what is kept in memory, and whether all nodes look for large values (`Session.info`).
LIVE, LOOKED_FOR = "live", "large values are looked for"
_VALUES = LargeValue.__table__
_READ = Read(
    (_VALUES.c.sha256, _VALUES.c.content),
    select(_VALUES).where(*(_VALUES.c[name] == bindparam(name) for name in ("instance_id", "case_id", "region"))),
)


def length(value: Any) -> int:
    """How long a value is as JSON, about.  No text is written as JSON for that: Python would keep what came of it beside the text."""
    return len(value) if isinstance(value, str) else len(orjson.dumps(value))


def read(session: Session, row: Held) -> dict[str, Any]:
    """Give the values that lie apart, by name: what is in memory, of an instance that is held, is not read."""
    live: LiveInstances | None = session.info.get(LIVE)
    known = live.values_of(row) if live is not None else None
    return find(session, row.id, row.key, row.large or {}) if known is None else known


def find(session: Session, instance_id: UUID, key: Mapping[str, Any], large: Mapping[str, str]) -> dict[str, Any]:
    """Read the values of an instance that lie apart, by name; raises KeyError when one is not there."""
    found = {row[0]: row[1] for row in _READ.all(session.connection(), {"instance_id": instance_id, **key})}
    return {name: found[sha256] for name, sha256 in large.items()}


def put(session: Session, writes: Writes, row: Held, before: Mapping[str, Any]) -> dict[str, str] | None:
    """Write the values that are large and new, and delete those that are there no longer; `before`: the variables as they are stored.

    Gives which lie apart then.  As long as there may be nodes that would not look for them, nothing does.
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
    """What is in the row of the instance itself."""
    return {name: value for name, value in variables.items() if name not in large} if large else variables


def _are_looked_for(session: Session) -> bool:
    """Whether all nodes do so; once that is so it stays so."""
    known: set[str] = session.info.get(LOOKED_FOR, set())
    if not known and schema.is_known_to_all(session.connection(), KNOWN_SINCE):
        known.add(KNOWN_SINCE)
    return bool(known)


def _measured(
    variables: Mapping[str, Any], before: Mapping[str, Any], known: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, orjson.Fragment]]:
    """Say which are large, by name, and what the content is of those that may be new."""
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


def faults(row: Instance) -> Iterator[str]:
    """Say which values of an instance are not what they were, or are not there."""
    found = {value.sha256: value for value in row.apart} if row.large else {}
    for name, sha256 in (row.large or {}).items():
        if sha256 not in found:
            yield f"Expected the value of variable {name} to be there, but it is not"
        elif hashlib.sha256(orjson.dumps(found[sha256].content)).hexdigest() != sha256:
            yield f"Expected the value of variable {name} to be as it was written, but its hash differs"
