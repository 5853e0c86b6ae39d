"""Rules about what an element needs before it can run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from bpmn.compiler.particulars import FORM_KEY
from bpmn.compiler.rules.rule import Drawing
from bpmn.compiler.source import MODEL, camunda, extensions, local_reference
from bpmn.definition import ElementType, EventType

Problems = Iterator[tuple[str | None, str]]

MAPPINGS = ("singleEntry", "singleResult", "collectEntries", "resultList")
OTHER_IMPLEMENTATIONS = ("class", "delegateExpression", "expression")


def not_external(drawing: Drawing) -> Problems:
    """A service task is done by a worker."""
    for element in drawing.of_type(ElementType.SERVICE_TASK):
        node = drawing.node(element.id)
        kind = camunda(node, "type")
        if kind != "external" and not any(camunda(node, name) for name in OTHER_IMPLEMENTATIONS):
            instead = f"its type is {kind!r}" if kind else "it says nothing about how it is done"
            yield element.id, f"Expected {drawing.label(element.id)} to be external, but {instead}: choose “External” and give it a topic"


def missing_topic(drawing: Drawing) -> Problems:
    """A worker asks for a topic."""
    for element in drawing.of_type(ElementType.SERVICE_TASK):
        node = drawing.node(element.id)
        if camunda(node, "type") == "external" and not (camunda(node, "topic") or "").strip():
            yield element.id, f"Expected {drawing.label(element.id)} to have a topic, but it has none: no worker would find it"


def missing_called_element(drawing: Drawing) -> Problems:
    """A call activity calls something."""
    for element in drawing.of_type(ElementType.CALL_ACTIVITY):
        node = drawing.node(element.id)
        if not node.get("calledElement", "").strip() and camunda(node, "caseRef") is None:
            yield element.id, f"Expected {drawing.label(element.id)} to call a process, but it names none: fill in “Called element”"


def missing_decision(drawing: Drawing) -> Problems:
    """A business rule task decides by a table."""
    for element in drawing.of_type(ElementType.BUSINESS_RULE_TASK):
        node = drawing.node(element.id)
        other = any(camunda(node, name) for name in (*OTHER_IMPLEMENTATIONS, "type"))
        if not (camunda(node, "decisionRef") or "").strip() and not other:
            message = f"Expected {drawing.label(element.id)} to name a decision, but it names none: choose “DMN” and fill in the decision"
            yield element.id, message


def unknown_result_mapping(drawing: Drawing) -> Problems:
    """There are four ways to map the result of a decision."""
    for element in drawing.of_type(ElementType.BUSINESS_RULE_TASK):
        if element.map_decision_result not in MAPPINGS:
            message = (
                f"Expected mapDecisionResult of {drawing.label(element.id)} to be one of {', '.join(MAPPINGS)}, "
                f"but it is {element.map_decision_result[:60]!r}"
            )
            yield element.id, message


def result_not_kept(drawing: Drawing) -> Problems:
    """A decision whose result goes nowhere."""
    for element in drawing.of_type(ElementType.BUSINESS_RULE_TASK):
        if not element.result_variable:
            yield element.id, f"Expected {drawing.label(element.id)} to keep its result, but it names no result variable: fill it in"


def missing_message(drawing: Drawing) -> Problems:
    """What waits for a message says for which one, and a message has a name."""
    for element in drawing.elements:
        if element.event and element.event.type is EventType.MESSAGE and not element.event.name and not _dangles(drawing, element.id):
            message = (
                f"Expected {drawing.label(element.id)} to wait for a message with a name, but it has none: choose or create the message"
            )
            yield element.id, message


def computed_message(drawing: Drawing) -> Problems:
    """The name of a message is written, not computed: others must be able to find it."""
    for element in drawing.elements:
        name = element.event.name if element.event else None
        if name and ("${" in name or "#{" in name):
            message = f"Expected the name of the message or error of {drawing.label(element.id)} to be plain text, but it is {name[:60]!r}"
            yield element.id, message


def missing_error_code(drawing: Drawing) -> Problems:
    """An error that is thrown has a code; an error that is caught and declared has one too."""
    for element in drawing.elements:
        if element.event is None or element.event.type is not EventType.ERROR or element.event.name:
            continue
        if element.type is ElementType.END_EVENT or _references(drawing, element.id):
            yield element.id, f"Expected the error of {drawing.label(element.id)} to have a code, but it has none: fill in the error code"


def same_error_twice(drawing: Drawing) -> Problems:
    """On one activity, every error has one boundary event that catches it."""
    for boundaries in drawing.boundaries.values():
        codes = Counter(event.event.name for event in boundaries if event.event and event.event.type is EventType.ERROR)
        for event in boundaries:
            if event.event and event.event.type is EventType.ERROR and codes[event.event.name] > 1:
                what = f"the error {event.event.name!r}" if event.event.name else "every error"
                message = (
                    f"Expected {drawing.label(event.id)} to catch what nothing else there catches, but others catch {what}: "
                    "keep one, or give it an error code of its own"
                )
                yield event.id, message


def unknown_form(drawing: Drawing) -> Problems:
    """Forms are Camunda Forms or generated; HTML of other applications cannot be shown."""
    for element in drawing.of_type(ElementType.USER_TASK, ElementType.START_EVENT):
        node = drawing.node(element.id)
        key = camunda(node, "formKey")
        given = [key, camunda(node, "formRef"), next(extensions(node, "formData"), None)]
        if key is not None and not FORM_KEY.fullmatch(key):
            message = (
                f"Expected the form of {drawing.label(element.id)} to be a Camunda Form, but it is {key[:60]!r}: choose “Camunda Form”"
            )
            yield element.id, message
        elif sum(form is not None for form in given) > 1:
            message = (
                f"Expected {drawing.label(element.id)} to have one form, but it has several: keep one of form key, form reference, fields"
            )
            yield element.id, message


def bad_priority(drawing: Drawing) -> Problems:
    """A priority is a whole number."""
    for element in drawing.of_type(ElementType.USER_TASK):
        priority = element.priority
        if priority is not None and priority.dialect == "literal" and not re.fullmatch(r"-?\d{1,9}", priority.source):
            message = f"Expected the priority of {drawing.label(element.id)} to be a whole number, but it is {priority.source[:60]!r}"
            yield element.id, message


def _references(drawing: Drawing, key: str) -> list[str]:
    """List the messages and errors that an event or a receive task refers to."""
    node = drawing.node(key)
    parts = [node, *node.iterchildren(f"{MODEL}messageEventDefinition", f"{MODEL}errorEventDefinition")]
    return [local_reference(part.get(attribute, "")) for part in parts for attribute in ("messageRef", "errorRef") if part.get(attribute)]


def _dangles(drawing: Drawing, key: str) -> bool:
    return any(reference not in drawing.source.nodes for reference in _references(drawing, key))
