"""Options are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpmn.forms.field import Field
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """The options of a field have values and labels of their own: of two that are alike, nobody knows which was chosen."""
    for resource, key in bundle.forms:
        for field in _fields(bundle.shown[resource].fields):
            for wrong in _wrong(field):
                message = f"Expected the options of “{field.name}” ({field.key}) of the form {key} to be told apart, but {wrong}"
                yield Problem(resource=resource, line=bundle.line(resource, field.key), message=message)


def _fields(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _fields(field.fields)


def _wrong(field: Field) -> Iterator[str]:
    seen: dict[str, str] = {}
    labels: dict[str, str] = {}
    for option in field.options:
        value = str(option.value)
        if not value.strip():
            yield f"“{option.label}” has an empty value: write one, such as a word in small letters"
        elif (other := seen.setdefault(value, option.label)) is not option.label:
            yield f"“{other}” and “{option.label}” have the same value {value!r}: give one of them another"
        elif (alike := labels.setdefault(option.label.strip(), value)) is not value:
            yield f"{alike!r} and {value!r} are both called “{option.label}”: call one of them otherwise"
