"""A form: which data it takes."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bpmn import identifiers
from bpmn.errors import ExpressionError, FieldError, FormError
from bpmn.forms import checks
from bpmn.forms.field import NESTED, ONE_OF, SOME_OF, Field, FieldType, Option, options

#: Objects in one list.
_MOST = 200
#: Errors that are worth reading.
_ERRORS = 100


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields of a form, in order."""

    #: Id of the form, as `camunda:formRef` names it; empty for generated forms.
    key: str
    fields: tuple[Field, ...]

    def validate(self, data: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return clean data, or raise FormError with everything that is wrong with it.

        Every field that is shown has a value in clean data: what is given, its default, or empty (null; false; an empty list).  Hidden and
        read-only fields have none.  Conditions see the data, and the variables behind it.
        """
        return _Check(variables).form(self.fields, data)

    def warnings(self, data: Mapping[str, Any]) -> list[FieldError]:
        """Say what should be looked up although it is not refused (credit codes of the early pilot)."""
        found = []
        for field in self.fields:
            value = data.get(field.key)
            if field.format and isinstance(value, str) and (reason := identifiers.warning(value, field.format)):
                found.append(FieldError(field=field.key, message=f"{field.name}: {reason}"))
        return found

    def describe(self) -> dict[str, Any]:
        """JSON for whoever shows the form."""
        return {"key": self.key, "fields": [field.describe() for field in self.fields]}


class _Check:
    """One validation."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._errors: list[FieldError] = []

    def form(self, fields: Iterable[Field], data: Mapping[str, Any]) -> dict[str, Any]:
        clean = self._object(tuple(fields), data, self._variables, "")
        if self._errors:
            raise FormError(self._errors)
        return clean

    def _object(self, fields: tuple[Field, ...], data: Mapping[str, Any], around: Mapping[str, Any], path: str) -> dict[str, Any]:
        known = {field.key for field in fields}
        for key in data:
            if key not in known:
                self._refuse(path + str(key)[:80], f"Expected fields of the form only, but {str(key)[:80]} is none of them")
        clean: dict[str, Any] = {}
        # Conditions see the form as it will be: a field that is not given is empty, whatever the variable of its name holds.
        seen = {**around, **self._blank(fields, around), **data}
        for field in fields:
            place = path + field.key
            if self._is_hidden(field, seen, place):
                continue
            if field.readonly:
                self._keep(field, data, around, place)
            elif field.key not in clean:
                clean[field.key] = self._value(field, data, seen, place)
        self._refuse_hidden(fields, data, clean, path)
        return clean

    def _refuse_hidden(self, fields: tuple[Field, ...], data: Mapping[str, Any], clean: dict[str, Any], path: str) -> None:
        """Refuse values of fields that are not shown (of fields with one key, one may be shown and the others hidden)."""
        hidden = {field.key: field for field in fields if field.key not in clean and not field.readonly and data.get(field.key) is not None}
        for key, field in hidden.items():
            self._refuse(path + key, f"Expected {field.name} to be absent, because it does not apply here, but it has a value")

    def _blank(self, fields: tuple[Field, ...], around: Mapping[str, Any]) -> dict[str, Any]:
        return {field.key: around.get(field.key) if field.readonly else _initial(field) for field in fields}

    def _is_hidden(self, field: Field, seen: Mapping[str, Any], place: str) -> bool:
        try:
            return any(condition.evaluate(seen) is True for condition in field.hide)
        except ExpressionError as error:
            self._refuse(place, f"Expected to tell whether {field.name} applies here, but {error}")
            return False

    def _keep(self, field: Field, data: Mapping[str, Any], around: Mapping[str, Any], place: str) -> None:
        if field.key in data and data[field.key] != around.get(field.key, field.default):
            self._refuse(place, f"Expected {field.name} to stay as it is, but it was changed")

    def _value(self, field: Field, data: Mapping[str, Any], seen: Mapping[str, Any], place: str) -> Any:
        value = data[field.key] if field.key in data else _initial(field)
        if value is None or value == "":
            value = field.empty()
        if field.required and (value is None or value is False or value == []):
            self._refuse(place, f"Expected {field.name} to be filled in, but it is empty")
            return value
        if value is None:
            return None
        if field.type in NESTED:
            return self._nested(field, value, seen, place)
        if reason := checks.wrong(field, value, self._choices(field, seen, place)):
            self._refuse(place, f"Expected {field.name} {reason}")
        return value

    def _nested(self, field: Field, value: Any, seen: Mapping[str, Any], place: str) -> Any:
        if field.type is FieldType.GROUP:
            return self._members(field, value, seen, place)
        if not isinstance(value, list):
            self._refuse(place, f"Expected {field.name} to be a list, but it is not")
            return value
        if len(value) > _MOST:
            self._refuse(place, f"Expected {field.name} to have at most {_MOST} entries, but it has {len(value)}")
            return value
        return [self._members(field, each, seen, f"{place}[{number}]") for number, each in enumerate(value, 1)]

    def _members(self, field: Field, value: Any, seen: Mapping[str, Any], place: str) -> Any:
        if isinstance(value, Mapping):
            return self._object(field.fields, value, seen, f"{place}.")
        self._refuse(place, f"Expected {field.name} to be an object with fields, but it is not")
        return value

    def _choices(self, field: Field, seen: Mapping[str, Any], place: str) -> tuple[Option, ...]:
        if field.options_from is None or field.type not in ONE_OF | SOME_OF:
            return field.options
        try:
            return options(field.options_from.evaluate(seen))
        except ExpressionError as error:
            self._refuse(place, f"Expected to find the options of {field.name}, but {error}")
            return ()

    def _refuse(self, place: str, message: str) -> None:
        if len(self._errors) < _ERRORS:
            self._errors.append(FieldError(field=place, message=message))


def _initial(field: Field) -> Any:
    return copy.copy(field.default) if field.default is not None else field.empty()
