"""One instance on its way: what becomes of each of its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from bpmn import snapshot as snapshots
from bpmn.definition import ElementType, EventDefinition
from bpmn.expressions import Expression
from bpmn.migration import places, remembered
from bpmn.migration.places import Stage
from bpmn.migration.plan import Plan, label, watchers
from bpmn.migration.step import Step, Verdict
from bpmn.snapshot import Facts, Row, State
from bpmn.waits import Context

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
        if reason := self._plan.misfit(row.element, at=places.stage(row)) or next(self._lost(row), ""):
            return replace(told, verdict=Verdict.REFUSED, reason=reason)
        return self._awaited(told, row)

    def _watcher(self, row: Row) -> Step:
        """A watching event stays while it watches over the same thing; one of another kind is another event."""
        to = self._plan.goes_to(row.element)
        if to not in self._watchers_of(row.scope) or self._plan.misfit(row.element):
            return Step(id=row.id, element=row.element, to=None, verdict=Verdict.STOPPED, reason="no longer drawn here")
        return self._awaited(Step(id=row.id, element=row.element, to=to, verdict=Verdict.KEPT), row)

    def _awaited(self, step: Step, row: Row) -> Step:
        """What an event waits for is found out anew where it reads otherwise; a plain name is looked up each time anyway."""
        old, new = self._plan.source.elements[row.element], self._plan.target.elements[step.to or ""]
        if old.event is None or new.event is None or _reads(old.event) == _reads(new.event) or not places.awaits(row, old):
            return step
        written = next((expression.source for expression in _reads(new.event) if isinstance(expression, Expression)), new.event.name or "")
        return replace(step, verdict=Verdict.RESET, reason=f"it reads {written} now")

    def _lost(self, row: Row) -> Iterator[str]:
        """Yield what a token needs of other elements and flows, and the target has not."""
        yield from remembered.lost(self._plan, row.facts)
        join = self._plan.goes_to(row.element)
        if row.flow and places.is_at_join(row, self._plan.target, join) and self._plan.goes_to(row.flow) not in self._incoming(join):
            called, named = label(self._plan.source, row.element), f"--map {row.flow}=…"
            yield (
                f"Expected flow {row.flow}, by which a token has come to {called}, to lead there in the new version, but it does not: "
                f"say with {named} which flow does"
            )

    def _incoming(self, element: str) -> tuple[str, ...]:
        return self._plan.target.elements[element].incoming

    def notes(self) -> Iterator[str]:
        """Yield which flows into joins at which tokens wait were found by what they join, not by their ids."""
        for join in {row.element: None for row in self._state.rows if places.is_at_join(row, self._plan.source, row.element)}:
            element = self._plan.source.elements[join]
            for flow in element.incoming:
                if flow in self._plan.redrawn:
                    yield f"Flow {flow} into {element.label} is {self._plan.redrawn[flow]} now: it leads the same way"

    # What begins to watch ------------------------------------------------------------------------------------------------------------

    def _new_watchers(self) -> Iterator[tuple[int | None, str, str | None]]:
        """Yield what has to begin to watch: the token it is in, the element, the flow that leads there."""
        plan = self._plan
        active: list[int | None] = [
            row.id for row in self._state.rows if not row.facts.get("watches") and places.stage(row) is Stage.INSIDE
        ]
        for scope in (None, *active):
            known = {plan.goes_to(key) for key in watchers(plan.source, self._element(scope)) if not self._plan.misfit(key)}
            for key, flow in self._watchers_of(scope).items():
                if key not in known and not (self._is_interrupted(scope) and self._starts(key)):
                    yield scope, key, flow

    def _watchers_of(self, scope: int | None) -> Mapping[str, str | None]:
        element = self._element(scope)
        return watchers(self._plan.target, None if element is None else self._plan.goes_to(element))

    def _element(self, scope: int | None) -> str | None:
        return None if scope is None else self._rows[scope].element

    def _is_interrupted(self, scope: int | None) -> bool:
        """Whether an event subprocess has ended all else in a scope: then no other one starts there."""
        started = [row.facts["start"][0] for row in self._state.rows if row.scope == scope and "start" in row.facts]
        return any(self._plan.source.elements[start].interrupting for start in started)

    def _starts(self, key: str) -> bool:
        return self._plan.target.elements[key].type is ElementType.START_EVENT

    # The new state -------------------------------------------------------------------------------------------------------------------

    def state(self, steps: tuple[Step, ...]) -> State:
        """Return the state in the target; what has to be set anew, or begins to watch, is ready."""
        told = {step.id: step for step in steps}
        rows = [self._row(row, told[row.id]) for row in self._state.rows if told[row.id].verdict is not Verdict.STOPPED]
        now = self._context.now.isoformat()
        for number, (scope, element, flow) in enumerate(self._new_watchers(), self._state.next_id):
            rows.append(Row(number, scope, element, snapshots.READY, now, flow, {"watches": True}))
        number = self._state.next_id + len(told) - len(self._state.rows)
        return replace(self._state, next_id=number, rows=rows, facts=remembered.renamed(self._plan, self._state.facts))

    def _row(self, row: Row, step: Step) -> Row:
        flow = None if row.flow is None else self._plan.goes_to(row.flow)
        moved = row._replace(element=step.to or row.element, flow=flow, facts=remembered.renamed(self._plan, row.facts))
        if step.verdict is not Verdict.RESET:
            return moved
        kept = cast("Facts", {name: value for name, value in moved.facts.items() if name not in _DUE})
        return moved._replace(state=snapshots.READY, facts=kept)


def _reads(event: EventDefinition) -> tuple[object, ...]:
    """What is evaluated when a token comes to an event: when its timer is due, the name of its signal or message, its condition."""
    return event.timer, event.when, event.signal, event.message, event.condition, event.variable, event.changes
