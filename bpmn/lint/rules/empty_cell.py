"""Nothing is left open that is read of every row."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.decisions.table import DecisionTable, Rule
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: Until when a material may follow that the promise of no item limits: only its own days do.
_WITHOUT_PROMISE = frozenset({"BEFORE_OPENING", "AFTER_ISSUE"})


def check(bundle: Bundle) -> Problems:
    """Each row of the tables of a matter says all that the engine reads, and how many days a material has that may follow after issue."""
    words = bundle.known.words
    read = {name for matter in bundle.matters for name in matter.decisions} & words.tables.keys()
    for resource, decision in bundle.decisions:
        if decision.id in read and isinstance(decision.logic, DecisionTable):
            for rule, column, why in _empty(decision.logic, words.tables[decision.id].needed):
                message = f"Expected {rule} of the table {decision.id} to say {column}, but the cell is empty{why}: fill it in"
                yield Problem(resource=resource, line=rule.line, message=message)


def _empty(table: DecisionTable, needed: frozenset[str]) -> Iterator[tuple[Rule, str, str]]:
    for rule in table.rules:
        row = {column.name: cell.source.strip() if cell else "" for column, cell in zip(table.outputs, rule.outputs, strict=True)}
        yield from ((rule, name, "") for name in row if name in needed and not row[name])
        if row.get("tolerable") == "true" and row.get("until", "").strip('"') in _WITHOUT_PROMISE and row.get("due_days", "") in ("", "0"):
            yield rule, "due_days", ", or 0, and nothing else says by when the material must follow"
