"""What a value must be to fit its field.

A check returns how a sentence goes on that begins with “Expected FIELD”: “to be text, but it is a number”.  It returns an empty text when
nothing is wrong.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Callable, Sequence
from typing import Any

from bpmn import identifiers, patterns
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, temporal
from bpmn.forms.field import Field, FieldType, Option

#: Characters of a text when the form sets no limit.
LONGEST = {FieldType.TEXT: 1_000, FieldType.TEXTAREA: 20_000}
#: The numbers that JSON readers of every language agree on.
_LARGEST = 2**53
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]{1,63}(?:\.[^\s@.]{1,63}){1,8}")
_PHONE = re.compile(r"\+(?:[0-9] ?){6,14}[0-9]")
_CONTROL = tuple(map(chr, range(32)))
_CONTROL_BUT_LINES = tuple(character for character in _CONTROL if character not in "\t\n\r")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_REFERENCE = re.compile(r"[\w:.-]{1,100}")
_VALIDATIONS = {
    "email": (_EMAIL, "an e-mail address"),
    "phone": (_PHONE, "a telephone number with its country code, such as +86 138 0013 8000"),
}


def wrong(field: Field, value: Any, choices: Sequence[Option]) -> str:
    """Say why a value (not null) does not fit a field; empty when it does.  `choices`: the options of the field, as they are now."""
    return _CHECKS[field.type](field, value, choices)


def _text(field: Field, value: Any, _choices: Sequence[Option]) -> str:
    if not isinstance(value, str):
        return f"to be text, but it is {kind(value)}"
    least, most = _limit(field.min_length), _limit(field.max_length)
    most = LONGEST[field.type] if most is None else most
    if len(value) > most:
        return f"to have at most {most:g} characters, but it has {len(value)}"
    if least is not None and len(value) < least:
        return f"to have at least {least:g} characters, but it has {len(value)}"
    many_lines = field.type is FieldType.TEXTAREA
    # One after the other: in a long text that takes a tenth of what a pattern does.
    if any(map(value.__contains__, _CONTROL_BUT_LINES if many_lines else _CONTROL)):
        return f"to be {'text' if many_lines else 'one line of text'}, but it holds control characters"
    return _unlike(field, value)


def _unlike(field: Field, value: str) -> str:
    """Compare a text with the pattern and the format of its field."""
    if field.format and (reason := identifiers.refusal(value, field.format)):
        return f"to be {_FORMATS[field.format]}, but {reason}"
    if field.validation and not _VALIDATIONS[field.validation][0].fullmatch(value):
        return f"to be {_VALIDATIONS[field.validation][1]}, but it is not"
    if field.pattern:
        try:
            found = patterns.found(patterns.compile_pattern(field.pattern), value)
        except ExpressionError:
            return f"to match the pattern {field.pattern}, but it is too long for it"
        return "" if found else f"to match the pattern {field.pattern}, but it does not"
    return ""


_FORMATS = {
    identifiers.Format.ID_NUMBER: "an identity number",
    identifiers.Format.CREDIT_CODE: "a credit code",
    identifiers.Format.PHONE: "a telephone number",
}


def _number(field: Field, value: Any, _choices: Sequence[Option]) -> str:
    if field.as_text:
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            return f"to be a number written as text, but it is {_shown(value)}"
        value = decimal.Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, decimal.Decimal)):
        return f"to be a number, but it is {kind(value)}"
    size: Any = abs(value)
    if not size <= _LARGEST:  # so that NaN is refused, too
        return "to be a number of at most 15 digits, but it is larger"
    digits = field.decimal_digits
    if digits is not None and round(value, digits) != value:
        return "to be a whole number, but it is not" if not digits else f"to have at most {digits} digits after the point, but it has more"
    least, most = _limit(field.minimum), _limit(field.maximum)
    if least is not None and value < least:
        return f"to be at least {least:g}, but it is {value}"
    return f"to be at most {most:g}, but it is {value}" if most is not None and value > most else ""


def _limit(value: float | Expression | None) -> float | None:
    """Return a limit.  Before a value is checked, the expressions of its field are evaluated (`Field.settled`): none is left here."""
    return None if isinstance(value, Expression) else value


def _checkbox(_field: Field, value: Any, _choices: Sequence[Option]) -> str:
    return "" if isinstance(value, bool) else f"to be true or false, but it is {kind(value)}"


def _one_of(_field: Field, value: Any, choices: Sequence[Option]) -> str:
    return "" if _offered(value, choices) else f"to be one of {_listed(choices)}, but it is {_shown(value)}"


def _some_of(_field: Field, value: Any, choices: Sequence[Option]) -> str:
    if not isinstance(value, list):
        return f"to be a list of options, but it is {kind(value)}"
    for place, each in enumerate(value):
        if not _offered(each, choices):
            return f"to be some of {_listed(choices)}, but {_shown(each)} is none of them"
        if each in value[:place]:
            return f"to name each option once, but {_shown(each)} stands twice"
    return ""


def _offered(value: Any, choices: Sequence[Option]) -> bool:
    """Compare with the options, true and 1 kept apart."""
    return any(type(option.value) is type(value) and option.value == value for option in choices)


def _listed(choices: Sequence[Option]) -> str:
    return ", ".join(_shown(option.value) for option in choices[:12]) + (", …" if len(choices) > 12 else "") or "no options"  # noqa: PLR2004


def _shown(value: Any) -> str:
    return repr(value) if len(repr(value)) <= 40 else kind(value)  # noqa: PLR2004 - a longer one would drown the message


def _moment(read: Callable[[str], Any], example: str) -> Callable[[Field, Any, Sequence[Option]], str]:
    def check(_field: Field, value: Any, _choices: Sequence[Option]) -> str:
        try:
            read(value)
        except (ExpressionError, TypeError, AttributeError):
            return f"to be such as {example}, but it is {_shown(value)}"
        return ""

    return check


def _read_datetime(value: str) -> dt.datetime:
    if "T" not in value:
        raise ExpressionError("Expected a date and a time, but there is no time")
    return temporal.read_moment(value)


def _files(field: Field, value: Any, _choices: Sequence[Option]) -> str:
    if field.multiple and not isinstance(value, list):
        return f"to be a list of materials, but it is {kind(value)}"
    for each in value if field.multiple else [value]:
        if not isinstance(each, str) or not _REFERENCE.fullmatch(each):
            return f"to name a material that was handed in, but it is {_shown(each)}"
    return ""


def passed(value: str, now: dt.datetime) -> str:
    """Say why a date is too early where none before today is taken; empty when it is not."""
    found = temporal.read_moment(value)
    day = (found if found.tzinfo is None else found.astimezone(now.tzinfo)).date()
    return f"to be today ({now.date()}) or later, but it is {value}" if day < now.date() else ""


_KINDS = ((bool, "true or false"), ((int, float), "a number"), (str, "text"), (list, "a list"), (dict, "an object"))


def kind(value: Any) -> str:
    """Name the kind of JSON that a value is."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "something else") if value is not None else "null"


_CHECKS: dict[FieldType, Callable[[Field, Any, Sequence[Option]], str]] = {
    FieldType.TEXT: _text,
    FieldType.TEXTAREA: _text,
    FieldType.NUMBER: _number,
    FieldType.CHECKBOX: _checkbox,
    FieldType.RADIO: _one_of,
    FieldType.SELECT: _one_of,
    FieldType.CHECKLIST: _some_of,
    FieldType.TAGLIST: _some_of,
    FieldType.FILE: _files,
    FieldType.DATE: _moment(temporal.read_date, "2026-11-25"),
    FieldType.TIME: _moment(temporal.read_time, "08:30"),
    FieldType.DATETIME: _moment(_read_datetime, "2026-11-25T08:30"),
}
