"""What is asked: bodies and queries as Camunda's clients write them.  Unknown fields of a body are ignored: some clients send such."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
from flask import request
from werkzeug.exceptions import BadRequest

from engine.errors import InvalidInput, NotFound

Kind = TypeVar("Kind")
#: Greatest whole number that every database keeps, and that Java calls an int.
GREATEST, INT = 2**63 - 1, 2**31 - 1
#: Most characters of a business key, of the name of a worker, or of a file.
LONGEST = 255
#: How deeply a body may be nested.  No client needs more, and whatever walks through a deeper one would run out of stack.
DEEPEST = 200
#: How many values a request may ask for.  Each becomes a parameter or two of a statement, which can have some ten thousand of them.
MOST = 10_000
_NAMES = {str: "text", bool: "true or false", int: "a whole number", dict: "an object", list: "a list"}


def body() -> dict[str, Any]:
    """Read the body, whatever its content type; no body and `null` are an empty object."""
    raw = request.get_data()
    try:
        found = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"Expected a body of JSON, but {error}") from None
    level = [found]
    for _ in range(DEEPEST):
        level = level and _members(level)
    if level:
        raise BadRequest(f"Expected a body of at most {DEEPEST} levels, but it is deeper")
    if found is not None and not isinstance(found, dict):
        raise BadRequest(f"Expected a body with an object, but it has {type(found).__name__}")
    return found or {}


def field(given: dict[str, Any], name: str, kind: type[Kind], *, most: int = GREATEST) -> Kind | None:
    """Give one field, None when it is missing or null; raises InvalidInput for another kind of value.

    `most`: the greatest whole number, or the number of letters of the longest text.
    """
    value: Any = given.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidInput(f"Expected {name} to be {_NAMES[kind]}, but it is {value!r:.80}")
    if isinstance(value, int) and abs(value) > most:
        raise InvalidInput(f"Expected {name} to be a number of at most {most}, but it is {value}")
    if isinstance(value, str) and "\0" in value:
        raise InvalidInput(f"Expected {name} to be text, but it has a NUL character")
    if isinstance(value, str) and len(value) > most:
        raise InvalidInput(f"Expected {name} of at most {most} characters, but it has {len(value)}")
    return cast("Kind", value)


def needed(given: dict[str, Any], name: str, kind: type[Kind], *, most: int = GREATEST) -> Kind:
    """Give one field that must be there."""
    value = field(given, name, kind, most=most)
    if value is None or value == "":
        raise InvalidInput(f"Expected {name} to be given, but it is missing")
    return value


def criteria() -> dict[str, Any]:
    """Give what a list is filtered by: the body of a POST, the query of a GET."""
    return body() if request.method == "POST" else {**request.args}


def require_few(given: Any, what: str) -> None:
    """Raise InvalidInput when more values are asked for (`MOST`) than a statement can have; `what` names them in the message."""
    level, count = [given], 0
    while level := _members(level):
        count += sum(one.count(",") + 1 if isinstance(one, str) else one is not None for one in level)
        if count > MOST:
            raise InvalidInput(f"Expected {what} of at most {MOST} values, but there are more")


def several(given: dict[str, Any], name: str) -> list[str] | None:
    """Give a list of texts, which a query writes as one text with commas; None: it is not given.  Raises InvalidInput."""
    value = given.get(name)
    if value is None:
        return None
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) and "\0" not in one for one in found):
        raise InvalidInput(f"Expected {name} to be a list of texts, but it is {value!r:.80}")
    return found


def true(given: dict[str, Any], name: str) -> bool:
    """Read true or false, which a query writes as text; None is false.  Raises InvalidInput for another text, also for an empty one."""
    text = str(False if given.get(name) is None else given[name]).lower()
    if text not in {"true", "false"}:
        raise InvalidInput(f"Expected {name} to be true or false, but it is {given[name]!r:.80}")
    return text == "true"


def number(name: str, default: int) -> int:
    """Give a whole number of the query, of at most nine digits; raises InvalidInput for another one, and for a negative one."""
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 - nobody has more rows than that
        raise InvalidInput(f"Expected the query parameter {name} to be a whole number, but it is {text!r:.80}")
    return int(text)


def flag(name: str, *, default: bool = False) -> bool:
    """Give true or false of the query."""
    text = request.args.get(name, str(default)).lower()
    if text not in {"true", "false"}:
        raise InvalidInput(f"Expected the query parameter {name} to be true or false, but it is {text!r:.80}")
    return text == "true"


def uuid(text: str, what: str) -> UUID:
    """Read an id; raises NotFound for a text that is none.  `what`: the kind of thing, for the message."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"{what} with id {text} does not exist") from None


def _members(level: Iterable[Any]) -> list[Any]:
    """What is directly in lists and objects."""
    return [one for outer in level if isinstance(outer, (dict, list)) for one in (outer.values() if isinstance(outer, dict) else outer)]
