"""The facts of a matter (一件事): which items it calls, in which order, within which limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bpmn.decisions import Decision
from bpmn.decisions.table import DecisionTable, Rule
from bpmn.definition import Definition, Element, ElementType
from bpmn.errors import ExpressionError
from bpmn.expressions import plain
from bpmn.matter import ways

#: Predecessors that must come first: 法定前置, 结果作材料, 数据复用.  JOINT and SOFT (联合勘验, 建议顺序) hold nobody back.
ORDERED = frozenset({"FS", "RM", "DATA"})
#: Of these, those that must be settled favourably before an item may start.
BINDING = frozenset({"FS", "RM"})
KINDS = ORDERED | {"JOINT", "SOFT"}
#: No limit has so many.
MOST_DIGITS = 6
#: Working days in seven calendar days.
WORKING = 5 / 7


@dataclass(frozen=True, kw_only=True)
class DrawnItem:
    """A single item (单事项): its process, and the table of limits that was deployed with it."""

    process: Definition
    limits: Decision | None = None

    @cached_property
    def figures(self) -> Mapping[str, Any] | None:
        """The item's row in the table; None where there is no row, or more than one."""
        try:
            rows = self.limits.evaluate({"item": self.process.key}) if self.limits else []
        except ExpressionError:
            return None
        return rows[0] if len(rows) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Call:
    """How a matter calls one of its items."""

    element: Element
    #: Code of the item; an expression where the case says which (`${item}`).
    item: str
    #: Items that come before, with the kind of the dependency.
    predecessors: tuple[tuple[str, str], ...]
    #: Promise of this matter in working days, where it differs from the item's own.
    promised: int | None

    @property
    def waits_for(self) -> set[str]:
        """Codes of the items that hold it back."""
        return {code for code, kind in self.predecessors if kind in BINDING}

    @property
    def process(self) -> str:
        """Key of the process that it calls, where it is written."""
        called = self.element.called
        return called.source if called and called.dialect == "literal" else ""

    @property
    def is_mismatched(self) -> bool:
        """Whether it calls the process of another item: it was copied, and not all of it was changed."""
        return self.process not in ("", self.item)

    @property
    def is_computed(self) -> bool:
        """Whether the case says which item is meant."""
        return "{" in self.item


@dataclass(frozen=True, kw_only=True)
class DrawnMatter:
    """One matter, with the tables beside it and the items that it can call."""

    #: Name of its file.
    resource: str
    process: Definition
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    items: Mapping[str, DrawnItem] = field(default_factory=dict)

    @cached_property
    def every_call(self) -> Sequence[Call]:
        """Calls in the order of the diagram, two of one item, too."""
        return [_call(e) for e in self.process.elements.values() if e.type is ElementType.CALL_ACTIVITY]

    @cached_property
    def calls(self) -> Mapping[str, Call]:
        """Calls by the code of the item, in the order of the diagram."""
        return {call.item: call for call in self.every_call}

    @cached_property
    def named(self) -> frozenset[str]:
        """Codes of the items that it calls; of a call of which item and process differ, both: one of them is meant."""
        return frozenset(code for call in self.every_call for code in (call.item, call.process) if code)

    @property
    def is_bundle(self) -> bool:
        """Whether it names its items; the matter that carries one item alone does not."""
        return any(not call.is_computed for call in self.calls.values())

    @property
    def promised(self) -> int | None:
        """Published limit of the bundle in working days."""
        return number(self.process.properties.get("onething.promised", ""))

    @cached_property
    def order(self) -> frozenset[tuple[str, str]]:
        """Pairs of items of which the first must come first: as declared on the calls, and as drawn between them."""
        declared = {(code, call.item) for call in self.calls.values() for code, kind in call.predecessors if kind in ORDERED}
        elements = {call.element.id: call.item for call in self.calls.values()}
        drawn = {(elements[a], elements[b]) for a, b in ways.between(self.process, frozenset(elements))}
        return frozenset(pair for pair in declared | drawn if pair[0] in self.calls)

    def days(self, code: str) -> int:
        """Working days that an item is promised to take here, else those the law allows; 0 where nobody says."""
        call, item = self.calls.get(code), self.items.get(code)
        figures = (item.figures if item else None) or {}
        if call and call.promised is not None:
            return call.promised
        days = next((figures[name] for name in ("promised", "statutory") if isinstance(figures.get(name), int | float)), 0)
        return math.ceil(days * WORKING) if figures.get("unit") == "calendar" else int(days)

    def name(self, code: str) -> str:
        """What people call an item."""
        call, item = self.calls.get(code), self.items.get(code)
        return (call.element.name if call else "") or (item.process.name if item else "") or code

    def table(self, decision: str) -> DecisionTable | None:
        """The table of a decision beside the matter."""
        found = self.decisions.get(decision)
        return found.logic if found and isinstance(found.logic, DecisionTable) else None

    def rows(self, decision: str) -> Iterator[tuple[Rule, dict[str, Any]]]:
        """Yield the rules of a table beside the matter with what they say whatever is asked."""
        table = self.table(decision)
        yield from rows(table) if table else ()


def rows(table: DecisionTable) -> Iterator[tuple[Rule, dict[str, Any]]]:
    """Yield the rules of a table with what they say whatever is asked; what depends on the case, and lists, are left out."""
    for rule in table.rules:
        cells = zip(table.outputs, rule.outputs, strict=True)
        yield rule, {column.name: value for column, cell in cells if (value := _constant(cell)) is not None}


def number(text: str) -> int | None:
    """Read a number of days; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS else None


def words(text: object) -> list[str]:
    """Read words that are parted by commas, Chinese ones too."""
    return [word.strip() for word in str(text or "").replace("，", ",").split(",") if word.strip()]


def _constant(cell: Any) -> Any:
    if cell is None or cell.names:
        return None
    try:
        value = plain(cell.evaluate({}))
    except ExpressionError:
        return None
    return value if isinstance(value, str | int | float) else None


def _call(element: Element) -> Call:
    called = element.called.source if element.called else ""
    words = [word.partition(":") for word in element.properties.get("onething.predecessors", "").split()]
    return Call(
        element=element,
        item=element.properties.get("onething.item") or called,
        predecessors=tuple((code, kind) for code, _, kind in words),
        promised=number(element.properties.get("onething.promised", "")),
    )
