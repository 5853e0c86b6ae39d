"""One instance on its way: what becomes of each of its tokens, and what that would break."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bpmn import snapshot as snapshots
from bpmn.definition import Definition, EventDefinition
from bpmn.expressions import Expression
from bpmn.migration.plan import Plan, watchers
from bpmn.migration.step import Step, Verdict
from bpmn.snapshot import Row, State
from bpmn.soundness import is_join
from bpmn.waits import Context

#: What a token, or the process itself, remembers.
Facts = Mapping[str, Any]
#: What a timer remembers of when it is due.
_DUE = ("due_at", "cycle", "bound", "fired_for", "error")


class Moving:
    """One instance on its way."""

    def __init__(self, plan: Plan, state: State, context: Context) -> None:
        self._plan, self._state, self._context = plan, state, context
        self._rows = {row.id: row for row in state.rows}

    # What becomes of each token ------------------------------------------------------------------------------------------------------

    def steps(self) -> Iterator[Step]:
        """Yield what becomes of each token, and of what begins to watch."""
        for row in self._state.rows:
            yield self._watcher(row) if row.facts.get("watches") else self._step(row)
        for number, (scope, element, _flow) in enumerate(self._new_watchers(), self._state.next_id):
            around = self._rows[scope].element if scope is not None else self._plan.source.key
            yield Step(id=number, element=None, to=element, verdict=Verdict.STARTED, reason=f"new at {around}")

    def _step(self, row: Row) -> Step:
        told = Step(id=row.id, element=row.element, to=self._plan.goes_to(row.element), verdict=Verdict.KEPT)
        if reason := self._plan.misfit(row.element) or self._lost_flow(row) or next(self._lost_handlers(row.facts), ""):
            return replace(told, verdict=Verdict.REFUSED, reason=reason)
        return self._awaited(told)

    def _watcher(self, row: Row) -> Step:
        """A watching event stays while it watches over the same thing; one of another kind is another event."""
        to = self._plan.goes_to(row.element)
        if to not in self._watchers_of(row.scope) or self._plan.misfit(row.element):
            return Step(id=row.id, element=row.element, to=None, verdict=Verdict.STOPPED, reason="no longer drawn here")
        return self._awaited(Step(id=row.id, element=row.element, to=to, verdict=Verdict.KEPT))

    def _awaited(self, step: Step) -> Step:
        """What an event waits for is found out anew where it reads otherwise; a plain name is looked up each time anyway."""
        old, new = self._plan.source.elements[step.element or ""].event, self._plan.target.elements[step.to or ""].event
        if old is None or new is None or _reads(old) == _reads(new):
            return step
        written = next((expression.source for expression in _reads(new) if isinstance(expression, Expression)), new.name or "")
        return replace(step, verdict=Verdict.RESET, reason=f"it reads {written} now")

    def _lost_flow(self, row: Row) -> str:
        """Say how the flows into a join have changed at which the token waits."""
        if not self._waits_at_join(row):
            return ""
        old, new = self._plan.source.elements[row.element], self._plan.target.elements[self._plan.goes_to(row.element)]
        was, now = {self._plan.goes_to(flow) for flow in old.incoming}, set(new.incoming)
        if was == now:
            return ""
        gone, come = ", ".join(sorted(was - now)) or "none", ", ".join(sorted(now - was)) or "none"
        return f"Expected the flows into {old.label} to be the same while a token waits there, but gone are {gone}, and new are {come}"

    def _lost_handlers(self, facts: Facts) -> Iterator[str]:
        """Yield what could no longer be compensated."""
        for entry in facts.get("compensable", ()):
            if reason := self._plan.misfit(entry["handler"]) if "handler" in entry else "":
                yield f"Expected to compensate {entry['activity']} as before, but: {reason}"
            yield from self._lost_handlers({"compensable": entry.get("inner", ())})

    def notes(self) -> Iterator[str]:
        """Yield which flows into joins at which tokens wait were found by what they join, not by their ids."""
        for join in {row.element: None for row in self._state.rows if self._waits_at_join(row)}:
            element = self._plan.source.elements[join]
            for flow in element.incoming:
                if flow in self._plan.redrawn:
                    yield f"Flow {flow} into {element.label} is {self._plan.redrawn[flow]} now: it leads the same way"

    # What begins to watch ------------------------------------------------------------------------------------------------------------

    def _new_watchers(self) -> Iterator[tuple[int | None, str, str | None]]:
        """Yield what has to begin to watch: the token it is in, the element, the flow that leads there."""
        plan = self._plan
        active: list[int | None] = [row.id for row in self._state.rows if not row.facts.get("watches") and not _outside(row)]
        for scope in (None, *active):
            known = {plan.goes_to(key) for key in watchers(plan.source, self._element(scope)) if not self._plan.misfit(key)}
            for key, flow in self._watchers_of(scope).items():
                if key not in known:
                    yield scope, key, flow

    def _watchers_of(self, scope: int | None) -> Mapping[str, str | None]:
        element = self._element(scope)
        return watchers(self._plan.target, None if element is None else self._plan.goes_to(element))

    def _element(self, scope: int | None) -> str | None:
        return None if scope is None else self._rows[scope].element

    # What it would break -------------------------------------------------------------------------------------------------------------

    def refusals(self) -> Iterator[str]:
        """Yield what speaks against the tokens together: each may be where it is, but not all of them."""
        yield from self._lost_handlers(self._state.facts)
        scopes: dict[int | None, list[str]] = defaultdict(list)
        for row in self._state.rows:
            if not row.facts.get("watches") and self._plan.source.elements[row.element].parent == self._element(row.scope):
                scopes[row.scope].append(row.flow or "" if self._waits_at_join(row) else row.element)
        for scope, places in scopes.items():
            yield from self._judge(self._element(scope), places)

    def _judge(self, scope: str | None, places: list[str]) -> Iterator[str]:
        plan = self._plan
        before, after = plan.net(scope, target=False), plan.net(None if scope is None else plan.goes_to(scope), target=True)
        moved = [plan.goes_to(place) for place in places]
        for number, one in enumerate(moved):
            for other in moved[number + 1 :]:
                pair = f"{_named(plan.target, one)} and {_named(plan.target, other)}"
                if (beside := after.together(one, other)) is None:
                    yield f"Expected to tell whether {pair} run beside one another, but behind an inclusive join there are too many ways"
                elif not beside:
                    yield f"Expected {pair} to run beside one another, but they no longer do"
        known = {plan.goes_to(join): {plan.goes_to(flow) for flow in flows} for join, flows in before.starved(places).items()}
        for join, flows in after.starved(moved).items():
            if flows - known.get(join, set()):
                named = _named(plan.target, join)
                yield f"Expected a token on every flow into {named}, but none would ever come by {', '.join(sorted(flows))}"

    def _waits_at_join(self, row: Row) -> bool:
        """Whether a token has come to a join and not left it; a job may still have to let it in."""
        return is_join(self._plan.source.elements[row.element]) and not {"done", "error"} & row.facts.keys()

    # The new state -------------------------------------------------------------------------------------------------------------------

    def state(self, steps: tuple[Step, ...]) -> State:
        """Return the state in the target; what has to be set anew, or begins to watch, is ready."""
        told = {step.id: step for step in steps}
        rows = [self._row(row, told[row.id]) for row in self._state.rows if told[row.id].verdict is not Verdict.STOPPED]
        now = self._context.now.isoformat()
        for number, (scope, element, flow) in enumerate(self._new_watchers(), self._state.next_id):
            rows.append(Row(number, scope, element, snapshots.READY, now, flow, {"watches": True}))
        number = self._state.next_id + len(told) - len(self._state.rows)
        return replace(self._state, next_id=number, rows=rows, facts=self._facts(self._state.facts))

    def _row(self, row: Row, step: Step) -> Row:
        flow = None if row.flow is None else self._plan.goes_to(row.flow)
        moved = row._replace(element=step.to or row.element, flow=flow, facts=self._facts(row.facts))
        if step.verdict is not Verdict.RESET:
            return moved
        return moved._replace(state=snapshots.READY, facts={key: value for key, value in row.facts.items() if key not in _DUE})

    def _facts(self, facts: Facts) -> dict[str, Any]:
        """Give the elements that are remembered their new ids: what can be compensated, where an event subprocess began."""
        goes_to, told = self._plan.goes_to, dict(facts)
        if "start" in facts:
            start, number = facts["start"]
            told["start"] = [goes_to(start), number]
        if "compensable" in facts:
            told["compensable"] = [self._entry(entry) for entry in facts["compensable"]]
        return told

    def _entry(self, entry: Facts) -> dict[str, Any]:
        named = {key: self._plan.goes_to(entry[key]) for key in ("activity", "handler") if key in entry}
        inner = {"inner": [self._entry(each) for each in entry["inner"]]} if "inner" in entry else {}
        return {**entry, **named, **inner}


def _reads(event: EventDefinition) -> tuple[object, ...]:
    """What is evaluated when a token comes to an event: when its timer is due, the name of its signal or message, its condition."""
    return event.timer, event.when, event.signal, event.message, event.condition, event.variable, event.changes


def _outside(row: Row) -> bool:
    """Whether a token has not come in yet, or only has to leave: an incident, or a job on the way in or out."""
    return "error" in row.facts or "job" in row.facts


def _named(definition: Definition, place: str) -> str:
    """Name a place: an element, or the join at the end of a flow."""
    if place in definition.flows:
        return f"{definition.elements[definition.flows[place].target].label} (by {place})"
    return definition.elements[place].label
