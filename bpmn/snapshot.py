"""Snapshots: where the tokens of an instance are, in a few bytes.

A snapshot holds neither the diagram nor the variables.  Its first byte is the version of its layout; every version that was ever
written is read for ever (tests/snapshots/ keeps one of each).
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import orjson

from bpmn.errors import InstanceError

VERSION = 2
#: State of a token that has yet to enter its element.  Nothing at rest is in it: a migration leaves it so, for `Instance.run`.
READY = 16
#: State of a token that waits for other tokens.
WAITING = 8


class Row(NamedTuple):
    """One token."""

    id: int
    #: The token whose scope it is in; None: the process.
    scope: int | None
    #: Id of the element it is at.
    element: str
    #: State of its task.
    state: int
    #: When it arrived, in ISO 8601.
    since: str
    #: Id of the flow it came by.
    flow: str | None
    #: What the element remembers.
    facts: dict[str, Any]


#: orjson would make a fraction of a number that has more than 64 bits.
_DECODER = json.JSONDecoder()
#: Makes a row from a list without a call of a Python function, for there are many rows.
_row = partial(tuple.__new__, Row)


class Activation(NamedTuple):
    """An activation that has not ended, with its local variables."""

    element: str
    #: The activation around it; None: the process.
    scope: int | None
    local: dict[str, Any]


@dataclass(kw_only=True, slots=True)  # one that is frozen takes twice as long to make
class State:
    """The content of a snapshot."""

    #: The number that the next token gets.
    next_id: int
    #: Id of the last end event, code of an uncaught error.
    end: str | None
    error: str | None
    completed: bool
    #: The tokens, each after the one it is in.
    rows: list[Row]
    #: What the process itself remembers (its activities that can be compensated).
    facts: dict[str, Any]


def encode(state: State) -> bytes:
    """Write a snapshot."""
    rows = [[*row] for row in state.rows]
    content = [state.next_id, state.end, state.error, state.completed, rows, state.facts]
    # A small window: to allocate the usual one, meant for megabytes, takes ten times as long as to compress a kilobyte.
    packer = zlib.compressobj(3, wbits=13, memLevel=6)
    return bytes([VERSION]) + packer.compress(_written(content)) + packer.flush()


def _written(content: list[Any]) -> bytes:
    try:
        return orjson.dumps(content)
    except TypeError:  # a number has more than 64 bits
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _read(written: str) -> Any:
    content, end = _DECODER.raw_decode(written)  # `json.loads` looks for space around it as well
    if end != len(written):
        raise ValueError(f"its content ends at {end} of {len(written)}")
    return content


def activations(snapshot: bytes) -> dict[int, Activation]:
    """Return the activations of a snapshot that have not ended, by their numbers; the definition is not needed for that."""
    return {row.id: Activation(row.element, row.scope, row.facts.get("local", {})) for row in decode(snapshot).rows}


def decode(snapshot: bytes) -> State:
    """Read a snapshot of any version; raises InstanceError for anything else."""
    if snapshot[:1] not in {b"\1", b"\2"}:
        raise InstanceError(f"Expected a snapshot of version 1 to {VERSION}, but it begins with {snapshot[:4]!r}")
    try:
        content = _read(zlib.decompress(snapshot[1:]).decode())
        if snapshot[:1] == b"\1":  # the process itself remembered nothing
            content.append({})
        return _state(*content)
    except (zlib.error, ValueError, TypeError) as broken:
        raise InstanceError(f"Expected a whole snapshot, but it cannot be read: {broken}") from broken


def _state(next_id: int, end: str | None, error: str | None, completed: bool, rows: list[list[Any]], facts: dict[str, Any]) -> State:
    if lengths := {*map(len, rows)} - {len(Row._fields)}:
        raise ValueError(f"a row has {min(lengths)} values")
    return State(next_id=next_id, end=end, error=error, completed=completed, rows=[*map(_row, rows)], facts=dict(facts))
