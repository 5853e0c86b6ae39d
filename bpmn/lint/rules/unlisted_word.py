"""Words that are shown are those that everybody reads."""

from __future__ import annotations

from bpmn.decisions.table import DecisionTable
from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts


def check(bundle: Bundle) -> Problems:
    """The necessity, the source and the due rule of a material are words of the list: they are told to whoever asks for the checklist."""
    words = bundle.known.words
    for resource, decision in bundle.decisions:
        for rule, row in facts.rows(decision.logic) if isinstance(decision.logic, DecisionTable) else ():
            for (table, column), known in words.shown.items():
                if table == decision.id and column in row and row[column] not in known:
                    message = (
                        f"Expected {column} in {rule} of the table {table} to be one of {', '.join(sorted(known))}, "
                        f"but it is {row[column]!r}{spelling.advice(str(row[column]), known)}"
                    )
                    yield Problem(resource=resource, line=rule.line, message=message)
