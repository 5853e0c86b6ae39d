"""Mistakes that a designer makes in a copy of what is shipped: each is told, and nothing is told of what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.linting import linted
from tests.bpmn.retyped import FOLDERS, STARTER, read, retyped
from tests.conformance import drawing
from tests.conformance.test_cases import CASES

MISTAKES = {"form-without-field", "item-not-decided", "join-waits-for-ever", "mismatched-item", "missing-kind", "unknown-choice"}
MISTAKES |= {"unknown-column", "unknown-word"}
KNOWN = lint.Known(functions=functions.NAMES, words=WORDS)
HIDDEN = '"conditional": {"hide": "=true"}'
#: Its gateway does wait for what does not come.
UNSOUND = {"gateways/unstructured: Parallel join behind exclusive decisions: unsound, and told"}


def found(resources: dict[str, bytes], known: lint.Known = KNOWN) -> list[tuple[str, str, str]]:
    """Rules, elements and messages of what these rules find."""
    return [(f.rule, f.element, f.message) for f in linted(resources, known) if f.rule in MISTAKES]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_mistake__none_in_what_is_shipped(folder: Path):
    assert found(read(folder)) == []


def test_mistake__none_in_what_conforms():
    told = {case.name: found({"p.bpmn": drawing.draw(case.drawing)}) for case in CASES}

    assert {name for name, each in told.items() if each} == UNSOUND


@pytest.mark.parametrize(
    ("file", "written", "mistaken", "rule", "element", "words"),
    [
        ("starter-first.bpmn", "outcome == 'granted'", "outcome == '准予'", "unknown-choice", "decided", "offer (denied, granted), but it"),
        ("starter-first.bpmn", "outcome == 'granted'", "outcome == 'grant'", "unknown-choice", "decided", "did you mean 'granted'?"),
        ("starter-first.bpmn", "${outcome == 'granted'}", '=outcome = "准予"', "unknown-choice", "decided", "compares it with '准予'"),
        ("starter-first.bpmn", 'kind" value="decision"', 'kinds" value=""', "missing-kind", "decide", "onething.kind = decision"),
        (
            "starter-first.bpmn",
            'onething.kind" value="item"',
            'note" value="item"',
            "missing-kind",
            "starter_first",
            "write matter or item",
        ),
        ("starter.bpmn", 'onething.kind" value="supplement"', 'note" value=""', "missing-kind", "supplement", "onething.kind = supplement"),
        ("starter.bpmn", 'onething.kind" value="matter"', 'note" value=""', "missing-kind", "starter", "since it has onething.clock_start"),
        ("starter.bpmn", '"starter_intake"', '"starter_rating"', "form-without-field", "intake", "has no such field: choose the form"),
        ("decision.form", '"key": "outcome"', '"key": "outcom"', "form-without-field", "decide", "rename 'outcom'"),
        ("decision.form", '"value": "granted"', '"value": "grant"', "form-without-field", "decide", "write 'granted'"),
        (
            "intake.form",
            '"value": "accept"',
            '"value": "受理"',
            "form-without-field",
            "intake",
            "known are accept, refuse, supplement, tolerate",
        ),
        ("rating.form", '"key": "score"', '"key": "mark"', "form-without-field", "rate", "to ask for score"),
        (
            "starter.bpmn",
            "ready('starter_first')",
            "ready('starter_second')",
            "mismatched-item",
            "call_starter_first",
            "ready('starter_first')",
        ),
        (
            "starter.bpmn",
            'calledElement="starter_first"',
            'calledElement="starter_second"',
            "mismatched-item",
            "call_starter_first",
            "both",
        ),
        ("starter.dmn", 'name="action"', 'name="处理"', "unknown-column", "", "an output called action"),
        ("starter.dmn", 'name="tolerable"', 'name="tolerate"', "unknown-column", "", "rename the output 'tolerate'"),
        (
            "starter.dmn",
            'id="items_table" hitPolicy="COLLECT"',
            'id="items_table" hitPolicy="FIRST"',
            "unknown-column",
            "",
            "is FIRST: choose",
        ),
        (
            "starter.dmn",
            'decision id="items"',
            'decision id="item"',
            "unknown-column",
            "starter",
            "it is called 'item': rename it",
        ),
        ("starter.dmn", '<text>"*"</text>', '<text>"starter_frist"</text>', "unknown-column", "", "did you mean 'starter_first'?"),
        (
            "starter.dmn",
            'id="situations_1_out_10">\n          <text>"starter_second"',
            'id="situations_1_out_10">\n          <text>"starter_secnd"',
            "unknown-column",
            "",
            "of the table situations to name items of starter, but starter_secnd is none: did you mean 'starter_second'?",
        ),
        ("starter-items.dmn", 'name="promised"', 'name="promise"', "unknown-column", "", "rename the output 'promise'"),
        (
            "decision.form",
            '"key": "outcome"',
            '"key": "outcome", "readonly": true',
            "form-without-field",
            "decide",
            "nobody can fill it in",
        ),
        ("decision.form", '"key": "outcome"', f'"key": "outcome", {HIDDEN}', "form-without-field", "decide", "nobody can fill it in"),
        ("starter.bpmn", "onething.remind", "oneting.remind", "unknown-word", "remind", "but it is 'oneting.remind'"),
        ("starter.bpmn", "onething.remind", "remind", "unknown-word", "remind", "but it is 'remind'"),
    ],
)
def test_mistake__is_told(file: str, written: str, mistaken: str, rule: str, element: str, words: str):
    told = [each for each in found(retyped(file, written, mistaken)) if each[:2] == (rule, element)]

    assert told
    assert words in told[0][2]


def test_mistake__item_that_the_case_says_in_quotation_marks():
    [folder] = [folder for folder in FOLDERS if folder.name == "single-item"]
    resources = read(folder)
    resources["single-item.bpmn"] = resources["single-item.bpmn"].replace(b"ready(item)", b"ready('item')")

    [(rule, element, message)] = found(resources)
    assert (rule, element, "write ready(item), without quotation marks" in message) == ("mismatched-item", "handle_item", True)


def test_mistake__gateway_of_another_kind():
    """A gateway where alternatives meet becomes one that waits for all of them."""
    before, mine, after = STARTER["starter.bpmn"].partition(b'<bpmn:exclusiveGateway id="accepted"')
    assert mine
    content = before + mine.replace(b"exclusive", b"parallel") + after.replace(b"</bpmn:exclusiveGateway>", b"</bpmn:parallelGateway>", 1)

    assert [each[:2] for each in found(STARTER | {"starter.bpmn": content})] == [("join-waits-for-ever", "accepted")]


def test_mistake__timer_that_ends_the_work():
    """A reminder that interrupts leaves the item undecided."""
    told = found(retyped("starter-first.bpmn", ' cancelActivity="false"', ""))

    assert "item-not-decided" in {rule for rule, _element, _message in told}
