"""An executable definition: one process of a diagram, read, checked and ready to run.

The compiler makes it from XML; `bpmn.spiff` runs it; the engine reads facts from it.  It is immutable and shared between instances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bpmn.expressions import Expression

EMPTY: Mapping[str, Any] = MappingProxyType({})


class ElementType(StrEnum):
    """Every flow node that runs; the value is the BPMN tag."""

    START_EVENT = "startEvent"
    END_EVENT = "endEvent"
    CATCH_EVENT = "intermediateCatchEvent"
    THROW_EVENT = "intermediateThrowEvent"  #: none event only: a milestone
    BOUNDARY_EVENT = "boundaryEvent"
    TASK = "task"  #: an undefined task passes through, as in Camunda 7
    USER_TASK = "userTask"
    RECEIVE_TASK = "receiveTask"
    SERVICE_TASK = "serviceTask"  #: external only (`camunda:type="external"` with a topic)
    BUSINESS_RULE_TASK = "businessRuleTask"
    CALL_ACTIVITY = "callActivity"
    SUBPROCESS = "subProcess"
    EXCLUSIVE_GATEWAY = "exclusiveGateway"
    PARALLEL_GATEWAY = "parallelGateway"
    INCLUSIVE_GATEWAY = "inclusiveGateway"


class EventType(StrEnum):
    """What an event waits for or does."""

    NONE = "none"
    MESSAGE = "message"
    TIMER = "timer"
    ERROR = "error"
    TERMINATE = "terminate"


class TimerType(StrEnum):
    """The three ISO 8601 forms of a timer."""

    DATE = "timeDate"
    DURATION = "timeDuration"
    CYCLE = "timeCycle"


@dataclass(frozen=True, kw_only=True)
class EventDefinition:
    """What an event waits for or does, with its particulars."""

    type: EventType
    #: Name of the message, or code of the error (None: catches every error).
    name: str | None = None
    timer: TimerType | None = None
    #: When the timer is due: an ISO 8601 text (literal) or `${…}` giving a date, a duration or a cycle.
    when: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class VariableMapping:
    """One `camunda:in` or `camunda:out` of a call activity."""

    #: Expression over the giving side's variables; None means all variables.
    source: Expression | None
    #: Variable of the receiving side; None together with `source=None`.
    target: str | None
    #: Written as `source="x"`: a variable that is not set passes null (an expression over it would be an error), as in Camunda 7.
    by_name: bool = False


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A sequence flow."""

    id: str
    name: str
    source: str
    target: str
    #: None: always taken, save where it is the default.
    condition: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Element:
    """A flow node, with everything that is written on it."""

    id: str
    name: str
    type: ElementType
    #: Line in the XML source, for messages.
    line: int = 0
    #: Id of the embedded subprocess the element stands in; None at the top of the process.
    parent: str | None = None
    #: `camunda:properties`, as `onething.…` names them.
    properties: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    #: Default flow of a gateway.
    default: str | None = None
    event: EventDefinition | None = None
    #: Boundary events: the activity they stand on, and whether they interrupt it.
    attached_to: str | None = None
    interrupting: bool = True
    #: User tasks: `camunda:candidateGroups`, split at commas, each part an expression.
    candidate_groups: tuple[Expression, ...] = ()
    assignee: Expression | None = None
    due_date: Expression | None = None
    priority: Expression | None = None
    #: Key of the form (`camunda:formRef`), or the name of its file (`camunda:formKey="camunda-forms:deployment:intake.form"`).
    form_ref: str | None = None
    #: Fields of `camunda:formData`, as `bpmn.forms` reads them (None: no generated form).
    form_data: Any = None
    #: Service tasks: the external topic.
    topic: Expression | None = None
    #: Receive tasks: the message name stands in `event`.
    #: Call activities: process id of the callee (literal or `${…}`), and what passes in and out.
    called: Expression | None = None
    inputs: tuple[VariableMapping, ...] = ()
    outputs: tuple[VariableMapping, ...] = ()
    #: Business rule tasks: decision id, the variable that takes the result, and Camunda's `mapDecisionResult`.
    decision_ref: Expression | None = None
    result_variable: str | None = None
    map_decision_result: str = "resultList"
    documentation: str = ""
    #: Element template that it was made from, with its version (`camunda:modelerTemplate`).
    template: str | None = None
    template_version: str | None = None
    #: False: the compiler inserted it (an implicit fork or end); it has no shape in the diagram.
    drawn: bool = True

    @property
    def label(self) -> str:
        """How messages call it: `“受理” (intake)`."""
        return f"“{self.name}” ({self.id})" if self.name else self.id


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One executable process."""

    #: Process id in the diagram, unique among definitions of one version.
    key: str
    name: str
    #: Properties of the `bpmn:process` element itself.
    properties: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    elements: Mapping[str, Element] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)
    documentation: str = ""
    version_tag: str | None = None
    history_time_to_live: str | None = None

    def starts(self, parent: str | None = None) -> tuple[Element, ...]:
        """Start events of the process, or of an embedded subprocess."""
        return tuple(e for e in self.elements.values() if e.type is ElementType.START_EVENT and e.parent == parent)

    def boundaries(self, activity: str) -> tuple[Element, ...]:
        """Boundary events that stand on an activity, in document order."""
        return tuple(e for e in self.elements.values() if e.attached_to == activity)
