"""A token: one activation of one element."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.task import Task, TaskState

from bpmn import waits
from bpmn.definition import Flow

if TYPE_CHECKING:
    from bpmn.spiff.elements import ElementSpec
    from bpmn.spiff.process import Process


class Token(Task):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """A task of SpiffWorkflow that carries no data, predicts no future and has a small number for its id.

    The tree of tasks is the tree of scopes: a token's parent is the subprocess it is in (a boundary event's that watches: the activity
    it stands on), never the token before it.  So finished tokens leave the tree at once, and the tree stays as deep as the diagram.

    States at rest: STARTED (waits for the world, or for what is inside it), WAITING (for other tokens, at a join), ERROR (an incident).
    """

    workflow: Process
    task_spec: ElementSpec
    id: int
    state: int
    children: list[Token]

    def __init__(self, process: Process, spec: ElementSpec, scope: Token | None, *, number: int, since: datetime) -> None:
        super().__init__(process, spec, scope, state=TaskState.FUTURE, id=number)
        #: When the token arrived.
        self.since = since
        #: Id of the flow it came by.
        self.flow: str | None = None
        #: How many tokens are inside (a subprocess).
        self.inside = 0
        #: The flows it leaves by.
        self.taken: tuple[Flow, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What the element must remember while the token is here, in JSON."""
        facts: dict[str, Any] = self.internal_data
        return facts

    @property
    def scope(self) -> Token:
        """The token around this one."""
        scope: Token = self.parent
        return scope

    @property
    def watches(self) -> bool:
        """Whether this is a boundary event that waits on its activity."""
        return bool(self.facts.get("watches"))

    @property
    def done(self) -> bool:
        """Whether the work of the element is over and only leaving it is left."""
        return bool(self.facts.get("done"))

    @property
    def kind(self) -> waits.WaitKind | None:
        """What the token waits for, at a glance: a bound timer is not evaluated for it."""
        if self.state == TaskState.ERROR:
            return waits.WaitKind.INCIDENT
        return self.task_spec.kind if self.state == TaskState.STARTED else None

    def wait(self) -> waits.Wait | None:
        """Say what the token waits for; None if it is for other tokens."""
        if self.state == TaskState.ERROR:
            return self.incident(self.facts["error"])
        return self.task_spec.wait(self) if self.state == TaskState.STARTED else None

    def catches(self, message: str) -> bool:
        """Whether the token waits for this message."""
        return self.has_state(TaskState.STARTED) and self.task_spec.catches(message)

    def incident(self, error: str) -> waits.Wait:
        """Return the wait of a token that could not go on."""
        return self.waiting(waits.WaitKind.INCIDENT, error=error)

    def waiting(self, kind: waits.WaitKind, **particulars: Any) -> waits.Wait:
        """Return a wait of this token."""
        attached_to = self.scope.id if self.watches else None
        return waits.Wait(id=self.id, kind=kind, element=self.task_spec.name, since=self.since, attached_to=attached_to, **particulars)

    def arrive(self) -> None:
        """Come to the element, which decides whether to run at once."""
        self.task_spec._update(self)  # noqa: SLF001 - the way in to a task spec

    def run_again(self) -> None:
        """Run in this command."""
        self._ready()

    def rest(self, state: int) -> None:
        """Stay as it is."""
        self._set_state(state)

    def _set_state(self, value: int) -> None:
        # The library's own compiles a log record at each change, which costs more than the change.
        self._state = value
        if value == TaskState.COMPLETED:
            self.workflow.record(self, "completed")
