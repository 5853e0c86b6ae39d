"""What a worker, an expression, a decision or a called process does."""

from __future__ import annotations

from typing import Any

from bpmn.compiler.particulars import every, mappings
from bpmn.compiler.source import MODEL, Node, Source, camunda, extensions, local_reference, tag, text_of
from bpmn.definition import Binding
from bpmn.expressions import Expression

BINDINGS = {binding.value: binding for binding in Binding}
#: Where the version stands that a binding asks for.
VERSIONS = {Binding.VERSION: "calledElementVersion", Binding.VERSION_TAG: "calledElementVersionTag"}

#: What the condition of a worker's error may ask: `${externalTask.errorMessage}`.
TASK = frozenset({"externalTask"})


def done(source: Source, node: Node, part: Node) -> dict[str, Any]:
    """Read how work is done that stands on `part`: the task itself, or the message of an event."""
    return {
        "topic": source.expression(node, camunda(part, "topic"), "the topic"),
        "expression": source.expression(node, camunda(part, "expression"), "the expression"),
        "result_variable": camunda(part, "resultVariable"),
        "priority": every.inherited(source, part, "taskPriority", "the priority"),
        "worker_errors": tuple(_worker_errors(source, node, part)),
    }


def service(source: Source, node: Node) -> dict[str, Any]:
    """Read a service task or a send task."""
    return done(source, node, node)


def script(source: Source, node: Node) -> dict[str, Any]:
    """Read a script task."""
    written = node.find(f"{MODEL}script")
    return {
        "expression": source.script(node, text_of(written), node.get("scriptFormat")) if written is not None else None,
        "result_variable": camunda(node, "resultVariable"),
    }


def decision(source: Source, node: Node) -> dict[str, Any]:
    """Read a business rule task."""
    return {
        **done(source, node, node),
        "decision_ref": source.expression(node, camunda(node, "decisionRef"), "the decision"),
        "map_decision_result": camunda(node, "mapDecisionResult") or "resultList",
    }


def call(source: Source, node: Node) -> dict[str, Any]:
    """Read a call activity."""
    binding = BINDINGS.get(camunda(node, "calledElementBinding") or "", Binding.LATEST)
    version = camunda(node, VERSIONS[binding]) if binding in VERSIONS else None
    keys = (row.get("businessKey") for row in extensions(node, "in") if row.get("businessKey"))
    return {
        "called": source.expression(node, node.get("calledElement"), "the called element"),
        "binding": binding,
        "called_version": source.expression(node, version, "the version"),
        "business_key": source.expression(node, next(keys, None), "the business key"),
        "inputs": mappings.read(source, node, node, "in"),
        "outputs": mappings.read(source, node, node, "out"),
    }


def error_code(source: Source, definition: Node) -> str | None:
    """Return the code of the error; as in Camunda 7, a reference to nothing is the code itself."""
    error = source.referred(definition, "errorRef")
    if error is not None and tag(error) == "error":
        return error.get("errorCode") or None
    return local_reference(definition.get("errorRef", "")) or None


def _worker_errors(source: Source, node: Node, part: Node) -> list[tuple[str, Expression]]:
    """Read which failures of an external task are BPMN errors."""
    rows = (
        (error_code(source, row), source.expression(node, row.get("expression"), "an error", also=TASK))
        for row in extensions(part, "errorEventDefinition")
    )
    return [(code, condition) for code, condition in rows if code and condition]
