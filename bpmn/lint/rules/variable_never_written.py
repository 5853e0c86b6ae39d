"""A variable that a diagram reads is written somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import Definition, Element, ElementType
from bpmn.expressions import Expression
from bpmn.lint.bundle import FORMS, TABLES, Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A variable that a matter or an item reads is a field of a form, a result, passed in, an answer, or handed in by the engine."""
    if bundle.known.variables is None or not (bundle.lacks(FORMS) and bundle.lacks(TABLES)):
        return
    given = bundle.known.variables | bundle.fields | _answers(bundle) | _passed_in(bundle)
    for resource, process in bundle.processes:
        if process.properties.get("onething.kind") in {"matter", "item"} and not _is_open(process):
            written = given | _written(process)
            for element, names in _read(process):
                for name in sorted(names - written):
                    message = (
                        f"Expected {element.label} to read variables that somebody writes, but nobody writes {name}: "
                        "correct the name, or add a field to a form"
                    )
                    yield Problem(resource=resource, element=element, message=message)


def _read(process: Definition) -> Iterator[tuple[Element, set[str]]]:
    """Yield elements with the variables that they, or the flows out of them, read."""
    for element in process.elements.values():
        asked: list[Expression | None] = [*element.candidate_groups, element.assignee, element.due_date, element.priority, element.called]
        asked += [element.topic, element.decision_ref, element.event.when if element.event else None]
        asked += [mapping.source for mapping in element.inputs if not mapping.by_name]
        asked += [process.flows[key].condition for key in element.outgoing]
        yield element, {name for expression in asked if expression for name in expression.names}


def _written(process: Definition) -> set[str]:
    """Variables that the elements of a process write by themselves."""
    elements = process.elements.values()
    results = {element.result_variable for element in elements if element.result_variable}
    fields = {field.key for element in elements if element.form_data for field in element.form_data.fields}
    return results | fields | {mapping.target for element in elements for mapping in element.outputs if mapping.target}


def _is_open(process: Definition) -> bool:
    """Tell whether others write what they like: a department's worker, or a called process that hands everything back."""
    return any(
        (element.type is ElementType.SERVICE_TASK and element.topic is not None and not element.topic.source.startswith("onething."))
        or any(mapping.target is None for mapping in element.outputs)
        for element in process.elements.values()
    )


def _answers(bundle: Bundle) -> set[str]:
    """Questions of the situation, and what the tables themselves ask for."""
    asked = {str(row["id"]) for matter in bundle.matters for _rule, row in matter.rows("situations") if row.get("id")}
    return asked | {name for _, decision in bundle.decisions for name in decision.reads}


def _passed_in(bundle: Bundle) -> set[str]:
    """Variables that calls hand to what they call."""
    return {mapping.target for _, _, element in bundle.elements() for mapping in element.inputs if mapping.target}
