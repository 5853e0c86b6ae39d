"""What a process waits for: at a glance, without evaluating anything (`glance`, `kind_of`), and in full (`waits`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bpmn.errors import BpmnError
from bpmn.snapshot import Row
from bpmn.waits import Glance, Wait, WaitKind

if TYPE_CHECKING:
    from bpmn.spiff.process import Process

#: Whatever a process may wait for.
ALL = frozenset(WaitKind)


def lay(process: Process, rows: Sequence[Row]) -> None:
    """Put the tokens of a snapshot into a process that has none yet."""
    process.tasks.lay(rows)
    process.joins.lay(rows)
    _tell_lacks(process, process.tasks.before)


def note(process: Process) -> None:
    """Note what waits before the next command: what it changes is told by the difference."""
    process.tasks.before = process.tasks.glance()
    _tell_lacks(process, process.tasks.before)


def glance(process: Process, among: Collection[int] | None = ()) -> Glance:
    """Look at the waits that may have changed since the process was taken up, and at those `among` some numbers (None: at all)."""
    lacks = _lacks(process)  # before all else: whoever asks whether anything can move wakes some
    found = process.tasks.glance(among)
    for number in lacks:
        found.kinds[number] = WaitKind.INCIDENT
    return found


def _tell_lacks(process: Process, found: Glance) -> None:
    for number in _lacks(process):
        found.kinds[number] = WaitKind.INCIDENT


def _lacks(process: Process) -> dict[int, str]:
    """Say what each token lacks that waits at a join in vain, since nothing can move any more: that is an incident, not silence."""
    return dict(process.joins.stuck()) if process.joins.waiting and not process.tasks.can_move() else {}


def waits(process: Process, kinds: Collection[WaitKind], among: Collection[int] | None = None) -> tuple[Wait, ...]:
    """Say in full what the process waits for, in the order of the numbers: waits of some kinds, `among` some numbers (None: all)."""
    if among is not None and not among:
        return ()
    lacks = _lacks(process)
    asked = [token for token in map(process.tasks.get, sorted(process.tasks.numbers() if among is None else among)) if token is not None]
    tokens = [token for token in asked if (WaitKind.INCIDENT if token.id in lacks else token.kind) in kinds]
    found = [token.incident(lacks[token.id]) if token.id in lacks else token.wait() for token in tokens]
    return tuple([wait for wait in found if wait])


def due(process: Process, number: int) -> tuple[str, datetime | None] | None:
    """Say at which element a timer is, and when it is due, as `waits` does; None: no timer waits under this number."""
    token = process.tasks.get(number)
    if token is None or token.kind is not WaitKind.TIMER:
        return None
    try:
        return token.task_spec.name, token.task_spec.due_at(token)
    except BpmnError:  # it is an incident at the moment
        return token.task_spec.name, None


def kind_of(process: Process, number: int) -> WaitKind | None:
    """Give the kind of one wait at a glance; None when nothing waits there."""
    kind = process.tasks[number].kind if number in process.tasks else None
    return kind or (WaitKind.INCIDENT if number in _lacks(process) else None)


def kind_found(process: Process, number: int) -> WaitKind | None:
    """Give the kind of one wait; a bound timer is evaluated for it, since it is an incident while its expression fails."""
    kind = kind_of(process, number)
    if kind is not WaitKind.TIMER or not process.is_bound(number):
        return kind
    wait = process.tasks[number].wait()
    return wait.kind if wait else None
