"""Migration: an instance goes on in another version of its diagram, from where it is.

Nothing is carried on by it: every token comes to the same element, with its number, and waits there for what it waited for.  What that
would break is refused (docs/decisions/0009).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bpmn import snapshot as snapshots
from bpmn.errors import BpmnError
from bpmn.instance import Instance
from bpmn.migration.judging import Judge
from bpmn.migration.moving import Moving
from bpmn.migration.plan import Plan, label
from bpmn.migration.step import Step, Verdict
from bpmn.snapshot import State
from bpmn.waits import Context

__all__ = ["Migration", "Plan", "Step", "Verdict", "migrate"]


@dataclass(frozen=True, kw_only=True)
class Migration:
    """What becomes of an instance."""

    steps: tuple[Step, ...]
    #: Why it must stay as it is, besides what the steps say.
    refusals: tuple[str, ...] = ()
    #: What should be known of it, although it speaks against nothing.
    notes: tuple[str, ...] = ()
    #: The instance in its new definition; None when it must stay as it is.
    instance: Instance | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Everything that speaks against it."""
        return (*(step.reason for step in self.steps if step.verdict is Verdict.REFUSED), *self.refusals)


def migrate(plan: Plan, snapshot: bytes, variables: Mapping[str, Any], context: Context) -> Migration:
    """Take an instance over into the target of a plan, or say why it must stay as it is.  Neither changes what is given."""
    state = snapshots.decode(snapshot)
    if state.completed:
        return Migration(steps=(), refusals=("Expected an instance that runs, but it has ended",))
    moving = Moving(plan, state, context)
    steps = tuple(moving.steps())
    judge = Judge(plan, state, Instance.load(plan.source, snapshot, variables, context).glance(None).kinds)
    refusals = () if any(step.verdict is Verdict.REFUSED for step in steps) else tuple(judge.refusals())
    judged = Migration(steps=steps, refusals=refusals, notes=tuple(moving.notes()))
    if judged.reasons:
        return judged
    judged = replace(judged, notes=(*judged.notes, *judge.notes()))
    try:
        expected = moving.state(steps)
        instance = Instance.load(plan.target, snapshots.encode(expected), variables, context)
        instance.run()
    except BpmnError as error:
        return replace(judged, refusals=(str(error),))
    refusals = tuple(_unrest(plan, expected, snapshots.decode(instance.snapshot())))
    return replace(judged, refusals=refusals, instance=None if refusals else instance)


def _unrest(plan: Plan, expected: State, found: State) -> Iterator[str]:
    """Yield what has not come to rest where it was put: a migration is no step of the case."""
    failed = {row.id: row.facts["error"] for row in found.rows if "error" in row.facts}
    there, here = ({(row.id, row.element): row for row in state.rows} for state in (expected, found))
    for (number, element), row in there.items():
        called = label(plan.target, element)
        if number in failed and "error" not in row.facts:
            yield f"Expected to set {called} anew, but {failed[number]}: draw what can be told at once, or let the case pass it first"
        elif (number, element) not in here:
            yield f"Expected {called} to wait where it is, but it would go on at once: let the case pass it first"
    if there.keys() < here.keys():
        begun = ", ".join(label(plan.target, element) for _, element in here.keys() - there.keys())
        yield f"Expected nothing to begin at once, but {begun} would: let the case go on first"
