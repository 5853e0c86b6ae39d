"""An executable definition: one process of a diagram, read, checked and ready to run.

The compiler makes it from XML; `bpmn.spiff` runs it; the engine reads facts from it.  It is immutable and shared between instances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any

from bpmn.expressions import Expression
from bpmn.parameters import Parameter, VariableMapping

EMPTY: Mapping[str, Any] = MappingProxyType({})


class ElementType(StrEnum):
    """Every flow node that runs; the value is the BPMN tag."""

    START_EVENT = "startEvent"
    END_EVENT = "endEvent"
    CATCH_EVENT = "intermediateCatchEvent"
    THROW_EVENT = "intermediateThrowEvent"
    BOUNDARY_EVENT = "boundaryEvent"
    TASK = "task"  #: an undefined task passes through, as in Camunda 7
    USER_TASK = "userTask"
    RECEIVE_TASK = "receiveTask"
    SERVICE_TASK = "serviceTask"  #: external (`camunda:type="external"` with a topic) or an expression
    SEND_TASK = "sendTask"  #: as a service task
    SCRIPT_TASK = "scriptTask"  #: an expression (juel or feel) with a result variable
    BUSINESS_RULE_TASK = "businessRuleTask"  #: a decision; or as a service task
    CALL_ACTIVITY = "callActivity"
    SUBPROCESS = "subProcess"
    EVENT_SUBPROCESS = "eventSubProcess"  #: a `subProcess` with `triggeredByEvent`
    TRANSACTION = "transaction"
    #: Around an activity that runs several times; inserted by the compiler, with the id `<activity>#multiInstanceBody`.
    MULTI_INSTANCE_BODY = "multiInstanceBody"
    EXCLUSIVE_GATEWAY = "exclusiveGateway"
    PARALLEL_GATEWAY = "parallelGateway"
    INCLUSIVE_GATEWAY = "inclusiveGateway"
    EVENT_BASED_GATEWAY = "eventBasedGateway"


TASKS = frozenset(kind for kind in ElementType if kind.value.lower().endswith("task"))
#: What runs for a while, and what a boundary event may stand on.
ACTIVITIES = TASKS | {ElementType.CALL_ACTIVITY, ElementType.SUBPROCESS, ElementType.TRANSACTION}
#: Elements that hold other elements.
SCOPES = frozenset({ElementType.SUBPROCESS, ElementType.EVENT_SUBPROCESS, ElementType.TRANSACTION, ElementType.MULTI_INSTANCE_BODY})
#: Gateways that let go of one token, by one of their flows; and those where tokens wait for one another.
CHOICES = frozenset({ElementType.EXCLUSIVE_GATEWAY, ElementType.EVENT_BASED_GATEWAY})
JOINS = frozenset({ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY})
#: Tasks that a program does, or an expression.
WORK = frozenset({ElementType.SERVICE_TASK, ElementType.SEND_TASK, ElementType.BUSINESS_RULE_TASK})
#: What the id of a multi-instance body ends in; no XML id can hold a `#`.
BODY = "#multiInstanceBody"
#: Local variables of a body and of each of its rounds, as Camunda 7 names them.
COUNTERS = ("nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances", "loopCounter")


class EventType(StrEnum):
    """What an event waits for or does."""

    NONE = "none"
    MESSAGE = "message"
    TIMER = "timer"
    SIGNAL = "signal"
    CONDITIONAL = "conditional"
    ERROR = "error"
    ESCALATION = "escalation"
    COMPENSATION = "compensation"
    CANCEL = "cancel"
    LINK = "link"  #: rewritten: two none throw events and a sequence flow
    TERMINATE = "terminate"


#: What a token can wait for; what else is caught is looked for when something is raised.
AWAITED = frozenset({EventType.MESSAGE, EventType.TIMER, EventType.SIGNAL, EventType.CONDITIONAL})


class TimerType(StrEnum):
    """The three ISO 8601 forms of a timer."""

    DATE = "timeDate"
    DURATION = "timeDuration"
    CYCLE = "timeCycle"


class Binding(StrEnum):
    """Which version of a process a call activity calls."""

    LATEST = "latest"
    DEPLOYMENT = "deployment"  #: of the same deployment
    VERSION = "version"
    VERSION_TAG = "versionTag"


@dataclass(frozen=True, kw_only=True)
class EventDefinition:
    """What an event waits for or does, with its particulars."""

    type: EventType
    #: Name of the message or link, code of the error or escalation (None: catches every one).
    name: str | None = None
    #: Name of the signal: a text, or an expression that is evaluated when the token arrives.
    signal: Expression | None = None
    message: Expression | None = None  #: Name of the message where it is not a text but an expression (`name` is None then).
    timer: TimerType | None = None
    #: When the timer is due: an ISO 8601 text (literal) or `${…}` giving a date, a duration or a cycle.
    when: Expression | None = None
    #: Conditional events: what must be true, and which changes of variables have it evaluated (none named: all).
    condition: Expression | None = None
    variable: str | None = None
    changes: frozenset[str] = frozenset()  #: Of create, update, delete; empty: all of them.
    #: Variables that take the code and the message of a caught error, the code of a caught escalation.
    code_variable: str | None = None
    message_variable: str | None = None
    #: Error end events: the text that goes with the error (`camunda:errorMessage` of the error).
    error_message: Expression | None = None
    #: Compensation throw: the activity that is compensated (None: all of the scope).
    activity: str | None = None
    #: Signal throw: the variables that go with it (`camunda:in`).
    inputs: tuple[VariableMapping, ...] = ()

    @property
    def written_name(self) -> str | None:
        """The name or code as it stands in the diagram; it may be an expression."""
        expression = self.signal or self.message
        return expression.source if expression else self.name


class LoopType(StrEnum):
    """How an activity runs several times."""

    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"
    STANDARD = "standard"  #: while a condition holds


@dataclass(frozen=True, kw_only=True)
class Loop:
    """`multiInstanceLoopCharacteristics` or `standardLoopCharacteristics`; stands on the body."""

    type: LoopType
    #: Multi-instance: how many, or one for each entry of a collection.
    cardinality: Expression | None = None
    collection: Expression | None = None
    element_variable: str | None = None  #: Variable of each instance that takes its entry.
    #: Multi-instance: evaluated after each instance; true ends the rest.  Standard loop: true runs it once more.
    condition: Expression | None = None
    #: Standard loop: whether the condition is evaluated before the first round too, and how many rounds there are at most.
    test_before: bool = False
    maximum: int | None = None
    #: Each single instance is a job (`camunda:asyncBefore/After` of the characteristics), with its own retries.
    async_before: bool = False
    async_after: bool = False
    retry_cycle: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A sequence flow."""

    id: str
    name: str
    source: str
    target: str
    condition: Expression | None = None  #: None: always taken, save where it is the default


