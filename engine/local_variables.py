"""Local variables: those of an activation are in the token state of its instance while it lasts, and in a table once it has ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, insert, select
from sqlalchemy.orm import Session

from bpmn import snapshot, waits
from engine import activities, keys, variables
from engine.case_models import LocalVariables
from engine.holdings import Held
from engine.models import Activity, Instance
from engine.runs import Run
from engine.states import InstanceStatus
from engine.variables import Seen


@dataclass(frozen=True, kw_only=True)
class Own:
    """The variables of one activation."""

    number: int
    element: str
    seen: Seen


def record(run: Run, history: Iterable[waits.Activity]) -> None:
    """Write the local variables of the activations that have ended since the instance was woken, if they had any."""
    elements = run.loaded.definition.elements
    ended = [one for one in history if one.local and activities.is_told(elements[one.element])]
    if ended:
        rows = [_row(run.row, one.id, variables.of_activation(run.row, one.id, dict(one.local))) for one in ended]
        run.session.execute(insert(LocalVariables), rows)


def of(session: Session, instances: Collection[Instance]) -> Mapping[UUID, list[Own]]:
    """Local variables of all activations of these instances, also of those that have ended; by instance, in the order of their start."""
    found: dict[UUID, list[Own]] = defaultdict(list)
    for row in instances:
        lasting = snapshot.activations(row.state) if row.status is InstanceStatus.RUNNING else {}
        for number, there in lasting.items():
            seen = variables.of_activation(row, number, there.local)
            found[row.id].append(Own(number=number, element=there.element, seen=seen))
    query = select(LocalVariables, Activity.element).where(LocalVariables.instance_id.in_([row.id for row in instances]))
    at = and_(
        keys.same_case(LocalVariables, Activity),
        Activity.instance_id == LocalVariables.instance_id,
        Activity.number == LocalVariables.number,
    )
    for kept, element in session.execute(query.join(Activity, at)):
        seen = Seen(values=kept.variables, types=kept.types)
        found[kept.instance_id].append(Own(number=kept.number, element=element, seen=seen))
    return {instance_id: sorted(there, key=lambda own: own.number) for instance_id, there in found.items()}


def _row(row: Held, number: int, seen: Seen) -> dict[str, object]:
    return {**row.key, "instance_id": row.id, "number": number, "variables": seen.values, "types": seen.types}
