"""Correlation: a message from outside finds the one process that waits for it, or starts one.

Only processes without a matter are reached: what moves a case are the verbs of the domain, which know the law.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.definition import ElementType, EventType
from bpmn.waits import WaitKind
from engine import definitions, execution, execution_lists, instances, journal, keys, processes, reads, variables
from engine.actors import Actor
from engine.case_models import Case
from engine.definitions import Loaded
from engine.errors import Busy, InvalidState, NotFound
from engine.holdings import Held
from engine.models import Instance, Subscription
from engine.pieces import Piece
from engine.places import Place
from engine.runs import Origin
from engine.states import InstanceStatus
from engine.variables import NOTHING, Given


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message, and whom it is for."""

    name: str
    business_key: str | None = None
    instance_id: UUID | None = None
    #: Variables by which the instance is known.
    keys: Mapping[str, Any] = field(default_factory=dict)
    #: Local variables by which the one activity is known that waits for it.
    local_keys: Mapping[str, Any] = field(default_factory=dict)
    given: Given = NOTHING


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Who has taken a message."""

    instance: Instance | Held
    #: Where it waited; None: it has begun with the message.
    at: Place | None


def correlate(session: Session, message: Message, *, actor: Actor, everybody: bool = False) -> Iterator[Piece[Reached | None]]:
    """Deliver a message to the one instance that waits for it, else start the one process that begins with it; `everybody`: all of both.

    Keys in the message choose among instances that wait, not among processes that begin with it, as in Camunda 7.

    Yields what is to be done, piece by piece (`pieces.do`).  A piece raises Busy when its instance has just gone on; with `everybody`, it
    gives None instead.  Raises InvalidState when nobody waits or begins, or, without `everybody`, more than one.
    """
    waiting = _waiting(session, message, actor)
    begins = (everybody or not waiting) and message.instance_id is None
    starts = definitions.starting(session, EventType.MESSAGE, message.name) if begins else []
    if len(waiting) + len(starts) > 1 and not everybody:
        many = f"{len(waiting)} do: name a business key" if waiting else f"{len(starts)} begin with it"
        raise InvalidState(f"Expected one process to wait for message {message.name!r}, but {many}")
    if not waiting and not starts and not everybody:
        raise InvalidState(f"Cannot correlate message '{message.name}': no process waits for it, and none begins with it")
    for subscription in waiting:
        yield partial(_reached, subscription=subscription, message=message, actor=actor, everybody=everybody)
    for loaded, at in starts:
        yield partial(_begun, message=message, loaded=loaded, at=at, actor=actor)


def trigger(session: Session, place: Place, *, actor: Actor, given: Given = NOTHING) -> Held:
    """Let a receive task go on in a process without a matter: at a place, or the only one that there is.

    Raises NotFound, NotPermitted, and InvalidState when none, or more than one, waits there.
    """
    processes.require_plain(session, place.instance_id, actor, to="signal")
    with execution.running(session, place.instance_id, actor=actor) as run:
        elements = run.loaded.definition.elements
        tasks = [wait for wait in run.process.waits(WaitKind.MESSAGE) if elements[wait.element].type is ElementType.RECEIVE_TASK]
        there = [wait for wait in tasks if place.number in {None, wait.id}]
        if len(there) != 1:
            raise InvalidState(f"Expected one receive task of execution {place} to signal, but {len(there)} wait")
        run.process.deliver(there[0].id, given.values)
        variables.remember(run, given)
        journal.record(session, run.row, actor=actor, what="process signaled", element=there[0].element)
    return run.row


def deliver(session: Session, place: Place, name: str, *, actor: Actor, given: Given = NOTHING) -> Held:
    """Deliver a message to what waits for it at a place of a process without a matter; raises as `trigger` does."""
    row, _case = processes.require_plain(session, place.instance_id, actor, to="deliver a message to")
    there = execution_lists.subscriptions(session, row, place.number, name)
    if len(there) != 1:
        raise InvalidState(f"Expected one to wait for message {name!r} at execution {place}, but {len(there)} do")
    instances.require_active(row)
    return _deliver(session, there[0], Message(name=name, given=given), actor)


def _waiting(session: Session, message: Message, actor: Actor) -> list[Subscription]:
    query = (
        select(Subscription, Instance)
        .join(Instance, keys.its(Subscription.instance_id, Instance))
        .join(Case, keys.same_case(Instance, Case))
    )
    query = query.where(Subscription.kind == WaitKind.MESSAGE, Subscription.name == message.name)
    query = query.where(Case.entry == processes.ENTRY, ~Instance.suspended, processes.visible(actor))
    query = query.where(*reads.equal({Instance.business_key: message.business_key, Instance.id: message.instance_id}))
    rows = session.execute(query.order_by(Instance.id, Subscription.id)).all()
    return [subscription for subscription, instance in rows if _knows(subscription, instance, message)]


def _knows(subscription: Subscription, instance: Instance, message: Message) -> bool:
    if not variables.have(instance.variables, message.keys):
        return False
    if not message.local_keys:
        return True
    local = variables.at(instance, subscription.holder, local=True).values
    return variables.have(local, message.local_keys)


def _reached(session: Session, subscription: Subscription, message: Message, actor: Actor, *, everybody: bool) -> Reached | None:
    try:
        row = _deliver(session, subscription, message, actor)
    except Busy:
        if everybody:
            return None
        raise
    return Reached(instance=row, at=Place(subscription.instance_id, subscription.holder))


def _begun(session: Session, message: Message, loaded: Loaded, at: str, actor: Actor) -> Reached:
    origin = Origin(business_key=message.business_key, at=at)
    row = processes.open_plain(session, loaded, actor=actor, given=message.given, origin=origin)
    return Reached(instance=row, at=None)


def _deliver(session: Session, subscription: Subscription, message: Message, actor: Actor) -> Held:
    """Deliver a message to a wait that was found; raises Busy when it waits no longer: then the caller looks anew."""
    waits = f"process instance {subscription.instance_id} to wait for message {message.name!r}"
    gone = Busy(f"Expected {waits}, but it has just gone on; try again")
    try:
        row = instances.lock(session, subscription.instance_id, subscription)
    except NotFound:
        raise gone from None
    if row.suspended or row.status is not InstanceStatus.RUNNING:
        raise gone
    run = instances.take_up(session, row, actor=actor)
    if run.process.kind_of(subscription.wait) is None:  # another message, or another delivery of this one, came before
        raise gone
    with execution.awake(run):
        run.process.deliver(subscription.wait, message.given.values)
        variables.remember(run, message.given)
        journal.record(session, run.row, actor=actor, what="message received", message=message.name, element=subscription.element)
    return run.row
