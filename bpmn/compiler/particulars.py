"""What is written on an element beside its arrows: groups, forms, topics, mappings, events."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bpmn import forms
from bpmn.compiler.source import MODEL, TRUE, Node, Source, camunda, extensions, label, local_reference, tag, text_of
from bpmn.definition import ElementType, EventDefinition, EventType, TimerType, VariableMapping
from bpmn.errors import DocumentError
from bpmn.expressions import Expression

#: A form of the deployment, the old way: `camunda-forms:deployment:intake.form`.
FORM_KEY = re.compile(r"camunda-forms:(?:deployment|app):(?P<file>.+)")
#: One part of a comma list; commas inside `${…}` do not part.
LIST_PART = re.compile(r"(?:[$#]\{[^}]*\}|[^,])+")

EVENTS = {
    "messageEventDefinition": EventType.MESSAGE,
    "timerEventDefinition": EventType.TIMER,
    "errorEventDefinition": EventType.ERROR,
    "terminateEventDefinition": EventType.TERMINATE,
}
TIMERS = {form.value: form for form in TimerType}


def read(source: Source, node: Node, kind: ElementType) -> dict[str, Any]:
    """Read the fields of `Element` that belong to this kind of element."""
    reader = READERS.get(kind)
    return reader(source, node) if reader else {}


def properties(node: Node) -> dict[str, str]:
    """Read the `camunda:properties` of an element."""
    return {
        row.get("name", ""): row.get("value", "") for group in extensions(node, "properties") for row in group.iterchildren("{*}property")
    }


def event(source: Source, node: Node) -> EventDefinition:
    """Read what an event waits for or does; the first definition, when it has several."""
    for definition in node.iterchildren(f"{MODEL}*"):
        kind = EVENTS.get(tag(definition))
        if kind is EventType.TIMER:
            return _timer(source, node, definition)
        if kind is EventType.MESSAGE:
            return EventDefinition(type=kind, name=_message(source, definition))
        if kind is not None:
            return EventDefinition(type=kind, name=_error(source, definition))
    return EventDefinition(type=EventType.NONE)


def _timer(source: Source, node: Node, definition: Node) -> EventDefinition:
    for form in definition.iterchildren(f"{MODEL}*"):
        if tag(form) in TIMERS:
            when = source.expression(node, text_of(form), "the time")
            return EventDefinition(type=EventType.TIMER, timer=TIMERS[tag(form)], when=when)
    return EventDefinition(type=EventType.TIMER)


def _message(source: Source, definition: Node) -> str | None:
    message = source.referred(definition, "messageRef")
    return message.get("name") if message is not None and tag(message) == "message" else None


def _error(source: Source, definition: Node) -> str | None:
    """Return the code of the error; as in Camunda 7, a reference to nothing is the code itself."""
    error = source.referred(definition, "errorRef")
    if error is not None and tag(error) == "error":
        return error.get("errorCode") or None
    return local_reference(definition.get("errorRef", "")) or None


def _event(source: Source, node: Node) -> dict[str, Any]:
    return {"event": event(source, node)}


def _start(source: Source, node: Node) -> dict[str, Any]:
    return {**_event(source, node), **_form(source, node)}


def _boundary(source: Source, node: Node) -> dict[str, Any]:
    return {
        "event": event(source, node),
        "attached_to": local_reference(node.get("attachedToRef", "")) or None,
        "interrupting": node.get("cancelActivity", "true") in TRUE,
    }


def _form(source: Source, node: Node) -> dict[str, Any]:
    key = FORM_KEY.fullmatch(camunda(node, "formKey") or "")
    return {"form_ref": camunda(node, "formRef") or (key["file"] if key else None), "form_data": _form_data(source, node)}


def _form_data(source: Source, node: Node) -> forms.Form | None:
    for data in extensions(node, "formData"):
        try:
            return forms.parse_form_data(data, source.resource)
        except DocumentError as error:
            for finding in error.findings:
                source.report(finding.severity, finding.rule, node, f"{finding.message}, in the form of {label(node)}", at=data)
    return None


def _user(source: Source, node: Node) -> dict[str, Any]:
    groups = (source.expression(node, part, "candidate groups") for part in LIST_PART.findall(camunda(node, "candidateGroups") or ""))
    return {
        "candidate_groups": tuple(group for group in groups if group is not None),
        "assignee": source.expression(node, camunda(node, "assignee"), "the assignee"),
        "due_date": source.expression(node, camunda(node, "dueDate"), "the due date"),
        "priority": source.expression(node, camunda(node, "priority"), "the priority"),
        **_form(source, node),
    }


def _receive(source: Source, node: Node) -> dict[str, Any]:
    return {"event": EventDefinition(type=EventType.MESSAGE, name=_message(source, node))}


def _external(source: Source, node: Node) -> dict[str, Any]:
    return {"topic": source.expression(node, camunda(node, "topic"), "the topic")}


def _decision(source: Source, node: Node) -> dict[str, Any]:
    return {
        "decision_ref": source.expression(node, camunda(node, "decisionRef"), "the decision"),
        "result_variable": camunda(node, "resultVariable"),
        "map_decision_result": camunda(node, "mapDecisionResult") or "resultList",
    }


def _call(source: Source, node: Node) -> dict[str, Any]:
    return {
        "called": source.expression(node, node.get("calledElement"), "the called element"),
        "inputs": tuple(_mapping(source, node, row) for row in extensions(node, "in") if "businessKey" not in row.attrib),
        "outputs": tuple(_mapping(source, node, row) for row in extensions(node, "out")),
    }


def _mapping(source: Source, node: Node, row: Node) -> VariableMapping:
    if row.get("variables") == "all":
        return VariableMapping(source=None, target=None)
    by_name = row.get("source")
    written: Expression | None = source.expression(node, f"${{{by_name}}}" if by_name else row.get("sourceExpression"), "a mapping")
    return VariableMapping(source=written, target=row.get("target"), by_name=by_name is not None)


READERS: dict[ElementType, Callable[[Source, Node], dict[str, Any]]] = {
    ElementType.START_EVENT: _start,
    ElementType.END_EVENT: _event,
    ElementType.CATCH_EVENT: _event,
    ElementType.THROW_EVENT: _event,
    ElementType.BOUNDARY_EVENT: _boundary,
    ElementType.USER_TASK: _user,
    ElementType.RECEIVE_TASK: _receive,
    ElementType.SERVICE_TASK: _external,
    ElementType.BUSINESS_RULE_TASK: _decision,
    ElementType.CALL_ACTIVITY: _call,
}
