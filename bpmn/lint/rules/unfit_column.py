"""Columns take the answers that they are asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpmn.decisions import types
from bpmn.errors import ExpressionError
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts

#: An answer to a question without options, by its type.
_ANSWERS: Mapping[str, Any] = {"boolean": True, "number": 1}


def check(bundle: Bundle) -> Problems:
    """A column of the type of its question takes every answer: with another type, no checklist could be made."""
    for matter in bundle.matters:
        questions = {row.get("id"): row for _rule, row in matter.rows("situations")}
        for key in ("items", "materials"):
            decision, table = matter.decisions.get(key), matter.table(key)
            for column in table.inputs if decision and table else ():
                question = questions.get(column.expression.source.strip(), {})
                for answer in _answers(question):
                    if decision and (wrong := _wrong(answer, column.kind)):
                        message = (
                            f"Expected the column “{column.label}” of the table {key} to take the answers to “{question.get('ask')}” "
                            f"({question.get('id')}), which is a question of the type {question.get('type')}, but: {wrong}; "
                            "give the column the type of the question (a choice is a string, several choices any)"
                        )
                        yield Problem(resource=bundle.place(key), line=decision.line, message=message)
                        break


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
