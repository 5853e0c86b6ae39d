"""What a condition compares with can be chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bpmn.definition import Definition
from bpmn.forms import Form
from bpmn.forms.field import ONE_OF
from bpmn.lint import expressions, spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import variable_never_written as variables

#: A variable that is compared with a text, in JUEL and in FEEL.
_COMPARED = re.compile(r"(?<![\w.])(\w+)\s*(?:==?|!=|\beq\b|\bne\b)\s*(['\"])([^'\"]*)\2")


def check(bundle: Bundle) -> Problems:
    """A condition compares a field with what the forms of the process offer: anything else is never chosen."""
    passed_in = variables.passed_in(bundle)
    for resource, process in bundle.processes:
        choices = {} if variables.is_open(process) else _choices(bundle, process, passed_in)
        for element in process.elements.values() if choices else ():
            for expression in expressions.asked(process, element):
                for name, _quote, text in _COMPARED.findall(expression.source):
                    if name in choices and text not in choices[name]:
                        offered = ", ".join(sorted(choices[name]))
                        message = (
                            f"Expected {element.label} to compare {name} with what the forms offer ({offered}), "
                            f"but it compares it with {text[:60]!r}{spelling.advice(text, choices[name])}"
                        )
                        yield Problem(resource=resource, element=element, message=message)


def _choices(bundle: Bundle, process: Definition, passed_in: set[str]) -> dict[str, frozenset[str]]:
    """Values that the variables of a process can have which are chosen in its forms and written by nobody else."""
    shown = [bundle.shown.get(element.form_ref) for element in process.elements.values() if element.form_ref]
    forms = [form for form in shown if form is not None]
    if len(forms) < len(shown):
        return {}
    others = variables.written(process) | passed_in
    return {key: values for key, values in _offered(forms) if key not in others}


def _offered(forms: list[Form]) -> Iterator[tuple[str, frozenset[str]]]:
    fields = [field for form in forms for field in form.fields]
    for key in {field.key for field in fields}:
        own = [field for field in fields if field.key == key]
        if all(field.type in ONE_OF and field.options and not field.options_from for field in own):
            yield key, frozenset(str(option.value) for field in own for option in field.options)
