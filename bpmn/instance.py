"""An instance: one process that runs.  The seam between the engine and the executor.

A command returns when every token is at rest; `waits()` says what for.  One that does not fit raises InstanceError, and changes nothing.
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

#: Kinds of waits at which an error or an escalation can be raised; and those that can be completed.
RAISING = (WaitKind.USER_TASK, WaitKind.EXTERNAL_TASK, WaitKind.CALL)
COMPLETED = (*RAISING, WaitKind.ESCALATION, WaitKind.ERROR)


class Instance:
    """One process that runs, between two commands at rest."""

    def __init__(self, definition: Definition, variables: Values, context: Context) -> None:
        if context.now.utcoffset() is None:
            raise InstanceError(f"Expected the time to have an offset, but it is {context.now.isoformat()}")
        self.definition = definition
        self.emptied = False  #: Whether it has ended because a modification has canceled what was left of it.
        self._process = spiff.Process(spiff.spec_of(definition), dict(variables or {}), context)

    def __del__(self) -> None:
        """Take the process apart: its tokens refer to it, and all of it would stay in memory until Python looks for such circles."""
        vars(vars(self).get("_process", self)).clear()

    @classmethod
    def start(
        cls, definition: Definition, variables: Values, context: Context, *, at: str | None = None, elsewhere: Sequence[Instruction] = ()
    ) -> Instance:
        """Start at the plain start event, at another one (`at`: its id), or at none: where instructions put tokens (`elsewhere`)."""
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
        """Make an instance that stands where it stood when `snapshot` was taken, with these variables."""
        instance = cls(definition, variables, context)
        spiff.restore(instance._process, snapshots.decode(snapshot))
        return instance

    def rest(self, context: Context) -> None:
        """Make an instance small, so that it can stay in memory between two commands (`engine.live`)."""
        self._process.rest(context)

    def go_on(self, context: Context) -> None:
        """Use an instance again that has stayed in memory (`rest`), just as if it had been loaded from its snapshot now."""
        self._process.go_on(context)

    # What it is --------------------------------------------------------------------------------------------------------------------------

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of the process; local ones of activations are not among them."""
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
        """Return what it waits for, by id: only some `kinds` (none: all), only `among` some ids (None: all).  Evaluates bound timers."""
        return waiting.waits(self._process, kinds or waiting.ALL, among)

    def due(self, wait_id: int) -> tuple[str, datetime | None] | None:
        """Return the element of a timer, and when it is due (None: not known yet, or its expression fails); None: no timer waits there."""
        return waiting.due(self._process, wait_id)

    def kind_of(self, wait_id: int) -> WaitKind | None:
        """Give the kind of one wait; None when nothing waits under this id.  Nothing is evaluated."""
        return waiting.kind_of(self._process, wait_id)

    def glance(self, among: Collection[int] | None = ()) -> Glance:
        """Look at what may have changed since `start` or `load`, and at the waits `among` some ids (None: all); evaluates nothing."""
        return waiting.glance(self._process, among)

    def awaiting(self, kinds: Collection[WaitKind]) -> dict[int, WaitKind]:
        """Return the waits of some kinds, by id, that may have come up since `start` or `load`; INCIDENT must not be one of the kinds."""
        return {token.id: kind for token in self._process.tasks.awake.values() if (kind := token.kind) in kinds and kind}

    @property
    def before(self) -> Glance:
        """The waits that may have changed since `start` or `load`, as they were then."""
        return self._process.tasks.before

    def history(self) -> list[Activity]:
        """Return the activations that started or ended since `start` or `load`, in order."""
        return list(self._process.activities.values())

    def tokens(self) -> list[Activity]:
        """Return the activations that have not ended, each after the one around it."""
        living = (token for token in self._process.tasks.values() if token is not self._process.root and not token.watches)
        return [self._process.activity(token) for token in living]

    @property
    def signals(self) -> list[Signal]:
        """Signals that were thrown since `start` or `load`, for other instances."""
        return self._process.signals

    @property
    def handed_on(self) -> list[HandedOn]:
        """Variables that were set, since `start` or `load`, to just what another one holds, in order: they take over its type, too."""
        return self._process.handed_on

    def canceled(self) -> frozenset[int]:
        """Ids of activations that nobody will finish, since `start` or `load`: canceled, or ended by an error, or about to be."""
        gone = {activity.id for activity in self.history() if activity.outcome == "canceled" or activity.error is not None}
        return frozenset(gone | {token.id for token in self._process.tasks.awake.values() if "raised" in token.facts})

    def snapshot(self) -> bytes:
        """Give the bytes that `load` takes: where the tokens are, and what they remember.  The variables of the process are not in it."""
        return snapshots.encode(spiff.take(self._process))

    # Commands ----------------------------------------------------------------------------------------------------------------------------

    def complete(self, wait_id: int, variables: Values = None, *, local: Values = None) -> None:
        """Complete a user task, an external task or a call; or an escalation or error that was offered to the callers, and none caught.

        Sets `variables` as seen from it, then the `local` ones in its own scope.  At a call, `variables` are those of the called process,
        of which its `camunda:out` says what is taken over.
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
        """Deliver a message or a signal to one wait, by its id."""
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
        """Let a timer go off, whether or not it is due: the caller knows the time."""
        token = self._find("fire", wait_id, WaitKind.TIMER)
        token.task_spec.trigger(token)
        self._process.run_to_rest()

    def execute(self, wait_id: int) -> None:
        """Carry a token on that waited for a job."""
        self._process.carry_on(self._find("execute", wait_id, WaitKind.JOB))
        self._process.run_to_rest()

    def raise_error(self, wait_id: int, code: str, message: str | None = None, variables: Values = None, local: Values = None) -> None:
        """Raise a BPMN error at a task or a call, with `variables` as `complete` takes them; if nothing catches it, its path ends."""
        token = self._find("raise an error at", wait_id, *RAISING)
        raising.hand_over(token, variables, local)
        raising.raise_error(token, code, message)
        if token.uncaught is not None:
            self._process.finish(token)
        self._process.run_to_rest()

    def offer_error(self, wait_id: int, code: str, message: str | None = None, variables: Mapping[str, Any] | None = None) -> bool:
        """Offer a call an error that the process which it has called did not catch, with its `variables`; tells whether one here did."""
        return self._offer(self._find("offer an error to", wait_id, WaitKind.CALL), EventType.ERROR, code, message, variables)

    def raise_escalation(self, wait_id: int, code: str, variables: Mapping[str, Any] | None = None) -> bool:
        """Raise an escalation at a task or a call, which goes on unless an event interrupts it; tells whether something here caught it."""
        return self._offer(self._find("escalate at", wait_id, *RAISING), EventType.ESCALATION, code, None, variables)

    def _offer(self, token: spiff.Token, event: EventType, code: str, message: str | None, variables: Mapping[str, Any] | None) -> bool:
        raising.hand_over(token, variables)
        caught = raising.caught(token, event, code, message)
        self._process.run_to_rest()
        return caught

    def modify(self, *instructions: Instruction) -> list[int]:
        """Cancel and start activations, one instruction after the other; when no token is left, the instance has ended.

        Returns the id of what each cancels or starts.  After one that is refused (InstanceError) the instance must be loaded again.
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
        """Set variables as seen from an activation (`at`; None: the process): where each one is found, or, if `local`, in its own scope.

        Conditional events react, unless it is done `quietly`: in an instance that is suspended nothing goes on.
        """
        place = self._place(at)
        put = place.set_local if local and place is not self._process.root else place.set_variables
        put(given)
        self._process.changed(quietly=quietly)

    def remove_variables(self, names: Iterable[str], *, at: int | None = None, local: bool = False, quietly: bool = False) -> None:
        """Remove variables; the parameters are those of `set_variables`.  Names that are not there are no error."""
        self._place(at).remove_variables(names, local=local)
        self._process.changed(quietly=quietly)

    def variables_at(self, number: int, *, local: bool = False) -> dict[str, Any]:
        """Return the variables that are visible from an activation, or, if `local`, those of its own scope alone."""
        token = self._place(number)
        return dict(token.facts.get("local", {}) if local else token.variables)

    def reschedule(self, wait_id: int, due_at: datetime | None) -> None:
        """Set the date of a user task (None: it has none any more), or of a timer; raises InstanceError for a bound timer."""
        token = self._find("reschedule", wait_id, WaitKind.USER_TASK, WaitKind.TIMER)
        if self._process.is_bound(wait_id):
            raise InstanceError(f"Expected to reschedule timer {token.task_spec.name}, but its expression says when it is due")
        token.facts |= {"due_at": due_at.isoformat() if due_at else None, "by_hand": True}

    def retry(self, wait_id: int) -> None:
        """Try an incident again.  A bound timer that has recovered by itself meanwhile is no error."""
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
