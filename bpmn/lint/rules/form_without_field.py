"""A form of a task that does something has the fields that this needs."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.errors import ExpressionError
from bpmn.expressions import Expression
from bpmn.forms import Form
from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """The form of an intake, a decision or the like has the fields and options of such a task: without, nobody could complete it."""
    words = bundle.known.words
    for resource, _process, element in bundle.elements():
        form = bundle.form(element)
        kind = element.properties.get("onething.kind", "")
        if form is None or kind not in words.fields:
            continue
        for field, known in words.fields[kind].items():
            for wrong in _wrong(form, field, known, open_=kind in words.open_kinds):
                message = f"Expected {form.label} of {element.label} to ask for {field}, as a task of the kind {kind} needs, but {wrong}"
                yield Problem(resource=resource, element=element, message=message)


def _wrong(form: Form, name: str, known: frozenset[str], *, open_: bool) -> Iterator[str]:
    # Of several fields with one key, one is shown at a time.
    fields = [each for each in form.fields if each.key == name]
    options = [option for field in fields for option in field.options]
    if not fields:
        meant = spelling.nearest(name, (each.key for each in form.fields))
        yield f"it has no such field: {f'rename {meant!r}' if meant else 'choose the form of that task, or add the field'}"
    elif all(field.readonly is True or any(_is_always(condition) for condition in field.hide) for field in fields):
        yield "nobody can fill it in, since it is read-only, disabled, or always hidden: let people fill it in"
    elif options and known:
        offered = {str(option.value) for option in options}
        for value in sorted(offered - known):
            meant = spelling.nearest(value, known - offered)
            if meant or not open_:
                instead = f"write {meant!r}" if meant else f"known are {', '.join(sorted(known))}"
                yield f"it offers {value!r}, which nothing knows: {instead}"


def _is_always(condition: Expression) -> bool:
    """Tell whether a condition holds whatever is filled in."""
    try:
        return not condition.names and not condition.calls and condition.test({})
    except ExpressionError:
        return False
