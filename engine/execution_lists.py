"""Executions: places of an instance where something stands or goes on: the instance itself, and each activation that lasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, cast, exists, null, select, union_all
from sqlalchemy.orm import Session

from bpmn.waits import WaitKind
from engine import incidents, keys, processes, variables
from engine.actors import Actor
from engine.errors import InvalidState
from engine.filters import Filter, Filters, Kind, Listing, Order, equal, ordered, when
from engine.holdings import Held
from engine.models import Activity, Definition, Incident, Instance, Subscription, Timer
from engine.places import Place
from engine.schedule_models import Continuation
from engine.states import InstanceStatus
from engine.variables import Comparison

#: What lasts, once what has ended is left out.  A token that waits for a job is no activation yet, or no more.
#: No condition stands in here: only then PostgreSQL looks into each part by the instance that it has found.
_EXECUTIONS = union_all(
    select(Activity.case_id, Activity.region, Activity.instance_id, Activity.number, Activity.element, Activity.ended_at),
    select(
        Continuation.case_id,
        Continuation.region,
        Continuation.instance_id,
        Continuation.wait,
        Continuation.element,
        cast(null(), Activity.ended_at.type),
    ),
    select(
        Instance.case_id,
        Instance.region,
        Instance.id.label("instance_id"),
        cast(null(), Integer),
        null(),
        cast(null(), Activity.ended_at.type),
    ),
).subquery("executions")
_COLUMNS: Any = _EXECUTIONS.c


def _waits_for(kind: WaitKind) -> Filter:
    here = and_(
        keys.same_case(_EXECUTIONS, Subscription),
        Subscription.instance_id == _COLUMNS.instance_id,
        Subscription.holder.is_not_distinct_from(_COLUMNS.number),
    )
    in_it = keys.its(Subscription.instance_id, Instance)  # the instances are found by the name, then what lasts in each

    def condition(name: str) -> ColumnElement[bool]:
        named = and_(Subscription.kind == kind, Subscription.name == name)
        return and_(exists().where(in_it, named).correlate(Instance), exists().where(here, named))

    return Filter(kind=Kind.TEXT, condition=condition)


def _with_incident(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    here = and_(
        keys.same_case(_EXECUTIONS, Incident),
        Incident.instance_id == _COLUMNS.instance_id,
        incidents.HOLDER.is_not_distinct_from(_COLUMNS.number),
    )
    standing = and_(Incident.resolved_at.is_(None), condition)
    in_it = exists().where(keys.its(Incident.instance_id, Instance), standing).correlate(Instance)
    return and_(in_it, select(Incident.id).outerjoin(Timer, incidents.TIMED).where(here, standing).exists())


SORTABLE: Any = {"instanceId": _COLUMNS.instance_id, "definitionKey": Definition.key, "definitionId": Definition.id}
FILTERS: Filters = {
    "businessKey": equal(Instance.business_key),
    "processDefinitionBusinessKey": equal(Instance.business_key),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKey": equal(Definition.key),
    "processInstanceId": equal(_COLUMNS.instance_id, Kind.ID),
    "activityId": equal(_COLUMNS.element),
    "messageEventSubscriptionName": _waits_for(WaitKind.MESSAGE),
    "signalEventSubscriptionName": _waits_for(WaitKind.SIGNAL),
    "active": when(lambda: ~Instance.suspended),
    "suspended": when(lambda: Instance.suspended.is_(True)),
    "incidentId": Filter(kind=Kind.ID, condition=lambda found: _with_incident(Incident.id == found)),
    "incidentMessage": Filter(kind=Kind.TEXT, condition=lambda text: _with_incident(Incident.message == text)),
    "incidentMessageLike": Filter(kind=Kind.TEXT, condition=lambda text: _with_incident(Incident.message.like(text))),
}


def search(
    actor: Actor,
    *conditions: ColumnElement[bool],
    order: Order = (),
    local: Sequence[Comparison] = (),
    of_process: Sequence[Comparison] = (),
) -> Listing:
    """Executions of running instances that an actor may see; by variables of their own (`local`), or of the process."""
    query = select(_EXECUTIONS, Instance, Definition).join(
        Instance, and_(Instance.id == _COLUMNS.instance_id, keys.same_case(_EXECUTIONS, Instance))
    )
    query = query.join(Definition, Definition.id == Instance.definition_id)
    lasting = Instance.status == InstanceStatus.RUNNING, _COLUMNS.ended_at.is_(None)
    query = query.where(*lasting, processes.visible(actor), *conditions)

    def fits(row: Any) -> bool:
        if not all(comparison.holds(row.Instance.variables) for comparison in of_process):
            return False
        own = variables.at(row.Instance, row.number, local=True).values if local else {}
        return all(comparison.holds(own) for comparison in local)

    query = ordered(query, SORTABLE, order, last=_COLUMNS.instance_id).order_by(_COLUMNS.number.is_not(None), _COLUMNS.number)
    return Listing(query=query, fits=fits if local or of_process else None)


def get(session: Session, place: Place, actor: Actor) -> Any:
    """One execution, as it is listed; raises NotFound, also for what is not the actor's."""
    here = _COLUMNS.instance_id == place.instance_id, _COLUMNS.number.is_not_distinct_from(place.number)
    return search(actor, *here).one(session, f"Execution with id {place} does not exist")


def subscriptions(
    session: Session, row: Instance | Held, number: int | None, name: str, *, kind: WaitKind = WaitKind.MESSAGE
) -> list[Subscription]:
    """What waits for a message or a signal at an activation of an instance; without a number, everywhere in it.

    Raises InvalidState when nothing does.
    """
    query = select(Subscription).where(Subscription.kind == kind, Subscription.name == name)
    query = query.where(keys.its(Subscription.instance_id, row))
    if number is not None:
        query = query.where(Subscription.holder == number)
    found = list(session.scalars(query.order_by(Subscription.wait)))
    if not found:
        raise InvalidState(f"Execution '{Place(row.id, number)}' has not subscribed to a {kind} event with name '{name}'")
    return found
