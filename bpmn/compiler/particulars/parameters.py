"""`camunda:inputOutput`: what an activity is given as local variables, and what it hands to the variables around it."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from lxml import etree

from bpmn.compiler.source import CAMUNDA, Node, Source, extensions, text_of
from bpmn.parameters import Parameter, Value


def read(source: Source, node: Node) -> dict[str, Any]:
    """Read the parameters of an element."""
    return {
        "input_parameters": tuple(_parameter(source, node, row) for row in rows(node, "inputParameter")),
        "output_parameters": tuple(_parameter(source, node, row) for row in rows(node, "outputParameter")),
    }


def rows(node: Node, kind: str) -> Iterator[Node]:
    """Yield the input or output parameters of an element, as they are written."""
    for group in extensions(node, "inputOutput"):
        yield from group.iterchildren(CAMUNDA + kind)


def children(node: Node) -> list[Node]:
    """List what stands in a parameter, a list or an entry."""
    return list(node.iterchildren(f"{CAMUNDA}*"))


def word(node: Node) -> str:
    """Return the name of what stands in a parameter: list, map, script, value."""
    return etree.QName(node).localname


def _parameter(source: Source, node: Node, row: Node) -> Parameter:
    return Parameter(name=row.get("name", ""), value=_nested(source, node, row))


def _nested(source: Source, node: Node, row: Node) -> Value:
    """Read what stands in a parameter or an entry: one thing, or a text."""
    inside = children(row)
    return _value(source, node, inside[0] if inside else row)


def _value(source: Source, node: Node, row: Node) -> Value:
    if word(row) == "list":
        return tuple(_value(source, node, entry) for entry in children(row))
    if word(row) == "map":
        return MappingProxyType({entry.get("key", ""): _nested(source, node, entry) for entry in row.iterchildren(f"{CAMUNDA}entry")})
    if word(row) == "script":
        return source.script(node, text_of(row), row.get("scriptFormat"))
    return source.expression(node, text_of(row), "a parameter")
