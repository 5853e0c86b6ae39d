"""Escalations and errors that leave the instance in which they were raised: the instances that called it answer.

Locks are taken from parent to child, so a child owes its parent a job; the token that escalated, or has thrown the error, rests meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import callers, definitions, execution, instances, jobs, returns, uncaught
from engine.actors import Actor
from engine.errors import NotFound
from engine.holdings import Held
from engine.runs import Run
from engine.states import InstanceStatus


def raise_at(run: Run, wait_id: int, code: str, variables: Mapping[str, Any]) -> bool:
    """Raise an escalation out of a task or a call; what nothing catches here goes to the instance that called this one, and so on.

    Tells whether somebody has heard it.
    """
    if run.process.raise_escalation(wait_id, code, variables):
        return True
    if run.row.parent_id is not None:
        returns.ask(run, jobs.ESCALATE, code=code, wait=None)
    return run.row.parent_id is not None


def answer(session: Session, parent_id: UUID, child_id: UUID, code: str, *, wait: int | None, actor: Actor) -> None:
    """Raise what a called instance has escalated at its call, then let its token go on (`wait`), if it is still there.

    Repeating it does nothing.
    """
    parent = instances.wake(session, parent_id, actor=actor)
    child = _called(session, parent, child_id)
    if wait is not None and instances.look(session, child).kind_of(wait) is not WaitKind.ESCALATION:
        return
    if child.parent_id not in {None, parent_id}:
        jobs.owe_parent(session, child, jobs.ESCALATE, code=code, wait=wait)
        return
    if (call := _call(parent, child)) is not None:
        raise_at(parent, call, code, child.variables)
        execution.settle(parent)
    if wait is None:
        return
    run = instances.wake(session, child_id, actor=actor)  # what has interrupted the call has ended it
    if run.row.status is InstanceStatus.RUNNING and run.process.kind_of(wait) is WaitKind.ESCALATION:
        run.process.complete(wait)
        execution.settle(run)


def answer_error(session: Session, parent_id: UUID, child_id: UUID, thrower_id: UUID, wait_id: int, *, actor: Actor) -> None:
    """Offer an error that an instance has thrown to the call through which it comes, then to whoever has called that, and so on.

    When nobody has caught it, the token that has thrown it ends.  Repeating it does nothing.
    """
    parent = instances.wake(session, parent_id, actor=actor)
    # What lies between them, too: all of it may be ended.
    child, thrower = _called(session, parent, child_id), callers.hold(session, thrower_id, below=child_id)
    wait = next(iter(instances.look(session, thrower).waits(WaitKind.ERROR, among=(wait_id,))), None)
    if wait is None:
        return
    if child.parent_id not in {None, parent_id}:
        jobs.owe_parent(session, child, jobs.ERROR, thrower=str(thrower_id), wait=wait_id)
        return
    if (call := _call(parent, child)) is not None:
        parent.why, parent.error = uncaught.words(definitions.get(session, thrower.definition_id), wait.name or ""), wait.name
        caught = parent.process.offer_error(call, wait.name or "", wait.error, child.variables)
        execution.settle(parent)
        if caught:  # a decided item would keep its process, but this one has ended itself
            instances.cancel(session, child_id, actor=actor)
            return
        if parent.row.parent_id is not None:
            jobs.owe_parent(session, parent.row, jobs.ERROR, thrower=str(thrower_id), wait=wait_id)
            return
    run = instances.wake(session, thrower_id, actor=actor)
    run.process.complete(wait_id)
    execution.settle(run)


def _call(parent: Run, child: Held) -> int | None:
    """Return the call of an instance that waits for another one; None: it does not, or no more."""
    call = child.parent_wait if child.parent_id == parent.row.id and parent.row.status is InstanceStatus.RUNNING else None
    return call if call is not None and parent.process.kind_of(call) is WaitKind.CALL else None


def _called(session: Session, parent: Run, child_id: UUID) -> Held:
    """Take what an instance has called; a bundle may have adopted that since: then it lies elsewhere, and is called there."""
    try:
        return instances.lock(session, child_id, parent.row)
    except NotFound:
        return instances.lock(session, child_id)
