"""Item definitions: types that a document declares, and what a value must be to be of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bpmn.decisions import types
from bpmn.decisions.source import Node, Source
from bpmn.decisions.types import Type
from bpmn.errors import ExpressionError
from bpmn.expressions import UnaryTests, feel, parse_unary_tests
from bpmn.expressions.feel_types import Check
from bpmn.expressions.functions import arguments
from bpmn.expressions.scope import Scope
from bpmn.expressions.values import describe


class ItemDefinitions:
    """The types of one document, those of FEEL and of Camunda included."""

    def __init__(self, source: Source, root: Node) -> None:
        self._source = source
        self._nodes = {node.get("name", ""): node for node in source.children(root, "itemDefinition")}
        self._made: dict[str, Type] = {}
        self._open: list[str] = []
        for name in self._nodes:
            self._declared(name)

    def find(self, type_ref: str) -> Type | None:
        """Return the type of a name, or None when there is none."""
        name = type_ref.strip()
        local = name.rpartition(":")[2]
        for each in (name, local):
            if each in self._nodes:
                return self._declared(each)
        return types.TYPES.get(types.key(name))

    def is_declared(self, type_ref: str | None) -> bool:
        """Tell whether a name is that of an item definition, not of a type that every document has."""
        return bool(type_ref) and str(type_ref).rpartition(":")[2] in self._nodes

    def checks(self) -> dict[str, Check]:
        """What `instance of` knows beside the types of FEEL."""
        return {name: _check(found) for name, found in self._made.items() if name}

    def _declared(self, name: str) -> Type:
        if name not in self._made:
            node = self._nodes[name]
            if name in self._open:
                circle = " → ".join([*self._open[self._open.index(name) :], name])
                self._source.refuse(node, "type-cycle", f"Expected item definitions that do not contain themselves, but {circle}")
                return types.any_value
            self._open.append(name)
            self._made[name] = self._read(node, name)
            self._open.pop()
        return self._made[name]

    def _read(self, node: Node, name: str) -> Type:
        """Read an item definition or a component of one."""
        components = {part.get("name", ""): self._read(part, part.get("name", "")) for part in self._source.children(node, "itemComponent")}
        if components:
            found = _context(components)
        elif self._source.child(node, "functionItem") is not None:
            found = arguments.function
        else:
            found = self._base(node, name)
        if allowed := self._allowed(node, name):
            found = _restricted(found, allowed, name)
        return _collection(found) if node.get("isCollection") == "true" else found

    def _base(self, node: Node, name: str) -> Type:
        reference = self._source.child(node, "typeRef")
        written = ("" if reference is None else (reference.text or "").strip()) or "Any"
        found = self.find(written)
        if found is None:
            self._source.refuse(
                node, "unsupported-type", f"Expected the item definition {name} to be of a known type, but it is {written!r}"
            )
        return found or types.any_value

    def _allowed(self, node: Node, name: str) -> UnaryTests | None:
        allowed = self._source.child(node, "allowedValues")
        text = "" if allowed is None else self._source.text(allowed)
        try:
            return parse_unary_tests(text) if text else None
        except ExpressionError as error:
            self._source.refuse(node, "bad-expression", f"Item definition {name}, the allowed values: {error}")
            return None


def restricted(allowed: UnaryTests) -> Callable[[Any], Any]:
    """Make a function that passes a value on if it meets the tests, or is null, and raises ExpressionError otherwise."""

    def take(value: Any) -> Any:
        if value is None or allowed.matches(value, {}):
            return value
        raise ExpressionError(f"Expected one of {allowed.source}, but it is {describe(value)}")

    return take


def _restricted(base: Type, allowed: UnaryTests, name: str) -> Type:
    take = restricted(allowed)

    def convert(value: Any) -> Any:
        try:
            return take(base(value))
        except ExpressionError as error:
            raise ExpressionError(f"{error}, for the type {name}") from error

    return convert


def _context(components: Mapping[str, Type]) -> Type:
    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ExpressionError(f"Expected a context with {', '.join(components)}, but it is {describe(value)}")
        return {**value, **{name: _component(name, kind, value.get(name)) for name, kind in components.items()}}

    return convert


def _component(name: str, kind: Type, value: Any) -> Any:
    try:
        return types.convert(value, kind)
    except ExpressionError as error:
        raise ExpressionError(f"{error}, as {name}") from error


def _collection(member: Type) -> Type:
    """A single value is a list of one, as everywhere in FEEL."""
    return lambda value: [types.convert(each, member) for each in (value if isinstance(value, (list, tuple)) else [value])]


def _check(kind: Type) -> Check:
    def check(value: Any) -> bool:
        """Tell whether a value is of a type as it stands, without being made so."""
        try:
            return value is not None and feel.equal(kind(value), value, Scope({}, {})) is True
        except ExpressionError:
            return False

    return check
