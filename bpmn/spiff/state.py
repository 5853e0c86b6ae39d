"""The state of a process, taken out and put back."""

from __future__ import annotations

from datetime import datetime

from SpiffWorkflow.task import TaskState

from bpmn.errors import InstanceError
from bpmn.snapshot import Row, State
from bpmn.spiff.process import Process
from bpmn.spiff.token import Token


def take(process: Process) -> State:
    """Return the state of a process that has come to rest."""
    tokens = [token for token in process.tasks.values() if token is not process.root]
    return State(
        next_id=process.next_id,
        end=process.end,
        error=process.error,
        completed=process.completed,
        rows=[_row(process, token) for token in tokens],
        facts=process.root.facts,
    )


def restore(process: Process, state: State) -> None:
    """Put a state into a process that is empty."""
    process.next_id, process.end, process.error = state.next_id, state.end, state.error
    process.completed = state.completed
    process.root.facts.update(state.facts)
    for row in state.rows:
        _place(process, row)


def _row(process: Process, token: Token) -> Row:
    scope = token.scope
    number = None if scope is process.root else scope.id
    return Row(token.id, number, token.task_spec.name, token.state, token.since.isoformat(), token.flow, token.facts)


def _place(process: Process, row: Row) -> None:
    spec = process.spec.task_specs.get(row.element)
    scope = process.root if row.scope is None else process.tasks.get(row.scope)
    if spec is None or scope is None:
        raise InstanceError(f"Expected token {row.id} at {row.element} in this definition, but there is no such place")
    token = Token(process, spec, scope, number=row.id, since=datetime.fromisoformat(row.since))
    token.flow = row.flow
    token.facts.update(row.facts)
    token.begun = not _is_ahead(token, row)
    token.rest(row.state)
    process.enter_scope(token)
    if row.state == TaskState.WAITING:
        process.joins.add(token)
    if row.state == TaskState.READY:
        process.make_ready(token)


def _is_ahead(token: Token, row: Row) -> bool:
    """Whether a token waits before its element: for a job, or for as many tokens as the activity needs to start."""
    return row.facts.get("job") == "before" or (row.state == TaskState.WAITING and token.task_spec.element.start_quantity > 1)
