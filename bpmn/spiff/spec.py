"""From a definition to what SpiffWorkflow runs."""

from __future__ import annotations

import weakref

from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec

from bpmn.definition import Definition, ElementType
from bpmn.spiff.elements import BusinessRuleTask, CallActivity, ElementSpec, ServiceTask, Subprocess, UserTask
from bpmn.spiff.events import BoundaryEvent, CatchEvent, EndEvent, ReceiveTask
from bpmn.spiff.gateways import ExclusiveGateway, InclusiveGateway, ParallelGateway

CLASSES: dict[ElementType, type[ElementSpec]] = {
    ElementType.START_EVENT: ElementSpec,
    ElementType.END_EVENT: EndEvent,
    ElementType.CATCH_EVENT: CatchEvent,
    ElementType.THROW_EVENT: ElementSpec,
    ElementType.BOUNDARY_EVENT: BoundaryEvent,
    ElementType.TASK: ElementSpec,
    ElementType.USER_TASK: UserTask,
    ElementType.RECEIVE_TASK: ReceiveTask,
    ElementType.SERVICE_TASK: ServiceTask,
    ElementType.BUSINESS_RULE_TASK: BusinessRuleTask,
    ElementType.CALL_ACTIVITY: CallActivity,
    ElementType.SUBPROCESS: Subprocess,
    ElementType.EXCLUSIVE_GATEWAY: ExclusiveGateway,
    ElementType.PARALLEL_GATEWAY: ParallelGateway,
    ElementType.INCLUSIVE_GATEWAY: InclusiveGateway,
}

#: Name of the root in the graph of specs.  No XML id can hold a `#`, so that no element collides with it.
ROOT_NAME = "#process"


class ProcessSpec(WorkflowSpec):  # type: ignore[misc]  # SpiffWorkflow is untyped
    """A workflow spec with one task spec per element.  It is shared by all instances and nothing that runs changes it."""

    task_specs: dict[str, ElementSpec]

    def __init__(self, definition: Definition) -> None:
        super().__init__(name=definition.key)
        self.start = TaskSpec(self, ROOT_NAME)
        for element in definition.elements.values():
            CLASSES[element.type](self, element, definition)
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
