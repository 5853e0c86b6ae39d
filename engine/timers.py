"""Timers of diagrams: they go off when they are due, many in one transaction as long as nothing goes wrong, else each in its own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import attempts, execution, holdings, instances, moments, retries, supplements, tasks
from engine.actors import Actor
from engine.batches import Batch
from engine.models import Timer
from engine.queues import LONG_AGO
from engine.runs import Run

#: What is due.
DUE = Batch(Timer, "wait", pending=Timer.retries > 0, untried=Timer.error.is_(None))


def fire_together(session: Session, limit: int, *, actor: Actor, since: datetime = LONG_AGO) -> int:
    """Let up to `limit` timers go off that are due, one of each case, from those on that were due at `since`; returns how many.

    Raises whatever goes wrong with any of them: then none of them has gone off.
    """
    with DUE.taken(session, limit, since=since) as due:
        for row, (wait,) in due:
            _go_off(instances.take_up(session, row, actor=actor), wait)
    # Whoever is reminded comes later, and mostly to another process: to keep these in memory would only drive out what is in use.
    holdings.let_sleep(session)
    return len(due)


def fire(session: Session, timer: Timer, *, actor: Actor, early: bool = False) -> None:
    """Let a timer go off if it is due, or `early`; the caller holds its instance.

    Raises whatever goes wrong on the way of its token: the caller must roll back then.
    """
    run = instances.wake(session, timer.instance_id, actor=actor)
    _go_off(run, timer.wait, early=early, tried=timer if timer.error is not None else None)


def _go_off(run: Run, wait_id: int, *, early: bool = False, tried: Timer | None = None) -> None:
    """Let it go off, if it is still there, and is due or `early`; with the row of a timer that has failed before (`tried`).

    That row goes on with as many attempts as a new one: a timer with a cycle is due again.
    """
    with execution.awake(run):
        element, due_at = run.process.due(wait_id) or (None, None)
        if element is not None and (early or (due_at is not None and due_at <= run.process.context.now)):
            if tried is not None:
                tried.error = None
                retries.leave(run.session, tried, retries.STANDARD.times, "")
                run.session.flush()
            if not _complete_instead(run, element):
                run.process.fire(wait_id)
    attempts.require_moving(instances.failed(run))


def _complete_instead(run: Run, element: str) -> bool:
    """Complete the task of corrections on which a timer stands, if all that was asked for came in in time (行政许可法 art. 32 (5)).

    Tells whether it did; if not, the timer goes off, and breaks the task off.
    """
    elements = run.loaded.definition.elements
    boundary = elements[element]
    on = elements[boundary.attached_to].properties if boundary.attached_to and boundary.interrupting else {}
    if on.get("onething.kind") != "supplement" or not supplements.came_in(run):
        return False
    waiting = next(each for each in run.process.waits(WaitKind.USER_TASK) if each.element == boundary.attached_to)
    tasks.complete_unasked(run, waiting, {"answered": True})
    return True


def set_retries(session: Session, timer: Timer, left: int) -> None:
    """Allow so many attempts from now on; the caller holds the instance.  One that is not due yet stays where it is."""
    retries.leave(session, timer, left, timer.error or "")
    if timer.error is not None and left:
        timer.due_at = moments.now()
