"""From a definition to what SpiffWorkflow runs."""

from __future__ import annotations

import weakref

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec

from bpmn.definition import Definition, Element, ElementType, EventType, LoopType
from bpmn.spiff.activities import CallActivity, Decision, UserTask, Work
from bpmn.spiff.catching import BoundaryEvent, CatchEvent, EventStart, ReceiveTask
from bpmn.spiff.element import ElementSpec
from bpmn.spiff.gateways import EventBasedGateway, ExclusiveGateway, InclusiveGateway, ParallelGateway
from bpmn.spiff.loops import MultiInstance, Sequential, StandardLoop
from bpmn.spiff.scopes import ROOT_NAME, EventSubprocess, Root, Subprocess
from bpmn.spiff.throwing import EndEvent, ThrowEvent
from bpmn.waits import WaitKind

CLASSES: dict[ElementType, type[ElementSpec]] = {
    ElementType.START_EVENT: ElementSpec,
    ElementType.END_EVENT: EndEvent,
    ElementType.CATCH_EVENT: CatchEvent,
    ElementType.THROW_EVENT: ThrowEvent,
    ElementType.BOUNDARY_EVENT: BoundaryEvent,
    ElementType.TASK: ElementSpec,
    ElementType.USER_TASK: UserTask,
    ElementType.RECEIVE_TASK: ReceiveTask,
    ElementType.SERVICE_TASK: Work,
    ElementType.SEND_TASK: Work,
    ElementType.SCRIPT_TASK: Work,
    ElementType.BUSINESS_RULE_TASK: Decision,
    ElementType.CALL_ACTIVITY: CallActivity,
    ElementType.SUBPROCESS: Subprocess,
    ElementType.TRANSACTION: Subprocess,
    ElementType.EVENT_SUBPROCESS: EventSubprocess,
    ElementType.EXCLUSIVE_GATEWAY: ExclusiveGateway,
    ElementType.PARALLEL_GATEWAY: ParallelGateway,
    ElementType.INCLUSIVE_GATEWAY: InclusiveGateway,
    ElementType.EVENT_BASED_GATEWAY: EventBasedGateway,
}
LOOPS: dict[LoopType, type[ElementSpec]] = {
    LoopType.PARALLEL: MultiInstance,
    LoopType.SEQUENTIAL: Sequential,
    LoopType.STANDARD: StandardLoop,
}


def class_of(element: Element, definition: Definition) -> type[ElementSpec]:
    """Return the class that runs an element."""
    if element.loop is not None and element.type is ElementType.MULTI_INSTANCE_BODY:
        return LOOPS[element.loop.type]
    if element.topic is not None or element.expression is not None:  # a thrown message, or a rule that is no table, is work too
        return Work
    parent = definition.elements.get(element.parent or "")
    if element.type is ElementType.START_EVENT and parent and parent.type is ElementType.EVENT_SUBPROCESS:
        return EventStart
    return CLASSES[element.type]


#: What several tokens may wait for at once.
_CAUGHT = (WaitKind.MESSAGE, WaitKind.SIGNAL, WaitKind.CONDITION)


class ProcessSpec(WorkflowSpec):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """A workflow spec with one task spec per element.  It is shared by all instances and nothing that runs changes it."""

    task_specs: dict[str, ElementSpec]
    start: Root

    def __init__(self, definition: Definition) -> None:
        super().__init__(name=definition.key)
        self.start = Root(self, definition)
        #: Whether something waits for a condition: only then changes of variables are watched.
        self.has_conditions = any(e.event_type is EventType.CONDITIONAL for e in definition.elements.values())
        #: Elements whose due date may move with the world.
        self.dated = frozenset(e.id for e in definition.elements.values() if e.due_date is not None and e.due_date.calls)
        for element in definition.elements.values():
            class_of(element, definition)(self, element, definition)
        #: Elements at which a token that rests waits for the world, and not for what may never come.
        self.awaiting = frozenset(
            n for n, spec in self.task_specs.items() if spec.kind and spec.element.type is not ElementType.START_EVENT
        )
        #: Elements at which a token waits for a message, a signal or a condition.
        self.catching = frozenset(spec.name for spec in self.task_specs.values() if spec.kind in _CAUGHT)
        for element in definition.elements.values():
            self._connect_inwards(element.id, element.attached_to, definition)

    def _connect_inwards(self, element: str, attached_to: str | None, definition: Definition) -> None:
        """Connect an element to what leads to it: flows, the activity it stands on, or the scope it starts."""
        spec = self.task_specs[element]
        sources = [definition.flows[flow].source for flow in definition.elements[element].incoming]
        sources += [attached_to] if attached_to else []
        for source in sources or [definition.elements[element].parent or ROOT_NAME]:
            self.task_specs[source].connect(spec)


_specs: dict[int, ProcessSpec] = {}


def spec_of(definition: Definition) -> ProcessSpec:
    """Return the spec of a definition, built once for as long as the definition lives."""
    spec = _specs.get(id(definition))
    if spec is None:
        spec = _specs[id(definition)] = ProcessSpec(definition)
        weakref.finalize(definition, _specs.pop, id(definition), None)
    return spec
