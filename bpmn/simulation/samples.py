"""Samples (示例数据): what a form can be filled in with, one sample for each difference that it makes."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bpmn import patterns
from bpmn.errors import ExpressionError, FormError
from bpmn.expressions import Expression
from bpmn.forms import Form
from bpmn.forms.field import NESTED, ONE_OF, SOME_OF, Field, FieldType, options
from bpmn.identifiers import Format
from bpmn.simulation.telling import OTHER, Telling

Sample = dict[str, Any]
#: For some choices, the values with which a token goes on along each path.
Along = Callable[[Telling], Iterable[Iterable[Sample]]]
#: Combinations of values that are tried one by one; and that are filled in for the sake of one path.
MOST, TRIES = 24, 50
#: Rounds in which a form is filled in: what is filled in may ask for more.
ROUNDS = 8
TEXT = "示例"
_FORMATS = {Format.ID_NUMBER: "430102199001011238", Format.CREDIT_CODE: "91430100MA4L0F1A22", Format.PHONE: "13800000000"}
_VALIDATIONS = {"email": "sample@example.com", "phone": "+86 138 0000 0000"}


def nowhere(_choices: Telling) -> Iterable[Iterable[Sample]]:
    """Know no paths."""
    return ()


def of_form(form: Form, variables: Mapping[str, Any], telling: Telling, *, now: dt.datetime, along: Along = nowhere) -> list[Sample]:
    """Return samples that the form takes, the plainest first; none when none is found.  `along`: see `combined`."""
    distinguished = _distinguished(form, telling)
    choices = {f.key: some for f in form.fields if f.key in distinguished and (some := _choices(f, variables, telling))}
    return combined(choices, along, lambda given: _fill(form, given, variables, now))


def combined(choices: Telling, along: Along = nowhere, fill: Callable[[Sample], Sample | None] = dict) -> list[Sample]:
    """Return every combination of some values, filled in; what cannot be (None) is left out.

    When there are too many: the first that leads on along each path (`along` tells for some choices what does), and each value beside
    the first ones of the others.
    """
    plain = {name: some[0] for name, some in choices.items()}
    if math.prod(map(len, choices.values())) <= MOST:
        wanted: Iterable[Iterable[Sample]] = ([dict(zip(choices, chosen, strict=True))] for chosen in itertools.product(*choices.values()))
    else:
        beside = ([plain | {name: value}] for name, some in choices.items() for value in some[1:])
        wanted = itertools.chain([[plain]], ((plain | found for found in some) for some in along(choices)), beside)
    found: list[Sample] = []
    for some in wanted:
        filled = (sample for given in itertools.islice(some, TRIES) if (sample := fill(given)) is not None)
        found += [sample for sample in itertools.islice(filled, 1) if sample not in found]
    return found


def _distinguished(form: Form, telling: Telling) -> set[str]:
    """Keys of fields that make a difference to the drawing or to other fields."""
    among = {name for field in _all(form.fields) for condition in field.hide for name in condition.names}
    return {field.key for field in form.fields if field.key in telling or field.key in among}


def _all(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all(field.fields)


def _choices(field: Field, variables: Mapping[str, Any], telling: Telling) -> list[Any]:
    """Values of one field that are worth trying."""
    if field.readonly is True or field.type is FieldType.EXPRESSION:
        return []
    if field.type is FieldType.CHECKBOX:
        return [True, False]
    offered = [option.value for option in _options(field, variables)]
    if field.type in ONE_OF:
        return offered
    if field.type in SOME_OF:
        return [[], *([value] for value in offered), offered]
    is_number = field.type is FieldType.NUMBER
    kinds = (int, float) if is_number else str
    told = [value for value in telling.get(field.key, ()) if isinstance(value, kinds) and not isinstance(value, bool)]
    if told or field.key not in telling or field.pattern or field.format or field.validation:
        return told
    # What is compared with another field only may be less than that, the same, or more.
    return [1, 2, 3] if is_number else [TEXT, OTHER]


def _fill(form: Form, given: Sample, variables: Mapping[str, Any], now: dt.datetime) -> Sample | None:
    """Fill in what the form asks for beside what is given; None when it does not take that."""
    fields, sample = {field.key: field for field in form.fields}, dict(given)
    for _ in range(ROUNDS):
        try:
            form.validate(sample, variables, now=now)
        except FormError as error:
            keys = {wrong.field.split(".")[0].split("[")[0] for wrong in error.errors}
            hidden = {key for key in keys & sample.keys() if sample[key] in (given.get(key), None) and key in given}
            missing = [fields[key] for key in sorted(keys - sample.keys()) if key in fields]
            if hidden:
                sample = {key: value for key, value in sample.items() if key not in hidden}
            elif not missing:
                return None
            sample |= {field.key: _value(field, variables, now) for field in missing}
        else:
            return sample
    return None


def _value(field: Field, variables: Mapping[str, Any], now: dt.datetime) -> Any:
    """Return a value that the field takes, as far as that can be told."""
    if field.type in NESTED:
        members = {each.key: _value(each, variables, now) for each in field.fields if _is_needed(each)}
        return members if field.type is FieldType.GROUP else [members] * (field.repetitions or 1)
    if field.type in (FieldType.TEXT, FieldType.TEXTAREA):
        return _text(field)
    if field.type is FieldType.NUMBER:
        return _number(field)
    if field.type in ONE_OF | SOME_OF:
        offered = [option.value for option in _options(field, variables)][:1]
        return offered if field.type in SOME_OF else next(iter(offered), None)
    plain = {
        FieldType.CHECKBOX: True,
        FieldType.DATE: now.date().isoformat(),
        FieldType.TIME: "09:00",
        FieldType.DATETIME: now.replace(tzinfo=None).isoformat(timespec="minutes"),
        FieldType.FILE: ["sample"] if field.multiple is True else "sample",
    }
    return plain.get(field.type)


def _is_needed(field: Field) -> bool:
    return field.required is not False and field.readonly is not True and field.type is not FieldType.EXPRESSION


def _text(field: Field) -> str:
    if field.format is not None:
        return _FORMATS[field.format]
    if field.validation is not None:
        return _VALIDATIONS[field.validation]
    try:
        text = patterns.example(field.pattern) if field.pattern else TEXT
    except ExpressionError:
        text = TEXT
    least = field.min_length if isinstance(field.min_length, int) else 0
    most = field.max_length if isinstance(field.max_length, int) else None
    return text if field.pattern else text.ljust(least, TEXT[-1])[:most]


def _number(field: Field) -> Any:
    least, most = (limit if isinstance(limit, int | float) else None for limit in (field.minimum, field.maximum))
    number = least if least is not None else 1 if most is None else min(1, most)
    return str(number) if field.as_text else int(number) if float(number).is_integer() else number


def _options(field: Field, variables: Mapping[str, Any]) -> Iterable[Any]:
    if not isinstance(field.options_from, Expression):
        return field.options
    try:
        return options(field.options_from.evaluate(variables))
    except ExpressionError:
        return ()
