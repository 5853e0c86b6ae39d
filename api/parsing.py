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
#: The part of a form that is the upload.
FILE = "file"


def read_json(model: type[Model]) -> Model:
    """Read the body.  Raises BadRequest (no JSON), InvalidInput (other data than the model takes)."""
    raw = request.get_data()
    try:
        document = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest(f"Expected JSON, but {error}") from None
    if unfit := list(_unfit(document, "")):
        raise _invalid([{"field": field, "message": message} for field, message in unfit])
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise _invalid(_explained(error)) from None


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
        raise _invalid(_explained(error)) from None


def read_query(model: type[Model]) -> Model:
    """Read the query.  A field that is no list may stand there once."""
    many = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is list}
    values: dict[str, Any] = {name: parts if name in many or len(parts) > 1 else parts[0] for name, parts in request.args.lists()}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(_explained(error)) from None


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


def _explained(error: ValidationError) -> list[dict[str, str]]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"field": ".".join(str(part) for part in one["loc"]), "message": _in_words(one)} for one in found]


def _in_words(fault: ErrorDetails) -> str:
    if fault["type"] == "missing":
        return "Expected a value, but there is none"
    if fault["type"] == "extra_forbidden":
        return "Expected a field that is known here, but there is none of this name"
    return fault["msg"].removeprefix("Value error, ")


def _invalid(errors: list[dict[str, str]]) -> InvalidInput:
    named = "; ".join(f"{one['field'] or 'the body'}: {one['message']}" for one in errors)
    return InvalidInput(f"Expected acceptable data, but {named}", errors=errors)
