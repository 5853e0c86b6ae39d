"""Lists of variables, of running and ended instances; a variable is no row of its own, so it is looked for in those of its instance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from engine import disclosures, instance_lists, local_variables
from engine.actors import Actor
from engine.filters import Filter, Filters, Kind, Listing, among, equal
from engine.models import Definition, Instance

#: Of how many instances the local variables are read in one go.
_BATCH = 500
#: Which instances are looked at.
FILTERS: Filters = {
    "processInstanceId": equal(Instance.id, Kind.ID),
    "processInstanceIdIn": among(Instance.id, Kind.IDS),
    "executionIdIn": Filter(kind=Kind.PLACES, condition=lambda places: Instance.id.in_([place.instance_id for place in places])),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKey": equal(Definition.key),
}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable of an instance, or of one of its activations."""

    name: str
    value: Any
    #: The type that JSON cannot tell.
    kept: dict[str, Any] | None
    instance: Instance
    definition: Definition
    #: Number and element of the activation that has it; None: the process itself.
    number: int | None = None
    element: str | None = None


@dataclass(frozen=True, kw_only=True)
class Variables:
    """Variables that are asked for, by instance and name: those of the process, then those of its activations."""

    instances: Listing
    #: Who asks.
    actor: Actor
    #: Which of the variables are meant.
    fits: Callable[[Variable], bool]
    #: To have them in another order: what to sort by, each with whether it descends.
    order: Sequence[tuple[Callable[[Variable], Any], bool]] = ()

    def rows(self, session: Session, *, first: int = 0, limit: int | None = None) -> Sequence[Variable]:
        """So many of them, from the `first` on."""
        found: Iterator[Variable] | list[Variable] = self._found(session)
        for key, descending in reversed(self.order):
            found = sorted(found, key=key, reverse=descending)
        return list(itertools.islice(found, first, None if limit is None else first + limit))

    def count(self, session: Session) -> int:
        """How many they are."""
        return sum(1 for _ in self._found(session))

    def _found(self, session: Session) -> Iterator[Variable]:
        found = self.instances.rows(session)
        for rows in (found[at : at + _BATCH] for at in range(0, len(found), _BATCH)):
            instances = [row.Instance for row in rows]
            shown = disclosures.of(session, instances, self.actor)
            own = local_variables.of(session, [row for row in instances if not shown[row.id].closed])
            for row in (row for row in rows if not shown[row.Instance.id].closed):
                yield from filter(self.fits, _of(row, own.get(row.Instance.id, ()), shown[row.Instance.id].without))


def _of(row: Any, own: Sequence[local_variables.Own], without: Collection[str]) -> Iterator[Variable]:
    instance, about = row.Instance, {"instance": row.Instance, "definition": row.Definition}
    for name, value in sorted((name, value) for name, value in instance.variables.items() if name not in without):
        yield Variable(name=name, value=value, kept=instance.types.get(name), **about)
    for there in own:
        for name, value in sorted(there.seen.values.items()):
            kept = there.seen.types.get(name)
            yield Variable(name=name, value=value, kept=kept, number=there.number, element=there.element, **about)


def search(
    actor: Actor,
    *conditions: ColumnElement[bool],
    fits: Callable[[Variable], bool],
    order: Sequence[tuple[Callable[[Variable], Any], bool]] = (),
) -> Variables:
    """Variables of instances that an actor may see, ended ones among them."""
    instances = instance_lists.search(actor, *conditions, ended=True)
    return Variables(instances=instances, actor=actor, fits=fits, order=order)
