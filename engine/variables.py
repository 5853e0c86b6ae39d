"""Variables from outside: values, and the types that JSON cannot tell of them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from engine import instances
from engine.instances import Run
from engine.models import Instance


@dataclass(frozen=True, kw_only=True)
class Given:
    """Variables as a client of Camunda gives them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    #: Those whose type JSON cannot tell: {name: {type, valueInfo?}}.
    types: Mapping[str, Any] = field(default_factory=dict)
    #: Names of those that are forgotten when the instance comes to rest.
    transient: frozenset[str] = frozenset()


NOTHING = Given()


def together(first: Given, then: Given) -> Given:
    """What is given in two places; what comes then counts."""
    types = {name: kind for name, kind in first.types.items() if name not in then.values}
    return Given(
        values={**first.values, **then.values},
        types={**types, **then.types},
        transient=(first.transient - then.values.keys()) | then.transient,
    )


def at(session: Session, row: Instance, wait: int, *, local: bool = False) -> dict[str, Any]:
    """The variables that an activity sees, or its own (`local`): those of its input parameters, of its round in a loop."""
    return instances.look(session, row).variables_at(wait, local=local)


def put(run: Run, given: Given, *, gone: Iterable[str] = ()) -> None:
    """Set variables of an instance that is in our hands, and remove some; what waits for such a change goes on."""
    run.process.set_variables(given.values)
    run.process.remove_variables(gone)
    run.row.types = {name: kind for name, kind in typed(run.row.types, given).items() if name not in gone}


def forget(run: Run, given: Given) -> None:
    """Take the transient ones away again, once the instance has come to rest."""
    for name in given.transient:
        run.process.variables.pop(name, None)


def typed(types: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """Types after the variables were set: what is set anew loses the type that it had."""
    kept = {name: kind for name, kind in types.items() if name not in given.values}
    return kept | {name: kind for name, kind in given.types.items() if name not in given.transient}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a variable must be, as Camunda's lists ask for it; a variable that is not there is nothing."""

    name: str
    #: A name of `OPERATORS`.
    operator: str
    value: Any

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether it is so."""
        return self.name in variables and OPERATORS[self.operator](variables[self.name], self.value)


def _equal(found: Any, wanted: Any) -> bool:
    return isinstance(found, bool) is isinstance(wanted, bool) and bool(found == wanted)


def _like(found: Any, pattern: Any) -> bool:
    parts = (".*" if part == "%" else re.escape(part) for part in re.split("(%)", str(pattern)))
    return isinstance(found, str) and re.fullmatch("".join(parts), found, re.DOTALL) is not None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Compare two numbers or two texts; nothing else has an order."""

    def compared(found: Any, wanted: Any) -> bool:
        kinds = ((int, float), str)
        return any(isinstance(found, kind) and isinstance(wanted, kind) for kind in kinds) and compare(found, wanted)

    return compared


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "neq": lambda found, wanted: not _equal(found, wanted),
    "gt": _ordered(operator.gt),
    "gteq": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "lteq": _ordered(operator.le),
    "like": _like,
    "notLike": lambda found, pattern: isinstance(found, str) and not _like(found, pattern),
}
