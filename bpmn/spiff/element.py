"""What all elements share: one task spec of SpiffWorkflow per element of a diagram."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin

from bpmn import errors, waits
from bpmn.definition import AWAITED, BODY, SCOPES, Definition, Element, ElementType, EventType, Flow
from bpmn.snapshot import Facts
from bpmn.spiff import compensation, values

if TYPE_CHECKING:
    from bpmn.spiff.loops import Body
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token


class ElementSpec(BpmnSpecMixin):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """An element of the diagram; this class passes every token through.

    The life of a token here, as `_run_hook` has it: a job before the element, `enter`, rest until something is done, `leave`, a job behind
    it, `end`, and `choose` the flows.
    """

    #: Whether a token rests here, until something from outside, or what is inside, is done.
    rests = False
    #: What a token that rests here waits for; None: for what is inside.
    kind: waits.WaitKind | None = None
    _wf_spec: ProcessSpec
    name: str

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element.id, bpmn_name=element.name)
        self.element = element
        self.flows: tuple[Flow, ...] = tuple(definition.flows[flow] for flow in element.outgoing)
        #: Whether every token leaves by all of them.
        self._leads_everywhere = element.default is None and all(flow.condition is None for flow in self.flows)
        boundaries = definition.boundaries(element.id)
        self.boundaries = tuple(boundary.id for boundary in boundaries)
        #: Boundary events at which a token watches (a message, a time …), and those that are found when something is raised (an error …).
        self.watching = tuple(b.id for b in boundaries if b.event_type in AWAITED)
        self.catching = tuple(b for b in boundaries if b.event_type not in AWAITED)
        #: Start events of the event subprocesses in it (a scope).
        self.starts = definition.event_starts(element.id) if element.type in SCOPES else []
        #: What compensates it: the activity that its boundary event leads to, or an event subprocess in it.
        self.handler = next((b.handler for b in self.catching if b.event_type is EventType.COMPENSATION), None)
        self.undone_inside = next((s.parent for s in self.starts if s.event_type is EventType.COMPENSATION), None)
        #: Whether its own flows have conditions, for which the compiler has put a gateway behind it: that must see its local variables.
        behind = definition.elements[self.flows[0].target] if len(self.flows) == 1 else None
        self._forks = behind is not None and not behind.drawn and behind.type is ElementType.INCLUSIVE_GATEWAY
        #: Id of the multi-instance body around it (`body`).
        parent = definition.elements.get(element.parent or "")
        self._looped = parent.id if parent and parent.type is ElementType.MULTI_INSTANCE_BODY else None

    # What an element does: to be overridden --------------------------------------------------------------------------------------------

    def enter(self, token: Token) -> None:
        """Do what the element does when a token arrives.  An error leaves the token here, as an incident."""

    def leave(self, token: Token) -> None:
        """Do what is to be done when the token goes on: mostly, take over what has come."""

    def end(self, token: Token) -> None:
        """Do what the end of a token does to others, just before it ends; that may take this token away, too."""
        if self.body:
            self.body.count(token)
            self.body.cancel_others(token)

    def lose(self, token: Token) -> None:
        """Take note that a token inside has ended: after the last one the element is over."""
        if not token.inside:
            token.workflow.finish(token)

    def choose(self, token: Token) -> tuple[Flow, ...]:
        """Return the flows that a token leaves by: all without a condition, all whose condition is true, else the default."""
        if self._leads_everywhere:
            return self.flows
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
        """Say what a token that rests here waits for, without evaluating anything."""
        return self.kind

    def moves(self, token: Token) -> bool:  # noqa: ARG002 - some ask the token
        """Whether the date for which a token waits here is bound: an expression that is evaluated at each look."""
        return False

    def wait(self, token: Token) -> waits.Wait | None:
        """Say what a token that rests here waits for; None if it is for what is inside."""

    def catches(self, kind: waits.WaitKind, name: str, token: Token) -> bool:  # noqa: ARG002 - events ask for it
        """Whether a token that rests here waits for this message or signal."""
        return False

    # What others need of it ------------------------------------------------------------------------------------------------------------

    @property
    def body(self) -> Body | None:
        """The multi-instance body around it; None: it runs once."""
        return self._wf_spec.task_specs[self._looped] if self._looped else None

    @property
    def drawn_id(self) -> str:
        """Id of the activity in the diagram: that of a body is that of its activity."""
        return self.name.removesuffix(BODY)

    def boundary(self, event: EventType, code: str | None) -> ElementSpec | None:
        """Return the boundary event that catches an error or escalation: that of its code, else the one for every code; or None."""
        return self._by_code(self.catching, event, code)

    def start(self, event: EventType, code: str | None, *, thrower: str) -> ElementSpec | None:
        """Return the start of an event subprocess in it that catches likewise; none catches what it has thrown itself (`thrower`)."""
        return self._by_code([s for s in self.starts if s.parent != thrower], event, code)

    def _by_code(self, events: Iterable[Element], event: EventType, code: str | None) -> ElementSpec | None:
        by_code: dict[str | None, str] = {}
        for e in events:
            if e.event and e.event.type is event:
                by_code.setdefault(e.event.name, e.id)
        caught_by = by_code.get(code) or by_code.get(None)
        return self._wf_spec.task_specs[caught_by] if caught_by else None

    # The steps of SpiffWorkflow --------------------------------------------------------------------------------------------------------

    def _update_hook(self, my_task: Token) -> bool:
        """Let the token run, unless the activity needs several to start (`startQuantity`): then wait until so many are here."""
        if self.element.start_quantity <= 1 or my_task.done or my_task.facts.get("continued") == "before":
            return True
        my_task.workflow.joins.add(my_task)
        self.gather(my_task)
        return False

    def gather(self, token: Token) -> None:
        """Let the tokens that wait here go on if, with this one, enough have come."""
        token.workflow.joins.open_by_number(token, self.element.start_quantity)

    def lacks(self, arrived: Mapping[str, Sequence[int]]) -> str:
        """Say what the tokens that wait here for others still lack, now that nothing else can move any more.  `arrived`: by their flows."""
        here = sum(len(numbers) for numbers in arrived.values())
        return f"Expected {self.element.start_quantity} tokens to start {self.name}, but {here} have come and none can arrive any more"

    def _run_hook(self, my_task: Token) -> bool | None:
        element = self.element
        # A boundary event that has caught something comes with its work done, and may have a job; while it watches it has none.
        if element.async_before and not my_task.begun and not my_task.watches and self._needs_job(my_task, "before"):
            return None
        if not my_task.done:
            my_task.begin()
            if self.body:
                self.body.prepare(my_task)
            values.map_in(my_task, element.input_parameters)
            self.enter(my_task)
            if my_task.gone:  # what it has thrown was caught around it, and has ended it
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
        """Take the results over, set the output parameters, and note what could be compensated; once for each token."""
        if token.uncaught is None:
            self.leave(token)
        if self.element.output_parameters:
            values.map_out(token, self.element.output_parameters)
        if token.uncaught is None:
            self._note(token)

    def _note(self, token: Token) -> None:
        """Note for a later compensation what would undo this activity."""
        inner = token.facts.get("compensable")
        if self.undone_inside:  # which undoes what was done inside, if it says so
            compensation.note(token, handler=self.undone_inside, inner=inner or [])
        elif self.handler:
            compensation.note(token, handler=self.handler)
        elif inner:
            compensation.note(token, inner=inner)

    def _needs_job(self, token: Token, phase: str) -> bool:
        """Whether the token must wait for a job, before or behind the element; not when a job has just brought it on (`continued`)."""
        if token.facts.get("continued") == phase:
            return False
        token.facts["job"] = phase
        element = self.element
        if element.job_priority:
            token.facts["job_priority"] = values.priority(token.evaluate(element.job_priority))
        if element.retry_cycle:
            token.facts["retry_cycle"] = values.text("retry time cycle", token.evaluate(element.retry_cycle))
        return True

    def _on_complete(self, my_task: Token) -> None:
        # The library's own goes on to children that are not over: nothing that completes has any here.
        self._on_complete_hook(my_task)
        my_task.workflow._task_completed_notify(my_task)  # noqa: SLF001 - the library's own way

    def _on_complete_hook(self, my_task: Token) -> None:
        process, scope = my_task.workflow, my_task.scope
        if self.element.type is ElementType.END_EVENT and scope is process.root:
            process.end = self.name
        facts: Facts = {"local": self._seen(my_task)} if self._forks and "local" in my_task.facts else {}
        for flow in my_task.taken:
            for _ in range(self.element.completion_quantity):
                process.spawn(self._wf_spec.task_specs[flow.target], scope, flow=flow.id, **facts)

    def _seen(self, token: Token) -> dict[str, Any]:
        """Return the local variables that conditions on its flows see: all but those that output parameters have just set further out."""
        given = {parameter.name for parameter in self.element.output_parameters}
        return {name: value for name, value in token.facts["local"].items() if name not in given}
