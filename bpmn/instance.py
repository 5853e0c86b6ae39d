"""An instance: one process that runs.  The seam between the engine and the executor.

Every command comes to rest; what it leaves are `waits()`.  A command that does not fit raises InstanceError and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bpmn import snapshot as snapshots
from bpmn import spiff, starts
from bpmn.definition import Definition, EventType
from bpmn.errors import InstanceError
from bpmn.instructions import Instruction
from bpmn.parameters import HandedOn
from bpmn.spiff import modification, raising, waiting
from bpmn.waits import Activity, Context, Glance, Signal, Values, Wait, WaitKind

#: What can raise errors and escalations; and what is completed, by somebody or by another instance.
RAISING = (WaitKind.USER_TASK, WaitKind.EXTERNAL_TASK, WaitKind.CALL)
COMPLETED = (*RAISING, WaitKind.ESCALATION, WaitKind.ERROR)


class Instance:
    """One process that runs, between two commands at rest."""

    def __init__(self, definition: Definition, variables: Mapping[str, Any], context: Context) -> None:
        if context.now.utcoffset() is None:
            raise InstanceError(f"Expected the time to have an offset, but it is {context.now.isoformat()}")
        self.definition = definition
        self.emptied = False  #: Whether it has ended because a modification has canceled what was left of it.
        self._process = spiff.Process(spiff.spec_of(definition), dict(variables), context)

    def __del__(self) -> None:
        """Take the process apart: its tokens refer to it, and all of it would stay in memory until Python looks for such circles."""
        vars(vars(self).get("_process", self)).clear()

    @classmethod
    def start(
        cls,
        definition: Definition,
        variables: Mapping[str, Any],
        context: Context,
        *,
        at: str | None = None,
        elsewhere: Sequence[Instruction] = (),
    ) -> Instance:
        """Start at the plain start event, `at` another one (a message start), or `elsewhere`: where instructions put tokens."""
        instance = cls(definition, variables, context)
        if elsewhere:
            instance._process.open()
            instance.modify(*elsewhere)
        else:
            instance._process.begin(starts.event(definition, at).id)
            instance._process.run_to_rest()
        return instance

    @classmethod
    def load(cls, definition: Definition, snapshot: bytes, variables: Mapping[str, Any], context: Context) -> Instance:
        """Take an instance up again where `snapshot` left it."""
        instance = cls(definition, variables, context)
        spiff.restore(instance._process, snapshots.decode(snapshot))
        return instance

    def rest(self, context: Context) -> None:
        """Let an instance stay in memory, with as little as it needs there."""
        self._process.rest(context)

    def go_on(self, context: Context) -> None:
        """Take an instance up again that rests in memory, as if it had been loaded."""
        self._process.go_on(context)

    # What it is --------------------------------------------------------------------------------------------------------------------------

    @property
    def variables(self) -> dict[str, Any]:
        """The variables, once for the whole instance."""
        return self._process.variables

    @property
    def context(self) -> Context:
        """What the instance may ask of the world."""
        return self._process.context

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do."""
        return self._process.completed

    @property
    def end(self) -> str | None:
        """Id of the end event of the process that was reached last."""
        return self._process.end

    @property
    def error(self) -> str | None:
        """Code of the last error that nothing caught: it has ended one path."""
        return self._process.error

    @property
    def failed(self) -> bool:
        """Whether it has ended by such an error: no other path was left."""
        return self.ended and "failed" in self._process.root.facts

    def waits(self, *kinds: WaitKind, among: Collection[int] | None = None) -> tuple[Wait, ...]:
        """Say what it waits for, by id: of these kinds (none: all), `among` these ids (None: all).  Bound timers are evaluated anew."""
        return waiting.waits(self._process, kinds or waiting.ALL, among)

    def standing(self) -> dict[int, WaitKind]:
        """Say of what kind each wait is, by its id; nothing is evaluated."""
        return self.glance(None).kinds

    def kind_of(self, wait_id: int) -> WaitKind | None:
        """Say of what kind a wait is; None when nothing waits under this number.  Nothing is evaluated."""
        return waiting.kind_of(self._process, wait_id)

    def glance(self, among: Collection[int] | None = ()) -> Glance:
        """Say what waits, of what may have changed since `start` or `load` and `among` these (None: of all); nothing is evaluated."""
        return waiting.glance(self._process, among)

    @property
    def before(self) -> Glance:
        """What waited at `start` or `load`, of what may have changed since."""
        return self._process.tasks.before

    def history(self) -> list[Activity]:
        """Return the activations that started or ended since `start` or `load`, in order."""
        return list(self._process.activities.values())

    def tokens(self) -> list[Activity]:
        """Return the activations that last, each after the one it is in."""
        living = (token for token in self._process.tasks.values() if token is not self._process.root and not token.watches)
        return [self._process.activity(token) for token in living]

    @property
    def signals(self) -> list[Signal]:
        """Signals that were thrown since `start` or `load`, for other instances."""
        return self._process.signals

    @property
    def handed_on(self) -> list[HandedOn]:
        """Variables that were set to the very value of another one since `start` or `load`, in order: they take its type over, too."""
        return self._process.handed_on

    def canceled(self) -> frozenset[int]:
        """Ids of activations that were canceled, or ended by an error, since `start` or `load`: nobody will finish them."""
        gone = {activity.id for activity in self.history() if activity.outcome == "canceled" or activity.error is not None}
        return frozenset(gone | {token.id for token in self._process.tasks.awake.values() if "raised" in token.facts})

    def snapshot(self) -> bytes:
        """Write down where the tokens are."""
        return snapshots.encode(spiff.take(self._process))

    # Commands ----------------------------------------------------------------------------------------------------------------------------

    def complete(self, wait_id: int, variables: Values = None, *, local: Values = None) -> None:
        """Complete a user task, an external task, a call, or an escalation or error that went out and that nobody has caught.

        A call takes `variables` through its `camunda:out` only.  Those of the activity alone (`local`) are set after them.
        """
        token = self._find("complete", wait_id, *COMPLETED)
        if token.kind is WaitKind.ERROR:
            raising.give_up(token, token.facts["raised"]["name"])
        elif token.kind is WaitKind.CALL:
            token.facts["returned"] = dict(variables or {})
        else:
            raising.hand_over(token, variables, local)
        self._process.finish(token)
        self._process.run_to_rest()

    def deliver(self, wait_id: int, variables: Mapping[str, Any] | None = None) -> None:
        """Deliver a message or a signal to the one wait."""
        token = self._find("deliver", wait_id, WaitKind.MESSAGE, WaitKind.SIGNAL)
        token.set_variables(variables or {})
        token.task_spec.trigger(token)
        self._process.run_to_rest()

    def throw(self, message: str, variables: Mapping[str, Any] | None = None) -> int:
        """Deliver a message to every wait for it that is there now; return how many took it."""
        return self._give(WaitKind.MESSAGE, message, variables)

    def broadcast(self, signal: str, variables: Mapping[str, Any] | None = None) -> int:
        """Deliver a signal to every wait for it that is there now; return how many took it."""
        return self._give(WaitKind.SIGNAL, signal, variables)

    def fire(self, wait_id: int) -> None:
        """Let a timer go off.  Whether it is time is the caller's business."""
        token = self._find("fire", wait_id, WaitKind.TIMER)
        token.task_spec.trigger(token)
        self._process.run_to_rest()

    def execute(self, wait_id: int) -> None:
        """Carry a token on that waited for a job."""
        self._process.carry_on(self._find("execute", wait_id, WaitKind.JOB))
        self._process.run_to_rest()

    def raise_error(self, wait_id: int, code: str, message: str | None = None, variables: Values = None, local: Values = None) -> None:
        """Raise a BPMN error out of a task or a call; `variables` are what comes with it, of a call those of the other process."""
        token = self._find("raise an error at", wait_id, *RAISING)
        raising.hand_over(token, variables, local)
        raising.raise_error(token, code, message)
        if token.uncaught is not None:
            self._process.finish(token)
        self._process.run_to_rest()

    def offer_error(self, wait_id: int, code: str, message: str | None = None, variables: Mapping[str, Any] | None = None) -> bool:
        """Offer to a call an error of the other process, whose `variables` come with it; tells whether something here has caught it."""
        return self._offer(self._find("offer an error to", wait_id, WaitKind.CALL), EventType.ERROR, code, message, variables)

    def raise_escalation(self, wait_id: int, code: str, variables: Mapping[str, Any] | None = None) -> bool:
        """Raise an escalation out of a task or a call, which stays unless that interrupts it; tells whether something here caught it."""
        return self._offer(self._find("escalate at", wait_id, *RAISING), EventType.ESCALATION, code, None, variables)

    def _offer(self, token: spiff.Token, event: EventType, code: str, message: str | None, variables: Mapping[str, Any] | None) -> bool:
        raising.hand_over(token, variables)
        caught = raising.caught(token, event, code, message)
        self._process.run_to_rest()
        return caught

    def modify(self, *instructions: Instruction) -> list[int]:
        """Put tokens somewhere else, one instruction after the other; when none is left, the instance has ended.

        Returns the number of what each cancels or starts.  After one that is refused the instance is of no use: it is to be loaded again.
        """
        self._process.mappings = not any(instruction.skips_mappings for instruction in instructions)
        numbers = [modification.carry_out(self._process, instruction, self._place) for instruction in instructions]
        self._process.run_to_rest()
        self._process.mappings = True
        if not self._process.root.inside and not self.ended:
            self.cancel()
            self.emptied = True
        return numbers

    def set_variables(self, given: Mapping[str, Any], *, at: int | None = None, local: bool = False, quietly: bool = False) -> None:
        """Set variables as seen from an activation (None: the process): where they are, or (`local`) its own.

        Conditions see it, unless it is done `quietly`: nothing goes on in an instance that stands still.
        """
        place = self._place(at)
        put = place.set_local if local and place is not self._process.root else place.set_variables
        put(given)
        self._process.changed(quietly=quietly)

    def remove_variables(self, names: Iterable[str], *, at: int | None = None, local: bool = False, quietly: bool = False) -> None:
        """Remove variables, as `set_variables` sets them; what is not there is gone already."""
        self._place(at).remove_variables(names, local=local)
        self._process.changed(quietly=quietly)

    def variables_at(self, number: int, *, local: bool = False) -> dict[str, Any]:
        """Return the variables that an activation sees, or its own (`local`)."""
        token = self._place(number)
        return dict(token.facts.get("local", {}) if local else token.variables)

    def reschedule(self, wait_id: int, due_at: datetime | None) -> None:
        """Give a user task or a timer another date (None: a user task has none).  A bound timer moves with the world, never by hand."""
        token = self._find("reschedule", wait_id, WaitKind.USER_TASK, WaitKind.TIMER)
        if self._process.is_bound(wait_id):
            raise InstanceError(f"Expected to reschedule timer {token.task_spec.name}, but its expression says when it is due")
        token.facts.update(due_at=due_at and due_at.isoformat(), by_hand=True)

    def retry(self, wait_id: int) -> None:
        """Try again what failed.  A bound timer may have recovered by itself meanwhile."""
        kinds = (WaitKind.INCIDENT, WaitKind.TIMER) if self._process.is_bound(wait_id) else (WaitKind.INCIDENT,)
        self._find("retry", wait_id, *kinds)
        self._process.retry(wait_id)
        self._process.run_to_rest()

    def run(self) -> None:
        """Run what its snapshot left ready (`bpmn.migration` makes such snapshots)."""
        self._process.run_to_rest()

    def cancel(self, *, mappings: bool = True) -> None:
        """End the instance.  What is canceled sets its output parameters, unless without `mappings`: InstanceError when that fails."""
        self._process.mappings = mappings
        self._process.empty(self._process.root)
        self._process.stop()

    def _give(self, kind: WaitKind, name: str, variables: Mapping[str, Any] | None) -> int:
        taken = self._process.give(kind, name, variables or {})
        self._process.run_to_rest()
        return taken

    def _place(self, number: int | None) -> spiff.Token:
        """Return the token of an activation (None: the process)."""
        token = self._process.root if number is None else self._process.tasks.get(number)
        if token is None:
            raise InstanceError(f"Expected activation {number} to last, but it has ended or there never was one")
        return token.holder

    def _find(self, verb: str, wait_id: int, *kinds: WaitKind) -> spiff.Token:
        """Return the token of a wait of one of these kinds."""
        kind = None if self.ended else waiting.kind_found(self._process, wait_id)
        if kind in kinds:
            return self._process.tasks[wait_id]
        but = "the instance has ended" if self.ended else "nothing waits under this number"
        if kind is not None:
            but = f"it is {kind.replace('_', ' ')} {self._process.tasks[wait_id].task_spec.name}"
        raise InstanceError(f"Expected to {verb} {' or '.join(kind.replace('_', ' ') for kind in kinds)} {wait_id}, but {but}")