@dataclass(frozen=True, kw_only=True)
class Element:
    """A flow node, with everything that is written on it."""

    id: str
    name: str
    type: ElementType
    line: int = 0  #: Line in the XML source, for messages.
    #: Id of the embedded subprocess the element stands in; None at the top of the process.
    parent: str | None = None
    #: `camunda:properties`, as `onething.…` names them.
    properties: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    default: str | None = None  #: Default flow of a gateway.
    event: EventDefinition | None = None
    #: Boundary events: the activity they stand on, and whether they interrupt it (start of an event subprocess: what is around it).
    attached_to: str | None = None
    interrupting: bool = True
    handler: str | None = None  #: Compensation boundary events: id of the handler that their association leads to.
    for_compensation: bool = False  #: `isForCompensation`: no flow leads here, a compensation does.
    #: How many tokens must arrive before the activity starts, and how many leave by each flow.
    start_quantity: int = 1
    completion_quantity: int = 1
    #: On a multi-instance body: how it runs.  (As drawn, before rewriting, it stands on the activity.)
    loop: Loop | None = None
    #: `camunda:asyncBefore/After`: a job carries the token on; how often and at what interval it is tried again (ISO 8601 cycle).
    async_before: bool = False
    async_after: bool = False
    retry_cycle: Expression | None = None
    job_priority: Expression | None = None
    #: `camunda:inputOutput`: parameters become local variables of the activity; results go to the variables around it.
    input_parameters: tuple[Parameter, ...] = ()
    output_parameters: tuple[Parameter, ...] = ()
    #: User tasks: `camunda:candidateGroups` and `candidateUsers`, split at commas, each part an expression.
    candidate_groups: tuple[Expression, ...] = ()
    candidate_users: tuple[Expression, ...] = ()
    assignee: Expression | None = None
    #: User tasks: name and description, where they are expressions.
    title: Expression | None = None
    description: Expression | None = None
    due_date: Expression | None = None
    follow_up_date: Expression | None = None
    priority: Expression | None = None  #: User tasks, and external tasks (`camunda:taskPriority`).
    #: Key of the form (`camunda:formRef`), or the name of its file (`camunda:formKey="camunda-forms:deployment:intake.form"`).
    form_ref: str | None = None
    #: Whether it is the form of the same deployment, or the newest one (`camunda:formRefBinding`).
    form_binding: Binding = Binding.DEPLOYMENT
    #: Fields of `camunda:formData`, as `bpmn.forms` reads them (None: no generated form).
    form_data: Any = None
    #: Work (service, send, rule and script tasks, thrown messages): the external topic, or an expression without side effects.
    topic: Expression | None = None
    expression: Expression | None = None
    #: Error codes that become BPMN errors when an external task fails and their condition holds (`camunda:errorEventDefinition`).
    worker_errors: tuple[tuple[str, Expression], ...] = ()
    #: Call activities: process id of the callee (literal or `${…}`), which version of it, and what passes in and out.
    called: Expression | None = None
    binding: Binding = Binding.LATEST
    called_version: Expression | None = None  #: Number or tag of the version, for the last two bindings.
    business_key: Expression | None = None  #: `camunda:in businessKey`; None: the callee has none of its own.
    inputs: tuple[VariableMapping, ...] = ()
    outputs: tuple[VariableMapping, ...] = ()
    #: Business rule tasks: decision id, and Camunda's `mapDecisionResult`.
    decision_ref: Expression | None = None
    #: The variable that takes the result of a decision, an expression or a script.
    result_variable: str | None = None
    map_decision_result: str = "resultList"
    documentation: str = ""
    #: Element template that it was made from, with its version (`camunda:modelerTemplate`).
    template: str | None = None
    template_version: str | None = None
    #: False: the compiler inserted it (an implicit fork or end); it has no shape in the diagram.
    drawn: bool = True

    @property
    def event_type(self) -> EventType:
        """What an event waits for or does; NONE for what is no event, too."""
        return self.event.type if self.event else EventType.NONE

    @property
    def label(self) -> str:
        """How messages call it: `“受理” (intake)`; a body is called as its activity."""
        drawn = self.id.removesuffix(BODY)
        return f"“{' '.join(self.name.split())}” ({drawn})" if self.name else drawn


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One executable process."""

    #: Process id in the diagram, unique among definitions of one version.
    key: str
    name: str
    line: int = 0  #: Line in the XML source, for messages.
    properties: Mapping[str, str] = field(default_factory=lambda: EMPTY)  #: Those of the `bpmn:process` element itself.
    elements: Mapping[str, Element] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)
    documentation: str = ""
    version_tag: str | None = None
    history_time_to_live: str | None = None
    startable_in_tasklist: bool = True  #: Whether people start it from a list (`camunda:isStartableInTasklist`).
    errors: Mapping[str, str] = field(default_factory=lambda: EMPTY)  #: What the file says of its errors, by their codes.

    def starts(self, parent: str | None = None) -> list[Element]:
        """Start events of the process, or of a subprocess."""
        return self._placed.get((ElementType.START_EVENT, parent), [])

    def plain_starts(self, parent: str | None = None) -> list[Element]:
        """Those of them that wait for nothing."""
        return [start for start in self.starts(parent) if start.event_type is EventType.NONE]

    def boundaries(self, activity: str) -> list[Element]:
        """Boundary events that stand on an activity, in document order."""
        return self._placed.get((ElementType.BOUNDARY_EVENT, activity), [])

    def event_starts(self, scope: str | None = None) -> list[Element]:
        """Start events of the event subprocesses that stand in a scope, in document order."""
        return [start for inside in self._placed.get((ElementType.EVENT_SUBPROCESS, scope), []) for start in self.starts(inside.id)]

    @cached_property
    def _placed(self) -> Mapping[tuple[ElementType, str | None], list[Element]]:
        """Elements by type and place: the activity they stand on, else the scope they stand in."""
        placed = defaultdict(list)
        for element in self.elements.values():
            placed[element.type, element.attached_to or element.parent].append(element)
        return placed
