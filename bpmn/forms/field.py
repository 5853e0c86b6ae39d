"""Fields of a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
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
    required: bool = False
    #: Value of the field when the data does not mention it.
    default: Any = None
    #: Shows a variable and takes no other value.
    readonly: bool = False
    #: Conditions of the field and of the groups around it; when one is true, the field must be absent.
    hide: tuple[Expression, ...] = ()
    options: tuple[Option, ...] = ()
    #: Variable, or expression, that gives the options instead.
    options_from: Expression | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    #: Digits after the point that a number may have.
    decimal_digits: int | None = None
    #: email or phone, as Camunda Forms checks them.
    validation: str | None = None
    #: `onething.format`.
    format: Format | None = None
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
        return [] if self.type in SOME_OF or self.type is FieldType.LIST else None

    def describe(self) -> dict[str, Any]:
        """JSON for whoever shows the form; what is not set is left out."""
        shown: dict[str, Any] = {
            "key": self.key,
            "label": self.name,
            "type": str(self.type),
            "required": self.required,
            "description": self.description or None,
            "default": self.default,
            "readonly": self.readonly or None,
            "hide": [condition.source for condition in self.hide] or None,
            "options": [{"value": option.value, "label": option.label} for option in self.options] or None,
            "options_from": self.options_from.source if self.options_from else None,
            "min_length": self.min_length,
            "max_length": self.max_length,
            "pattern": self.pattern,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "decimal_digits": self.decimal_digits,
            "validation": self.validation,
            "format": str(self.format) if self.format else None,
            "fields": [field.describe() for field in self.fields] or None,
        }
        return {name: value for name, value in shown.items() if value is not None}


def options(listed: Any) -> tuple[Option, ...]:
    """Read options from a list of values, or of objects with `value` and `label`."""
    found = [each if isinstance(each, Mapping) else {"value": each} for each in listed] if isinstance(listed, (list, tuple)) else []
    return tuple(Option(value=each["value"], label=str(each.get("label") or each["value"])) for each in found if "value" in each)
