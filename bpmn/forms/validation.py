"""One validation of data against the fields of a form."""

from __future__ import annotations

import copy
import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from typing import Any

from bpmn import identifiers
from bpmn.errors import ExpressionError, FieldError, FormError
from bpmn.expressions import Expression, plain
from bpmn.expressions.values import describe
from bpmn.forms import checks
from bpmn.forms.field import NESTED, ONE_OF, SOME_OF, Field, FieldType, Option, options

#: Objects in one list.
_MOST = 200
#: Errors that are worth reading.
_ERRORS = 100
#: What must be true or false; what must be a number.
_FLAGS = frozenset({"required", "readonly", "multiple"})


class Validation:
    """Checks data, and collects what is wrong with it."""

    def __init__(self, variables: Mapping[str, Any], now: dt.datetime | None) -> None:
        self._variables = variables
        self._now = now
        self._functions = {"now": lambda: now, "today": now.date} if now else {}
        self._errors: list[FieldError] = []

    def form(self, fields: Iterable[Field], data: Mapping[str, Any]) -> dict[str, Any]:
        """Return clean data, or raise FormError."""
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
        seen = {**around, **{field.key: _initial(field) for field in fields}, **data}
        seen |= {field.key: around.get(field.key) for field in fields if field.readonly is True}
        self._compute(fields, seen, path)
        shown = []
        for field in fields:
            if self._is_hidden(field, seen, path + field.key):
                continue
            shown.append(field)
            settled = field.settled(functools.partial(self._settle, field, seen, path))
            if settled.readonly:
                self._keep(settled, data, around, path + field.key)
            elif field.key not in clean:
                clean[field.key] = self._value(settled, data, seen, path + field.key)
        self._refuse_hidden(fields, shown, data, path)
        return clean

    def _compute(self, fields: tuple[Field, ...], seen: dict[str, Any], path: str) -> None:
        """Evaluate the expression fields, each after those that it mentions; what was sent for them is not looked at."""
        pending = {field.key: field.expression for field in fields if field.expression}
        while pending:
            key = next(key for key, expression in pending.items() if not (expression.names - {key}) & pending.keys())
            expression = pending.pop(key)
            seen[key] = None
            try:
                seen[key] = plain(expression.evaluate(seen, self._functions))
            except ExpressionError as error:
                self._refuse(path + key, f"Expected to compute {key}, but {error}")

    def _settle(self, field: Field, seen: Mapping[str, Any], path: str, name: str, expression: Expression) -> Any:
        """Evaluate an expression in the place of a flag or a number; null counts as not set."""
        wanted, kind = ("true or false", bool) if name in _FLAGS else ("a number", (int, float))
        try:
            value = plain(expression.evaluate(seen, self._functions))
        except ExpressionError as error:
            self._refuse(path + field.key, f"Expected {name} of {field.name} to come to {wanted}, but {error}")
            return None
        if value is None or (isinstance(value, kind) and isinstance(value, bool) is (kind is bool)):
            return value
        self._refuse(path + field.key, f"Expected {name} of {field.name} to come to {wanted}, but it is {describe(value)}")
        return None

    def _refuse_hidden(self, fields: tuple[Field, ...], shown: list[Field], data: Mapping[str, Any], path: str) -> None:
        """Refuse values of fields that are not shown (of fields with one key, one may be shown and the others hidden)."""
        visible = {field.key for field in shown}
        for key, field in {field.key: field for field in fields if field.key not in visible}.items():
            if data.get(key) is not None and field.type is not FieldType.EXPRESSION:
                self._refuse(path + key, f"Expected {field.name} to be absent, because it does not apply here, but it has a value")

    def _is_hidden(self, field: Field, seen: Mapping[str, Any], place: str) -> bool:
        try:
            return any(condition.evaluate(seen, self._functions) is True for condition in field.hide)
        except ExpressionError as error:
            self._refuse(place, f"Expected to tell whether {field.name} applies here, but {error}")
            return False

    def _keep(self, field: Field, data: Mapping[str, Any], around: Mapping[str, Any], place: str) -> None:
        if field.key in data and data[field.key] != around.get(field.key, field.default):
            self._refuse(place, f"Expected {field.name} to stay as it is, but it was changed")

    def _value(self, field: Field, data: Mapping[str, Any], seen: Mapping[str, Any], place: str) -> Any:
        if field.type is FieldType.EXPRESSION:
            return seen[field.key]
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
        if field.format and isinstance(value, str):
            value = identifiers.normal(value)
        reason = checks.wrong(field, value, self._choices(field, seen, place))
        if not reason and field.not_passed and self._now:
            reason = checks.passed(value, self._now)
        if reason:
            self._refuse(place, f"Expected {field.name} {reason}")
        return value

    def _nested(self, field: Field, value: Any, seen: Mapping[str, Any], place: str) -> Any:
        if field.type is FieldType.GROUP:
            return self._members(field, value, seen, place)
        if not isinstance(value, list):
            self._refuse(place, f"Expected {field.name} to be a list, but it is not")
            return value
        if reason := self._miscounted(field, len(value)):
            self._refuse(place, f"Expected {field.name} to have {reason} entries, but it has {len(value)}")
            return value
        return [
            self._members(field, each, {**seen, "this": each, "parent": seen, "i": number}, f"{place}[{number}]")
            for number, each in enumerate(value, 1)
        ]

    def _miscounted(self, field: Field, count: int) -> str:
        """Say how many entries there must be, when there are not so many; a list that is shown keeps its length where none can be added."""
        given = self._variables.get(field.key)
        fixed = len(given) if field.repetitions is not None and isinstance(given, list) else field.repetitions
        if fixed is not None and count != fixed:
            return str(fixed)
        return f"at most {_MOST}" if count > _MOST else ""

    def _members(self, field: Field, value: Any, seen: Mapping[str, Any], place: str) -> Any:
        if isinstance(value, Mapping):
            return self._object(field.fields, value, seen, f"{place}.")
        self._refuse(place, f"Expected {field.name} to be an object with fields, but it is not")
        return value

    def _choices(self, field: Field, seen: Mapping[str, Any], place: str) -> tuple[Option, ...]:
        if field.options_from is None or field.type not in ONE_OF | SOME_OF:
            return field.options
        try:
            return options(field.options_from.evaluate(seen, self._functions))
        except ExpressionError as error:
            self._refuse(place, f"Expected to find the options of {field.name}, but {error}")
            return ()

    def _refuse(self, place: str, message: str) -> None:
        if len(self._errors) < _ERRORS:
            self._errors.append(FieldError(field=place, message=message))


def _initial(field: Field) -> Any:
    return copy.copy(field.default) if field.default is not None else field.empty()
