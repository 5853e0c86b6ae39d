"""`camunda:in` and `camunda:out`: what passes between a call activity and what it calls, and with a signal."""

from __future__ import annotations

from bpmn.compiler.source import TRUE, Node, Source, extensions
from bpmn.parameters import VariableMapping


def read(source: Source, node: Node, part: Node, kind: str) -> tuple[VariableMapping, ...]:
    """Read the mappings of a kind that stand on a part of an element; a business key is none."""
    return tuple(_mapping(source, node, row) for row in extensions(part, kind) if "businessKey" not in row.attrib)


def _mapping(source: Source, node: Node, row: Node) -> VariableMapping:
    local = row.get("local") in TRUE
    if row.get("variables") == "all":
        return VariableMapping(source=None, target=None, local=local)
    by_name = row.get("source")
    written = source.expression(node, f"${{{by_name}}}" if by_name else row.get("sourceExpression"), "a mapping")
    return VariableMapping(source=written, target=row.get("target"), by_name=by_name is not None, local=local)
