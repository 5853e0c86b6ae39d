"""Worker errors: what a worker says or leaves behind that the diagram calls an error (`camunda:errorEventDefinition`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpmn.errors import ExpressionError
from engine.errors import InvalidInput
from engine.models import ExternalTask
from engine.runs import Run


def drawn(run: Run, task: ExternalTask, given: Mapping[str, Any]) -> str | None:
    """Code of the first error whose condition holds; it sees the variables of the task, those that come now, and `externalTask`.

    Raises InvalidInput when a condition cannot be evaluated.
    """
    errors = run.loaded.definition.elements[task.element].worker_errors
    if not errors:
        return None
    known, seen = {**run.process.variables_at(task.wait), **given}, _seen(run, task)
    functions = {**run.process.context.functions, "externalTask": lambda: seen}
    try:
        return next((code for code, condition in errors if condition.test(known, functions)), None)
    except ExpressionError as error:
        raise InvalidInput(f"Expected to tell whether {task.element} has come to an error, but: {error}") from error


def _seen(run: Run, task: ExternalTask) -> dict[str, Any]:
    """The task, as expressions see it in Camunda 7."""
    return {
        "id": str(task.id),
        "activityId": task.element,
        "processInstanceId": str(task.instance_id),
        "processDefinitionKey": run.loaded.key,
        "businessKey": run.row.business_key,
        "topicName": task.topic,
        "workerId": task.worker,
        "priority": task.priority,
        "retries": task.retries,
        "errorMessage": task.error_message,
        "errorDetails": task.error_details,
    }
