"""Variables from outside: their values, and, for Camunda's clients, the types that JSON does not show (Date, Long, File …)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpmn import snapshot
from bpmn.parameters import VariableMapping
from bpmn.waits import Wait
from engine.errors import NotFound
from engine.holdings import Held
from engine.models import Instance
from engine.places import Place
from engine.runs import Run


@dataclass(frozen=True, kw_only=True)
class Given:
    """Variables as a client of Camunda gives them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    #: Types that JSON does not show: {name: {type, valueInfo?}}.
    types: Mapping[str, Any] = field(default_factory=dict)
    #: Names of those that are forgotten when the instance comes to rest.
    transient: frozenset[str] = frozenset()
    #: Names of those that are deleted; only where variables are all that is changed.
    gone: frozenset[str] = frozenset()

    @property
    def names(self) -> list[str]:
        """Which variables it sets or deletes, by the alphabet."""
        return sorted(self.values.keys() | self.gone)


NOTHING = Given()


def merged(first: Given, then: Given) -> Given:
    """Put together what is given in two places; where both name a variable, the later one counts."""
    types = {name: kind for name, kind in first.types.items() if name not in then.values}
    return Given(
        values={**first.values, **then.values},
        types={**types, **then.types},
        transient=(first.transient - then.values.keys()) | then.transient,
    )


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Variables as they are seen from somewhere."""

    values: dict[str, Any] = field(default_factory=dict)
    #: Types that JSON does not show.
    types: dict[str, Any] = field(default_factory=dict)


def at(row: Instance, number: int | None, *, local: bool = False, without: Collection[str] = ()) -> Seen:
    """Return the variables that an activation (None: the process) sees, or, if `local`, those of its own scope.

    `without`: names of variables of the process that are not to be seen.  Raises NotFound when the activation has ended.
    """
    of_process = {name: value for name, value in row.variables.items() if name not in without} if without else row.variables
    seen, lasting = Seen(values=of_process, types=row.types), snapshot.activations(row.state)
    if number is not None and number not in lasting:
        raise NotFound(f"Execution with id {Place(row.id, number)} does not exist")
    chain: list[int] = []
    while number is not None:
        chain.append(number)
        number = lasting[number].scope
    for place in reversed(chain):
        own, around = of_activation(row, place, lasting[place].local), Seen() if local else seen
        types = {name: kind for name, kind in around.types.items() if name not in own.values}
        seen = Seen(values=around.values | own.values, types=types | own.types)
    return seen


def of_activation(row: Instance | Held, number: int, local: dict[str, Any]) -> Seen:
    """Return the local variables of an activation (`local`: their values), with their types."""
    return Seen(values=local, types={name: row.types[key] for name in local if (key := _key(number, name)) in row.types})


def change(run: Run, given: Given, *, at: int | None = None, local: bool = False) -> None:
    """Set and delete variables of an instance, as seen `at` an activation (None: the process), or, if `local`, in its own scope.

    Conditional events react, unless the instance is suspended.
    """
    quietly = run.row.suspended
    run.row.types = _retyped(run, given, at, local=local)
    run.process.set_variables(given.values, at=at, local=local, quietly=quietly)
    run.process.remove_variables(given.gone, at=at, local=local, quietly=quietly)


def _retyped(run: Run, given: Given, at: int | None, *, local: bool) -> dict[str, Any]:
    """Return `Instance.types` as they are once these variables are set; those of activations that have ended are dropped."""
    scopes = {token.id: token.scope for token in run.process.tokens()}
    types = {key: kind for key, kind in run.row.types.items() if not (match := _LOCAL.match(key)) or int(match[1]) in scopes}
    for name in given.names:
        place = at
        while not local and place is not None and name not in run.process.variables_at(place, local=True):
            place = scopes[place]
        key = _at(place, name)
        types.pop(key, None)
        if name in given.types and name not in given.transient:
            types[key] = given.types[name]
    return types


def local_types(number: int, given: Given) -> dict[str, Any]:
    """Types of local variables of an activation, as they are kept."""
    return {_key(number, name): kind for name, kind in given.types.items() if name not in given.transient}


def _key(number: int, name: str) -> str:
    """The name under which the type of a local variable is kept among those of the process (`Instance.types`)."""
    return f"#{number} {name}"


def _at(place: int | None, name: str) -> str:
    return name if place is None else _key(place, name)


_LOCAL = re.compile(r"#(\d+) ")


def hand_on(run: Run) -> None:
    """Where a variable was set to just what another one holds (`${other}`), let it take over the type of that, too."""
    if run.row.types and run.process.handed_on:
        types = dict(run.row.types)
        for place, name, source_place, source in run.process.handed_on:
            key, kind = _at(place, name), types.get(_at(source_place, source))
            types.pop(key, None)
            if kind is not None:
                types[key] = _evaluated(kind)
        run.row.types = types
    run.process.handed_on.clear()


def drop_ended(run: Run) -> None:
    """Drop the types of the local variables of what has ended."""
    if run.row.types:
        ended = {str(one.id) for one in run.process.history() if one.outcome}
        run.row.types = {key: kind for key, kind in run.row.types.items() if not (match := _LOCAL.match(key)) or match[1] not in ended}


def types_there(run: Run, wait: Wait) -> dict[str, Any]:
    """Return the types of the variables that a call hands over unchanged to what it calls; the values are in the wait."""
    hand_on(run)
    if not run.row.types:
        return {}
    scopes, chain = {token.id: token.scope for token in run.process.tokens()}, [wait.id]
    while (around := scopes[chain[-1]]) is not None:
        chain.append(around)
    types, own = _of_process(run.row.types), Seen()
    for place in reversed(chain):
        own = of_activation(run.row, place, run.process.variables_at(place, local=True))
        types = {name: kind for name, kind in types.items() if name not in own.values} | own.types
    return _handed_on(run.loaded.definition.elements[wait.element].inputs, types, own.types)


def take_types(run: Run, wait_id: int, types: Mapping[str, Any]) -> None:
    """Take over the types of the variables that a call gets back unchanged; to be called before the values come."""
    element = next((token.element for token in run.process.tokens() if token.id == wait_id), None)
    if not types or element is None:
        return
    outputs = [mapping for mapping in run.loaded.definition.elements[element].outputs if not mapping.local]
    passed = _handed_on(outputs, _of_process(types), {})
    run.row.types = _retyped(run, Given(values=dict.fromkeys(passed), types=passed), wait_id, local=False)


def _handed_on(mappings: Iterable[VariableMapping], types: Mapping[str, Any], local: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mapping in mappings:
        known = local if mapping.local and mapping.by_name else types
        if mapping.source is None or mapping.target is None:
            found.update(local if mapping.local else types)
            continue
        found.pop(mapping.target, None)
        if (name := mapping.source.alone) is not None and name in known:  # another expression makes something new
            found[mapping.target] = known[name] if mapping.by_name else _evaluated(known[name])
    return found


def _evaluated(kind: Any) -> Any:
    """Return the type that a variable has in an expression: a file gives its content there, as in Camunda 7."""
    return {"type": "Bytes"} if kind["type"] == "File" else kind


def _of_process(types: Mapping[str, Any]) -> dict[str, Any]:
    return {name: kind for name, kind in types.items() if not _LOCAL.match(name)}


def remember(run: Run, given: Given) -> None:
    """Keep the types of the variables that the process was just given, in place of their former ones; `forget` those that are transient."""
    kept = {name: kind for name, kind in run.row.types.items() if name not in given.values}
    run.row.types = kept | {name: kind for name, kind in given.types.items() if name not in given.transient}
    forget(run, given)


def forget(run: Run, given: Given) -> None:
    """Delete the transient variables again, before the instance is put back."""
    for name in given.transient:
        run.process.variables.pop(name, None)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What Camunda's lists ask of a variable; one that is not there never fulfils it."""

    name: str
    #: A name of `OPERATORS`.
    operator: str
    value: Any

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether it is so among some variables."""
        return self.name in variables and OPERATORS[self.operator](variables[self.name], self.value)


def fitting(comparisons: Sequence[Comparison]) -> Callable[[Any], bool] | None:
    """Tell by the variables of its instance whether a listed row is meant; None: nothing is asked of them."""
    if not comparisons:
        return None
    return lambda row: all(comparison.holds(row.Instance.variables) for comparison in comparisons)


def have(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether there are variables with all of these values."""
    return all(name in found and equal(found[name], value) for name, value in wanted.items())


