"""Columns take the answers that they are asked about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bpmn.decisions import Decision, types
from bpmn.decisions.table import DecisionTable, Input
from bpmn.errors import ExpressionError
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts, situations
from bpmn.matter.facts import DrawnMatter

#: An answer to a question without options, by its type.
_ANSWERS: Mapping[str, Any] = {"boolean": True, "number": 1}


def check(bundle: Bundle) -> Problems:
    """A column of the type of its question takes every answer: with another type, no checklist could be made."""
    for decision, column, question, wrong in unfit(bundle):
        message = (
            f"Expected the column “{column.label}” of the table {decision.id} to take the answers to “{question.get('ask')}” "
            f"({question.get('id')}), which is a question of the type {question.get('type')}, but: {wrong}; "
            "give the column the type of the question (a choice is a string, several choices any)"
        )
        yield Problem(resource=bundle.place(decision.id), line=decision.line, message=message)


def unfit(bundle: Bundle) -> Iterator[tuple[Decision, Input, Mapping[str, Any], str]]:
    """Yield columns that do not take every answer, each with its table, its question (a row of `situations`), and what is wrong."""
    for matter in bundle.matters:
        questions = {row.get("id"): row for _rule, row in matter.rows("situations")}
        for decision in _evaluated(matter):
            table = decision.logic
            for column in table.inputs if isinstance(table, DecisionTable) else ():
                question = questions.get(column.expression.source.strip(), {})
                if wrong := next((wrong for answer in _answers(question) if (wrong := _wrong(answer, column.kind))), ""):
                    yield decision, column, question, wrong


def _evaluated(matter: DrawnMatter) -> Iterable[Decision]:
    """Decisions that are given the answers to make a checklist: the tables of the matter, and what they require."""
    found: dict[str, Decision] = {}
    open_ = [matter.decisions[key] for key in ("items", "materials", situations.EXCLUSIONS) if key in matter.decisions]
    while open_:
        decision = open_.pop(0)
        if decision.id not in found:
            found[decision.id] = decision
            open_ += decision.requires
    return found.values()


def _answers(question: Mapping[str, Any]) -> list[Any]:
    """Some answers to a question; none where nobody knows."""
    kind, options = str(question.get("type")), facts.words(question.get("options"))
    if kind == "multi":
        return [[option] for option in options]
    return options or ([_ANSWERS[kind]] if kind in _ANSWERS else [])


def _wrong(answer: Any, kind: types.Type | None) -> str:
    try:
        types.convert(answer, kind)
    except ExpressionError as error:
        return str(error)
    return ""
