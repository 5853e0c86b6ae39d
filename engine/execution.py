"""Execution: hand a running instance out, and let it run on to where it next needs a person, a program, a message or time.

What the diagram asks of the engine itself is done here, in the same transaction: steps (external tasks with a topic `onething.…`) and
calls.  The order of locks is parent before child, and never back: a child that ends owes its parent a job.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.errors import InstanceError
from bpmn.waits import Wait, WaitKind
from engine import (
    called_items,
    case_items,
    commitments,
    definitions,
    holdings,
    instances,
    jobs,
    keys,
    lifecycle,
    matters,
    moments,
    procedures,
    returns,
    signals,
    steps,
    uncaught,
)
from engine.actors import Actor
from engine.case_models import Case, Item
from engine.errors import EngineError, InvalidState
from engine.models import Incident, Job, Subscription
from engine.returns import Ended
from engine.runs import Origin, Run
from engine.states import UNSETTLED, InstanceStatus, ItemStatus
from engine.variables import types_there


@contextmanager
def running(session: Session, instance_id: UUID, *, actor: Actor, even_suspended: bool = False) -> Iterator[Run]:
    """Lock an instance, hand it out for commands, and put it back at rest.

    Raises NotFound, Suspended unless `even_suspended`, and what `awake` raises.
    """
    row = instances.lock(session, instance_id)
    with awake(instances.take_up(session, row, actor=actor, even_suspended=even_suspended)) as run:
        yield run


class awake:  # noqa: N801 - called as a function, it takes a third of the calls of one that yields
    """Hand out an instance that was taken up, and put it back at rest.

    Raises InvalidState when it has ended, and when a command does not fit it (InstanceError).
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> Run:
        row = self._run.row
        if row.status != InstanceStatus.RUNNING:
            raise InvalidState(f"Expected case {row.number} to be running, but it is {row.status}", status=str(row.status))
        follow_up(self._run)
        return self._run

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _where: TracebackType | None) -> None:
        if isinstance(error, InstanceError):
            raise InvalidState(str(error)) from error
        if error is None:
            settle(self._run)


def follow_up(run: Run) -> None:
    """In the process of a matter, whose lock this needs, settle what depends on items that have ended (`lifecycle.follow_up`)."""
    if run.is_matter:
        lifecycle.follow_up(run.session, run.case, actor=run.actor)


def start(session: Session, case: Case, *, actor: Actor, variables: dict[str, Any], at: str | None = None) -> Run:
    """Start the process of a case's matter, in the version of the case, at the plain start event or another one (`at`), and let it run."""
    loaded = definitions.get(session, case.definition_id)
    run = instances.begin(session, loaded, actor=actor, case=case, item=None, variables=variables, origin=Origin(at=at))
    settle(run)
    return run


def settle(run: Run, *, within: Run | None = None) -> None:
    """Do what the diagram asks of the engine, until it needs somebody else; then put the instance back.

    `within`: the run of the caller, which is settled after this one.  Signals that this instance has thrown are told only then: the caller
    may wait for one of them, and is found by its waits, which must be written first.
    """
    _enter(run)
    procedures.end_interrupted(run)
    follow_up(run)
    if run.row.parent_id is not None and not run.process.signals:
        returns.owe(run)
    uncaught.record(run)
    instances.put_back(run)
    if within is not None:
        within.called.append(run)
    elif run.called or run.process.signals:
        signals.tell(run)
        returns.owe_later(run)
    if run.is_bundle and run.process.ended:
        if run.row.is_plain:
            run.case.ended_at = run.row.ended_at
        _conclude(run)


def _enter(run: Run) -> None:
    """Do what new waits ask of the engine.  This may bring up other waits: they have their turn in the next round, until none is left."""
    kinds = _ENTER.keys() if run.loaded.kinds & _ENTERED_TASKS else _WITHOUT_TASKS
    while (there := run.process.awaiting(kinds)) and (pending := instances.fresh(run, there, kinds)):
        for wait in pending:
            if run.process.kind_of(wait.id) is wait.kind:  # what was done for an earlier wait may have ended this one
                run.handled[wait.id] = wait.kind
                _ENTER[wait.kind](run, wait)


