"""Whatever a form offers can be chosen."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.errors import ExpressionError
from bpmn.expressions import Expression
from bpmn.forms import Field, FieldType, Form
from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle, Words
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A form that offers a choice asks for what the choice needs (a denial needs a reason): otherwise whoever chooses it is refused."""
    told: set[tuple[str, str]] = set()
    for resource, _process, element in bundle.elements():
        form, kind = bundle.form(element), element.properties.get("onething.kind", "")
        if form is None:
            continue
        for wrong in _wrong(form, kind, bundle.known.words):
            # Several tasks show one form: what is wrong with it is told at the first.
            if (where := (form.key or element.id, wrong)) not in told:
                told.add(where)
                message = f"Expected {form.label} of {element.label} {wrong}"
                yield Problem(resource=resource, element=element, message=message)


def _wrong(form: Form, kind: str, words: Words) -> Iterator[str]:
    for (name, value), needed in words.companions.get(kind, {}).items():
        if called := _offered(form, name, value):
            lacking = sorted(other for other in needed if not any(_is_asked(field, name, value) for field in _named(form, other)))
            if lacking:
                yield (
                    f"to ask for {' and '.join(lacking)} where {called} is chosen, but it does not: whoever chooses it is refused; "
                    f"add the field{'s' if len(lacking) > 1 else ''}, or take the choice away"
                )
    for name, known in words.options.get(kind, {}).items():
        for value in sorted({str(option.value) for field in _named(form, name) for option in field.options} - known):
            meant = spelling.nearest(value, known)
            instead = f"write {meant!r}" if meant else f"known are {', '.join(sorted(known))}"
            yield f"to offer what is known for {name}, but it offers {value!r}, and whoever chooses that is refused: {instead}"


def _offered(form: Form, name: str, value: str | bool) -> str:
    """Say how a value of a field is called, where the form offers it; else nothing."""
    for field in _named(form, name):
        if field.type is FieldType.CHECKBOX and value is False and field.required is not True:
            return f"{name} = false (“{field.name}” not ticked)"
        for option in field.options:
            if option.value == value:
                return f"{name} = {value} (“{option.label}”)"
    return ""


def _named(form: Form, name: str) -> list[Field]:
    return [field for field in form.fields if field.key == name]


def _is_asked(field: Field, name: str, value: str | bool) -> bool:
    """Tell whether people can fill a field in when this value is chosen; what else its conditions read is not known."""
    return field.readonly is not True and not any(_hides(condition, name, value) for condition in field.hide)


def _hides(condition: Expression, name: str, value: str | bool) -> bool:
    try:
        return condition.names <= {name} and not condition.calls and condition.test({name: value})
    except ExpressionError:
        return False
