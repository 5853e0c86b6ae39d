"""What all elements share: one task spec of SpiffWorkflow per element of a diagram."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin

from bpmn import errors, waits
from bpmn.definition import AWAITED, BODY, SCOPES, Definition, Element, ElementType, EventType, Flow
from bpmn.spiff import compensation, values

if TYPE_CHECKING:
    from bpmn.spiff.loops import Body
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
        self.watching = tuple(b.id for b in boundaries if b.event_type in AWAITED)
        self.catching = tuple(b for b in boundaries if b.event_type not in AWAITED)
        #: Start events of the event subprocesses in it (a scope).
        self.starts = definition.event_starts(element.id) if element.type in SCOPES else []
        #: What compensates it: the activity that its boundary event leads to, or an event subprocess in it.
        self.handler = next((b.handler for b in self.catching if b.event_type is EventType.COMPENSATION), None)
        self.undone_inside = next((s.parent for s in self.starts if s.event_type is EventType.COMPENSATION), None)
        behind = definition.elements[self.flows[0].target] if len(self.flows) == 1 else None
        self._forks = behind is not None and not behind.drawn and behind.type is ElementType.INCLUSIVE_GATEWAY
        parent = definition.elements.get(element.parent or "")
        self._looped = parent.id if parent and parent.type is ElementType.MULTI_INSTANCE_BODY else None

    # What an element does: to be overridden --------------------------------------------------------------------------------------------

    def enter(self, token: Token) -> None:
        """Do what the element does when a token arrives.  An error leaves the token here, as an incident."""

    def leave(self, token: Token) -> None:
        """Do what is to be done once the world is done."""

    def end(self, token: Token) -> None:
        """Do to others what its end does to them, just before it ends; that may sweep it away."""
        if self.body:
            self.body.count(token)
            self.body.settle(token)

    def lose(self, token: Token) -> None:
        """One of the tokens inside has come to its end; after the last one the element is over."""
        if not token.inside:
            token.workflow.finish(token)

    def choose(self, token: Token) -> tuple[Flow, ...]:
        """Return the flows that a token leaves by: all without a condition, all whose condition is true, else the default."""
        test, variables, default = token.workflow.test, token.variables, self.element.default
        chosen = tuple(f for f in self.flows if f.id != default and (f.condition is None or test(f.condition, variables)))
        return chosen or self.otherwise()

    def otherwise(self) -> tuple[Flow, ...]:
        """Return the default flow."""
        chosen = tuple(flow for flow in self.flows if flow.id == self.element.default)
        if self.flows and not chosen:
            raise errors.InstanceError(f"Expected a flow out of {self.name} to be taken, but no condition is true and none is the default")
        return chosen

    def kind_of(self, token: Token) -> waits.WaitKind | None:  # noqa: ARG002 - some ask the token
        """Say what a token that rests here waits for, at a glance."""
        return self.kind

    def moves(self, token: Token) -> bool:  # noqa: ARG002 - some ask the token
        """Whether the date for which it waits moves with the world."""
        return False

    def wait(self, token: Token) -> waits.Wait | None:
        """Say what a token that rests here waits for; None if it is for what is inside."""

    def catches(self, kind: waits.WaitKind, name: str, token: Token) -> bool:  # noqa: ARG002 - events ask for it
        """Whether a token that rests here waits for this message or signal."""
        return False

    # What others need of it ------------------------------------------------------------------------------------------------------------

    @property
    def body(self) -> Body | None:
        """The body around it, if it runs several times."""
        return self._wf_spec.task_specs[self._looped] if self._looped else None

    @property
    def drawn_id(self) -> str:
        """Id of the activity in the diagram: that of a body is that of its activity."""
        return self.name.removesuffix(BODY)

    def boundary(self, event: EventType, code: str | None) -> ElementSpec | None:
        """Return the boundary event that catches what is raised: by its code, else one that catches every code."""
        return self._by_code(self.catching, event, code)

    def start(self, event: EventType, code: str | None, *, thrower: str) -> ElementSpec | None:
        """Return the start of an event subprocess in it that catches what is raised; none catches what it raises itself."""
        return self._by_code([s for s in self.starts if s.parent != thrower], event, code)

    def _by_code(self, events: Iterable[Element], event: EventType, code: str | None) -> ElementSpec | None:
        by_code: dict[str | None, str] = {}
        for e in events:
            if e.event and e.event.type is event:
                by_code.setdefault(e.event.name, e.id)
        caught_by = by_code.get(code) or by_code.get(None)
        return self._wf_spec.task_specs[caught_by] if caught_by else None

    # The steps of SpiffWorkflow --------------------------------------------------------------------------------------------------------

    def test(self) -> None:
        """Look at nothing when a token may run: the compiler has judged how the diagram hangs together."""

    def _predict_hook(self, my_task: Token) -> None:
        """Predict nothing: the future is in the diagram, and a token for each of its paths costs more than all the rest."""

    def _update_hook(self, my_task: Token) -> bool:
        """Let the token run, with as many others as the activity needs to start."""
        if self.element.start_quantity <= 1 or my_task.done or my_task.facts.get("continued") == "before":
            return True
        my_task.workflow.joins.add(my_task)
        self.gather(my_task)
        return False

    def gather(self, token: Token) -> None:
        """See whether a token that waits for others opens the way for them."""
        token.workflow.joins.open_by_number(token, self.element.start_quantity)

    def lacks(self, arrived: Mapping[str, Sequence[int]]) -> str:
        """Say what the tokens that wait here for others lack, when nothing else moves any more."""
        here = sum(len(numbers) for numbers in arrived.values())
        return f"Expected {self.element.start_quantity} tokens to start {self.name}, but {here} have come and none can arrive any more"

    def _on_ready_hook(self, my_task: Token) -> None:
        my_task.workflow.make_ready(my_task)

    def _run_hook(self, my_task: Token) -> bool | None:
        element = self.element
        # An event that has caught something comes with its work done; its job carries it on all the same, but none lets it watch.
        if element.async_before and not my_task.begun and not my_task.watches and self._needs_job(my_task, "before"):
            return None
        if not my_task.done:
            my_task.begin()
            if self.body:
                self.body.prepare(my_task)
            values.map_in(my_task, element.input_parameters)
            self.enter(my_task)
            if my_task.gone:  # what it has thrown has swept it away
                return None
            if self.rests and not my_task.done:
                my_task.workflow.watch(my_task, self.watching)
                return None
            my_task.facts["done"] = True
        my_task.begin()
        if "left" not in my_task.facts:
            self._leave(my_task)
            my_task.facts["left"] = True
            if element.async_after:  # its end comes before the job, as in Camunda 7
                my_task.workflow.record(my_task, "completed")
        if element.async_after and self._needs_job(my_task, "after"):
            return None
        self.end(my_task)
        if my_task.gone:
            return None
        my_task.taken = self.choose(my_task) if my_task.uncaught is None else ()
        return True

    def _leave(self, token: Token) -> None:
        """End the work, once: results go out, what can be compensated is noted."""
        if token.uncaught is None:
            self.leave(token)
        values.map_out(token, self.element.output_parameters)
        if token.uncaught is None:
            self._note(token)

    def _note(self, token: Token) -> None:
        """Note how it is compensated; what an error has ended is not."""
        inner = token.facts.get("compensable")
        if self.undone_inside:  # which undoes what was done inside, if it says so
            compensation.note(token, handler=self.undone_inside, inner=inner or [])
        elif self.handler:
            compensation.note(token, handler=self.handler)
        elif inner:
            compensation.note(token, inner=inner)

    def _needs_job(self, token: Token, phase: str) -> bool:
        """Whether the token must wait for a job here; it has come by one when `continued` says so."""
        if token.facts.get("continued") == phase:
            return False
        token.facts["job"] = phase
        element = self.element
        if element.job_priority:
            token.facts["job_priority"] = values.priority(token.evaluate(element.job_priority))
        if element.retry_cycle:
            token.facts["retry_cycle"] = values.text("retry time cycle", token.evaluate(element.retry_cycle))
        return True

    def _on_complete_hook(self, my_task: Token) -> None:
        process, scope = my_task.workflow, my_task.scope
        if self.element.type is ElementType.END_EVENT and scope is process.root:
            process.end = self.name
        facts: dict[str, Any] = {"local": self._seen(my_task)} if self._forks and "local" in my_task.facts else {}
        for flow in my_task.taken:
            for _ in range(self.element.completion_quantity):
                process.spawn(self._wf_spec.task_specs[flow.target], scope, flow=flow.id, **facts)

    def _seen(self, token: Token) -> dict[str, Any]:
        """Return what conditions on its flows see of its local variables: all but what its output parameters have just set outside."""
        given = {parameter.name for parameter in self.element.output_parameters}
        return {name: value for name, value in token.facts["local"].items() if name not in given}
