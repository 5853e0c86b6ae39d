"""Throwing events: what a token does to others when it comes by, or when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpmn import waits
from bpmn.definition import Definition, Element, EventDefinition, EventType
from bpmn.spiff import canceling, compensation, raising, values
from bpmn.spiff.element import ElementSpec

if TYPE_CHECKING:
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token


class ThrowEvent(ElementSpec):
    """Throws a signal, an escalation or a compensation, and waits for whoever must answer; a none event is a milestone."""

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        self.event = element.event or EventDefinition(type=EventType.NONE)
        self.rests = self.event.type in {EventType.ESCALATION, EventType.COMPENSATION, EventType.CANCEL, EventType.ERROR}

    def enter(self, token: Token) -> None:
        """Throw."""
        if self.event.type is EventType.SIGNAL:
            self.signal(token)
        elif self.event.type is EventType.ESCALATION:
            self.escalate(token)
        elif self.event.type is EventType.COMPENSATION:
            entries = compensation.take(token, self.event.activity)
            token.facts["done"] = not compensation.start(token, entries)

    def signal(self, token: Token) -> None:
        """Give the signal to all that wait for it now."""
        name = values.text("name of the signal", token.evaluate(self.event.signal))
        local = token.facts.get("local", {})
        token.workflow.signal(name, values.passed(self.event.inputs, token.variables, token.evaluate, local=local))

    def escalate(self, token: Token) -> None:
        """Tell the scopes around, and, when none of them listens, the instance that called this one."""
        code = self.event.name or ""
        if raising.caught(token, EventType.ESCALATION, code) or not token.workflow.context.called:
            token.facts["done"] = True
        else:
            token.facts["name"] = code

    def kind_of(self, token: Token) -> waits.WaitKind | None:
        """An escalation that went out waits for its answer; a compensation waits for what is inside."""
        return waits.WaitKind.ESCALATION if "name" in token.facts else None

    def wait(self, token: Token) -> waits.Wait | None:
        """Wait for the calling instance."""
        return token.waiting(waits.WaitKind.ESCALATION, name=token.facts["name"]) if "name" in token.facts else None


class EndEvent(ThrowEvent):
    """The end of a token; with an error, as terminate or as cancel, the end of others too."""

    def enter(self, token: Token) -> None:
        """Throw, once it is known what is said about an error; a canceled transaction is compensated first."""
        super().enter(token)
        message = None
        if self.event.error_message:
            message = values.text_or_none("message of the error", token.evaluate(self.event.error_message))
        if self.event.type is EventType.CANCEL:
            self.end_others(token)
            token.facts["done"] = not compensation.start(token, compensation.take(token, None))
        if self.event.type is EventType.ERROR:
            raising.raise_error(token, self.event.name or "", message)

    def end(self, token: Token) -> None:
        """End others; what a cancel end event ends is around it."""
        process, scope = token.workflow, token.scope
        if self.event.type is EventType.TERMINATE:
            self.end_others(token)
        elif self.event.type is EventType.CANCEL:
            canceled = scope.scope if scope.task_spec.body else scope  # one that runs several times is left as a whole
            boundary = canceled.task_spec.boundary(EventType.CANCEL, None)
            assert boundary is not None, f"{canceled.task_spec.name} has no cancel boundary event"
            process.interrupt(canceled, boundary)

    def end_others(self, token: Token) -> None:
        """Cancel every other token of the scope."""
        canceling.cancel(token.workflow, *(other for other in token.scope.children if other is not token and not other.watches))
