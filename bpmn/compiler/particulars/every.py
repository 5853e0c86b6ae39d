"""What any element may have: properties, jobs, parameters, quantities, repetition."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from bpmn.compiler.particulars import parameters, repetition
from bpmn.compiler.source import MODEL, TRUE, Node, Source, camunda, extensions
from bpmn.expressions import Expression


def read(source: Source, node: Node) -> dict[str, Any]:
    """Read what is written in the same way on every kind of element."""
    return {
        "properties": MappingProxyType(properties(node)),
        "for_compensation": node.get("isForCompensation") in TRUE,
        "start_quantity": quantity(node, "startQuantity"),
        "completion_quantity": quantity(node, "completionQuantity"),
        "loop": repetition.read(source, node),
        "async_before": camunda(node, "asyncBefore") in TRUE or camunda(node, "async") in TRUE,
        "async_after": camunda(node, "asyncAfter") in TRUE,
        "retry_cycle": source.retries(node, node),
        "job_priority": inherited(source, node, "jobPriority", "the job priority"),
        **parameters.read(source, node),
    }


def properties(node: Node) -> dict[str, str]:
    """Read the `camunda:properties` of an element."""
    return {
        row.get("name", ""): row.get("value", "") for group in extensions(node, "properties") for row in group.iterchildren("{*}property")
    }


def quantity(node: Node, attribute: str) -> int:
    """Read a number of tokens; 1 where it says none, or nothing that is a number (a rule finds that)."""
    text = node.get(attribute, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS else 1


def inherited(source: Source, node: Node, attribute: str, what: str) -> Expression | None:
    """Read a `camunda:` attribute that the process may have for all of its elements."""
    written = camunda(node, attribute)
    if written is None:
        written = next((camunda(process, attribute) for process in node.iterancestors(f"{MODEL}process")), None)
    return source.expression(node, written, what)


#: More tokens than any process has.
MOST_DIGITS = 6
