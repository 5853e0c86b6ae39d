"""Lists of variables, of running and ended instances; a variable is no row of its own, so it is looked for in those of its instance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from engine import instance_lists
from engine.actors import Actor
from engine.filters import Filters, Kind, Listing, among, equal
from engine.models import Definition, Instance

#: Which instances are looked at.
FILTERS: Filters = {
    "processInstanceId": equal(Instance.id, Kind.ID),
    "processInstanceIdIn": among(Instance.id, Kind.IDS),
    "executionIdIn": among(Instance.id, Kind.IDS),
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionKey": equal(Definition.key),
}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable of an instance."""

    name: str
    value: Any
    instance: Instance
    definition: Definition


@dataclass(frozen=True, kw_only=True)
class Variables:
    """Variables that are asked for, by instance and name."""

    instances: Listing
    #: Which of the variables are meant.
    fits: Callable[[Variable], bool]
    #: To have them in another order than by instance and name: what to sort by, each with whether it descends.
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
        for row in self.instances.rows(session):
            for name, value in sorted(row.Instance.variables.items()):
                variable = Variable(name=name, value=value, instance=row.Instance, definition=row.Definition)
                if self.fits(variable):
                    yield variable


def search(
    actor: Actor,
    *conditions: ColumnElement[bool],
    fits: Callable[[Variable], bool],
    order: Sequence[tuple[Callable[[Variable], Any], bool]] = (),
) -> Variables:
    """Variables of instances that an actor may see, ended ones among them."""
    instances = instance_lists.search(actor, *conditions, ended=True)
    return Variables(instances=instances, fits=fits, order=order)
