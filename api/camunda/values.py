"""Typed values, `{value, type, valueInfo}`: the one place where Camunda's types meet JSON.

Variables are kept as JSON.  A type that JSON cannot tell (a date, a document that is XML) is kept beside the variable, and is believed
only while the value still fits it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from engine.calendars import BEIJING
from engine.errors import InvalidInput
from engine.variables import Given

_JSON = "application/json"
_CLASSES: dict[type, str] = {list: "java.util.ArrayList", dict: "java.util.LinkedHashMap"}
_INTEGER = 2**31
_BITS = {"Short": 15, "Integer": 31, "Long": 63}
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
#: How deeply the value of a variable may be nested.
_DEEPEST = 100


class _UnfitError(ValueError):
    """The value is none of its type."""


def decode(given: Any) -> Given:
    """Read the variables of a request; raises InvalidInput that names the one that is wrong.  None: no variables."""
    if given is None:
        return Given()
    if not isinstance(given, dict):
        raise InvalidInput(f"Expected variables as an object, but they are {type(given).__name__}")
    read = {name: _read(name, typed) for name, typed in given.items()}
    return Given(
        values={name: value for name, (value, _) in read.items()},
        types={name: kind for name, (value, kind) in read.items() if kind and kind["type"] != infer(value)},
        transient=frozenset(name for name, typed in given.items() if (typed.get("valueInfo") or {}).get("transient") is True),
    )


def encode(value: Any, kept: Mapping[str, Any] | None = None, *, deserialize: bool = False) -> dict[str, Any]:
    """Show a variable; `kept` is the type it was given with, `deserialize` shows objects as JSON itself, not as text."""
    kind = kept["type"] if kept is not None and _fits(kept["type"], value) else infer(value)
    info: dict[str, Any] = dict(kept.get("valueInfo") or {}) if kept is not None and kind == kept["type"] else {}
    if kind == "Object":
        info = {"objectTypeName": _CLASSES.get(type(value), "java.lang.Object"), "serializationDataFormat": _JSON} | info
    write = _WRITE.get(kind)
    native = value is None or write is None or (kind == "Object" and deserialize)
    return {"value": value if native or write is None else write(value), "type": kind, "valueInfo": info}


def encode_all(
    values: Mapping[str, Any], kept: Mapping[str, Any], *, names: list[str] | None = None, deserialize: bool = False
) -> dict[str, dict[str, Any]]:
    """Show the variables of an instance, all or some."""
    return {
        name: encode(value, kept.get(name), deserialize=deserialize) for name, value in values.items() if names is None or name in names
    }


def moment(given: Mapping[str, Any], name: str) -> datetime:
    """Read a moment as clients write it; raises InvalidInput that names the field."""
    return datetime.fromisoformat(decode({name: {"value": given[name], "type": "Date"}}).values[name])


def infer(value: Any) -> str:
    """Name the type that JSON tells."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int):
        return "Integer" if -_INTEGER <= value < _INTEGER else "Long"
    if isinstance(value, float):
        return "Double"
    return "String" if isinstance(value, str) else "Object"


def _read(name: str, typed: Any) -> tuple[Any, dict[str, Any] | None]:
    if not isinstance(typed, dict):
        raise InvalidInput(f"Expected variable {name} as an object with value and type, but it is {typed!r:.80}")
    kind, value, info = typed.get("type"), typed.get("value"), typed.get("valueInfo") or {}
    if "\0" in name:
        raise InvalidInput(f"Expected a name without NUL characters, but a variable is called {name!r:.80}")
    if not isinstance(info, dict):
        raise InvalidInput(f"Expected valueInfo of variable {name} to be an object, but it is {info!r:.80}")
    try:
        if kind is None:
            return _bounded(value), None
        kind = _named(kind)
        read = None if value is None else _bounded(_READ[kind](value))
        return read, {"type": kind, **_told(kind, info)}
    except _UnfitError as unfit:
        raise InvalidInput(f"Expected variable {name} to have {unfit}, but it is {value!r:.80} of type {kind!r:.80}") from None


