"""What a condition compares with can be chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bpmn.definition import Definition
from bpmn.expressions import Expression
from bpmn.forms import Form
from bpmn.forms.field import ONE_OF, Field, FieldType
from bpmn.lint import expressions, results, spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import variable_never_written as variables

#: A variable that is compared with a text, in JUEL and in FEEL.
_COMPARED = re.compile(r"(?<![\w.])(\w+)\s*(?:==?|!=|\beq\b|\bne\b)\s*(['\"])([^'\"]*)\2")


def check(bundle: Bundle) -> Problems:
    """A condition compares a field with what the forms of the process offer: anything else is never chosen."""
    passed_in = variables.passed_in(bundle)
    for resource, process in bundle.processes:
        offered = {} if variables.is_open(process) else choices(bundle, process, passed_in[process.key])
        for element in process.elements.values() if offered else ():
            for expression in expressions.asked(process, element):
                for wrong in misses(expression, offered):
                    message = f"Expected {element.label} to compare {wrong}"
                    yield Problem(resource=resource, element=element, message=message)
    for resource, key in bundle.forms:
        for field, expression, seen in expressions.in_form(bundle.shown[resource].fields):
            for wrong in misses(expression, {name: values for name, fields in seen.items() if (values := _values(fields))}):
                message = f"Expected “{field.name}” ({field.key}) of the form {key} to compare {wrong}"
                yield Problem(resource=resource, line=bundle.line(resource, field.key), message=message)


def misses(expression: Expression, offered: Mapping[str, frozenset[Any]]) -> Iterator[str]:
    """Say what an expression compares with what is never chosen."""
    for name, _quote, text in _COMPARED.findall(expression.source):
        texts = {str(value).lower() if isinstance(value, bool) else str(value) for value in offered.get(name, ())}
        if texts and text not in texts:
            yield (
                f"{name} with what the forms offer ({', '.join(sorted(texts))}), "
                f"but it compares it with {text[:60]!r}{spelling.advice(text, texts)}"
            )


def choices(bundle: Bundle, process: Definition, passed_in: frozenset[str]) -> dict[str, frozenset[Any]]:
    """Values that the variables of a process can have which are chosen in its forms and written by nobody else."""
    shown = [bundle.shown.get(element.form_ref) for element in process.elements.values() if element.form_ref]
    forms = [form for form in shown if form is not None]
    if len(forms) < len(shown):
        return {}
    decided = results.decided(bundle, process)
    others = (variables.written(process) - decided.keys()) | passed_in
    fields = {field.key for form in forms for field in form.fields}
    offered = {key: values | decided.get(key, frozenset()) for key, values in _offered(forms)}
    return {key: values for key, values in {**decided, **offered}.items() if key not in others and (key in offered or key not in fields)}


def _offered(forms: list[Form]) -> Iterator[tuple[str, frozenset[Any]]]:
    fields = [field for form in forms for field in form.fields]
    for key in {field.key for field in fields}:
        if values := _values([field for field in fields if field.key == key]):
            yield key, values


def _values(fields: Sequence[Field]) -> frozenset[Any]:
    """Values that fields of one key offer; none where others are possible."""
    if not all(field.type is FieldType.CHECKBOX or (field.type in ONE_OF and field.options and not field.options_from) for field in fields):
        return frozenset()
    if any(isinstance(option.value, (list, dict)) for field in fields for option in field.options):
        return frozenset()  # no text is compared with these
    chosen = {option.value for field in fields for option in field.options}
    return frozenset(chosen | ({True, False} if any(field.type is FieldType.CHECKBOX for field in fields) else set()))
