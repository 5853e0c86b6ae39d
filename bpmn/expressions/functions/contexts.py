"""Built-in functions on contexts."""

from __future__ import annotations

from typing import Any

from bpmn.expressions.functions import arguments
from bpmn.expressions.functions.registry import builtin


@builtin("get value(m, key)")
def get_value(entries: Any, key: Any) -> Any:
    """Take an entry of a context; null when there is none."""
    return arguments.context(entries).get(arguments.text(key))


@builtin("get entries(m)")
def get_entries(entries: Any) -> list[dict[str, Any]]:
    """List the entries of a context as key and value."""
    return [{"key": key, "value": value} for key, value in arguments.context(entries).items()]


@builtin("context(entries)")
def context(entries: Any) -> dict[str, Any]:
    """Make a context of entries, each with key and value."""
    found = map(arguments.context, arguments.listing(entries))
    return {arguments.text(entry.get("key")): entry.get("value") for entry in found}


@builtin("context put(context, key, value)", nulls=True)
def context_put(entries: Any, key: Any, value: Any) -> dict[str, Any]:
    """Add an entry to a context, or replace it."""
    return {**arguments.context(entries), arguments.text(key): value}


@builtin("context merge(contexts)")
def context_merge(contexts: Any) -> dict[str, Any]:
    """Join contexts; of two entries with one key, the later counts."""
    return {key: value for each in arguments.listing(contexts) for key, value in arguments.context(each).items()}
