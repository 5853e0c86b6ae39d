"""Requests, read strictly: bodies and queries become models, or the request is refused with every fault named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, get_origin

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from engine.errors import InvalidInput

Model = TypeVar("Model", bound=BaseModel)
#: Greatest whole number that every database keeps.
GREATEST = 2**63 - 1
FORM = "multipart/form-data"
#: The byte order mark with which some editors begin a file; it means nothing.
BOM = b"\xef\xbb\xbf"
#: The part of a form that is the upload.
FILE = "file"

#: What is wrong, in our own grammar, by the name that the reader gives it.
_WORDS = {
    "missing": "Expected a value, but there is none",
    "extra_forbidden": "Expected a field that is known here, but there is none of this name",
    "literal_error": "Expected {expected}, but it is something else",
    "enum": "Expected {expected}, but it is something else",
    "string_too_short": "Expected a length of at least {min_length}, but it is shorter",
    "string_too_long": "Expected a length of at most {max_length}, but it is longer",
    "string_pattern_mismatch": "Expected text of the form {pattern}, but it is something else",
    "too_short": "Expected a list of at least {min_length}, but it is shorter",
    "too_long": "Expected a list of at most {max_length}, but it is longer",
    "greater_than_equal": "Expected {ge} or more, but it is less",
    "less_than_equal": "Expected {le} or less, but it is more",
    "string_type": "Expected text, but it is something else",
    "int_type": "Expected a whole number, but it is something else",
    "int_parsing": "Expected a whole number, but it is something else",
    "bool_type": "Expected true or false, but it is something else",
    "bool_parsing": "Expected true or false, but it is something else",
    "list_type": "Expected a list, but it is something else",
    "dict_type": "Expected an object, but it is something else",
    "model_type": "Expected an object, but it is something else",
    "date_from_datetime_parsing": "Expected a date such as 2026-11-25, but it is none",
    "datetime_from_date_parsing": "Expected a moment such as 2026-11-25T00:30:00Z, but it is none (in an address + is written %2B)",
    "timezone_aware": "Expected a moment with its time zone, such as 2026-11-25T00:30:00Z, but it has none",
    "date_from_datetime_inexact": "Expected a date such as 2026-11-25, but it is a moment",
    "uuid_parsing": "Expected an id that was given out here, but it is none",
}


def read_json(model: type[Model]) -> Model:
    """Read the body.  Raises BadRequest (no JSON), InvalidInput (other data than the model takes)."""
    raw = request.get_data().removeprefix(BOM)
    try:
        document = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest(f"Expected JSON in UTF-8, but {error}") from None
    if unfit := list(_unfit(document, "")):
        raise _invalid([{"field": field, "message": message} for field, message in unfit])
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise _invalid(_explained(error, model)) from None


def read_form(model: type[Model]) -> Model:
    """Read the text fields of an upload, beside which there must be exactly one file."""
    values: dict[str, Any] = {name: parts[0] if len(parts) == 1 else parts for name, parts in request.form.lists()}
    files = [name for name, parts in request.files.lists() for _ in parts]
    if files != [FILE]:
        raise _invalid([{"field": FILE, "message": f"Expected exactly one file, but got {files.count(FILE)}"}])
    if unfit := list(_unfit(values, "")):
        raise _invalid([{"field": field, "message": message} for field, message in unfit])
    try:
        return model.model_validate(values, strict=False)
    except ValidationError as error:
        raise _invalid(_explained(error, model)) from None


def read_query(model: type[Model]) -> Model:
    """Read the query.  A field that is no list may stand there once."""
    many = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is list}
    given = dict(request.args.lists())
    if repeated := [name for name, parts in given.items() if name not in many and len(parts) > 1]:
        raise _invalid([{"field": name, "message": "Expected one value, but there are several"} for name in repeated])
    try:
        return model.model_validate({name: parts if name in many else parts[0] for name, parts in given.items()})
    except ValidationError as error:
        raise _invalid(_explained(error, model)) from None


def unsupported(*accepted: str) -> UnsupportedMediaType:
    """Make the refusal of a body of another type."""
    return UnsupportedMediaType(f"Expected {' or '.join(accepted)}, but the body is {request.mimetype or 'of no type'}")


def _unfit(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Find what JSON can say and no database can keep."""
    if isinstance(value, str) and "\0" in value:
        yield path, "Expected text, but it has a NUL character"
    elif isinstance(value, int) and abs(value) > GREATEST:
        yield path, f"Expected a whole number of at most {GREATEST}, but it is greater; send it as text"
    elif isinstance(value, float) and abs(value) == float("inf"):
        yield path, "Expected a number, but it is too great to be kept"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _unfit(name, f"{path}.{name}".strip("."))
            yield from _unfit(inner, f"{path}.{name}".strip("."))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _unfit(inner, f"{path}.{n}".strip("."))


def _explained(error: ValidationError, model: type[BaseModel]) -> list[dict[str, str]]:
    found = error.errors(include_url=False, include_input=False)
    known = ", ".join(field.alias or name for name, field in model.model_fields.items())
    strange = f"Expected one of {known}, but there is none of this name"  # of what lies deeper it is not told what is known there
    return [
        {
            "field": ".".join(str(part) for part in one["loc"]),
            "message": strange if known and one["type"] == "extra_forbidden" and len(one["loc"]) == 1 else _in_words(one),
        }
        for one in found
    ]


def _in_words(fault: ErrorDetails) -> str:
    if fault["type"] == "value_error":
        return fault["msg"].removeprefix("Value error, ")
    words = _WORDS.get(fault["type"])
    return (
        words.format(**fault.get("ctx", {})) if words else f"Expected an acceptable value, but {fault['msg'][:1].lower()}{fault['msg'][1:]}"
    )


def _invalid(errors: list[dict[str, str]]) -> InvalidInput:
    named = "; ".join(f"{one['field'] or 'the body'}: {one['message']}" for one in errors)
    return InvalidInput(f"Expected acceptable data, but {named}", errors=errors)
