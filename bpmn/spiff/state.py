"""The state of a process, taken out and put back."""

from __future__ import annotations

from bpmn.snapshot import State
from bpmn.spiff import waiting
from bpmn.spiff.process import Process


def take(process: Process) -> State:
    """Return the state of a process that has come to rest."""
    return State(
        next_id=process.next_id,
        end=process.end,
        error=process.error,
        completed=process.completed,
        rows=process.tasks.rows(),
        facts=process.root.facts,
    )


def restore(process: Process, state: State) -> None:
    """Put a state into a process that is empty."""
    process.next_id, process.end, process.error = state.next_id, state.end, state.error
    process.completed = state.completed
    process.root.facts.update(state.facts)
    waiting.lay(process, state.rows)
