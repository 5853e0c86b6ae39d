"""A variable that a diagram reads is written somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.definition import COUNTERS, Definition, Element
from bpmn.expressions import Expression
from bpmn.lint.bundle import FORMS, TABLES, Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.parameters import Value


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
        asked = [*_asked(element), *(process.flows[key].condition for key in element.outgoing)]
        yield element, {name for expression in asked if expression for name in expression.names}


def _asked(element: Element) -> Iterator[Expression | None]:
    """Yield the expressions that stand on an element."""
    yield from (*element.candidate_groups, *element.candidate_users, element.assignee, element.due_date, element.follow_up_date)
    yield from (element.title, element.description)
    yield from (element.priority, element.job_priority, element.retry_cycle, element.topic, element.expression, element.decision_ref)
    yield from (element.called, element.called_version, element.business_key)
    yield from (mapping.source for mapping in element.inputs if not mapping.by_name)
    for parameter in (*element.input_parameters, *element.output_parameters):
        yield from _in_value(parameter.value)
    if element.event:
        yield from (element.event.when, element.event.signal, element.event.message, element.event.condition)
        yield element.event.error_message
        yield from (mapping.source for mapping in element.event.inputs if not mapping.by_name)
    if element.loop:
        yield from (element.loop.cardinality, element.loop.collection, element.loop.condition)


def _in_value(value: Value) -> Iterator[Expression | None]:
    """Yield the expressions in the value of a parameter, in lists and maps too."""
    if value is None or isinstance(value, Expression):
        yield value
    else:
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from _in_value(entry)


def _written(process: Definition) -> set[str]:
    """Variables that the elements of a process write by themselves."""
    elements = process.elements.values()
    results = {name for element in elements for name in _results(element) if name}
    fields = {field.key for element in elements if element.form_data for field in element.form_data.fields}
    return results | fields | {mapping.target for element in elements for mapping in element.outputs if mapping.target}


def _results(element: Element) -> Iterator[str | None]:
    """Yield the variables that an element sets by itself: its result, its parameters, what it catches, the counters of its loop."""
    yield element.result_variable
    yield from (parameter.name for parameter in (*element.input_parameters, *element.output_parameters))
    if element.event:
        yield from (element.event.code_variable, element.event.message_variable)
    if element.loop:
        yield from (*COUNTERS, element.loop.element_variable)


def _is_open(process: Definition) -> bool:
    """Tell whether others write what they like: a department's worker, or a called process that hands everything back."""
    return any(
        (element.topic is not None and not element.topic.source.startswith("onething."))
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
