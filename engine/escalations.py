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
    """Raise an escalation at a task or a call; if nothing here catches it, ask the instance that called this one, which does the same.

    Tells whether something has caught it, or may.
    """
    if run.process.raise_escalation(wait_id, code, variables):
        return True
    if run.row.parent_id is not None:
        returns.ask(run, jobs.ESCALATE, code=code, wait=None)
    return run.row.parent_id is not None


def answer(session: Session, parent_id: UUID, child_id: UUID, code: str, *, wait: int | None, actor: Actor) -> None:
    """Raise the escalation of a called instance at the call, then let the token go on that has thrown it, at `wait`, if it is still there.

    `wait`: None when the escalation was raised at a task, which goes on anyway.  Repeating it does nothing.
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
    """Offer an error that an instance (`thrower_id`) has thrown to the call of `child_id`, through which it comes up.

    When nothing there catches it, the caller of this parent is asked next, by a job; when there is none, the token that has thrown it ends.
    Repeating it does nothing.
    """
    parent = instances.wake(session, parent_id, actor=actor)
    # The instances between child and thrower are locked, too: if the error is caught here, all of them end.
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
        if caught:  # the child is canceled in any case: a decided item mostly keeps its process, but this one has thrown the error
            instances.cancel(session, child_id, actor=actor)
            return
        if parent.row.parent_id is not None:
            jobs.owe_parent(session, parent.row, jobs.ERROR, thrower=str(thrower_id), wait=wait_id)
            return
    run = instances.wake(session, thrower_id, actor=actor)
    run.process.complete(wait_id)
    execution.settle(run)


def _call(parent: Run, child: Held) -> int | None:
    """Return the wait of the call through which a parent has called a child; None: it does not wait for it any more."""
    call = child.parent_wait if child.parent_id == parent.row.id and parent.row.status is InstanceStatus.RUNNING else None
    return call if call is not None and parent.process.kind_of(call) is WaitKind.CALL else None


def _called(session: Session, parent: Run, child_id: UUID) -> Held:
    """Lock what an instance has called; a bundle may have adopted it since: then it lies in another case, and is called from there."""
    try:
        return instances.lock(session, child_id, parent.row)
    except NotFound:
        return instances.lock(session, child_id)
