"""The compiled form (编译结果): what has been read from a file, as JSON, so that another process need not read and judge the file again.

Expressions are kept as they were written, with the names that they mention; they are parsed when they are first evaluated.  Whoever keeps a
compiled form keeps the `fingerprint` of the compiler with it: a form that another compiler has made must not be read.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bpmn import definition, parameters
from bpmn.expressions import Expression, expression
from bpmn.forms import field, form
from bpmn.identifiers import Format

#: Values that consist of others, and words of which there are few: each by the name of its class.
_PARTS: tuple[type, ...] = (
    definition.Definition,
    definition.Element,
    definition.Flow,
    definition.EventDefinition,
    definition.Loop,
    parameters.Parameter,
    parameters.VariableMapping,
    form.Form,
    field.Field,
    field.Option,
)
_WORDS: tuple[type[StrEnum], ...] = (
    definition.ElementType,
    definition.EventType,
    definition.TimerType,
    definition.LoopType,
    definition.Binding,
    field.FieldType,
    Format,
)
#: What an object of JSON is, if it stands for something else; no object of a diagram's own is written as one.
_KIND = ""


@functools.cache
def fingerprint() -> str:
    """What tells this compiler from any other: a hash of its source."""
    found = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        found.update(f"{path.relative_to(here)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def write(compiled: object) -> bytes:
    """Write definitions, or a form."""
    return json.dumps(_plain(compiled), ensure_ascii=False, separators=(",", ":")).encode()


def read(content: bytes) -> Any:
    """Return what was written: equal to it in everything."""
    return json.loads(content, object_hook=_made)


def _plain(value: Any) -> Any:
    """Turn a value into one that JSON can hold."""
    kind = type(value)
    if kind in (str, int, float, bool, type(None)):
        return value
    if kind is list:
        return [_plain(each) for each in value]
    return {_KIND: kind.__name__, **_WRITERS[kind](value)}


def _made(written: dict[str, Any]) -> Any:
    return _READERS[written.pop(_KIND)](written)


def _defaults(part: type) -> dict[str, Any]:
    """Values of the fields of a class that need not be given."""
    found = {each.name: each.default_factory() if each.default_factory is not MISSING else each.default for each in fields(part)}
    return {name: value for name, value in found.items() if value is not MISSING}


def _writer(part: type) -> Callable[[Any], dict[str, Any]]:
    defaults = _defaults(part)
    names = [each.name for each in fields(part)]

    def written(value: Any) -> dict[str, Any]:
        found = {name: getattr(value, name) for name in names}
        return {name: _plain(each) for name, each in found.items() if name not in defaults or each != defaults[name]}

    return written


def _reader(part: type) -> Callable[[dict[str, Any]], Any]:
    defaults = _defaults(part)

    def made(written: dict[str, Any]) -> Any:
        # As `__init__` of a frozen class does it, in one go: there are hundreds of them in a diagram.
        value: Any = object.__new__(part)
        value.__dict__.update(defaults, **written)
        return value

    return made


def _expression(value: Expression) -> dict[str, Any]:
    return {"source": value.source, "dialect": value.dialect, "names": sorted(value.names), "calls": sorted(value.calls)}


def _word(word: type[StrEnum]) -> Callable[[dict[str, Any]], StrEnum]:
    return lambda written: word(written["of"])


def _pairs(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"of": [[key, _plain(each)] for key, each in value.items()]}


def _members(value: Iterable[Any]) -> dict[str, Any]:
    return {"of": [_plain(each) for each in value]}


_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    **{part: _writer(part) for part in _PARTS},
    **dict.fromkeys(_WORDS, lambda value: {"of": value.value}),
    Expression: _expression,
    dict: _pairs,
    MappingProxyType: _pairs,
    tuple: _members,
    frozenset: lambda value: _members(sorted(value)),
}
_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    **{part.__name__: _reader(part) for part in _PARTS},
    **{word.__name__: _word(word) for word in _WORDS},
    "Expression": lambda written: expression.later(**written),
    "dict": lambda written: dict(written["of"]),
    "mappingproxy": lambda written: MappingProxyType(dict(written["of"])),
    "tuple": lambda written: tuple(written["of"]),
    "frozenset": lambda written: frozenset(written["of"]),
}
