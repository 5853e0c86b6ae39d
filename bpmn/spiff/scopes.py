"""Scopes: elements that hold the tokens of other elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpmn import errors
from bpmn.definition import AWAITED, Definition, Element, ElementType, EventType
from bpmn.spiff.element import ElementSpec

if TYPE_CHECKING:
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token

#: Name of the process itself among the specs.  No XML id can hold a `#`, so that no element collides with it.
ROOT_NAME = "#process"


class Scope(ElementSpec):
    """Holds tokens, and lasts as long as one is in it.  Its event subprocesses watch meanwhile."""

    rests = True

    def open(self, token: Token) -> None:
        """Let the event subprocesses of the scope watch."""
        token.workflow.watch(token, [start.id for start in self.starts if start.event_type in AWAITED])


class Root(Scope):
    """The process itself."""

    def __init__(self, process: ProcessSpec, definition: Definition) -> None:
        super().__init__(process, Element(id=ROOT_NAME, name=definition.name, type=ElementType.SUBPROCESS), definition)
        self.starts = definition.event_starts()

    def lose(self, token: Token) -> None:
        """After the last token the instance is over."""
        if not token.inside:
            token.workflow.stop()


class Subprocess(Scope):
    """An embedded subprocess, or a transaction."""

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        self.begin = next((start.id for start in definition.plain_starts(element.id)), None)

    def enter(self, token: Token) -> None:
        """Start what is inside."""
        if self.begin is None:
            raise errors.InstanceError(f"Expected the subprocess {self.name} to have a none start event, but it has none")
        self.open(token)
        token.workflow.spawn(self._wf_spec.task_specs[self.begin], token)


class EventSubprocess(Scope):
    """A subprocess that its start event starts, in the middle of the scope around it.

    One that is started by a compensation runs inside what has thrown it, when the scope around it is over; it knows what was done there.
    """

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        self.compensates = next((s.id for s in definition.starts(element.id) if s.event_type is EventType.COMPENSATION), None)

    def enter(self, token: Token) -> None:
        """Go on behind the start event that has caught something."""
        self.open(token)
        start, number = (self.compensates, None) if self.compensates else token.facts["start"]
        token.workflow.spawn(self._wf_spec.task_specs[start], token, number=number, done=True)

    def leave(self, token: Token) -> None:
        """What a compensation has left as it is stays so, as in Camunda 7."""
        if self.compensates:
            token.facts.pop("compensable", None)
