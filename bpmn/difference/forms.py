"""Forms: which fields there are, and what they take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bpmn import forms
from bpmn.difference.change import Change, ChangeKind, Subject, compare
from bpmn.difference.written import text
from bpmn.forms import Field, Form
from bpmn.lint.bundle import FORMS


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A field, and where it stands."""

    form: str
    #: Keys of the groups around it, and its own: `children.name`.
    path: str
    field: Field


def read(files: Mapping[str, bytes]) -> dict[str, Form]:
    """Return the forms of files by key; raises DocumentError."""
    found = [forms.parse_form(content, name) for name, content in files.items() if name.endswith(FORMS)]
    return {form.key: form for form in found}


def between(before: Mapping[str, Form], after: Mapping[str, Form]) -> Iterator[Change]:
    """Compare forms by their keys."""
    yield from compare(before, after, _form, lambda _form: {})
    for key, form in after.items():
        if key in before:
            yield from compare(_placed(before[key]), _placed(form), _field, _facts)


def _form(form: Form, kind: ChangeKind) -> Change:
    return Change(kind=kind, subject=Subject.FORM, id=form.key)


def _field(placed: Placed, kind: ChangeKind) -> Change:
    return Change(kind=kind, subject=Subject.FIELD, id=placed.path, name=placed.field.name, within=placed.form)


def _placed(form: Form) -> dict[str, Placed]:
    return {placed.path: placed for placed in _walk(form.key, "", form.fields)}


def _walk(form: str, around: str, fields: Iterable[Field]) -> Iterator[Placed]:
    for field in fields:
        path = f"{around}{field.key}"
        yield Placed(form=form, path=path, field=field)
        yield from _walk(form, f"{path}.", field.fields)


def _facts(placed: Placed) -> dict[str, str]:
    """Say what the field takes; what people call it is its name."""
    shown = {name: value for name, value in placed.field.describe().items() if name not in {"key", "fields"} and value is not False}
    shown["name"] = shown.pop("label")
    return {name: _text(value) for name, value in shown.items()}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else text(value)
