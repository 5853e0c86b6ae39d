"""Drawings by which somebody would lose what the law gives: each is told where it is drawn wrong, and nothing is told of what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.linting import linted
from tests.bpmn.retyped import FOLDERS, STARTER, read

RULES = {"silence-accepts", "supplement-item-by-item", "result-not-issued"}
KNOWN = lint.Known(functions=functions.NAMES, words=WORDS, variables=functions.VARIABLES)
DUE = '<bpmn:timeDate xsi:type="bpmn:tFormalExpression">${acceptance_due()}</bpmn:timeDate>'
CORRECTED = '<bpmn:sequenceFlow id="corrected_to_intake" name="是" sourceRef="corrected" targetRef="intake" />'
NOT_ANSWERED = '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">${not answered}</bpmn:conditionExpression>'
ON_TIME = 'sourceRef="rating_closed" targetRef="unrated"'


def found(*retyped: tuple[str, str]) -> list[tuple[str, str, str]]:
    """What these rules find in the starter, with what is first written so written otherwise."""
    content = STARTER["starter.bpmn"].decode()
    for written, mistaken in retyped:
        assert written in content
        content = content.replace(written, mistaken, 1)
    findings = linted(STARTER | {"starter.bpmn": content.encode()}, KNOWN)
    return [(finding.rule, finding.element, finding.message) for finding in findings if finding.rule in RULES]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_law__in_what_is_shipped(folder: Path):
    assert [finding for finding in linted(read(folder), KNOWN) if finding.rule in RULES] == []


@pytest.mark.parametrize(
    ("retyped", "rule", "element", "words"),
    [
        ([(DUE, DUE.replace("acceptance_due()", "workdays(5)"))], "silence-accepts", "acceptance_overdue", "but it goes by ${workdays(5)}"),
        ([(DUE, DUE.replace("acceptance_due()", "workdays(15)"))], "silence-accepts", "acceptance_overdue", "write ${acceptance_due()}"),
        (
            [(DUE, DUE.replace("${acceptance_due()}", "P5D").replace("Date", "Duration"))],
            "silence-accepts",
            "acceptance_overdue",
            "by P5D:",
        ),
        (
            [('sourceRef="deem_accepted" targetRef="accepted"', 'sourceRef="deem_accepted" targetRef="refused"')],
            "silence-accepts",
            "deem_accepted",
            "no way leads there",
        ),
        (
            [('sourceRef="deem_joined" targetRef="joining"', 'sourceRef="deem_joined" targetRef="joined"')],
            "silence-accepts",
            "deem_joined",
            "accepted by law",
        ),
        (
            [(CORRECTED, CORRECTED.replace('"intake"', '"accepted"'))],
            "supplement-item-by-item",
            "supplement",
            "lead the flow to the intake",
        ),
        (
            [('sourceRef="supplement" targetRef="corrected"', 'sourceRef="supplement" targetRef="accepted"')],
            "supplement-item-by-item",
            "supplement",
            "straight away, which nobody would ever begin",
        ),
        (
            [(NOT_ANSWERED, NOT_ANSWERED.replace("not answered", "answered"))],
            "supplement-item-by-item",
            "supplement",
            "only there it is accepted",
        ),
        ([('attachedToRef="rate"', 'attachedToRef="issue"')], "result-not-issued", "rating_closed", "nobody hands out what was granted"),
    ],
)
def test_mistake__is_told(retyped: list[tuple[str, str]], rule: str, element: str, words: str):
    [(told, where, message)] = found(*retyped)

    assert (told, where) == (rule, element)
    assert words in message


@pytest.mark.parametrize(
    "retyped",
    [
        [(NOT_ANSWERED, NOT_ANSWERED.replace("not answered", "answered == false"))],
        [(NOT_ANSWERED, '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">=answered = false</bpmn:conditionExpression>')],
        [(DUE, DUE.replace("${acceptance_due()}", "=acceptance_due()"))],
        [('attachedToRef="rate"', 'attachedToRef="issue" cancelActivity="false"')],
        [('attachedToRef="rate"', 'attachedToRef="issue"'), (ON_TIME, ON_TIME.replace("unrated", "split_issuance"))],
        [('attachedToRef="rate"', 'attachedToRef="issue"'), (ON_TIME, ON_TIME.replace("unrated", "issuable"))],
    ],
)
def test_right__is_not_told(retyped: list[tuple[str, str]]):
    assert found(*retyped) == []
