"""What is written on a thing, flat: `{"event.when": "P3D", "candidate_groups": "window, market"}`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from bpmn.expressions import Expression
from bpmn.forms import Field

#: What names the members of a list, so that they are compared one by one: of parameters, mappings, fields, options.
_NAMES = ("key", "name", "target", "value")


def written(thing: Any, *, without: Collection[str] = ()) -> dict[str, str]:
    """Return all attributes of a dataclass that are set, save some."""
    own = [field.name for field in fields(thing) if field.name not in without]
    return {path: text for name in own for path, text in _flat(name, getattr(thing, name))}


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Field):
        value = value.describe()
    if isinstance(value, (tuple, list, set, frozenset)):
        value = _members(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}", inner)
    elif is_dataclass(value) and not isinstance(value, Expression):
        for field in fields(value):
            yield from _flat(f"{path}.{field.name}", getattr(value, field.name))
    elif value not in (None, "", False):
        yield path, text(value)


def _members(value: Collection[Any]) -> Mapping[str, Any] | str:
    """Name the members of a list; those without names are one text."""
    for name in _NAMES:
        named = {str(key): each for each in value if (key := _named(each, name)) is not None}
        if named and len(named) == len(value):
            return named
    return ", ".join(sorted(map(text, value)) if isinstance(value, (set, frozenset)) else map(text, value))


def _named(member: Any, name: str) -> Any:
    if isinstance(member, Mapping):
        return member.get(name)
    return None if isinstance(member, Expression | Enum) else getattr(member, name, None)


def text(value: Any) -> str:
    """Write a value as the diagram does."""
    if isinstance(value, Expression):
        return value.source
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return " ".join(map(text, value))
    return str(value)
