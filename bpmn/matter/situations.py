"""Situations (情形): which sets of items the table `items` can call for, each with answers that lead to it.

The answers that a column can tell apart are few: those that hit the same rules are the same to the table.  Columns are folded one after the
other, and what is not told apart is kept once, so that a table with a dozen questions is through in a fraction of a second.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bpmn.decisions import Decision, types
from bpmn.decisions.table import Cell, DecisionTable, NamedCell
from bpmn.errors import ExpressionError
from bpmn.expressions import plain
from bpmn.expressions.scope import Scope
from bpmn.matter import facts, questions
from bpmn.matter.facts import DrawnMatter

#: Sets of rules that are told apart; questions beyond them are taken as answered in every way at once.
LIMIT = 30_000
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
TEXT = re.compile(r'"([^"]*)"')

#: The table of situations in which a matter is not offered (排除情形).
EXCLUSIONS = "exclusions"

#: A set of rules of the tables, one bit for each.
Hits = int
Answers = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A set of items, in the order of the diagram, and answers that call for it."""

    items: tuple[str, ...]
    answers: Answers
    hits: Hits = 0


def of(matter: DrawnMatter) -> list[Situation]:
    """List every set of items that the matter can come to where it is offered; without a table, all its items are the only one."""
    table = matter.table("items")
    if table is None:
        return [Situation(items=tuple(matter.calls), answers={})]
    rows = [row for _rule, row in matter.rows("items")]
    found: dict[tuple[str, ...], Situation] = {}
    needed = _needed(matter)
    excluding = _saying(rows, "exclude")
    said = [(code, _saying(rows, "include", code), _saying(rows, "exclude", code)) for code in matter.calls]
    # The rows that say where it is not offered follow those of the items.
    not_offered = ((1 << sum(1 for _row in matter.rows(EXCLUSIONS))) - 1) << len(rows)
    for hits, answers in _fold(_columns(matter), (1 << len(rows)) - 1 | not_offered, excluding | not_offered).items():
        if hits & not_offered:
            continue
        # As in `_chosen`: of thousands of sets of rules, each is asked for a few bits.
        items = tuple(code for code, including, excluded in said if hits & including and not hits & excluded)
        if items not in found:
            found[items] = Situation(items=items, answers={**answers, **needed, **answers}, hits=hits)
    return list(found.values())


def answered(matter: DrawnMatter, answers: Answers) -> Situation:
    """Return the situation that some answers lead to; raises ExpressionError where they do not fit the table."""
    decision = matter.decisions.get("items")
    if decision is None:
        return Situation(items=tuple(matter.calls), answers=answers)
    rows = decision.evaluate({**dict.fromkeys(decision.reads), **answers})
    return Situation(items=_chosen(matter, rows), answers=answers)


def telling(matter: DrawnMatter, situation: Situation, items: Collection[str]) -> dict[str, Any]:
    """Of the answers in a situation, those that brought some items in."""
    table = matter.table("items")
    wanted, asked = set(items), set()
    for number, (rule, row) in enumerate(matter.rows("items")):
        if table and situation.hits >> number & 1 and row.get("action") == "include" and row.get("item") in wanted:
            wanted.remove(row["item"])
            asked |= {_name(table, place) for place, cell in enumerate(rule.cells) if source(cell) not in ("", "-")}
    return {name: plain(value) for name, value in situation.answers.items() if name in asked}


def spoken(answers: Answers) -> str:
    """Write answers as people read them."""
    return "、".join(f"{name} = {'+'.join(map(str, value)) if isinstance(value, list) else value}" for name, value in answers.items())


