"""What speaks against the tokens of an instance together: each may be where it is, but not all of them."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from bpmn import markings
from bpmn.definition import ACTIVITIES, Definition, ElementType
from bpmn.markings import place_of
from bpmn.migration import places, remembered
from bpmn.migration.plan import Plan, label
from bpmn.snapshot import Row, State

#: What somebody does, or the case waits for.
_WORK = ACTIVITIES | {ElementType.MULTI_INSTANCE_BODY, ElementType.CATCH_EVENT}
#: What helps.
_LATER, _BEHIND = "move the case when {} is done", "move the case when it is behind {}"
_ONE_DONE = _LATER.format("one of them")
#: Where the tokens of a scope stand.
Places = tuple[str, ...]
T = TypeVar("T")


class Judge:
    """Judges where the tokens of an instance would be; `stuck` are those that already wait for others in vain."""

    def __init__(self, plan: Plan, state: State, stuck: Collection[int]) -> None:
        self._plan, self._state, self._stuck = plan, state, stuck
        self._rows = {row.id: row for row in state.rows}

    def refusals(self) -> Iterator[str]:
        """Yield what speaks against them."""
        yield from remembered.lost(self._plan, self._state.facts)
        for scope, rows in self._scopes():
            yield from self._complete(rows)
            yield from self._interrupting(rows)
            yield from scope.refusals()

    def notes(self) -> Iterator[str]:
        """Yield what speaks against nothing, but should be known: new work that the case has passed already."""
        for scope, _rows in self._scopes():
            yield from scope.notes()

    def _scopes(self) -> Iterator[tuple[Scope, list[Row]]]:
        """Yield the scopes that hold tokens, with those that stand in them."""
        scopes: dict[int | None, list[Row]] = defaultdict(list)
        for row in self._state.rows:
            if not row.facts.get("watches") and self._plan.source.elements[row.element].parent == self._element(row.scope):
                scopes[row.scope].append(row)
        yield from ((Scope(self._plan, self._element(scope), rows), rows) for scope, rows in scopes.items())

    def _element(self, scope: int | None) -> str | None:
        return None if scope is None else self._rows[scope].element

    def _complete(self, rows: Sequence[Row]) -> Iterator[str]:
        """Say which joins would open at once, which is no move; one where everybody waited in vain opens when that is retried."""
        arrived: dict[str, set[str | None]] = defaultdict(set)
        for row in rows:
            if places.is_gathered(row) and row.id not in self._stuck:
                arrived[self._plan.goes_to(row.element)].add(row.flow)
        for key, flows in arrived.items():
            join = self._plan.target.elements[key]
            if join.type is ElementType.PARALLEL_GATEWAY and len(flows) >= len(join.incoming):
                yield f"Expected {join.label} to go on waiting, but all it waits for have come: {_LATER.format('what runs beside it')}"

    def _interrupting(self, rows: Sequence[Row]) -> Iterator[str]:
        """Say which event subprocesses run beside others although they interrupt them now."""
        for row in rows:
            start = self._plan.target.elements.get(self._plan.goes_to(row.facts["start"][0])) if "start" in row.facts else None
            if start and start.interrupting and len(rows) > 1:
                called = label(self._plan.source, row.element)
                yield f"Expected {called} to run beside what it has left running, but it interrupts that now: {_LATER.format(called)}"


class Scope:
    """The tokens of one scope, where they stand in both versions."""

    def __init__(self, plan: Plan, key: str | None, rows: Sequence[Row]) -> None:
        self._plan, self._to = plan, None if key is None else plan.goes_to(key)
        self._before, self._after = plan.net(key, target=False), plan.net(self._to, target=True)
        self._rows = [row for row in rows if self._plan.source.elements[row.element].type is not ElementType.EVENT_SUBPROCESS]

    def refusals(self) -> list[str]:
        """Say what speaks against them; who was put at a join by hand stands for whichever flow leaves the least to say."""
        return min((self._judge(flows) for flows in self._ways()), key=len)

    def notes(self) -> Iterator[str]:
        """Say which new work lies behind all tokens."""
        reached = self._after.reach(self._places(next(self._ways()))[1])
        known = {self._plan.goes_to(key) for key in self._plan.source.elements}
        for element in self._plan.target.elements.values():
            passed = element.parent == self._to and element.id not in known | reached
            if passed and element.type in _WORK and element.incoming:
                yield f"{element.label} is new, and this case does not come to it any more"

    def _ways(self) -> Iterator[dict[int, tuple[str, str]]]:
        """Yield the flows by which tokens came, in both versions, by their numbers; in every way where nobody knows."""
        choices = []
        for row in self._rows:
            source, target = self._plan.source.elements[row.element], self._plan.target.elements[self._plan.goes_to(row.element)]
            known = [(flow, self._plan.goes_to(flow)) for flow in ([row.flow] if row.flow else source.incoming)]
            if not row.flow and places.is_at_join(row, self._plan.target, target.id):
                known = [(old, new) for old, new in known if new in target.incoming] or [(source.incoming[0], target.incoming[0])]
                choices.append([(row.id, way) for way in known])
            else:
                choices.append([(row.id, known[0] if known else ("", ""))])
        yield from map(dict, itertools.product(*choices))

    def _judge(self, flows: dict[int, tuple[str, str]]) -> list[str]:
        was, now = self._places(flows)
        return list(self._apart(was, now)) or list(self._starved(was, now)) or list(self._doubled(was, now))

    def _places(self, flows: dict[int, tuple[str, str]]) -> tuple[Places, Places]:
        """Return where the tokens stand in both versions."""
        plan = self._plan
        was = (places.place(row, plan.source, self._before, row.element, flows[row.id][0]) for row in self._rows)
        now = (places.place(row, plan.target, self._after, plan.goes_to(row.element), flows[row.id][1]) for row in self._rows)
        return tuple(was), tuple(now)

    def _apart(self, was: Places, now: Places) -> Iterator[str]:
        """Say who may no longer be where they are at the same time; who might not have been so before either is there by hand."""
        for (old, one), (other_old, other) in _pairs(zip(was, now, strict=True)):
            beside = self._after.together(one, other)
            if beside or self._is_same(self._after.cone((one, other)), was, now):
                continue
            if beside is None:
                yield self._untold(one, other)
            elif self._before.together(old, other_old) is not False:
                yield f"Expected {self._pair(one, other)}, but that never happens in the new version: {_ONE_DONE}"

    def _starved(self, was: Places, now: Places) -> Iterator[str]:
        """Say who would wait for ever, although nobody does in a case of the new version, or in this one as it is."""
        for join in self._after.opening:
            cone = self._after.before(join)
            if cone.isdisjoint(now) or self._is_same(cone, was, now) or (found := self._after.in_vain(join, now)) == frozenset():
                continue
            entered = self._plan.is_entered(self._to)
            if entered and self._after.comes_to(join, now):
                continue
            called = self._plan.target.elements[join].label
            if found is None:
                yield f"Expected to tell whether {called} could wait for ever, but there are too many ways to it: {_BEHIND.format(called)}"
                continue
            known = self._known(join, was) | ((self._after.in_vain(join) or frozenset()) if entered else frozenset())
            yield from (self._in_vain(join, flows) for flows in sorted(found - known, key=sorted))

    def _known(self, join: str, was: Places) -> frozenset[frozenset[str]]:
        """For whom something would wait at a join for ever anyway, in the words of the new version."""
        old = next((key for key in self._before.opening if self._plan.goes_to(key) == join), None)
        found = self._before.in_vain(old, was) if old else None
        return frozenset(frozenset(map(self._renamed, flows)) for flows in found or ())

    def _doubled(self, was: Places, now: Places) -> Iterator[str]:
        """Say what would be done beside something that it never runs beside in a case of the new version."""
        elements = self._plan.target.elements
        fresh = [
            (one, other)
            for one, other in sorted(self._after.beside(now) - self._after.beside(surely=True))
            if one <= other and {one, other} <= elements.keys() and not self._is_same(self._after.cone((one, other)), was, now)
        ]
        if fresh and any(self._before.together(*pair) is False for pair in _pairs(was)):
            return  # somebody has put the tokens where no case comes by itself
        for one, other in fresh:
            if known := self._after.together(one, other):
                continue
            if (later := self._after.together(one, other, now)) and known is False:
                yield f"Expected never to find {self._pair(one, other)}, but after the move that could be: {_ONE_DONE}"
            elif later is not False:
                yield self._untold(one, other)

    def _is_same(self, cone: Collection[str], was: Places, now: Places) -> bool:
        """Whether nothing is new in what leads somewhere: neither what can happen there, nor where the tokens stand."""
        names = {self._renamed(place): place for place in self._before.places}
        known = frozenset(names[place] for place in cone if place in names)
        if len(known) < len(cone) or [old in known for old in was] != [new in cone for new in now]:
            return False
        moved = all(self._renamed(old) == new for old, new in zip(was, now, strict=True) if new in cone)
        return moved and self._before.shape(known, self._plan.goes_to) == self._after.shape(cone, str)

    def _renamed(self, place: str) -> str:
        """Call a place of the old version as it is called in the new one."""
        key = markings.key_of(place)
        return self._plan.goes_to(key) + place.removeprefix(key)

    def _in_vain(self, key: str, flows: frozenset[str]) -> str:
        """Say that tokens wait for others in vain."""
        join = self._plan.target.elements[key]
        called, later = join.label, _BEHIND.format(join.label)
        if not flows:
            return f"Expected {join.start_quantity} tokens to start {called}, but fewer could come: {later}"
        return f"Expected a token on every flow into {called}, but it could wait for ever for one by {', '.join(sorted(flows))}: {later}"

    def _untold(self, one: str, other: str) -> str:
        return f"Expected to tell whether there may be {self._pair(one, other)}, but there are too many ways to them: {_ONE_DONE}"

    def _pair(self, one: str, other: str) -> str:
        """Name two places."""
        names = (_named(self._plan.target, one), _named(self._plan.target, other))
        return f"two tokens in {names[0]} at once" if one == other else f"{names[0]} and {names[1]} beside one another"


def _pairs(tokens: Iterable[T]) -> Iterator[tuple[T, T]]:
    """Yield every two of some tokens, those that stand alike once."""
    found = Counter(tokens)
    yield from itertools.combinations(found, 2)
    yield from ((token, token) for token, number in found.items() if number > 1)


def _named(definition: Definition, place: str) -> str:
    """Name a place: an element, or the join at the end of a flow."""
    flow = place.removesuffix(markings.JOB)
    named = label(definition, place_of(definition, place).id)
    return f"{named} (by {flow})" if flow in definition.flows else named
