"""Catching events: what waits for a message, a signal, the time or a condition."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.task import TaskState

from bpmn import errors, timers, waits
from bpmn.definition import Definition, Element, EventDefinition, EventType, TimerType
from bpmn.spiff import values
from bpmn.spiff.element import ElementSpec

if TYPE_CHECKING:
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token

KINDS = {
    EventType.MESSAGE: waits.WaitKind.MESSAGE,
    EventType.SIGNAL: waits.WaitKind.SIGNAL,
    EventType.TIMER: waits.WaitKind.TIMER,
    EventType.CONDITIONAL: waits.WaitKind.CONDITION,
}


class CatchEvent(ElementSpec):
    """Waits for something; behind an event-based gateway it watches there, and the first of them takes the gateway's place."""

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        self.event: EventDefinition = element.event or EventDefinition(type=EventType.NONE)
        self.kind = KINDS.get(self.event.type)
        self.rests = self.kind is not None  # the other end of a link is passed

    def enter(self, token: Token) -> None:
        """Set the timer, find out the name of the signal or message, see whether the condition holds already."""
        if self.event.type is EventType.TIMER:
            self.set_timer(token)
        elif (name := self.event.signal or self.event.message) is not None:
            token.facts["name"] = values.text(f"name of the {self.event.type}", token.evaluate(name), values.NAME)
        elif self.event.type is EventType.CONDITIONAL and self.holds(token):
            self.trigger_at_once(token)

    def trigger_at_once(self, token: Token) -> None:
        """What it waits for is there already."""
        if token.watches:
            self.trigger(token)
        else:
            token.facts["done"] = True

    def catches(self, kind: waits.WaitKind, name: str, token: Token) -> bool:
        """Whether it waits for this message or signal."""
        return self.kind is kind and name == (self.event.name or token.facts.get("name"))

    def trigger(self, token: Token) -> None:
        """What the token waits for has happened."""
        if token.watches:
            token.scope.rest(TaskState.COMPLETED)  # for the history: the gateway is passed, not canceled
            token.workflow.interrupt(token.scope, self, number=token.id, raced=True)
        else:
            token.workflow.finish(token)

    def leave(self, token: Token) -> None:
        """Take the parameters, which nothing has when it only watches behind an event-based gateway."""
        if token.facts.get("raced"):
            values.map_in(token, self.element.input_parameters)

    # Conditions ------------------------------------------------------------------------------------------------------------------------

    def concerns(self, name: str, change: str) -> bool:
        """Whether the condition is to be evaluated when a variable changes."""
        return self.event.variable in {None, name} and (not self.event.changes or change in self.event.changes)

    def holds(self, token: Token) -> bool:
        """Whether the condition holds; one about variables that are not there does not."""
        condition = self.event.condition
        assert condition is not None, f"{self.name} has no condition"
        try:
            return token.test(condition)
        except errors.ExpressionError:
            if condition.names <= token.variables.keys():
                raise
            return False

    # Timers ----------------------------------------------------------------------------------------------------------------------------

    def set_timer(self, token: Token) -> None:
        """Evaluate the timer; what it gives is kept, unless it is bound to functions whose value moves with the world."""
        when = self.event.when
        if when is not None and when.calls & token.workflow.context.live:
            token.facts["bound"] = True
            self.bound_due(token)  # a wrong expression is an incident now, not when it would be due
            return
        value = token.evaluate_time(when)
        if self.event.timer is TimerType.CYCLE and not isinstance(value, datetime):
            _keep(token, timers.cycle(value, token.since))
        else:
            token.facts["due_at"] = timers.due(value, token.since).isoformat()

    def bound_due(self, token: Token) -> datetime | None:
        """Evaluate a bound timer: null sleeps, and so does a date for which it has fired already; a cycle goes on from its date."""
        value, fired_for = token.evaluate_time(self.event.when), values.moment(token.facts.get("fired_for"))
        if value is None:
            return None
        if self.event.timer is TimerType.CYCLE and isinstance(value, str):
            if "//" in value:  # the date in it is null
                return None
            series = timers.cycle(value, token.since)
            return series.after(fired_for) if fired_for else series.due_at
        due_at = timers.due(value, token.since)
        return due_at if fired_for is None or due_at > fired_for else None

    def due_at(self, token: Token) -> datetime | None:
        """Say when the timer is due; raises BpmnError when one that is bound cannot be told."""
        return self.bound_due(token) if "bound" in token.facts else values.moment(token.facts["due_at"])

    def moves(self, token: Token) -> bool:
        """Whether the timer is bound."""
        return "bound" in token.facts

    def wait(self, token: Token) -> waits.Wait | None:
        """Wait for the message, the signal, the time or the condition."""
        if self.kind is None:
            return None
        if self.kind is not waits.WaitKind.TIMER:
            return token.waiting(self.kind, name=self.event.name or token.facts.get("name"))
        try:
            due_at = self.due_at(token)
        except errors.BpmnError as error:
            return token.incident(str(error))
        return token.waiting(waits.WaitKind.TIMER, due_at=due_at, repeats=self.repeats(token))

    def repeats(self, token: Token) -> bool:  # noqa: ARG002 - a watcher asks the token
        """Whether the timer stays after it has fired."""
        return False


