"""A token: one activation of one element."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.task import Task, TaskState

from bpmn import waits
from bpmn.definition import ElementType, Flow
from bpmn.expressions import Expression
from bpmn.snapshot import Facts

if TYPE_CHECKING:
    from bpmn.spiff.element import ElementSpec
    from bpmn.spiff.process import Process


class Token(Task):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """A task of SpiffWorkflow that carries no data, makes no tasks for the future, and has a small number for its id.

    The tree of tasks is the tree of scopes: the parent of a token is the subprocess that it is in (for a boundary event: the activity on
    which it stands), never the token before it.  So a token that has ended leaves the tree at once, which stays as deep as the diagram.

    States at rest: STARTED (waits for the world, or for what is inside it), WAITING (for other tokens, at a join), ERROR (an incident).
    """

    workflow: Process
    task_spec: ElementSpec
    id: int
    state: int
    children: list[Token]
    #: Number of the token around it; the process has none.
    _parent: Any

    def __init__(self, process: Process, spec: ElementSpec, scope: Token | None, *, number: int, since: datetime) -> None:
        # All that the library's own sets; that looks the scope up as well, and asks the clock of the host.
        self.id, self.workflow, self.task_spec, self._state = number, process, spec, TaskState.FUTURE
        self._parent = None if scope is None else scope.id
        self._children: list[int] = []
        self.data: dict[str, Any] = {}
        self.triggered, self.thread_id, self.last_state_change = False, 0, 0.0
        #: What the element must remember while the token is here (the library calls it `internal_data`).
        self.facts: Facts = {}
        self.internal_data = self.facts
        process.tasks[number] = self
        if scope is not None:
            scope._children.append(number)  # noqa: SLF001 - another token's
        #: When the token arrived.
        self.since = since
        #: Id of the flow it came by.
        self.flow: str | None = None
        #: Numbers of those that ended in it, at a join.
        self.joined: tuple[int, ...] = ()
        #: How many tokens are inside (a subprocess).
        self.inside = 0
        #: Whether the element has been entered: its job has come, if it has one before it, and as many tokens as it needs to start.
        self.begun = False
        #: The flows it leaves by.
        self.taken: tuple[Flow, ...] = ()

    @property
    def scope(self) -> Token:
        """The token around this one; it is awake as long as this one is."""
        return self.workflow.tasks.awake[self._parent]

    @property
    def watches(self) -> bool:
        """Whether this token only waits for an event: on its activity, behind an event-based gateway, or to start an event subprocess."""
        return "watches" in self.facts

    @property
    def holder(self) -> Token:
        """The activation that waits here: this one, or, if it only watches, the one around it."""
        return self.scope if self.watches else self

    @property
    def gone(self) -> bool:
        """Whether it has ended, or was taken away."""
        return self.workflow.tasks.awake.get(self.id) is not self

    @property
    def idle(self) -> bool:
        """Whether it is the start of an event subprocess that watches: such a token alone keeps nothing going."""
        return self.watches and self.task_spec.element.type is ElementType.START_EVENT

    @property
    def done(self) -> bool:
        """Whether the work of the element is over and only leaving it is left."""
        return bool(self.facts.get("done"))

    @property
    def under_way(self) -> bool:
        """Whether the element has been entered, and its output parameters are still to be set; not so if it failed on the way in."""
        return self.begun and not self.watches and "left" not in self.facts and (self.done or self.state != TaskState.ERROR)

    @property
    def uncaught(self) -> str | None:
        """Code of the error by which it ends, since nothing catches it; None: it does not end so."""
        code: str | None = self.facts.get("uncaught")
        return code

    @property
    def over(self) -> bool:
        """Whether the history knows its end already, though it is still here: it waits for its job behind the element."""
        return "after" in {self.facts.get("job"), self.facts.get("continued")}

    @property
    def kind(self) -> waits.WaitKind | None:
        """What the token waits for; nothing is evaluated, so a bound timer counts as one even if its expression fails."""
        state, facts = self._state, self.facts  # asked of every token several times in a command: attributes, not properties
        if state == TaskState.ERROR:
            return waits.WaitKind.INCIDENT
        if state != TaskState.STARTED:
            return None
        if "raised" in facts:
            return waits.WaitKind.ERROR
        return waits.WaitKind.JOB if "job" in facts else self.task_spec.kind_of(self)

    def wait(self) -> waits.Wait | None:
        """Say what the token waits for; None: for other tokens, or for nothing."""
        if self.state == TaskState.ERROR:
            return self.incident(self.facts["error"])
        if self.state != TaskState.STARTED:
            return None
        if "raised" in self.facts:
            return self.waiting(waits.WaitKind.ERROR, **self.facts["raised"])
        if "job" in self.facts:
            facts = self.facts
            return self.waiting(waits.WaitKind.JOB, priority=facts.get("job_priority", 0), retry_cycle=facts.get("retry_cycle"))
        return self.task_spec.wait(self)

    def catches(self, kind: waits.WaitKind, name: str) -> bool:
        """Whether the token waits for this message or signal."""
        return self.state == TaskState.STARTED and "raised" not in self.facts and self.task_spec.catches(kind, name, self)

    def incident(self, error: str) -> waits.Wait:
        """Return the wait of a token that has failed.  The message may quote a value, and PostgreSQL keeps no NUL in a text."""
        return self.waiting(waits.WaitKind.INCIDENT, error=error.replace("\0", "\ufffd"))

    def waiting(self, kind: waits.WaitKind, **particulars: Any) -> waits.Wait:
        """Return a wait of this token."""
        watches, holder = self.watches, self.holder
        number = None if holder is self.workflow.root else holder.id
        return waits.Wait(
            id=self.id,
            kind=kind,
            element=self.task_spec.name,
            since=self.since,
            attached_to=number if watches else None,
            holder=number,
            **particulars,
        )

    # Variables -----------------------------------------------------------------------------------------------------------------------

    @property
    def variables(self) -> Mapping[str, Any]:
        """What is visible from here: its local variables, then those of the scopes around it, then those of the process."""
        near, here, root = [], self, self.workflow.root
        while here is not root:
            if "local" in here.facts:
                near.append(here.facts["local"])
            here = here.scope
        return ChainMap(*near, self.workflow.variables) if near else self.workflow.variables

    def outwards(self) -> Iterator[Token]:
        """Yield the token and the scopes around it, without the process."""
        here = self
        while here is not self.workflow.root:
            yield here
            here = here.scope

    def set_variables(self, given: Mapping[str, Any]) -> None:
        """Set each variable in the nearest scope that has it, from the token outwards; a new one in the process."""
        places = [token for token in self.outwards() if token.facts.get("local")]  # mostly none, however much is given
        for name, value in given.items():
            place = next((token for token in places if name in token.facts["local"]), None)
            self.workflow.conditions.set(place, name, value)

    def _place_of(self, name: str) -> Token | None:
        """Return the nearest scope that has a variable; None: the process has it, or nobody."""
        return next((token for token in self.outwards() if name in token.facts.get("local", {})), None)

    def place_of(self, name: str) -> int | None:
        """Return the number of that scope."""
        place = self._place_of(name)
        return None if place is None else place.id

    def remove_variables(self, names: Iterable[str], *, local: bool) -> None:
        """Remove each variable from the nearest scope that has it, from the token outwards; or, if `local`, only from the token."""
        own = None if self is self.workflow.root else self
        for name in names:
            self.workflow.conditions.remove(own if local else self._place_of(name), name)

    def set_local(self, given: Mapping[str, Any]) -> None:
        """Set variables of the token itself."""
        self.facts.setdefault("local", {})
        for name, value in given.items():
            self.workflow.conditions.set(self, name, value)

    def evaluate(self, expression: Expression | None) -> Any:
        """Return the value of an expression over what is visible from here."""
        return self.workflow.evaluate(expression, self.variables)

    def evaluate_time(self, expression: Expression | None) -> Any:
        """Return the value of an expression about time, which may count from the arrival of the token (`Context.since`)."""
        context, element = self.workflow.context, self.task_spec.element
        context.since, context.asking = self.since, element.attached_to or element.id
        try:
            return self.evaluate(expression)
        finally:
            context.since = context.asking = None

    def test(self, condition: Expression) -> bool:
        """Return the value of a condition."""
        return self.workflow.test(condition, self.variables)

    def decide(self, decision: str) -> list[dict[str, Any]]:
        """Return the rows of a decision."""
        return self.workflow.decide(decision, self.variables)

    # Moving --------------------------------------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        """Come to the element, which decides whether to run at once."""
        # The library's own way in predicts first what may come behind it.
        if self.task_spec._update_hook(self):  # noqa: SLF001 - the task spec's own
            self._ready()

    def begin(self) -> None:
        """Enter the element: from now on this is an activation, and its time runs."""
        if not self.begun and not self.watches:
            self.begun, self.since = True, self.workflow.context.now
            self.workflow.record(self, None)

    def run_again(self) -> None:
        """Run once more in this command."""
        self._ready()

    def _ready(self) -> None:
        # The library's own would look for assignments that no element has.
        if not self._state & (TaskState.COMPLETED | TaskState.CANCELLED):
            self._state = TaskState.READY
            self.workflow.make_ready(self)

    def rest(self, state: int) -> None:
        """Stay here, in a state."""
        self._set_state(state)

    def _set_state(self, value: int) -> None:
        # The library's own version makes a log record at each change, which costs more than the change.
        self._state = value
        if value == TaskState.COMPLETED:
            self.workflow.record(self, "completed")
