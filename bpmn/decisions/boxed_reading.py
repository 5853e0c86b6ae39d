"""From the element of a boxed expression to its logic."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from bpmn.decisions import boxed
from bpmn.decisions.source import Node
from bpmn.decisions.table_reading import TableReader
from bpmn.expressions import scope
from bpmn.expressions.closures import Parameter, definition
from bpmn.expressions.scope import Node as Logic

#: Attributes of a function that say in which language it is written.
_FEEL = (None, "FEEL")
#: Boxes of DMN 1.4.
_LATER = frozenset({"conditional", "filter", "for", "some", "every"})


class BoxedReader(TableReader):
    """Reads boxes within boxes."""

    def _box(self, owner: Node, place: str) -> Logic | None:
        """Read the box in an element; None when there is none, or it is wrong, and then an error has been noted."""
        child = next(iter(self._boxed_children(owner)), None)
        if child is not None:
            return self._child_box(child, place)
        unknown = [self._source.tag(each) for each in owner if self._source.tag(each) in _LATER]
        if unknown:
            self._refuse(owner, "unsupported-element", f"Expected {place} to be of DMN 1.3, but {unknown[0]} is newer: write it in FEEL")
        else:
            self._refuse(owner, "missing-logic", f"Expected {place} to hold one of {', '.join(self._BOXES)}, but it holds none")
        return None

    def _boxes(self, owners: list[tuple[str, Node]]) -> list[Logic] | None:
        """Read several boxes; None when one of them is wrong."""
        read = [self._box(owner, place) for place, owner in owners]
        found = [each for each in read if each]
        return found if len(found) == len(read) else None

    def _literal(self, node: Node, place: str) -> Logic | None:
        found = self._expression(node, place)
        return boxed.literal(found) if found else None

    def _nested_table(self, node: Node, _place: str) -> Logic | None:
        table = self._table(node, node)
        return scope.node(lambda inner: table.decide(inner).value()) if table else None

    def _context(self, node: Node, place: str) -> Logic | None:
        entries: list[tuple[str, Logic]] = []
        result: Logic | None = None
        whole = True
        with self._binding(()):
            for number, entry in enumerate(self._source.children(node, "contextEntry"), 1):
                variable = self._source.child(entry, "variable")
                name = "" if variable is None else variable.get("name", "")
                found = self._box(entry, f"entry {name or number}")
                whole = whole and found is not None
                if found and variable is not None:
                    kind = self._type(variable, variable.get("typeRef"))
                    entries.append((name, boxed.placed(f"entry {name}", found, kind) if kind else found))
                    self._bound.append(name)
                else:
                    result = found
        if whole and not entries and not result:
            self._refuse(node, "missing-logic", f"Expected {place} to hold entries, but it is empty")
        return boxed.context(entries, result) if whole else None

    def _list(self, node: Node, _place: str) -> Logic | None:
        found = [self._child_box(child, f"member {number}") for number, child in enumerate(self._boxed_children(node), 1)]
        return boxed.listing([each for each in found if each]) if all(found) else None

    def _relation(self, node: Node, _place: str) -> Logic | None:
        columns = [column.get("name", "") for column in self._source.children(node, "column")]
        rows: list[list[Logic]] = []
        for number, row in enumerate(self._source.children(node, "row"), 1):
            cells = list(self._boxed_children(row))
            if len(cells) != len(columns):
                self._refuse(row, "cells", f"Expected row {number} to have {len(columns)} cells, but it has {len(cells)}")
                return None
            read = [self._child_box(cell, f"row {number}, {name}") for cell, name in zip(cells, columns, strict=True)]
            rows.append([cell for cell in read if cell])
        return boxed.relation(columns, rows) if all(len(row) == len(columns) for row in rows) else None

    def _invocation(self, node: Node, place: str) -> Logic | None:
        called = next(iter(self._boxed_children(node)), None)
        function = None if called is None else self._child_box(called, "the function")
        names: list[str] = []
        owners: list[tuple[str, Node]] = []
        for binding in self._source.children(node, "binding"):
            parameter = self._source.child(binding, "parameter")
            names.append("" if parameter is None else parameter.get("name", ""))
            owners.append((f"binding {names[-1]}", binding))
        values = self._boxes(owners)
        if called is None:
            self._refuse(node, "missing-logic", f"Expected {place} to name a function, but it names none")
        return boxed.invocation(function, dict(zip(names, values, strict=True))) if function and values is not None else None

    def _function(self, node: Node, place: str) -> Logic | None:
        found = self._parameters_and_body(node, place)
        return scope.node(definition(*found), found[1]) if found else None

    def _parameters_and_body(self, node: Node, place: str) -> tuple[tuple[Parameter, ...], Logic] | None:
        """Read a function definition."""
        if node.get("kind") not in _FEEL:
            self._refuse(node, "unsupported-language", f"Expected {place} to be a function in FEEL, but its kind is {node.get('kind')}")
            return None
        declared = list(self._source.children(node, "formalParameter"))
        parameters = tuple(boxed.parameter(each.get("name", ""), self._type(each, each.get("typeRef"))) for each in declared)
        with self._binding(parameter.name for parameter in parameters):
            body = self._box(node, "the body")
        return (parameters, body) if body else None

    def _boxed_children(self, node: Node) -> list[Node]:
        return [child for child in node if self._source.tag(child) in self._BOXES]

    def _child_box(self, child: Node, place: str) -> Logic | None:
        found = self._BOXES[self._source.tag(child)](self, child, place)
        return boxed.placed(place, found, self._type(child, child.get("typeRef"))) if found else None

    _BOXES: ClassVar[dict[str, Callable[[BoxedReader, Node, str], Logic | None]]] = {
        "literalExpression": _literal,
        "decisionTable": _nested_table,
        "context": _context,
        "list": _list,
        "relation": _relation,
        "invocation": _invocation,
        "functionDefinition": _function,
    }
