"""Expressions of a DMN document: read in their language, with the names that are known at their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bpmn.decisions.items import ItemDefinitions
from bpmn.decisions.source import Node, Source
from bpmn.decisions.types import Type
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, UnaryTests, parse, parse_feel, parse_unary_tests
from bpmn.expressions.scope import Invocation

Read = TypeVar("Read")


class ExpressionReader:
    """Reads expressions, and notes which names and functions the decision at hand mentions."""

    def __init__(self, source: Source, root: Node) -> None:
        self._source = source
        #: The decision or knowledge model that is being read.
        self._owner: Node | None = None
        self._items = ItemDefinitions(source, root)
        self._types = self._items.checks()
        self._callable = _callable(source, root)
        self._known = self._callable | _difficult(root)
        #: Names that boxes around the expression give a value.
        self._bound: list[str] = []
        self._reads: set[str] = set()
        self._calls: set[str] = set()
        self._invocations: list[Invocation] = []

    @contextmanager
    def _binding(self, names: Iterable[str]) -> Iterator[None]:
        """Read boxes in which these names have a value."""
        before = len(self._bound)
        self._bound.extend(names)
        yield
        del self._bound[before:]

    def _expression(self, node: Node, place: str) -> Expression | None:
        text = self._source.text(node)
        dialect = self._dialect(node)
        if dialect == "juel":
            written = text if "${" in text or "#{" in text else f"${{{text}}}"
            found = self._attempt(node, place, lambda: parse(written))
        else:
            found = self._attempt(node, place, lambda: parse_feel(text, self._names(), types=self._types)) if dialect else None
        self._note(found)
        return found

    def _tests(self, node: Node, place: str, own: str = "") -> UnaryTests | None:
        """Read unary tests; `own` is a name that the tested value has."""
        text = self._source.text(node)
        tests = self._attempt(node, place, lambda: parse_unary_tests(text, self._names(), types=self._types))
        self._note(tests, own)
        return tests

    def _names(self) -> frozenset[str]:
        return self._known.union(self._bound) if self._bound else self._known

    def _note(self, found: Expression | UnaryTests | None, own: str = "") -> None:
        if found is not None:
            self._reads |= found.names - {own, *self._bound}
            self._calls |= found.calls - {*self._bound}
            self._invocations += found.invocations

    def _dialect(self, node: Node) -> str:
        """Return feel or juel, or nothing for another language, which is noted."""
        language = node.get("expressionLanguage", "") or self._source.language or "feel"
        if language.lower().rstrip("/").endswith("feel"):
            return "feel"
        if language.lower() == "juel":
            return "juel"
        self._refuse(node, "unsupported-language", f"Expected an expression in FEEL or JUEL, but the language is {language!r}")
        return ""

    def _type(self, node: Node, type_ref: str | None) -> Type | None:
        if not type_ref:
            return None
        found = self._items.find(type_ref)
        if found is None:
            expected = "Expected a type such as string, boolean, integer, double or date, or an item definition"
            self._refuse(node, "unsupported-type", f"{expected}, but it is {type_ref!r}")
        return found

    def _attempt(self, node: Node, place: str, read: Callable[[], Read]) -> Read | None:
        try:
            return read()
        except ExpressionError as error:
            self._refuse(node, "bad-expression", f"{place}: {error}")
            return None

    def _refuse(self, node: Node, rule: str, message: str) -> None:
        """Note an error with the decision that it stands in."""
        owner = node if self._owner is None else self._owner
        what = "Knowledge model" if self._source.tag(owner) == "businessKnowledgeModel" else "Decision"
        self._source.refuse(node, rule, f"{what} {owner.get('name') or owner.get('id')}, {message}", name=owner.get("name", ""))


def label(column: Node) -> str:
    """What people call a column."""
    return column.get("label", "") or column.get("name", "") or column.get("id", "")


def _difficult(root: Node) -> frozenset[str]:
    """Names with spaces or signs in them: the parser can tell them from several words only if it knows them."""
    named = (each.get("name", "") for each in root.iter("{*}decision", "{*}inputData", "{*}variable", "{*}output", "{*}itemComponent"))
    return frozenset(name for name in named if name and not name.isidentifier())


def _callable(source: Source, root: Node) -> frozenset[str]:
    """Names whose values may be functions: knowledge models, decisions."""
    owners = [*source.children(root, "businessKnowledgeModel"), *source.children(root, "decision")]
    variables = [variable for owner in owners if (variable := source.child(owner, "variable")) is not None]
    return frozenset(name for each in [*owners, *variables] if (name := each.get("name", "")))
