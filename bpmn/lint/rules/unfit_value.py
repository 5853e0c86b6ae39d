"""What the forms ask for fits where it is read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bpmn import timers
from bpmn.definition import Definition, Element, TimerType
from bpmn.errors import ExpressionError, one_line
from bpmn.expressions import Expression
from bpmn.forms.field import ONE_OF, SOME_OF, Field, FieldType
from bpmn.lint import results
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import variable_never_written as variables

#: Something of each type.  Texts are left out: they may be anything.
_SAMPLES: Mapping[FieldType, Sequence[Any]] = {
    FieldType.NUMBER: (0, 1, 20),
    FieldType.CHECKBOX: (True, False),
    FieldType.DATE: ("2026-11-25",),
    FieldType.TIME: ("08:30",),
    FieldType.DATETIME: ("2026-11-25T08:30",),
}
#: Combinations that are tried.
_MOST = 200
_SINCE = datetime(2100, 1, 1, tzinfo=UTC)

Samples = Mapping[str, Sequence[Any]]


def check(bundle: Bundle) -> Problems:
    """What the forms ask for fits where it is read: a condition holds or not, a timer is given a time, and a collection is a list."""
    passed_in = variables.passed_in(bundle)
    for resource, process in bundle.processes:
        samples = _samples(bundle, process, passed_in[process.key])
        for element in process.elements.values() if samples else ():
            for what, expression, fits in _read(process, element):
                if (error := fault(expression, samples, fits)) is not None:
                    message = (
                        f"Expected {what} to fit what the forms ask for, but whatever is entered as "
                        f"{', '.join(sorted(expression.names))}, the case would stop with an incident there: {error}"
                    )
                    yield Problem(resource=resource, element=element, message=message)


def _samples(bundle: Bundle, process: Definition, passed_in: frozenset[str]) -> Samples:
    """Return values of the variables that are asked for in forms, or decided by tables, and set by nobody else."""
    forms = [form for element in process.elements.values() if (form := bundle.form(element)) is not None]
    fields = [field for form in forms for field in form.fields]
    found = {field.key: [value for each in fields if each.key == field.key for value in _values(each)] for field in fields}
    unknown = {field.key for field in fields if not _values(field)}
    own = {field.key for e in process.elements.values() for field in (e.form_data.fields if e.form_data else ())}
    decided = results.decided(bundle, process)
    written = {name for element in process.elements.values() for name in variables.written_at(element)}
    others = (written - own - decided.keys()) | unknown | passed_in
    tables = {name: sorted(values, key=str) for name, values in decided.items() if name not in found}
    return {name: values for name, values in {**found, **tables}.items() if name not in others}


def _values(field: Field) -> Sequence[Any]:
    """Return what can be entered in a field; nothing where that may be anything."""
    options = [] if field.options_from else [option.value for option in field.options]
    if field.type in ONE_OF:
        return options
    if field.type in SOME_OF:
        return [[option] for option in options] + ([options] if options else [])
    return () if field.as_text else _SAMPLES.get(field.type, ())


def _read(process: Definition, element: Element) -> Iterator[tuple[str, Expression, Callable[[Expression, Mapping[str, Any]], object]]]:
    """Yield the expressions of an element that must give something of a kind: what each is, and what raises where it gives none."""
    for flow in (process.flows[key] for key in element.outgoing):
        if flow.condition:
            called = f"“{one_line(flow.name)}” ({flow.id})" if flow.name else flow.id
            yield f"the condition {flow.condition.source.strip()[:80]} of the flow {called}", flow.condition, holds
    event, loop = element.event, element.loop
    if event and event.condition:
        yield f"the condition of {element.label}", event.condition, holds
    if event and event.when:
        yield f"the time of {element.label}", event.when, _repeats if event.timer is TimerType.CYCLE else _is_due
    for what, due in (("the due date", element.due_date), ("the follow-up date", element.follow_up_date)):
        if due:
            yield f"{what} of {element.label}", due, _is_due
    if loop and loop.collection:
        yield f"the collection of {element.label}", loop.collection, _lists


def holds(expression: Expression, values: Mapping[str, Any]) -> object:
    """Evaluate a condition; raises ExpressionError where it neither holds nor does not."""
    return expression.test(values)


def _is_due(expression: Expression, values: Mapping[str, Any]) -> object:
    return timers.due(expression.evaluate(values), _SINCE)


def _repeats(expression: Expression, values: Mapping[str, Any]) -> object:
    value = expression.evaluate(values)
    return timers.due(value, _SINCE) if isinstance(value, datetime) else timers.cycle(value, _SINCE)


def _lists(expression: Expression, values: Mapping[str, Any]) -> object:
    if not isinstance(value := expression.evaluate(values), list):
        raise ExpressionError(f"Expected the collection to be a list, but {expression.source.strip()[:80]} is none")
    return value


def fault(expression: Expression, samples: Samples, fits: Callable[[Expression, Mapping[str, Any]], object]) -> ExpressionError | None:
    """Return what is wrong whatever is entered; None where something fits, or where not all is known that is read."""
    names = sorted(expression.names)
    if not names or expression.calls or expression.dialect == "literal" or not samples.keys() >= expression.names:
        return None
    if not 0 < math.prod(len(samples[name]) for name in names) <= _MOST:
        return None
    found = None
    for values in itertools.product(*(samples[name] for name in names)):
        try:
            fits(expression, dict(zip(names, values, strict=True)))
        except ExpressionError as error:
            found = error
        else:
            return None
    return found
