"""Variables from outside: values, and the types that JSON cannot tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.instances import Run


@dataclass(frozen=True, kw_only=True)
class Given:
    """Variables as a client of Camunda gives them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    #: Those whose type JSON cannot tell: {name: {type, valueInfo?}}.
    types: Mapping[str, Any] = field(default_factory=dict)
    #: Names of those that are forgotten when the instance comes to rest.
    transient: frozenset[str] = frozenset()


NOTHING = Given()


def put(run: Run, given: Given) -> None:
    """Set variables of an instance that is in our hands."""
    run.process.variables.update(given.values)
    run.row.types = typed(run.row.types, given)


def forget(run: Run, given: Given) -> None:
    """Take the transient ones away again, once the instance has come to rest."""
    for name in given.transient:
        run.process.variables.pop(name, None)


def typed(types: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """Types after the variables were set: what is set anew loses the type that it had."""
    kept = {name: kind for name, kind in types.items() if name not in given.values}
    return kept | {name: kind for name, kind in given.types.items() if name not in given.transient}
