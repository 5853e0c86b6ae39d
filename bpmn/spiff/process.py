"""A process that runs: its tokens, and how they move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Unpack

from SpiffWorkflow.task import TaskState
from SpiffWorkflow.workflow import Workflow

from bpmn import errors
from bpmn.expressions import Expression
from bpmn.instructions import PROCESS
from bpmn.parameters import HandedOn
from bpmn.snapshot import Facts
from bpmn.spiff import canceling, waiting
from bpmn.spiff.asking import ask
from bpmn.spiff.conditions import Conditions
from bpmn.spiff.element import ElementSpec
from bpmn.spiff.joins import Joins
from bpmn.spiff.spec import ProcessSpec
from bpmn.spiff.token import Token
from bpmn.spiff.tokens import Tokens
from bpmn.waits import NO_VARIABLES, Activity, Context, Signal, WaitKind

#: Elements that one command may run through; a flow that needs more goes round in circles.
STEP_LIMIT = 20_000


class Process(Workflow):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """A workflow of SpiffWorkflow that keeps only the tokens that have not ended, and one set of variables instead of one for each token.

    `bpmn.instance` is what others see of it.
    """

    spec: ProcessSpec
    tasks: Tokens
    completed: bool

    def __init__(self, spec: ProcessSpec, variables: dict[str, Any], context: Context) -> None:
        # `deserializing` keeps the library from making tokens for the whole diagram in advance.
        super().__init__(spec, deserializing=True)
        self.variables = variables
        self.context = context
        #: Id of the last end event of the process that was reached.
        self.end: str | None = None
        #: Code of the last error that nothing caught.
        self.error: str | None = None
        self.next_id = 1
        #: Whether input and output parameters are evaluated.
        self.mappings = True
        self.activities: dict[int, Activity] = {}
        self.tasks = Tokens(self)
        self.joins = Joins(self)
        #: Signals that were thrown, for other instances.
        self.signals: list[Signal] = []
        #: Variables that were set to just what another one held, in order: the engine gives them its type.
        self.handed_on: list[HandedOn] = []
        self.conditions = Conditions(self)
        #: Tokens that are to run: those that have become ready since one was last taken, in their order; and the others, the next one last.
        self._fresh: list[Token] = []
        self._stack: list[Token] = []
        self.root = self.task_tree = Token(self, spec.start, None, number=PROCESS, since=context.now)

    def open(self) -> None:
        """Let the event subprocesses of the process watch; no start event has been reached yet."""
        self.spec.start.open(self.root)

    def rest(self, context: Context) -> None:
        """Make the process small, to stay in memory: forget what the last command reported, and let every token sleep that can."""
        self.context = context
        self.activities, self.signals, self.handed_on = {}, [], []
        self.conditions.forget()
        self.tasks.sleep()

    def go_on(self, context: Context) -> None:
        """Get ready for the next command: note what waits now, to tell afterwards what the command has changed."""
        self.context = context
        waiting.note(self)

    def begin(self, start: str) -> None:
        """Start at a start event."""
        self.open()
        self.spawn(self.spec.task_specs[start], self.root)

    # Tokens come and go --------------------------------------------------------------------------------------------------------------

    def number(self) -> int:
        """Return the next number, which no token of this instance has ever had."""
        self.next_id += 1
        return self.next_id - 1

    def spawn(self, spec: ElementSpec, scope: Token, *, flow: str | None = None, number: int | None = None, **facts: Unpack[Facts]) -> int:
        """Put a new token at an element, within a scope; returns its number.  `flow`: id of the flow it comes by."""
        token = Token(self, spec, scope, number=number or self.number(), since=self.context.now)
        token.flow = flow
        token.facts |= facts
        self.enter_scope(token)
        token.arrive()
        return token.id

    def watch(self, token: Token, events: Iterable[str]) -> None:
        """Put tokens that watch at some events, within a token; they run before what the token itself has started."""
        started, self._fresh = self._fresh, []
        for event in events:
            self.spawn(self.spec.task_specs[event], token, watches=True)
        self._fresh += started

    def enter_scope(self, token: Token) -> None:
        """Count a token in its scope, which lasts as long as any token is inside; one that only watches does not count."""
        if not token.watches:
            token.scope.inside += 1

    def make_ready(self, token: Token) -> None:
        """Let a token run before this command ends."""
        self._fresh.append(token)

    def finish(self, token: Token) -> None:
        """The work of an element is over: its boundary events stop watching, and the token leaves."""
        token.facts["done"] = True
        for child in token.children:
            self.discard(child)
        token.run_again()

    def carry_on(self, token: Token) -> None:
        """Go on with a token that waited for a job: before its element, which it enters now, or behind it, which it leaves."""
        phase = token.facts["continued"] = token.facts.pop("job")
        if phase == "before":
            token.arrive()
        else:
            token.run_again()

    def interrupt(self, activity: Token, boundary: ElementSpec, *, number: int | None = None, **facts: Unpack[Facts]) -> None:
        """Stop an activity, with all that is in it, and go on at its boundary event."""
        scope = activity.scope
        canceling.cancel(self, activity)
        facts["done"] = True
        self.spawn(boundary, scope, number=number, **facts)

    def discard(self, token: Token) -> None:
        """Take a token away, with all that is in it, without setting output parameters; `canceling.cancel` sets them."""
        self._remove_task(token.id)

    def empty(self, scope: Token) -> None:
        """Cancel all that is in a scope, and let its event subprocesses watch no longer; its boundary events watch on."""
        canceling.cancel(self, *(token for token in scope.children if not (token.watches and token.task_spec.element.attached_to)))

    def signal(self, name: str, variables: Mapping[str, Any]) -> None:
        """Throw a signal: whatever waits for it in this instance gets it at once; the engine tells the others."""
        self.signals.append(Signal(name=name, variables=variables))
        self.give(WaitKind.SIGNAL, name, variables)

    def give(self, kind: WaitKind, name: str, variables: Mapping[str, Any]) -> int:
        """Give a message or signal to every token that waits for it now; returns how many took it.

        One that takes it may thereby end another that waits for it: that one takes nothing.
        """
        taken = 0
        for token in [token for token in self.tasks.at(self.spec.catching) if token.catches(kind, name)]:
            if not token.gone and token.catches(kind, name):
                token.set_variables(variables)
                token.task_spec.trigger(token)
                taken += 1
        return taken

    def changed(self, *, quietly: bool) -> None:
        """Let conditional events react to variables that were set from outside; or, if that was done `quietly`, take no notice."""
        if quietly:
            self.conditions.forget()
        else:
            self.run_to_rest()

    def stop(self) -> None:
        """End everything."""
        for token in self.root.children:
            self.discard(token)
        self.completed = True

    def _task_completed_notify(self, token: Token) -> None:
        if token.gone:  # its own error has swept it away
            return
        scope = token.scope
        self.discard(token)
        # A scope ends as the last token in it does: by an error that nothing caught, if that was so.  Thus also the process.
        if token.uncaught is not None or ("failed" in token.facts and not token.taken):
            scope.facts["failed"] = True
        elif "failed" in scope.facts:
            del scope.facts["failed"]
        scope.task_spec.lose(scope)

    def _remove_task(self, number: int) -> None:
        # The library's own version looks each child up, and sends an event that nobody listens to.
        token = self.tasks[number]
        for child in [*token._children]:  # noqa: SLF001 - the library's own list
            self._remove_task(child)
        scope = token.scope
        scope._children.remove(number)  # noqa: SLF001
        self.tasks.pop(number)
        if token.watches:
            return
        scope.inside -= 1
        state = token._state  # noqa: SLF001 - no detour by a property
        if state == TaskState.WAITING:
            self.joins.remove(token)
        if state != TaskState.COMPLETED:
            self.record(token, "canceled")

    def record(self, token: Token, outcome: str | None) -> None:
        """Note for the history that an activation has started (no outcome yet) or ended."""
        if not token.begun or (outcome and token.over):
            return
        ended_at = self.context.now if outcome else None
        self.activities[token.id] = self.activity(token, ended_at, outcome)

    def activity(self, token: Token, ended_at: datetime | None = None, outcome: str | None = None) -> Activity:
        """Describe an activation."""
        scope, facts = token._parent, token.facts  # noqa: SLF001 - the number of the one around it
        return Activity(
            id=token.id,
            element=token.task_spec.name,
            started_at=token.since,
            ended_at=ended_at,
            outcome=outcome,
            error=token.uncaught,
            scope=None if scope == PROCESS else scope,
            flow=token.flow,
            joined=token.joined,
            local=facts["local"] if outcome and "local" in facts else NO_VARIABLES,
        )

    # Running -------------------------------------------------------------------------------------------------------------------------

    def run_to_rest(self) -> None:
        """Run every token until it waits for something from outside.  What fails becomes an incident at its element, and others go on."""
        steps = 0
        while (token := self._next()) is not None:
            steps += 1
            try:
                if steps > STEP_LIMIT:
                    token.error()
                    if not token.begun:
                        token.facts["ahead"] = True
                    raise errors.InstanceError(f"Expected to come to rest within {STEP_LIMIT} steps, but the flow goes in circles")
                token.run()
            except errors.BpmnError as error:
                token.facts["error"] = str(error)

    def _next(self) -> Token | None:
        while True:
            if self.conditions.changes:
                self.conditions.evaluate()
            # Depth first, in the order of the diagram: one branch comes to rest before the next one starts.
            if self._fresh:
                self._stack += reversed(self._fresh)
                self._fresh = []
            while self._stack:
                token = self._stack.pop()
                if token._state == TaskState.READY and not token.gone:  # noqa: SLF001 - no detour by a property
                    return token
            if not (self.joins.waiting and self.joins.open_next()):
                return None

    def retry(self, number: int) -> None:
        """Let a token run again that has failed; one that waits for others at a join looks again whether they have all come.

        For a bound timer there is nothing to do (`is_bound`).
        """
        token = self.tasks[number]
        if token.has_state(TaskState.ERROR):
            del token.facts["error"]
            token.facts.pop("ahead", None)
            token.facts.pop("job", None)  # whether it needs one is asked again: a migration may have changed the answer
            token.run_again()
        elif token.has_state(TaskState.WAITING):
            token.task_spec.gather(token)

    def is_bound(self, number: int) -> bool:
        """Whether a token is a *bound* timer, whose expression is evaluated whenever somebody asks when it is due."""
        return number in self.tasks and "bound" in self.tasks[number].facts

    # Questions to the world ----------------------------------------------------------------------------------------------------------

    def evaluate(self, expression: Expression | None, variables: Mapping[str, Any]) -> Any:
        """Return the value of an expression over variables."""
        if expression is None:
            raise errors.InstanceError("Expected an expression, but nothing is written here")
        return ask(self.context, lambda: expression.evaluate(variables, self.context.functions))

    def test(self, condition: Expression, variables: Mapping[str, Any]) -> bool:
        """Return the value of a condition over variables."""
        return ask(self.context, lambda: condition.test(variables, self.context.functions))

    def decide(self, decision: str, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of a decision over variables."""
        decide = self.context.decide
        if decide is None:
            raise errors.InstanceError(f"Expected to evaluate the decision {decision}, but there are no decisions here")
        return ask(self.context, lambda: decide(decision, variables))