def _conclude(run: Run) -> None:
    """Leave no item behind when a bundle ends: items that its process has not called (dispatched) yet would wait for ever.

    All others may have been refused while an adopted item still runs, or is granted: then the bundle begins anew, with a follow-on intake.
    Where there is no such item, or the diagram has no such start, the items that were not called are ended.
    """
    at = matters.follow_on_start(run.loaded)
    undispatched = [item for item in case_items.live(run.case) if item.dispatched_at is None]
    if at is None or not any(item.instance_id and item.status in UNSETTLED | {ItemStatus.GRANTED} for item in undispatched):
        _give_back(run, undispatched)
        return
    variables = {**run.process.variables, "joining": False}
    origin = Origin(at=at)
    settle(instances.begin(run.session, run.loaded, actor=run.actor, case=run.case, item=None, variables=variables, origin=origin))


def _give_back(run: Run, undispatched: Sequence[Item]) -> None:
    """End items that nobody would ever call: one that was accepted is terminated, one that was not is returned."""
    for item in (item for item in undispatched if item.status in UNSETTLED):
        status = ItemStatus.RETURNED if item.accepted_at is None else ItemStatus.TERMINATED
        lifecycle.break_off(run.session, run.case, item, status, actor=run.actor, reason="流程已经结束，未予办理")
    lifecycle.follow_up(run.session, run.case, actor=run.actor)


def throw(session: Session, of: Case | Job, message: str, *, actor: Actor, variables: dict[str, Any] | None = None) -> int:
    """Deliver a message to every wait for it in a case; returns how many took it, and none is no error.  `of`: any row of the case.

    The caller holds the case's bundle: two who went through its instances at the same time might wait for each other.
    """
    about = keys.same_case(Subscription, of), Subscription.kind == WaitKind.MESSAGE, Subscription.name == message
    query = select(Subscription.instance_id).where(*about).distinct()
    taken = 0
    for instance_id in session.scalars(query).all():
        row = instances.lock(session, instance_id, of)
        if row.status is InstanceStatus.RUNNING:  # it may have ended while it was waited for
            with awake(instances.take_up(session, row, actor=actor)) as run:
                taken += run.process.throw(message, variables or {})
    return taken


def resume(session: Session, parent_id: UUID, children: Sequence[UUID], *, actor: Actor) -> None:
    """Tell the call activities of an instance that what they have called (`children`) has ended.  Repeating it does nothing.

    A child that another bundle has adopted meanwhile is left out: no call of this instance waits for it any more.
    """
    run = instances.wake(session, parent_id, actor=actor)
    found = returns.read(session, run.row.key, children)
    told = [child_id for child_id in children if child_id in found and _tell(run, found[child_id])]
    if told:
        settle(run)


def _tell(run: Run, child: Ended) -> bool:
    """Complete the call of a child that has ended, and do what follows; returns whether a call still waited for it."""
    waiting = run.process.kind_of(child.parent_wait or 0) is WaitKind.CALL
    if child.parent_id != run.row.id or run.row.status != InstanceStatus.RUNNING or not waiting:
        return False
    follow_up(run)
    returns.give(run, child)
    _enter(run)
    return True


def perform_step(session: Session, instance_id: UUID, wait_id: int, *, actor: Actor) -> None:
    """Try a failed step again; raises what the step raises.  Repeating a step that is done does nothing."""
    run = instances.wake(session, instance_id, actor=actor)
    wait = next(iter(run.process.waits(WaitKind.EXTERNAL_TASK, among=(wait_id,))), None)
    if run.row.status != InstanceStatus.RUNNING or wait is None:
        return
    run.process.complete(wait.id, steps.perform(run, wait))
    settle(run)


