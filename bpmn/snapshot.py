"""Snapshots: where the tokens of an instance are, in a few bytes.

A snapshot holds neither the diagram nor the variables.  Its first byte is the version of its layout; every version that was ever
written is read for ever (tests/snapshots/ keeps one of each).
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypedDict

import orjson

from bpmn.errors import InstanceError

VERSION = 2
#: State of a token that has yet to enter its element.  Nothing at rest is in it: a migration leaves it so, for `Instance.run`.
READY = 16
#: State of a token that waits for other tokens.
WAITING = 8


class Facts(TypedDict, total=False):
    """What the element of a token remembers, in JSON; most tokens have few of these.  The process itself has some, too (`State`)."""

    #: Its local variables.
    local: dict[str, Any]
    #: Whether it only watches for an event: on an activity, behind an event-based gateway, or to start an event subprocess.
    watches: bool
    #: Whether the work of the element is over, so that only leaving it is left; and whether it has left, and set its output parameters.
    done: bool
    left: bool
    #: It waits for a job, `before` or `after` the element, with priority and retries.  `continued`: there a job has brought it on already.
    job: str
    job_priority: int
    retry_cycle: str
    continued: str
    #: What has failed, in words: it rests as an incident.  `ahead`: that was before it had entered the element.
    error: str
    ahead: bool
    #: An error that nothing here catches, while the callers are asked: {name: its code, error: what is said about it}.
    raised: dict[str, Any]
    #: Code of the error by which it ends, since nothing catches it.  `failed`: what was last inside it (a scope) has ended so.
    uncaught: str
    failed: bool
    #: What was completed inside it (a scope) and can be compensated (`bpmn.spiff.compensation.Entry`).
    compensable: list[dict[str, Any]]
    #: As evaluated on entering: the name of the message or signal, the topic, the process that is called, the code of an escalation.
    name: str
    #: User tasks, as evaluated on entering; moments in ISO 8601.  `by_hand`: somebody has set the due date since.
    groups: list[str]
    users: list[str]
    assignee: str | None
    title: str | None
    description: str | None
    due_at: str | None
    follow_up_at: str | None
    by_hand: bool
    #: User tasks and external tasks.
    priority: int
    #: Timers have `due_at`, too, and a cycle what is left of it (`bpmn.timers.Cycle`); one that is *bound* is evaluated whenever somebody
    #: asks, and remembers the date for which it has gone off last.
    cycle: dict[str, Any]
    bound: bool
    fired_for: str
    #: Whether this event was the first one behind an event-based gateway.
    raced: bool
    #: Calls: the variables, version and business key for what is called; and what that gives back, until the call is left.
    variables: dict[str, Any]
    version: str
    business_key: str | None
    returned: dict[str, Any]
    #: Event subprocesses: the start event that has caught something, and the number of the token that watched there, if it goes on.
    start: list[Any]
    #: Rounds of a loop: whether the body has counted it.  Bodies: whether enough rounds are over; which one is next (None: no more).
    counted: bool
    enough: bool
    next: int | None


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
    facts: Facts


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
    #: Those of the process itself: `compensable`, `failed`.
    facts: Facts


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


def _state(next_id: int, end: str | None, error: str | None, completed: bool, rows: list[list[Any]], facts: Facts) -> State:
    if lengths := {*map(len, rows)} - {len(Row._fields)}:
        raise ValueError(f"a row has {min(lengths)} values")
    return State(next_id=next_id, end=end, error=error, completed=completed, rows=[*map(_row, rows)], facts=Facts(**facts))