def _named(kind: Any) -> str:
    """Name a type as it is shown; some clients begin it with a small letter."""
    named = kind[:1].upper() + kind[1:] if isinstance(kind, str) else ""
    if named not in _READ:
        raise _UnfitError(f"a type that there is ({', '.join(_READ)})")
    return named


def _told(kind: str, info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of `valueInfo`.  Objects must be written as JSON: Java classes are not read."""
    if kind == "File" and not isinstance(info.get("filename"), str):
        raise _UnfitError("a valueInfo with filename")
    if kind == "Object" and info.get("serializationDataFormat", _JSON) not in (_JSON, None):
        raise _UnfitError(f"serializationDataFormat {_JSON}")
    wanted = {"File": ("filename", "mimeType", "encoding"), "Object": ("objectTypeName",)}.get(kind, ())
    told = {name: text for name in wanted if isinstance(text := info.get(name), str)}
    return {"valueInfo": told} if told else {}


def _bounded(value: Any, depth: int = 0) -> Any:
    """Pass a value on, unless a database cannot keep it; raises _UnfitError."""
    if depth > _DEEPEST:
        raise _UnfitError(f"a value at most {_DEEPEST} deep")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise _UnfitError("whole numbers of at most 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise _UnfitError("finite numbers")
    if isinstance(value, str) and "\0" in value:
        raise _UnfitError("text without NUL characters")
    for member in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        _bounded(member, depth + 1)
    return value


# A value of a simple type may be written as text, and a text as a number: Camunda 7 reads it as the type says.


def _boolean(value: Any) -> bool:
    if isinstance(value, str) and value in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _UnfitError("true or false")
    return value


def _string(value: Any) -> str:
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return _plain_text(value)


def _plain_text(value: Any) -> str:
    if not isinstance(value, str):
        raise _UnfitError("text")
    return value


def _whole(kind: str) -> Callable[[Any], int]:
    limit = 2 ** _BITS[kind]

    def read(given: Any) -> int:
        value = int(given) if isinstance(given, str) and _WHOLE.fullmatch(given) else given
        if isinstance(value, bool) or not isinstance(value, int) or not -limit <= value < limit:
            raise _UnfitError(f"a whole number that is {kind}")
        return value

    return read


def _double(given: Any) -> float:
    value = float(given) if isinstance(given, str) and _NUMBER.fullmatch(given) else given
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e308:  # noqa: PLR2004 - the greatest that is finite, nearly
        raise _UnfitError("a number")
    return float(value)


def _date(value: Any) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _UnfitError("a date like 2026-03-01T08:00:00.000+0800")
    try:
        read = datetime.fromisoformat(value)
        moment = read if read.tzinfo else read.replace(tzinfo=BEIJING)  # as all dates of law
        moment.astimezone(UTC)  # as a database keeps it
    except (ValueError, OverflowError):
        raise _UnfitError("a date that the calendar has") from None
    return moment.isoformat(timespec="milliseconds")


def _base64(value: Any) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise _UnfitError("text in Base64") from None
    return str(value)


def _document(value: Any) -> Any:
    """Read a document that is text; some clients send it as JSON itself."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise _UnfitError("text that is JSON") from None


def _null(_value: Any) -> None:
    raise _UnfitError("no value")


def _java_date(value: str) -> str:
    return f"{value[:23]}{value[23:26]}{value[27:]}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_READ: dict[str, Callable[[Any], Any]] = {
    "Boolean": _boolean,
    "Bytes": _base64,
    "Short": _whole("Short"),
    "Integer": _whole("Integer"),
    "Long": _whole("Long"),
    "Double": _double,
    "Date": _date,
    "String": _string,
    "Null": _null,
    "Object": _document,
    "Json": _document,
    "Xml": _plain_text,
    "File": _base64,
}
_WRITE: dict[str, Callable[[Any], Any]] = {"Date": _java_date, "Object": _text, "Json": _text, "File": lambda _content: None}


def _fits(kind: str, value: Any) -> bool:
    """Whether a value that was kept as JSON still is of its type; an engine may have set it anew since."""
    if value is None or kind in {"Json", "Object"}:
        return True
    try:
        return bool(_READ[kind](value) == value and type(_READ[kind](value)) is type(value))
    except _UnfitError:
        return False
