"""What a table asks for can be answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bpmn.decisions.table import DecisionTable
from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts, situations
from bpmn.matter.facts import DrawnMatter

#: A list of values, or its opposite, or the question whether a list holds one.
_LISTED = re.compile(r"(?:not\((?P<none>.*)\)|list contains\(\s*\?\s*,(?P<held>.*)\)|(?P<some>.*))", re.DOTALL)
_VALUE = re.compile(r'\s*("[^"]*"|-?\d+(?:\.\d+)?|true|false)\s*(?:,|$)')
#: What the answers to a question are written like, and what to call it.
_WRITTEN = {"boolean": (("true", "false"), "true or false"), "number": (("-", *"0123456789"), "a number")}


def check(bundle: Bundle) -> Problems:
    """The tables of a matter compare an answer with what its question offers: a row that asks for anything else never hits."""
    for matter in bundle.matters:
        questions = {str(row["id"]): row for _rule, row in matter.rows("situations") if row.get("id")}
        for key in ("items", "materials", situations.EXCLUSIONS):
            table = matter.table(key)
            for line, message in _wrong(key, table, questions, matter) if table else ():
                yield Problem(resource=bundle.place(key), line=line, message=message)


def _wrong(key: str, table: DecisionTable, questions: Mapping[str, Mapping[str, object]], matter: DrawnMatter) -> Iterator[tuple[int, str]]:
    for place, column in enumerate(table.inputs):
        question = questions.get(column.expression.source.strip())
        for rule in table.rules if question else ():
            for value in _values(situations.source(rule.cells[place])):
                if question and (instead := _unfit(value, question)):
                    message = (
                        f"Expected {rule} of the table {key} to ask for an answer that the question “{question.get('ask')}” "
                        f"({question['id']}) of {matter.process.key} can have, but it asks for {value[:60]}: {instead}"
                    )
                    yield rule.line, message


def _values(source: str) -> list[str]:
    """The values that a cell lists, as they are written; none where it is anything else than a list."""
    matched = _LISTED.fullmatch(source)
    text = next((each for each in matched.groups() if each is not None), "") if matched else ""
    found = _VALUE.findall(text)
    return found if not _VALUE.sub("", text) else []


def _unfit(value: str, question: Mapping[str, object]) -> str:
    """Say what to write instead of a value that is no answer; empty where it may be one."""
    begins, kind = _WRITTEN.get(str(question.get("type")), ((), ""))
    if begins:
        return "" if value.startswith(begins) else f"it is answered with {kind}"
    offered = facts.words(question.get("options"))
    if not offered or (value.strip('"') in offered and value.startswith('"')):
        return ""
    meant = spelling.nearest(value.strip('"'), offered)
    return f'write "{meant}"' if meant else f"offered are {'、'.join(f'“{each}”' for each in offered)}"
