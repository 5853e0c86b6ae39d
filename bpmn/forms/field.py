"""Fields of a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from bpmn.expressions import Expression
from bpmn.identifiers import Format


class FieldType(StrEnum):
    """What a field takes."""

    TEXT = "text"  #: one line
    TEXTAREA = "textarea"  #: several lines
    NUMBER = "number"
    CHECKBOX = "checkbox"  #: true or false
    RADIO = "radio"  #: one of the options
    SELECT = "select"  #: one of the options
    CHECKLIST = "checklist"  #: some of the options
    TAGLIST = "taglist"  #: some of the options
    DATE = "date"  #: 2026-11-25
    TIME = "time"  #: 08:30
    DATETIME = "datetime"  #: 2026-11-25T08:30
    FILE = "file"  #: reference of a material that was handed in, or several
    EXPRESSION = "expression"  #: computed by the server
    GROUP = "group"  #: fields of its own, as one object
    LIST = "list"  #: a list of such objects


#: Types whose value is one of the options, or a list of them.
ONE_OF = frozenset({FieldType.RADIO, FieldType.SELECT})
SOME_OF = frozenset({FieldType.CHECKLIST, FieldType.TAGLIST})
NESTED = frozenset({FieldType.GROUP, FieldType.LIST})


@dataclass(frozen=True, kw_only=True)
class Option:
    """A value to choose."""

    value: Any
    label: str


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field: its key in the data, and what it takes."""

    key: str
    label: str
    type: FieldType
    description: str = ""
    required: bool | Expression = False
    #: Value of the field when the data does not mention it.
    default: Any = None
    #: Shows a variable and takes no other value.
    readonly: bool | Expression = False
    #: Conditions of the field and of the groups around it; when one is true, the field must be absent.
    hide: tuple[Expression, ...] = ()
    options: tuple[Option, ...] = ()
    #: Variable, or expression, that gives the options instead.
    options_from: Expression | None = None
    min_length: int | Expression | None = None
    max_length: int | Expression | None = None
    pattern: str | None = None
    minimum: float | Expression | None = None
    maximum: float | Expression | None = None
    #: Digits after the point that a number may have.
    decimal_digits: int | None = None
    #: email or phone, as Camunda Forms checks them.
    validation: str | None = None
    #: `onething.format`.
    format: Format | None = None
    #: A number that travels as text, so that no digit is lost.
    as_text: bool = False
    #: Dates before today are refused.
    not_passed: bool = False
    #: Files: whether there may be several, and which kinds are asked for (`.pdf,image/*`).
    multiple: bool | Expression = False
    accept: str = ""
    #: What an expression field is computed of.
    expression: Expression | None = None
    #: Lists: how many entries there must be, when none can be added or removed.
    repetitions: int | None = None
    #: Fields of a group or of the objects of a list.
    fields: tuple[Field, ...] = ()

    @property
    def name(self) -> str:
        """What people call the field."""
        return self.label or self.key

    def empty(self) -> Any:
        """Value of a field that was shown and left empty, as Camunda Forms has it (texts are null, not empty)."""
        if self.type is FieldType.CHECKBOX:
            return False
        several = self.type is FieldType.FILE and self.multiple is True
        return [] if several or self.type in SOME_OF or self.type is FieldType.LIST else None

    def settled(self, evaluate: Callable[[str, Expression], Any]) -> Field:
        """Return the field with its expressions evaluated (`SETTLED`), except those of `hide`, of the options and of the value."""
        known = {name: evaluate(name, value) for name, value in self._unsettled.items()}
        return replace(self, **known) if known else self

    @cached_property
    def _unsettled(self) -> dict[str, Expression]:
        return {name: value for name in SETTLED if isinstance(value := getattr(self, name), Expression)}

    def describe(self) -> dict[str, Any]:
        """JSON for whoever shows the form; what is not set is left out."""
        shown: dict[str, Any] = {
            "key": self.key,
            "label": self.name,
            "type": str(self.type),
            "required": _shown(self.required),
            "description": self.description or None,
            "default": self.default,
            "readonly": _shown(self.readonly) or None,
            "hide": [condition.source for condition in self.hide] or None,
            "options": [{"value": option.value, "label": option.label} for option in self.options] or None,
            "options_from": self.options_from.source if self.options_from else None,
            "min_length": _shown(self.min_length),
            "max_length": _shown(self.max_length),
            "pattern": self.pattern,
            "minimum": _shown(self.minimum),
            "maximum": _shown(self.maximum),
            "decimal_digits": self.decimal_digits,
            "validation": self.validation,
            "format": str(self.format) if self.format else None,
            "as_text": self.as_text or None,
            "not_passed": self.not_passed or None,
            "multiple": _shown(self.multiple) or None,
            "accept": self.accept or None,
            "expression": self.expression.source if self.expression else None,
            "repetitions": self.repetitions,
            "fields": [field.describe() for field in self.fields] or None,
        }
        return {name: value for name, value in shown.items() if value is not None}


#: What may be an expression, and is evaluated before a value is looked at.
SETTLED = ("required", "readonly", "min_length", "max_length", "minimum", "maximum", "multiple")


def _shown(value: Any) -> Any:
    return value.source if isinstance(value, Expression) else value


def options(listed: Any) -> tuple[Option, ...]:
    """Read options from a list of values, or of objects with `value` and `label`."""
    found = [each if isinstance(each, Mapping) else {"value": each} for each in listed] if isinstance(listed, (list, tuple)) else []
    return tuple(Option(value=each["value"], label=str(each.get("label") or each["value"])) for each in found if "value" in each)
