"""Entered (填写内容): what was filled in, as the verbs of the domain take it; a task may have no form that has looked at it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import InvalidInput


def text(data: Mapping[str, Any], name: str, *, longest: int | None = None) -> str | None:
    """Give a text, None when nothing was filled in; raises InvalidInput for anything else, and for more letters than are kept."""
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput.of_field(name, f"Expected {name} to be text, but it is {value!r:.80}")
    if value is not None and longest is not None and len(value) > longest:
        raise InvalidInput.of_field(name, f"Expected {name} of at most {longest} characters, but it has {len(value)}")
    return value or None
