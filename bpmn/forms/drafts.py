"""Drafts: forms that are half filled in.  Only what a form can never take is refused: unknown fields, and values of another kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bpmn.errors import FieldError
from bpmn.forms.checks import kind
from bpmn.forms.field import ONE_OF, SOME_OF, Field, FieldType

_TEXTS = frozenset({FieldType.TEXT, FieldType.TEXTAREA, FieldType.DATE, FieldType.TIME, FieldType.DATETIME})
_KINDS = {FieldType.NUMBER: "a number", FieldType.CHECKBOX: "true or false", FieldType.GROUP: "an object", FieldType.LIST: "a list"}


def fitting(fields: Iterable[Field], data: Mapping[str, Any], path: str = "") -> tuple[dict[str, Any], list[FieldError]]:
    """Return the values of a draft that fit, and an error for each that does not.  `path`: where the fields stand, in names of errors."""
    known: dict[str, list[Field]] = {}
    for field in fields:
        known.setdefault(field.key, []).append(field)
    kept: dict[str, Any] = {}
    errors: list[FieldError] = []
    for key, value in data.items():
        place = path + key[:80]
        if key not in known:
            errors.append(FieldError(field=place, message=f"Expected fields of the form only, but {key[:80]} is none of them"))
            continue
        # Fields with one key, of which one is shown and the others hidden: it must fit one of them.
        found, wrong = min((_value(field, value, place) for field in known[key]), key=lambda each: len(each[1]))
        errors += wrong
        if found is not None or value is None:
            kept[key] = found
    return kept, errors


def _value(field: Field, value: Any, place: str) -> tuple[Any, list[FieldError]]:
    """Return the part of a value that fits (None: nothing), and an error for each part that does not."""
    kinds = _kinds(field)
    if value in (None, "") or not kinds:
        return value, []
    if kind(value) not in kinds:
        return None, [FieldError(field=place, message=f"Expected {field.name} to be {' or '.join(kinds)}, but it is {kind(value)}")]
    if field.type is FieldType.GROUP:
        return fitting(field.fields, value, f"{place}.")
    if isinstance(value, list):
        entries = [_value(_entry(field), each, f"{place}[{number}]") for number, each in enumerate(value, 1)]
        return [found for found, _ in entries if found is not None], [error for _, wrong in entries for error in wrong]
    return value, []


def _entry(field: Field) -> Field:
    """Return what an entry of a list is by itself."""
    single = {FieldType.LIST: FieldType.GROUP, FieldType.FILE: FieldType.TEXT}.get(field.type, FieldType.SELECT)
    return replace(field, type=single)


def _kinds(field: Field) -> list[str]:
    """Kinds of JSON that a field takes.  None are returned when that is known only when the form is completed."""
    if field.type in _TEXTS or field.as_text:
        return ["text"]
    if field.type in SOME_OF:
        return ["a list"]
    if field.type is FieldType.FILE:
        return ["a list"] if field.multiple is True else ["text"] if field.multiple is False else ["text", "a list"]
    if field.type in ONE_OF:
        return [] if field.options_from else sorted({kind(option.value) for option in field.options})
    return [_KINDS[field.type]] if field.type in _KINDS else []