class Watcher(CatchEvent):
    """A catching event that watches: it interrupts, or lets something start beside and watches on."""

    def trigger(self, token: Token) -> None:
        """Interrupt, or start something beside and keep watching."""
        if self.element.interrupting:
            self.take_over(token.scope, number=token.id)
            return
        self.take_over(token.scope)
        if self.event.type is EventType.TIMER:
            self.set_again(token)

    def take_over(self, scope: Token, *, number: int | None = None) -> None:
        """Go on here: instead of what is in the scope when it interrupts, beside it when not."""
        raise NotImplementedError

    def trigger_at_once(self, token: Token) -> None:
        """What it waits for is there already; watching begins all the same."""
        self.trigger(token)

    def set_again(self, token: Token) -> None:
        """Set the timer for its next time, or stop watching."""
        now = token.workflow.context.now
        if token.facts.get("bound"):
            once = self.event.timer is not TimerType.CYCLE  # what a cycle has missed is one
            token.facts["fired_for"] = (min(self.fired_date(token) or now, now) if once else now).isoformat()
            return
        series = _read(token.facts["cycle"]).following(now) if "cycle" in token.facts else None
        if series is None:
            token.workflow.discard(token)
        else:
            _keep(token, series)

    def fired_date(self, token: Token) -> datetime | None:
        """Return the date that a bound timer fires for."""
        try:
            return self.bound_due(token)
        except errors.BpmnError:
            return None

    def repeats(self, token: Token) -> bool:
        """Whether the timer stays after it has fired: a cycle that has more to come, or a bound timer."""
        left = token.facts["cycle"]["left"] if "cycle" in token.facts else 1
        return not self.element.interrupting and (left != 1 or "bound" in token.facts)


class BoundaryEvent(Watcher):
    """A catching event on an activity.  One token watches from within the activity; each time it fires, another one leaves."""

    def take_over(self, scope: Token, *, number: int | None = None) -> None:
        """Leave the activity by this event."""
        if self.element.interrupting:
            scope.workflow.interrupt(scope, self, number=number)
        else:
            scope.workflow.spawn(self, scope.scope, done=True)


class EventStart(Watcher):
    """The start event of an event subprocess.  Its token watches in the scope around the subprocess."""

    def take_over(self, scope: Token, *, number: int | None = None) -> None:
        """Start the event subprocess in the scope."""
        process = scope.workflow
        if self.element.interrupting:
            process.empty(scope)
        subprocess = self.element.parent
        assert subprocess is not None, f"{self.name} stands in no event subprocess"
        process.spawn(self._wf_spec.task_specs[subprocess], scope, start=[self.name, number])


class ReceiveTask(CatchEvent):
    """A task that waits for a message."""


def _keep(token: Token, series: timers.Cycle) -> None:
    written = {**asdict(series), "anchor": series.anchor.isoformat()}
    token.facts |= {"due_at": series.due_at.isoformat(), "cycle": written}


def _read(written: dict[str, Any]) -> timers.Cycle:
    return timers.Cycle(**{**written, "anchor": datetime.fromisoformat(written["anchor"])})
