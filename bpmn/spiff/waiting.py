"""What a process waits for: at a glance, and looked at closely."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from bpmn.snapshot import Row
from bpmn.waits import Glance, Wait, WaitKind

if TYPE_CHECKING:
    from bpmn.spiff.process import Process

#: Whatever a process may wait for.
ALL = frozenset(WaitKind)


def lay(process: Process, rows: Sequence[Row]) -> None:
    """Put tokens into a process that has none yet, as their rows say."""
    process.tasks.lay(rows)
    process.joins.lay(rows)
    _tell_lacks(process, process.tasks.before)


def settle(process: Process) -> None:
    """Note what waits before anything happens."""
    process.tasks.before = process.tasks.glance()
    _tell_lacks(process, process.tasks.before)


def glance(process: Process, among: Collection[int] | None = ()) -> Glance:
    """Say what waits, of what may have changed since it was taken up and of these (None: of all)."""
    found = process.tasks.glance(among)
    _tell_lacks(process, found)
    return found


def _tell_lacks(process: Process, found: Glance) -> None:
    for number in _lacks(process):
        found.kinds[number] = WaitKind.INCIDENT


def _lacks(process: Process) -> dict[int, str]:
    """Say what is lacking where tokens wait for others in vain: nothing can move any more, which is an incident, not silence."""
    return dict(process.joins.stuck()) if process.joins and not process.tasks.can_move() else {}


def waits(process: Process, kinds: Collection[WaitKind], among: Collection[int] | None = None) -> tuple[Wait, ...]:
    """Say what the process waits for, in the order of the numbers, `among` these or at all."""
    if among is not None and not among:
        return ()
    lacks = _lacks(process)
    asked = [token for token in map(process.tasks.get, sorted(process.tasks.numbers() if among is None else among)) if token is not None]
    tokens = [token for token in asked if (WaitKind.INCIDENT if token.id in lacks else token.kind) in kinds]
    found = [token.incident(lacks[token.id]) if token.id in lacks else token.wait() for token in tokens]
    return tuple([wait for wait in found if wait])


def kind_of(process: Process, number: int) -> WaitKind | None:
    """Say of what kind one wait is, at a glance."""
    kind = process.tasks[number].kind if number in process.tasks else None
    return kind or (WaitKind.INCIDENT if number in _lacks(process) else None)


def kind_found(process: Process, number: int) -> WaitKind | None:
    """Say of what kind one wait is; a bound timer is looked at more closely, since it may fail at the moment."""
    kind = kind_of(process, number)
    if kind is not WaitKind.TIMER or not process.is_bound(number):
        return kind
    wait = process.tasks[number].wait()
    return wait.kind if wait else None
