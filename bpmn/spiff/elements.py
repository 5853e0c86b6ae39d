"""What all elements share, and the activities: one task spec of SpiffWorkflow per element of a diagram."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin

from bpmn import errors, waits
from bpmn.definition import Definition, Element, EventType, Flow
from bpmn.expressions import plain
from bpmn.spiff import values

if TYPE_CHECKING:
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token


class ElementSpec(BpmnSpecMixin):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """An element of the diagram.  By itself it passes every token through."""

    #: Whether a token rests here until the world (or what is inside) is done.
    rests = False
    #: What brings on a token that rests here; None: what is inside.
    kind: waits.WaitKind | None = None
    _wf_spec: ProcessSpec
    name: str

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element.id, bpmn_name=element.name)
        self.element = element
        self.flows: tuple[Flow, ...] = tuple(definition.flows[flow] for flow in element.outgoing)
        boundaries = definition.boundaries(element.id)
        self.boundaries = tuple(boundary.id for boundary in boundaries)
        self.watching = tuple(b.id for b in boundaries if b.event and b.event.type is not EventType.ERROR)
        self.catching = tuple(b for b in boundaries if b.event and b.event.type is EventType.ERROR)

    # What an element does: to be overridden --------------------------------------------------------------------------------------------

    def enter(self, token: Token) -> None:
        """Do what the element does when a token arrives.  An error leaves the token here, as an incident."""

    def leave(self, token: Token) -> None:
        """Do what is to be done once the world is done."""

    def choose(self, token: Token) -> tuple[Flow, ...]:
        """Return the flows that a token leaves by: all without a condition, all whose condition is true, else the default."""
        test = token.workflow.test
        chosen = tuple(f for f in self.flows if f.id != self.element.default and (f.condition is None or test(f.condition)))
        return chosen or self.otherwise()

    def otherwise(self) -> tuple[Flow, ...]:
        """Return the default flow."""
        chosen = tuple(flow for flow in self.flows if flow.id == self.element.default)
        if self.flows and not chosen:
            raise errors.InstanceError(f"Expected a flow out of {self.name} to be taken, but no condition is true and none is the default")
        return chosen

    def wait(self, token: Token) -> waits.Wait | None:
        """Say what a token that rests here waits for; None if it is for what is inside."""

    def catches(self, message: str) -> bool:  # noqa: ARG002 - events ask for it
        """Whether a token that rests here waits for this message."""
        return False

    def error_handler(self, code: str) -> ElementSpec | None:
        """Return the boundary event that catches an error: by its code, else one that catches every error."""
        by_code = {boundary.event.name: boundary.id for boundary in reversed(self.catching) if boundary.event}
        caught_by = by_code.get(code) or by_code.get(None)
        return self._wf_spec.task_specs[caught_by] if caught_by else None

    # The steps of SpiffWorkflow --------------------------------------------------------------------------------------------------------

    def _predict_hook(self, my_task: Token) -> None:
        """Predict nothing: the future is in the diagram, and a token for each of its paths costs more than all the rest."""

    def _update_hook(self, my_task: Token) -> bool:  # noqa: ARG002 - the signature of the library
        """Let the token run; the library would copy its predecessor's data here, but variables live once per instance."""
        return True

    def _on_ready_hook(self, my_task: Token) -> None:
        my_task.workflow.make_ready(my_task)

    def _run_hook(self, my_task: Token) -> bool | None:
        if my_task.done:
            self.leave(my_task)
        else:
            self.enter(my_task)
            if self.rests:
                for boundary in self.watching:
                    my_task.workflow.spawn(self._wf_spec.task_specs[boundary], my_task, watches=True)
                return None
            my_task.facts["done"] = True
        my_task.taken = self.choose(my_task)
        return True

    def _on_complete_hook(self, my_task: Token) -> None:
        for flow in my_task.taken:
            my_task.workflow.spawn(self._wf_spec.task_specs[flow.target], my_task.scope, flow=flow.id)


