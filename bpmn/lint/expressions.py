"""The expressions of a diagram, by the element at which they are evaluated, and those of a form, by the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.definition import Definition, Element
from bpmn.expressions import Expression
from bpmn.forms.field import SETTLED, Field
from bpmn.parameters import Value

#: The fields that an expression of a form sees, by key.
Seen = Mapping[str, tuple[Field, ...]]
#: Names that the fields of a list see besides: its entry, what is around it, and the number of the entry.
_OF_ENTRIES = frozenset({"this", "parent", "i"})


def asked(process: Definition, element: Element) -> Iterator[Expression]:
    """Yield the expressions that stand on an element, and on the flows out of it."""
    found = [*_on(element), *(process.flows[key].condition for key in element.outgoing)]
    yield from (expression for expression in found if expression)


def in_form(fields: tuple[Field, ...], around: Mapping[str, tuple[Field, ...]] | None = None) -> Iterator[tuple[Field, Expression, Seen]]:
    """Yield the fields of a form, and those within them, with each of their expressions and the fields that it sees."""
    seen = {**(around or {}), **{field.key: tuple(each for each in fields if each.key == field.key) for field in fields}}
    for field in fields:
        for expression in (*field.hide, field.options_from, field.expression, *(getattr(field, name) for name in SETTLED)):
            if isinstance(expression, Expression):
                yield field, expression, seen
        yield from in_form(field.fields, {**seen, **dict.fromkeys(_OF_ENTRIES, ())} if field.fields else seen)


def _on(element: Element) -> Iterator[Expression | None]:
    """Yield the expressions that stand on an element."""
    yield from (*element.candidate_groups, *element.candidate_users, element.assignee, element.due_date, element.follow_up_date)
    yield from (element.title, element.description)
    yield from (element.priority, element.job_priority, element.retry_cycle, element.topic, element.expression, element.decision_ref)
    yield from (condition for _code, condition in element.worker_errors)
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
