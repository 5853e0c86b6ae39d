"""What would run, and makes no sense: each is told where it stands, and nothing is told of what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.retyped import FOLDERS, read, retyped
from tests.conformance import drawing
from tests.conformance.test_cases import RUNS

RULES = {"flow-never-taken", "bad-cycle", "promise-above-law", "empty-cell", "unreadable-figure", "unknown-group"}
KNOWN = lint.Known(functions=functions.NAMES, words=WORDS, variables=functions.VARIABLES)
ACCEPTED = "${outcome == 'accept' or outcome == 'tolerate'}"
CORRECTED = "${outcome == 'supplement'}"
DUE = "timeDate xsi:type=\"bpmn:tFormalExpression\">${deadline('promised')}</bpmn:timeDate"
LIMIT = "<text>5</text>"


def found(resources: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """Rules, elements and messages of what these rules find."""
    return [(finding.rule, finding.element, finding.message) for finding in lint.lint(resources, KNOWN) if finding.rule in RULES]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_sense__in_what_is_shipped(folder: Path):
    assert found(read(folder)) == []


def test_sense__in_what_conforms():
    told = {case.name: found({"p.bpmn": drawing.draw(case.drawing)}) for case, _run in RUNS}

    assert {name: each for name, each in told.items() if each} == {}


@pytest.mark.parametrize(
    ("file", "written", "mistaken", "rule", "element", "words"),
    [
        ("starter.bpmn", ACCEPTED, ACCEPTED.replace("or", "and"), "flow-never-taken", "intake_outcome", "holds for nothing"),
        ("starter.bpmn", CORRECTED, "${outcome == 'accept'}", "flow-never-taken", "intake_outcome", "“受理、容缺受理”"),
        ("starter.bpmn", CORRECTED, "${outcome}", "flow-never-taken", "intake_outcome", "${outcome} holds for nothing"),
        ("starter-first.bpmn", DUE, DUE.replace("Date", "Cycle"), "bad-cycle", "overdue_due", "choose the type date for the timer"),
        ("starter-items.dmn", LIMIT, "<text>25</text>", "promise-above-law", "starter_first", "the 20 days that the law gives"),
        ("starter-items.dmn", LIMIT, "<text>-5</text>", "unreadable-figure", "", "promised in rule 1 (item_limits_1) of the table"),
        ("starter.dmn", LIMIT, "<text>-5</text>", "unreadable-figure", "", "due_days in rule 3 (materials_3)"),
        ("starter.dmn", '<text>"include"</text>', "<text></text>", "empty-cell", "", "rule 1 (items_1) of the table items to say action"),
        ("starter.dmn", '<text>"SUBMIT"</text>', "<text></text>", "empty-cell", "", "to say exemption"),
        (
            "starter.bpmn",
            'candidateGroups="window" camunda:dueDate="${acceptance_due()}"',
            'assignee="window" camunda:dueDate="${acceptance_due()}"',
            "unknown-group",
            "intake",
            "window is a group: write it into the candidate groups",
        ),
    ],
)
def test_mistake__is_told(file: str, written: str, mistaken: str, rule: str, element: str, words: str):
    told = found(retyped(file, written, mistaken))

    assert {each[:2] for each in told} == {(rule, element)}
    assert words in told[0][2]


def test_mistake__may_follow_without_end():
    """A material that may follow after the issue has days of its own: no promise limits it."""
    resources = retyped("starter.dmn", '"BEFORE_ISSUE"', '"AFTER_ISSUE"')

    assert found(resources) == []

    resources["starter.dmn"] = resources["starter.dmn"].replace(LIMIT.encode(), b"<text></text>", 1)

    [(rule, _element, message)] = found(resources)
    assert (rule, "rule 3 (materials_3) of the table materials to say due_days" in message) == ("empty-cell", True)


@pytest.mark.parametrize(
    ("file", "written", "mistaken"),
    [
        ("starter.bpmn", CORRECTED, "${outcome == 'supplement' and applicant_kind == 'person'}"),
        ("starter.bpmn", CORRECTED, "${outcome == 'supplement' or outcome == 'accept'}"),
        ("starter.bpmn", CORRECTED, "${outcome == null}"),
        ("starter-first.bpmn", DUE, 'timeCycle xsi:type="bpmn:tFormalExpression">R3/P1D</bpmn:timeCycle'),
        ("starter-items.dmn", LIMIT, "<text>0</text>"),
        ("starter-items.dmn", LIMIT, '<text>"5"</text>'),
        ("starter-items.dmn", LIMIT, "<text>20</text>"),
        ("starter.dmn", '<text>"include"</text>', '<text>if q_second = "是" then "include" else "exclude"</text>'),
        ("starter.bpmn", 'candidateGroups="window"', 'candidateGroups="window " camunda:candidateUsers="zhang"'),
    ],
)
def test_right__is_not_told(file: str, written: str, mistaken: str):
    assert found(retyped(file, written, mistaken)) == []
