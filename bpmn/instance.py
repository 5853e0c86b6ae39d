"""An instance: one process that runs.  The seam between the engine and the executor.

Every command comes to rest; what it leaves are `waits()`.  A command that does not fit raises InstanceError and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpmn import snapshot as snapshots
from bpmn import spiff
from bpmn.definition import Definition, Element, ElementType, EventType
from bpmn.errors import InstanceError
from bpmn.expressions import plain
from bpmn.waits import Activity, Context, Wait, WaitKind

NO_VARIABLES: Mapping[str, Any] = {}


class Instance:
    """One process that runs, between two commands at rest."""

    def __init__(self, definition: Definition, variables: Mapping[str, Any], context: Context) -> None:
        if context.now.utcoffset() is None:
            raise InstanceError(f"Expected the time to have an offset, but it is {context.now.isoformat()}")
        self.definition = definition
        self._process = spiff.Process(spiff.spec_of(definition), dict(variables), context)

    @classmethod
    def start(cls, definition: Definition, variables: Mapping[str, Any], context: Context, *, at: str | None = None) -> Instance:
        """Start at the none start event, or `at` another one (a message start)."""
        event = _start_event(definition, at)
        instance = cls(definition, variables, context)
        process = instance._process
        process.spawn(process.spec.task_specs[event.id], process.root)
        process.run_to_rest()
        return instance

    @classmethod
    def load(cls, definition: Definition, snapshot: bytes, variables: Mapping[str, Any], context: Context) -> Instance:
        """Take an instance up again where `snapshot` left it."""
        instance = cls(definition, variables, context)
        spiff.restore(instance._process, snapshots.decode(snapshot))
        return instance

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
        """Code of the error that nothing caught."""
        return self._process.error

    def waits(self, *kinds: WaitKind) -> tuple[Wait, ...]:
        """Say what the instance waits for, of some kinds or of all, in the order of the ids.  Timers that are bound are evaluated anew."""
        return self._process.waits(kinds or tuple(WaitKind))

    def standing(self) -> dict[int, WaitKind]:
        """Say of what kind each wait is, by its id.  Nothing is evaluated: a bound timer that fails is a timer here."""
        return self._process.standing()

    def history(self) -> list[Activity]:
        """Return the activations that started or ended since `start` or `load`, in order."""
        return list(self._process.activities.values())

    def canceled(self) -> frozenset[int]:
        """Ids of what was taken away unfinished since `start` or `load`: waits and other activations."""
        return frozenset(activity.id for activity in self._process.activities.values() if activity.outcome == "canceled")

    def snapshot(self) -> bytes:
        """Write down where the tokens are."""
        return snapshots.encode(spiff.take(self._process))

    # Commands ----------------------------------------------------------------------------------------------------------------------------

    def complete(self, wait_id: int, variables: Mapping[str, Any] | None = None) -> None:
        """Complete a user task, an external task or a call; a call takes `variables` through its `camunda:out` only."""
        token = self._find("complete", wait_id, WaitKind.USER_TASK, WaitKind.EXTERNAL_TASK, WaitKind.CALL)
        if token.kind is WaitKind.CALL:
            token.facts["returned"] = plain(variables or NO_VARIABLES)
        else:
            self.variables.update(variables or NO_VARIABLES)
        self._process.finish(token)
        self._process.run_to_rest()

    def deliver(self, wait_id: int, variables: Mapping[str, Any] | None = None) -> None:
        """Deliver a message to the one wait."""
        token = self._find("deliver", wait_id, WaitKind.MESSAGE)
        self.variables.update(variables or NO_VARIABLES)
        token.task_spec.trigger(token)
        self._process.run_to_rest()

    def throw(self, message: str, variables: Mapping[str, Any] | None = None) -> int:
        """Deliver a message to every wait for it that is there now; return how many took it.

        A wait that an earlier one interrupted takes nothing.
        """
        waiting = [token for token in self._process.tasks.values() if token.catches(message)]
        if waiting:
            self.variables.update(variables or NO_VARIABLES)
        taken = 0
        for token in waiting:
            if self._process.tasks.get(token.id) is token and token.catches(message):
                token.task_spec.trigger(token)
                taken += 1
        self._process.run_to_rest()
        return taken

    def fire(self, wait_id: int) -> None:
        """Let a timer go off.  Whether it is time is the caller's business."""
        token = self._find("fire", wait_id, WaitKind.TIMER)
        token.task_spec.trigger(token)
        self._process.run_to_rest()

    def raise_error(self, wait_id: int, code: str) -> None:
        """Raise a BPMN error out of an external task or a call."""
        token = self._find("raise an error at", wait_id, WaitKind.EXTERNAL_TASK, WaitKind.CALL)
        self._process.raise_error(token, code)
        self._process.run_to_rest()

    def retry(self, wait_id: int) -> None:
        """Try again what failed.  A bound timer may have recovered by itself meanwhile."""
        kinds = (WaitKind.INCIDENT, WaitKind.TIMER) if self._process.is_bound(wait_id) else (WaitKind.INCIDENT,)
        self._find("retry", wait_id, *kinds)
        self._process.retry(wait_id)
        self._process.run_to_rest()

    def cancel(self) -> None:
        """End everything.  What has ended already stays as it is."""
        self._process.stop()

    def _find(self, verb: str, wait_id: int, *kinds: WaitKind) -> spiff.Token:
        """Return the token of a wait of one of these kinds."""
        what = f"Expected to {verb} {' or '.join(kind.replace('_', ' ') for kind in kinds)} {wait_id}, but"
        if self.ended:
            raise InstanceError(f"{what} the instance has ended")
        kind = self._process.kind_of(wait_id)
        if kind is None:
            raise InstanceError(f"{what} nothing waits under this number")
        token = self._process.tasks[wait_id]
        if kind not in kinds:
            raise InstanceError(f"{what} it is {kind.replace('_', ' ')} {token.task_spec.name}")
        return token


def _start_event(definition: Definition, at: str | None) -> Element:
    starts = definition.starts()
    if at is None:
        starts = tuple(start for start in starts if start.event is None or start.event.type is EventType.NONE)
        if len(starts) == 1:
            return starts[0]
        raise InstanceError(f"Expected to start {definition.key} at its none start event, but it has {len(starts) or 'none'}")
    element = definition.elements.get(at)
    if element is None or element.type is not ElementType.START_EVENT or element.parent is not None:
        raise InstanceError(f"Expected to start {definition.key} at {at}, but this is no start event of the process")
    return element