def equal(found: Any, wanted: Any) -> bool:
    """Whether a value is what is asked for: 1.0 is 1, but true is not."""
    return isinstance(found, bool) is isinstance(wanted, bool) and bool(found == wanted)


def _like(found: Any, pattern: Any) -> bool:
    """Whether a text is like a pattern, in which `%` stands for anything: part by part, for a regular expression might never end."""
    first, *rest = str(pattern).split("%")
    if not isinstance(found, str) or not rest:
        return bool(found == first)
    at = len(first) if found.startswith(first) else len(found) + 1
    for part in rest[:-1]:
        there = found.find(part, at)
        at = there + len(part) if there >= 0 else len(found) + 1
    return at <= len(found) - len(rest[-1]) and found.endswith(rest[-1])


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Compare two numbers or two texts; nothing else has an order, true and false neither."""

    def compared(found: Any, wanted: Any) -> bool:
        kinds = () if isinstance(found, bool) else ((int, float), str)
        return any(isinstance(found, kind) and isinstance(wanted, kind) for kind in kinds) and compare(found, wanted)

    return compared


ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": _ordered(operator.gt),
    "gteq": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "lteq": _ordered(operator.le),
}
OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": equal,
    "neq": lambda found, wanted: not equal(found, wanted),
    **ORDERED,
    "like": _like,
    "notLike": lambda found, pattern: isinstance(found, str) and not _like(found, pattern),
}