def _chosen(matter: DrawnMatter, rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Items that some rows include and none excludes, in the order of the diagram."""
    said = [(row.get("action"), row["item"]) for row in rows if isinstance(row.get("item"), str)]
    included = {item for action, item in said if action == "include"} - {item for action, item in said if action == "exclude"}
    return tuple(code for code in matter.calls if code in included)


def _saying(rows: Iterable[Mapping[str, Any]], action: str, item: str | None = None) -> Hits:
    """The rows that include or exclude an item, or any."""
    return sum(1 << number for number, row in enumerate(rows) if row.get("action") == action and item in (None, row.get("item")))


def _fold(columns: Iterable[Mapping[Hits, Answers]], rules: Hits, excluding: Hits) -> dict[Hits, Answers]:
    """Combine the columns; each set of rules that hit is kept with the first answers that lead to it."""
    found: dict[Hits, Answers] = {rules: {}}
    for each in columns:
        classes = each if len(found) * len(each) <= LIMIT else _at_once(each, excluding)
        combined: dict[Hits, Answers] = {}
        for hits, answers in found.items():
            for more, answer in classes.items():
                if hits & more not in combined:
                    combined[hits & more] = {**answers, **answer}
        found = combined
    return found


def _at_once(classes: Mapping[Hits, Answers], excluding: Hits) -> dict[Hits, Answers]:
    """Every answer to a question at once: what one of them includes is there, and what only some of them exclude stays."""
    some = functools.reduce(operator.or_, classes)
    every = functools.reduce(operator.and_, classes)
    return {some & ~excluding | every & excluding: {}}


def _columns(matter: DrawnMatter) -> Iterator[dict[Hits, Answers]]:
    """For each input of the tables, the sets of rules that its answers can hit, each with one such answer."""
    tables = [table for key in ("items", EXCLUSIONS) if (table := matter.table(key))]
    known: dict[str, Any] = {}
    for decision in (matter.decisions[key] for key in ("items", EXCLUSIONS) if key in matter.decisions):
        known |= _known(decision)
    asked = {row.get("id"): row for _rule, row in matter.rows("situations")}
    for name in dict.fromkeys(_name(table, place) for table in tables for place in range(len(table.inputs))):
        sources = [source(rule.cells[place]) for table in tables for place in _places(table, name) for rule in table.rules]
        classes: dict[Hits, Answers] = {}
        for answer in _answers(asked.get(name, {}), sources, known):
            hits = _hits(tables, name, {**known, name: answer})
            if hits is not None:
                classes.setdefault(hits, {name: answer})
        # A column that reads something else than one answer may hit any rule.
        yield classes or {(1 << sum(len(table.rules) for table in tables)) - 1: {}}


def _places(table: DecisionTable, name: str) -> list[int]:
    return [place for place in range(len(table.inputs)) if _name(table, place) == name]


def _hits(tables: Iterable[DecisionTable], name: str, variables: Mapping[str, Any]) -> Hits | None:
    """Rules of the tables, one table behind the other, that an answer does not keep from hitting; None where it does not fit them."""
    scope, hits, before = Scope(variables, {}), 0, 0
    try:
        for table in tables:
            columns = [(place, table.inputs[place]) for place in _places(table, name)]
            values = [(place, types.convert(column.expression.within(scope), column.kind)) for place, column in columns]
            for number, rule in enumerate(table.rules, before):
                hits |= all(rule.cells[place].within(value, scope) for place, value in values) << number
            before += len(table.rules)
    except ExpressionError:
        return None
    return hits


def _needed(matter: DrawnMatter) -> dict[str, Any]:
    """An answer to each question that must be answered, for those that make no difference to the items."""
    asked = [row for _rule, row in matter.rows("situations") if row.get("id") and row.get("required") and not row.get("derived")]
    return {row["id"]: answers[0] for row in asked if (answers := _answers(row, [], {}))}


def _known(decision: Decision) -> dict[str, Any]:
    """What the decisions behind the table say where nothing is asked: the local parameters."""
    known: dict[str, Any] = {}
    for required in decision.requires:
        try:
            rows = required.evaluate(dict.fromkeys(required.reads))
        except ExpressionError:
            continue
        known |= rows[0] if len(rows) == 1 else {}
    return known


def _answers(question: Mapping[str, Any], sources: list[str], known: Mapping[str, Any]) -> list[Any]:
    """Answers to a question that may make a difference, and may be given."""
    found = _tried(question, sources, known)
    return [each for each in found if not questions.refusal(question, each)] if question else found


def _tried(question: Mapping[str, Any], sources: list[str], known: Mapping[str, Any]) -> list[Any]:
    options: list[Any] = facts.words(question.get("options"))
    kind = question.get("type")
    if kind == "boolean":
        return [True, False]
    if kind == "multi":
        return [*([option] for option in options), options]
    if options:
        return options
    if kind == "number":
        written = {float(number) for source in sources for number in NUMBER.findall(source)}
        limits = {float(bound) for bound in questions.bounds(question) if bound is not None}
        bounds = sorted(written | limits | {float(value) for value in known.values() if isinstance(value, int | float)})
        return [_whole(bound + step) for bound in bounds or [0.0] for step in (0, -1, 1)]
    texts = {text for source in sources for text in TEXT.findall(source)}
    if kind == "date":
        days = {dt.date.fromisoformat(text) for text in texts if questions.is_day(text)} or {dt.date(2026, 1, 1)}
        return [str(day + dt.timedelta(step)) for day in sorted(days) for step in (0, -1, 1)]
    return [*sorted(texts), "", True, False, None]


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _name(table: DecisionTable, place: int) -> str:
    return table.inputs[place].expression.source.strip()


def source(cell: Cell) -> str:
    """What was written in an input cell."""
    if isinstance(cell, NamedCell):
        return source(cell.cell)
    return str(getattr(cell, "source", "") or getattr(getattr(cell, "condition", None), "source", "")).strip()
