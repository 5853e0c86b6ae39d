"""Events: how a process ends, and what it catches."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bpmn import errors, timers, waits
from bpmn.definition import Definition, Element, EventDefinition, EventType, TimerType
from bpmn.spiff import values
from bpmn.spiff.elements import ElementSpec

if TYPE_CHECKING:
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token


class EndEvent(ElementSpec):
    """The end of a token; with an error or as terminate, the end of others too."""

    def _on_complete_hook(self, my_task: Token) -> None:
        process, scope = my_task.workflow, my_task.scope
        event = self.element.event or EventDefinition(type=EventType.NONE)
        if scope is process.root or event.type is EventType.ERROR:
            process.end = self.name
        if event.type is EventType.ERROR:
            process.raise_error(scope, event.name or "")
        if event.type is EventType.TERMINATE:
            for other in scope.children:
                if other is not my_task and not other.watches:
                    process.discard(other)


class CatchEvent(ElementSpec):
    """Waits for a message or a timer."""

    rests = True

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        self.kind = waits.WaitKind.MESSAGE if self.event.type is EventType.MESSAGE else waits.WaitKind.TIMER

    @property
    def event(self) -> EventDefinition:
        """What it waits for."""
        assert self.element.event is not None, f"{self.name} has no event definition"
        return self.element.event

    def enter(self, token: Token) -> None:
        """Set the timer, if it is one."""
        if self.event.type is EventType.TIMER:
            self.set_timer(token)

    def catches(self, message: str) -> bool:
        """Whether it waits for this message."""
        return self.event.type is EventType.MESSAGE and self.event.name == message

    def trigger(self, token: Token) -> None:
        """What the token waits for has happened."""
        token.workflow.finish(token)

    def set_timer(self, token: Token) -> None:
        """Evaluate the timer; what it gives is kept, unless it is bound to functions whose value moves with the world."""
        when = self.event.when
        if when is not None and when.calls & token.workflow.context.live:
            token.facts["bound"] = True
            self.bound_due(token)  # a wrong expression is an incident now, not when it would be due
            return
        value = token.workflow.evaluate_for(token, when)
        if self.event.timer is TimerType.CYCLE and not isinstance(value, datetime):
            _keep(token, timers.cycle(value, token.since))
        else:
            token.facts["due_at"] = timers.due(value, token.since).isoformat()

    def bound_due(self, token: Token) -> datetime | None:
        """Evaluate a bound timer: null sleeps, and so does a date for which it has fired already."""
        value = token.workflow.evaluate_for(token, self.event.when)
        if value is None:
            return None
        due_at = timers.due(value, token.since)
        fired_for = values.moment(token.facts.get("fired_for"))
        return due_at if fired_for is None or due_at > fired_for else None

    def wait(self, token: Token) -> waits.Wait:
        """Wait for the message or the time."""
        if self.event.type is EventType.MESSAGE:
            return token.waiting(waits.WaitKind.MESSAGE, name=self.event.name)
        if not token.facts.get("bound"):
            due_at = values.moment(token.facts["due_at"])
            return token.waiting(waits.WaitKind.TIMER, due_at=due_at, repeats=self.repeats(token))
        try:
            return token.waiting(waits.WaitKind.TIMER, due_at=self.bound_due(token), repeats=self.repeats(token))
        except errors.BpmnError as error:
            return token.incident(str(error))

    def repeats(self, token: Token) -> bool:  # noqa: ARG002 - a boundary event asks the token
        """Whether the timer stays after it has fired."""
        return False


class BoundaryEvent(CatchEvent):
    """A catch event on an activity.  One token watches from within the activity; each time it fires, another one leaves."""

    def trigger(self, token: Token) -> None:
        """Interrupt the activity, or go on beside it and keep watching."""
        process, activity = token.workflow, token.scope
        if self.element.interrupting:
            process.interrupt(activity, self, number=token.id)
            return
        process.spawn(self, activity.scope, done=True)
        if self.event.type is EventType.TIMER:
            self.set_again(token)

    def set_again(self, token: Token) -> None:
        """Set the timer for its next time, or stop watching."""
        now = token.workflow.context.now
        if token.facts.get("bound"):
            token.facts["fired_for"] = min(self.fired_date(token) or now, now).isoformat()
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


class ReceiveTask(CatchEvent):
    """A task that waits for a message."""


def _keep(token: Token, series: timers.Cycle) -> None:
    written = {**asdict(series), "anchor": series.anchor.isoformat()}
    token.facts.update(due_at=series.due_at.isoformat(), cycle=written)


def _read(written: dict[str, Any]) -> timers.Cycle:
    return timers.Cycle(**{**written, "anchor": datetime.fromisoformat(written["anchor"])})
