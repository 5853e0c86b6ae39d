"""Rules about what events wait for or do: messages, signals, errors, escalations, conditions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.source import MODEL, camunda, local_reference
from bpmn.definition import Element, ElementType, EventType
from bpmn.expressions import no_condition

THROWING = frozenset({ElementType.THROW_EVENT, ElementType.END_EVENT})
CAUGHT = (EventType.ERROR, EventType.ESCALATION)
#: What may happen to a variable.
CHANGES = frozenset({"create", "update", "delete"})


def missing_message(drawing: Drawing) -> Problems:
    """What waits for a message says for which one, and a message has a name."""
    for element in drawing.of_event(EventType.MESSAGE):
        alone = element.type is ElementType.RECEIVE_TASK and not _references(drawing, element.id)
        named = element.event and element.event.written_name
        if element.type not in THROWING and not named and not alone and not _dangles(drawing, element.id):
            message = (
                f"Expected {drawing.label(element.id)} to wait for a message with a name, but it has none: choose or create the message"
            )
            yield element.id, message


def receive_without_message(drawing: Drawing) -> Problems:
    """A receive task without a message waits until a program says that it may go on."""
    for element in drawing.of_type(ElementType.RECEIVE_TASK):
        if not _references(drawing, element.id):
            message = f"Expected {drawing.label(element.id)} to wait for a message, but it has none"
            yield element.id, f"{message}: only /engine-rest/execution/{{id}}/signal brings it on; choose or create the message"


def missing_signal(drawing: Drawing) -> Problems:
    """A signal has a name."""
    for element in drawing.of_event(EventType.SIGNAL):
        if element.event and not element.event.signal and not _dangles(drawing, element.id):
            message = f"Expected {drawing.label(element.id)} to have a signal with a name, but it has none: choose or create the signal"
            yield element.id, message


def computed_name(drawing: Drawing) -> Problems:
    """The code of an error or an escalation and the name of a link are written, not computed: others must be able to find it."""
    for element in drawing.elements:
        name = element.event.name if element.event else None
        if element.event_type is not EventType.MESSAGE and name and ("${" in name or "#{" in name):
            what = f"the name of the {element.event_type} of {drawing.label(element.id)}"
            yield element.id, f"Expected {what} to be plain text, but it is {name[:60]!r}"


def missing_code(drawing: Drawing) -> Problems:
    """An error or escalation that is thrown has a code; one that is caught and declared has one too."""
    for element in drawing.elements:
        if element.event is None or element.event.type not in CAUGHT or element.event.name or _dangles(drawing, element.id):
            continue
        if element.type in THROWING or _references(drawing, element.id):
            what = element.event.type
            message = f"Expected the {what} of {drawing.label(element.id)} to have a code, but it has none: fill in the {what} code"
            yield element.id, message


def same_catch(drawing: Drawing) -> Problems:
    """On one activity, and in one scope, one event catches what comes: an error, an escalation, a message; a signal is for all."""
    for events in (*drawing.boundaries.values(), *(drawing.definition.event_starts(scope) for scope in drawing.scopes)):
        for kind in (*CAUGHT, EventType.MESSAGE):
            yield from _caught_twice(drawing, kind, events)
        yield from _caught_anyway(drawing, events)


def missing_condition(drawing: Drawing) -> Problems:
    """A conditional event has a condition, which is an expression."""
    for element in drawing.of_event(EventType.CONDITIONAL):
        condition = element.event.condition if element.event else None
        written = drawing.node(element.id).find(f"{MODEL}conditionalEventDefinition/{MODEL}condition")
        if condition is not None:
            instead = no_condition(condition)
        else:
            has_none = written is None or not "".join(map(str, written.itertext())).strip()
            instead = "it has none: write one" if has_none else None
        if instead:
            yield element.id, f"Expected {drawing.label(element.id)} to have a condition ${{…}} or =…, but {instead}"


def unknown_change(drawing: Drawing) -> Problems:
    """A variable is created, updated or deleted."""
    for element in drawing.of_event(EventType.CONDITIONAL):
        changes = element.event.changes if element.event else frozenset()
        if unknown := sorted(changes - CHANGES):
            what = f"variableEvents of {drawing.label(element.id)}"
            message = f"Expected {what} to be create, update or delete, but it has {unknown[0][:60]!r}: choose among these"
            yield element.id, message


def several_variables(drawing: Drawing) -> Problems:
    """The variable of a conditional event is one name."""
    for element in drawing.of_event(EventType.CONDITIONAL):
        definition = drawing.node(element.id).find(f"{MODEL}conditionalEventDefinition")
        name = camunda(definition, "variableName") if definition is not None else None
        if name and not name.replace("_", "a").isalnum():
            message = f"Expected the variable of {drawing.label(element.id)} to be one name, but it is {name[:60]!r}: write one, or none"
            yield element.id, message


def _caught_twice(drawing: Drawing, kind: EventType, events: Iterable[Element]) -> Problems:
    catching = [event for event in events if event.event_type is kind]
    names = Counter(event.event.written_name for event in catching if event.event)
    for event in catching:
        name = event.event.written_name if event.event else None
        if names[name] > 1 and (name or kind in CAUGHT):
            what = f"the {kind} {name[:60]!r}" if name else f"every {kind}"
            own = f"an {kind} code" if kind in CAUGHT else f"a {kind}"
            message = (
                f"Expected {drawing.label(event.id)} to catch what nothing else there catches, but others catch {what}: "
                f"keep one, or give it {own} of its own"
            )
            yield event.id, message


def _caught_anyway(drawing: Drawing, events: Iterable[Element]) -> Problems:
    """As in Camunda 7, an event that catches every escalation has no other beside it; for errors, that with the code comes first."""
    catching = [event for event in events if event.event_type is EventType.ESCALATION]
    coded = next((event for event in catching if event.event and event.event.name), None)
    for event in catching:
        if coded and event.event and not event.event.name:
            message = (
                f"Expected {drawing.label(event.id)} to be the only one there, since it catches every escalation, but "
                f"{drawing.label(coded.id)} catches one by its code: give it an escalation code of its own, or remove the other"
            )
            yield event.id, message


REFERENCES = ("messageRef", "signalRef", "errorRef", "escalationRef")


def _references(drawing: Drawing, key: str) -> list[str]:
    """List the messages, signals, errors and escalations that an event or a receive task refers to."""
    node = drawing.node(key)
    parts = [node, *(child for child in node.iterchildren(f"{MODEL}*") if str(child.tag).endswith("EventDefinition"))]
    return [local_reference(part.get(attribute, "")) for part in parts for attribute in REFERENCES if part.get(attribute)]


def _dangles(drawing: Drawing, key: str) -> bool:
    return any(reference not in drawing.source.nodes for reference in _references(drawing, key))