class UserTask(ElementSpec):
    """A task that somebody completes."""

    rests = True
    kind = waits.WaitKind.USER_TASK

    def enter(self, token: Token) -> None:
        """Find out whose task it is."""
        element, process = self.element, token.workflow
        token.facts["groups"] = values.groups([process.evaluate(group) for group in element.candidate_groups])
        if element.assignee:
            token.facts["assignee"] = values.text_or_none("assignee", process.evaluate(element.assignee))
        if element.due_date:
            token.facts["due_at"] = values.due_date(process.evaluate_for(token, element.due_date), token.since)
        if element.priority:
            token.facts["priority"] = values.priority(process.evaluate(element.priority))

    def wait(self, token: Token) -> waits.Wait:
        """Wait for a person."""
        facts = token.facts
        return token.waiting(
            self.kind,
            groups=tuple(facts["groups"]),
            assignee=facts.get("assignee"),
            task_due_at=self.due_at(token),
            priority=facts.get("priority", 50),
        )

    def due_at(self, token: Token) -> datetime | None:
        """Say when it is due.  A bound date moves with the world, as bound timers do; it stays where it was when it cannot be told."""
        due_date = self.element.due_date
        if due_date is not None and due_date.calls & token.workflow.context.live:
            try:
                return values.moment(values.due_date(token.workflow.evaluate_for(token, due_date), token.since))
            except errors.BpmnError:
                pass
        return values.moment(token.facts.get("due_at"))


class ServiceTask(ElementSpec):
    """A task that a worker completes."""

    rests = True
    kind = waits.WaitKind.EXTERNAL_TASK

    def enter(self, token: Token) -> None:
        """Find out the topic."""
        token.facts["name"] = values.text("topic", token.workflow.evaluate(self.element.topic))

    def wait(self, token: Token) -> waits.Wait:
        """Wait for a worker."""
        return token.waiting(self.kind, name=token.facts["name"])


class BusinessRuleTask(ElementSpec):
    """A decision table, evaluated on the spot."""

    def enter(self, token: Token) -> None:
        """Decide, and keep the result."""
        rows = token.workflow.decide(values.text("decision", token.workflow.evaluate(self.element.decision_ref)))
        result = plain(values.decision_result(rows, self.element.map_decision_result))
        if self.element.result_variable:
            token.workflow.variables[self.element.result_variable] = result


class CallActivity(ElementSpec):
    """Another process, which is an instance of its own."""

    rests = True
    kind = waits.WaitKind.CALL

    def enter(self, token: Token) -> None:
        """Find out which process, and what it is given."""
        process = token.workflow
        called = values.text("called element", process.evaluate(self.element.called))
        given = values.passed(self.element.inputs, process.variables, process.evaluate)
        token.facts.update(name=called, variables=given)

    def leave(self, token: Token) -> None:
        """Take over what the other process gives back."""
        process = token.workflow
        returned = token.facts.get("returned", {})
        process.variables.update(values.passed(self.element.outputs, returned, lambda source: process.evaluate(source, returned)))
        token.facts.pop("returned", None)  # once: leaving may fail and be tried again

    def wait(self, token: Token) -> waits.Wait:
        """Wait for the other instance."""
        return token.waiting(self.kind, name=token.facts["name"], variables=token.facts["variables"])


class Subprocess(ElementSpec):
    """An embedded subprocess: the scope of the tokens in it."""

    rests = True

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        starts = definition.starts(element.id)
        self.start = next((start.id for start in starts if start.event is None or start.event.type is EventType.NONE), None)

    def enter(self, token: Token) -> None:
        """Start what is inside."""
        if self.start is None:
            raise errors.InstanceError(f"Expected the subprocess {self.name} to have a none start event, but it has none")
        token.workflow.spawn(self._wf_spec.task_specs[self.start], token)
