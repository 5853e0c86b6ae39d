"""Rules about how a process and what is in it starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.definition import Element, ElementType, EventType

PLAIN = frozenset({EventType.NONE})
OF_PROCESS = PLAIN | {EventType.MESSAGE, EventType.TIMER, EventType.SIGNAL}
#: What begins for an applicant is begun by somebody.
OF_MATTER = PLAIN | {EventType.MESSAGE}
OF_EVENT_SUBPROCESS = frozenset(
    {EventType.MESSAGE, EventType.TIMER, EventType.SIGNAL, EventType.CONDITIONAL}
    | {EventType.ERROR, EventType.ESCALATION, EventType.COMPENSATION}
)


def no_start_event(drawing: Drawing) -> Problems:
    """A process and a subprocess begin somewhere."""
    for scope, elements in drawing.scopes.items():
        if not any(element.type is ElementType.START_EVENT for element in elements):
            yield scope, f"Expected {drawing.label(scope)} to have a start event, but it has none: draw one (开始事件)"


def several_starts(drawing: Drawing) -> Problems:
    """A process has one start by hand; a subprocess has one start."""
    for scope, elements in drawing.scopes.items():
        starts = [element for element in elements if element.type is ElementType.START_EVENT]
        counted = [start for start in starts if start.event_type is EventType.NONE] if scope is None else starts
        what = "one start event without a definition" if scope is None else "one start event"
        for extra in counted[1:]:
            message = (
                f"Expected {drawing.label(scope)} to have {what}, but it has {drawing.label(counted[0].id)} and "
                f"{drawing.label(extra.id)}: draw one, with a parallel gateway (并行网关) behind it if both ways are meant"
            )
            yield extra.id, message


def start_of_process(drawing: Drawing) -> Problems:
    """A process starts by hand, by a message, a timer or a signal; a matter or an item for an applicant, who comes by hand or message."""
    for start in drawing.definition.starts():
        if drawing.applied_for and start.event_type in OF_PROCESS - OF_MATTER:
            message = f"Expected {drawing.label(start.id)} to begin for an applicant, but it begins by itself: choose a message"
            yield start.id, message
        elif start.event_type is EventType.CONDITIONAL:
            message = (
                f"Expected {drawing.label(start.id)} to start a process, but before that nothing has variables to put a condition to: "
                "choose a message, which whoever knows of it sends with the variables, and put the condition on a flow behind it; "
                "within a case put it into an event subprocess (事件子流程)"
            )
            yield start.id, message
        elif start.event_type not in OF_PROCESS:
            message = (
                f"Expected {drawing.label(start.id)} to start a process, but its definition starts only an event subprocess: "
                "choose a message, a timer or a signal, or put it into an event subprocess (事件子流程)"
            )
            yield start.id, message


def waiting_start_in_subprocess(drawing: Drawing) -> Problems:
    """An embedded subprocess starts when its token comes, not by an event."""
    for start, around in _inner_starts(drawing):
        if around.type is not ElementType.EVENT_SUBPROCESS and start.event_type not in PLAIN:
            message = (
                f"Expected {drawing.label(start.id)} in a subprocess to have no definition, but it waits for something: "
                "draw a plain start event with a catch event (中间捕获事件) behind it, or an event subprocess (事件子流程)"
            )
            yield start.id, message


def plain_start_in_event_subprocess(drawing: Drawing) -> Problems:
    """An event subprocess starts by its event."""
    for start, around in _inner_starts(drawing):
        if around.type is ElementType.EVENT_SUBPROCESS and start.event_type not in OF_EVENT_SUBPROCESS:
            message = (
                f"Expected {drawing.label(start.id)} to say when its event subprocess starts, but it does not: "
                "choose a message, a timer, a signal, an error, an escalation, a compensation or a condition"
            )
            yield start.id, message


def flow_at_event_subprocess(drawing: Drawing) -> Problems:
    """No token comes to an event subprocess, and none leaves it."""
    for element in drawing.of_type(ElementType.EVENT_SUBPROCESS):
        if element.incoming or element.outgoing:
            message = (
                f"Expected no flow to or from {drawing.label(element.id)}, but there is one: an event subprocess starts by its event; "
                "remove the flow, or draw an embedded subprocess (子流程)"
            )
            yield element.id, message


def same_start(drawing: Drawing) -> Problems:
    """What starts something says which of the start events it means."""
    for starts in (drawing.definition.starts(), *(drawing.definition.event_starts(scope) for scope in drawing.scopes)):
        count = Counter(name for start in starts if any(name := _waits_for(start)))
        for start in starts:
            if count[name := _waits_for(start)] > 1:
                message = (
                    f"Expected each start event to wait for a message or signal of its own, but {drawing.label(start.id)} shares "
                    f"{name[1]!r} with another: give them different ones"
                )
                yield start.id, message


def computed_start(drawing: Drawing) -> Problems:
    """What starts a process is known before there is a case: it reads no variables."""
    for start in drawing.of_type(ElementType.START_EVENT):
        if start.parent is not None or start.event is None:
            continue
        computed = start.event.message or start.event.signal
        if computed and computed.dialect != "literal":
            message = f"the name of its {start.event.type} is {computed.source[:60]!r}: write the name"
            yield start.id, f"Expected {drawing.label(start.id)} to be known before a case is, but {message}"
        if start.event.when and start.event.when.names:
            names = ", ".join(sorted(start.event.when.names))[:60]
            message = f"its time reads {names}: write a date, a duration or a cycle"
            yield start.id, f"Expected {drawing.label(start.id)} to be known before a case is, but {message}"


def initiator_behind_job(drawing: Drawing) -> Problems:
    """Who starts a process is known when it starts, not when a job goes on."""
    for start in drawing.of_type(ElementType.START_EVENT):
        if start.async_before and start.result_variable:
            message = f"Expected {drawing.label(start.id)} to know who starts it, but a job enters it, and nobody is logged in there"
            yield start.id, f"{message}: tick “After” instead of “Before”"


def flow_into_start(drawing: Drawing) -> Problems:
    """Nothing leads into a start or a boundary event."""
    for element in drawing.of_type(ElementType.START_EVENT, ElementType.BOUNDARY_EVENT):
        if element.incoming:
            yield element.id, f"Expected nothing to lead into {drawing.label(element.id)}, but a flow does: lead it to the element behind"


def _inner_starts(drawing: Drawing) -> Iterator[tuple[Element, Element]]:
    """Yield start events of subprocesses, each with the subprocess."""
    for start in drawing.of_type(ElementType.START_EVENT):
        if start.parent is not None:
            yield start, drawing.definition.elements[start.parent]


def _waits_for(start: Element) -> tuple[str, str]:
    """Return the kind and name of the message or signal; empty where it waits for neither."""
    event = start.event
    waits = event and event.type in {EventType.MESSAGE, EventType.SIGNAL} and event.written_name
    return (str(event.type), waits) if event and waits else ("", "")
