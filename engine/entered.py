"""Entered (填写内容): what was filled in, as the verbs of the domain take it; a task may have no form that has looked at it before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.case_models import Item
from engine.errors import InvalidInput


def text(data: Mapping[str, Any], name: str, *, longest: int | None = None) -> str | None:
    """Give a text, None when nothing was filled in; raises InvalidInput for anything else, and for more letters than are kept."""
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput.of_field(name, f"Expected {name} to be text, but it is {value!r:.80}")
    if value is not None and longest is not None and len(value) > longest:
        raise InvalidInput.of_field(name, f"Expected {name} of at most {longest} characters, but it has {len(value)}")
    return value or None


def choice(data: Mapping[str, Any], name: str, known: Iterable[str], *, otherwise: str | None = None, hint: str = "") -> str:
    """Give one of the known words, `otherwise` when nothing was filled in; raises InvalidInput for anything else."""
    value, words = data.get(name) or otherwise, list(known)
    if value not in words:
        raise InvalidInput.of_field(name, f"Expected {name} to be one of {', '.join(words)}, but it is {value!r:.80}{hint}")
    return str(value)


def among(items: Sequence[Item], data: Mapping[str, Any], name: str) -> list[Item]:
    """Give the items that a text names, by number, code or name; all when nothing was filled in.  Raises InvalidInput for others."""
    said = (text(data, name) or "").strip()
    known = {word: item.id for item in items for word in (item.number, item.code, item.name)}
    words = [said] if said in known else [word for word in re.split(r"[\s,，、;；]+", said) if word]
    for word in words:
        if word not in known:
            raise InvalidInput.of_field(name, f"Expected one of {'、'.join(item.name for item in items)}, but {word:.80} is none of them")
    return [item for item in items if not words or item.id in {known[word] for word in words}]