def refresh(session: Session, instance_id: UUID, *, actor: Actor) -> None:
    """Evaluate the bound timers of an instance anew: a clock was paused, a calendar was corrected.  One that has ended is left alone."""
    run = instances.wake(session, instance_id, actor=actor)
    if run.row.status == InstanceStatus.RUNNING:
        settle(run)


def _enter_task(run: Run, wait: Wait) -> None:
    """Pause the clock when the token arrives at a special procedure; order what is to be made good where that is checked."""
    kind = run.loaded.definition.elements[wait.element].properties.get("onething.kind")
    if kind == procedures.KIND:
        procedures.begin(run, wait)
    elif kind == commitments.KIND:
        commitments.order(run, wait)


def _enter_step(run: Run, wait: Wait) -> None:
    """Perform a step of our own at once; other topics are left to their workers."""
    if not steps.is_ours(wait.name):
        return
    try:
        with holdings.savepoint(run.session):
            result = steps.perform(run, wait)
    except EngineError as error:
        # The token stays at the step, other tokens go on: a job tries it again, and an incident says so meanwhile.
        run.session.add(
            Incident(
                **run.row.key,
                instance_id=run.row.id,
                wait=wait.id,
                element=wait.element,
                message=error.message,
                raised_at=moments.now(),
            )
        )
        jobs.owe(run.session, jobs.STEP, run.row, after=jobs.BACKOFF[0], wait=wait.id)
    else:
        run.process.complete(wait.id, result)


def _enter_escalation(run: Run, wait: Wait) -> None:
    """Ask the caller of this instance whether it catches an escalation; the token rests until that has answered."""
    returns.ask(run, jobs.ESCALATE, code=wait.name or "", wait=wait.id)


def _enter_error(run: Run, wait: Wait) -> None:
    """Ask the callers of this instance, the nearest first, whether one catches an error; the token rests until they have answered."""
    returns.ask(run, jobs.ERROR, thrower=str(run.row.id), wait=wait.id)


def _enter_call(run: Run, wait: Wait) -> None:
    """Start what a call activity calls; or let it wait for the process of its item, if that was adopted and has one already."""
    item = called_items.item_for(run, wait)
    if item is not None and item.instance_id is not None:
        _attach(run, wait, item, item.instance_id)
        return
    loaded = definitions.called(run.session, run.loaded, wait)
    if loaded.kind == "item" and item is None:
        # When this token was sent here the item was `ready`; another token has called it a moment ago.  Nothing is left to do.
        run.process.complete(wait.id, {})
        return
    child_run = instances.begin(
        run.session,
        loaded,
        actor=run.actor,
        case=run.case,
        item=item or run.item,
        variables=called_items.variables(run, wait),
        origin=Origin(parent=(run.row, wait), business_key=wait.business_key),
    )
    child_run.row.types = types_there(run, wait)
    if item is not None:
        called_items.begin_item(child_run, item)
    settle(child_run, within=run)


def _attach(run: Run, wait: Wait, item: Item, instance_id: UUID) -> None:
    """Let a call wait for the process of an item that was adopted with it; if that has ended already, complete the call with its result."""
    instances.hold(run.session, item, run.row)  # before anything of it is written: its department may be deciding just now
    item.dispatched_at = moments.now()
    child = instances.lock(run.session, instance_id)
    child.parent_id, child.parent_wait = run.row.id, wait.id
    if child.status != InstanceStatus.RUNNING:
        returns.give(run, child)


_ENTER = {
    WaitKind.USER_TASK: _enter_task,
    WaitKind.EXTERNAL_TASK: _enter_step,
    WaitKind.CALL: _enter_call,
    WaitKind.ESCALATION: _enter_escalation,
    WaitKind.ERROR: _enter_error,
}
#: Kinds of user tasks that ask something of the engine.  In a diagram without any, no user task need be looked at.
_ENTERED_TASKS = frozenset({procedures.KIND, commitments.KIND})
_WITHOUT_TASKS = _ENTER.keys() - {WaitKind.USER_TASK}
