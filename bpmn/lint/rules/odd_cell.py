"""A cell of a table says what it looks like."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bpmn.decisions import Decision, types
from bpmn.decisions.table import DecisionTable, Input
from bpmn.errors import ExpressionError
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import unfit_column
from bpmn.lint.rules import variable_never_written as variables

_CONSTANTS = frozenset({"true", "false", "null"})


def check(bundle: Bundle) -> Problems:
    """A text in an output stands in quotation marks, a comparison in an input in none: else it says nothing, or its row never hits."""
    written = frozenset[str]().union(*(variables.written(process) | variables.asked(bundle, process) for _, process in bundle.processes))
    questions = {str(row.get("id")) for matter in bundle.matters for _rule, row in matter.rows("situations")}
    known = written | questions | (bundle.known.variables or frozenset())
    unfit = {(decision.id, column.label) for decision, column, _question, _wrong in unfit_column.unfit(bundle)}
    for resource, decision in bundle.decisions:
        table = decision.logic
        if isinstance(table, DecisionTable):
            for line, message in _in_inputs(decision, table, unfit):
                yield Problem(resource=resource, line=line, message=message)
            if decision.id not in bundle.known.words.tables:  # what the outputs of our own must say is told by others
                for line, message in _in_outputs(decision, table, known):
                    yield Problem(resource=resource, line=line, message=message)


def _in_inputs(decision: Decision, table: DecisionTable, unfit: Collection[tuple[str, str]]) -> Iterator[tuple[int, str]]:
    """Yield texts that no value of their column is, by line; a column of the wrong type is told once, for all its cells (`unfit`)."""
    for rule in table.rules:
        for column, test in zip(table.inputs, rule.cells, strict=True):
            source = str(getattr(test, "source", "")).strip()
            if _is_quoted(source) and not _fits(source[1:-1], column) and (decision.id, column.label) not in unfit:
                message = (
                    f"Expected {column.label!r} in {rule} of the table {decision.id} to compare with a value of its column, but "
                    f"{source[:60]} is a text, which no value of it is: write {source[1:-1].strip()[:60]}, without quotation marks, or "
                    "correct the type of the column"
                )
                yield rule.line, message


def _in_outputs(decision: Decision, table: DecisionTable, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield words in outputs that are the name of no variable, by line."""
    names = known.union(*(column.expression.names for column in table.inputs), (each.name for each in decision.inputs), _CONSTANTS)
    names |= {name for required in decision.requires for name in required.names}
    for rule in table.rules:
        for output, cell in zip(table.outputs, rule.outputs, strict=True):
            word = cell.source.strip() if cell else ""
            if word.isidentifier() and word not in names:
                message = (
                    f"Expected {output.name!r} in {rule} of the table {decision.id} to say something, but {word[:60]} is a variable that "
                    f'nobody writes, so that it says nothing: write "{word[:60]}", with quotation marks'
                )
                yield rule.line, message


def _is_quoted(source: str) -> bool:
    return len(source) > 1 and source[0] == source[-1] == '"' and '"' not in source[1:-1]


def _fits(text: str, column: Input) -> bool:
    try:
        types.convert(text, column.kind)
    except ExpressionError:
        return False
    return True
