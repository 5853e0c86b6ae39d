"""Statistics: how much of each version runs, and where in its diagram; and what has failed there."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import incidents, keys, processes, versions
from engine.actors import Actor
from engine.models import Activity, Definition, Instance
from engine.states import InstanceStatus


@dataclass(kw_only=True)
class Figures:
    """What runs, and what has failed."""

    instances: int = 0
    #: Standing incidents by their type, under Camunda's names.
    incidents: Counter[str] = field(default_factory=Counter)


def of_elements(session: Session, definition_id: UUID, *, actor: Actor) -> dict[str, Figures]:
    """Figures of each element of a version in which something is; raises NotFound."""
    of = versions.get(session, definition_id)
    found: defaultdict[str, Figures] = defaultdict(Figures)
    query = select(Activity.element, func.count()).join(Instance, keys.its(Activity.instance_id, Instance))
    query = query.where(Instance.definition_id == of.id, Activity.ended_at.is_(None), processes.visible(actor))
    for element, number in session.execute(query.group_by(Activity.element).order_by(Activity.element)):
        found[element].instances = number
    for row in incidents.listing(actor, Definition.id == of.id).rows(session):
        found[row.Incident.element].incidents[incidents.type_of(row)] += 1
    return found


def of_versions(session: Session, *, actor: Actor) -> list[tuple[Definition, Figures]]:
    """Figures of every version, those of which nothing runs among them."""
    rows = [row.Definition for row in versions.search().rows(session)]
    found = {row.id: Figures() for row in rows}
    query = select(Instance.definition_id, func.count()).where(Instance.status == InstanceStatus.RUNNING, processes.visible(actor))
    for definition_id, number in session.execute(query.group_by(Instance.definition_id)):
        found[definition_id].instances = number
    for row in incidents.listing(actor).rows(session):
        found[row.Definition.id].incidents[incidents.type_of(row)] += 1
    return [(row, found[row.id]) for row in rows]
