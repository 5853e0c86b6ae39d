"""What speaks against the tokens of an instance together: each may be where it is, but not all of them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from bpmn import markings
from bpmn.definition import ACTIVITIES, Definition, ElementType
from bpmn.markings import Markings, is_passed, place_of
from bpmn.migration import places, remembered
from bpmn.migration.plan import Plan, label
from bpmn.snapshot import Row, State

#: What somebody does, or the case waits for.
_WORK = ACTIVITIES | {ElementType.MULTI_INSTANCE_BODY, ElementType.CATCH_EVENT}
#: What helps.
_LATER = "move the case when {} is done"


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
        self._plan, self._key = plan, key
        self._before = plan.net(key, target=False)
        self._after = plan.net(None if key is None else plan.goes_to(key), target=True)
        self._rows = [row for row in rows if self._plan.source.elements[row.element].type is not ElementType.EVENT_SUBPROCESS]

    def refusals(self) -> list[str]:
        """Say what speaks against them; who was put at a join by hand stands for whichever flow leaves the least to say."""
        return min((list(self._judge(flows)) for flows in self._ways()), key=len)

    def notes(self) -> Iterator[str]:
        """Say which new work lies behind all tokens."""
        reached = self._after.reach(self._places(next(self._ways()))[1])
        known = {self._plan.goes_to(key) for key in self._plan.source.elements}
        scope = None if self._key is None else self._plan.goes_to(self._key)
        for element in self._plan.target.elements.values():
            passed = element.parent == scope and element.id not in known | reached
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

    def _judge(self, flows: dict[int, tuple[str, str]]) -> Iterator[str]:
        was, now = self._places(flows)
        failed = _failed(self._plan.target, now)
        if self._after.play(failed).marking(now) in self._after.play(failed).reached:
            return  # a case may come to stand so by itself
        apart = list(self._apart(was, now, failed))
        yield from apart or self._starved(was, now, failed)

    def _places(self, flows: dict[int, tuple[str, str]]) -> tuple[list[str], list[str]]:
        """Return where the tokens stand in both versions."""
        plan = self._plan
        was = [places.place(row, plan.source, self._before, row.element, flows[row.id][0]) for row in self._rows]
        now = [places.place(row, plan.target, self._after, plan.goes_to(row.element), flows[row.id][1]) for row in self._rows]
        return was, now

    def _apart(self, was: Sequence[str], now: Sequence[str], failed: Collection[str]) -> Iterator[str]:
        """Say who may no longer be where they are at the same time; who might not have been so before either is there by hand."""
        later = _LATER.format("one of them")
        for (old, one), (other_old, other) in itertools.combinations(zip(was, now, strict=True), 2):
            pair = self._pair(one, other)
            if (beside := self._after.together(one, other, failed)) is None:
                yield f"Expected to tell whether there may be {pair}, but there are too many ways before an inclusive join: {later}"
            elif not beside and self._before.together(old, other_old) is not False:
                yield f"Expected {pair}, but that never happens in the new version: {later}"

    def _starved(self, was: Sequence[str], now: Sequence[str], failed: Collection[str]) -> Iterator[str]:
        """Say who would wait for ever, although nobody does in a case of the new version, or in this one as it is."""
        play = self._after.play(failed)
        faults = play.faults_after(play.marking(now)) if play.complete else None
        if faults is None:
            faults = frozenset(self._after.starved(now).items())
        fresh = sorted(faults - play.faults)
        known = self._known(was) if fresh else {}
        yield from (self._in_vain(key, flows) for key, flows in fresh if not any(flows <= each for each in known.get(key, ())))
        if not fresh and play.complete and not self._is_astray(was):
            yield from self._doubled(play, now, failed)

    def _doubled(self, play: Markings, now: Sequence[str], failed: Collection[str]) -> Iterator[str]:
        """Say what would be done beside something that it never runs beside in a case of the new version."""
        for one, other in sorted(markings.pairs(play.after(play.marking(now)) or ()) - play.pairs):
            if one <= other and self._after.together(one, other, failed) is False:
                yield f"Expected never to find {self._pair(one, other)}, but after the move that could be: {_LATER.format('one of them')}"

    def _is_astray(self, was: Sequence[str]) -> bool:
        """Whether somebody has put the tokens where no case comes by itself."""
        return any(self._before.together(one, other) is False for one, other in itertools.combinations(was, 2))

    def _known(self, was: Sequence[str]) -> dict[str, list[frozenset[str]]]:
        """Say who would wait for ever anyway, in the words of the new version."""
        play, goes_to = self._before.play(_failed(self._plan.source, was)), self._plan.goes_to
        faults = play.faults_after(play.marking(was)) if play.complete else None
        found = defaultdict(list)
        for key, flows in self._before.starved(was).items() if faults is None else faults:
            found[goes_to(key)].append(frozenset(map(goes_to, flows)))
        return found

    def _in_vain(self, key: str, flows: frozenset[str]) -> str:
        """Say that tokens wait for others in vain."""
        join = self._plan.target.elements[key]
        called, later = join.label, f"move the case when it is behind {join.label}"
        if not flows:
            return f"Expected {join.start_quantity} tokens to start {called}, but fewer could come: {later}"
        return f"Expected a token on every flow into {called}, but it could wait for ever for one by {', '.join(sorted(flows))}: {later}"

    def _pair(self, one: str, other: str) -> str:
        """Name two places."""
        names = (_named(self._plan.target, one), _named(self._plan.target, other))
        return f"two tokens in {names[0]} at once" if one == other else f"{names[0]} and {names[1]} beside one another"


def _failed(definition: Definition, found: Sequence[str]) -> set[str]:
    """Say where tokens stand that nobody rests in: one has failed there, or what is thrown there is not over yet."""
    return {place for place in found if place in definition.elements and is_passed(definition, definition.elements[place])}


def _named(definition: Definition, place: str) -> str:
    """Name a place: an element, or the join at the end of a flow."""
    flow = place.removesuffix(markings.JOB)
    named = label(definition, place_of(definition, place).id)
    return f"{named} (by {flow})" if flow in definition.flows else named
