"""What a designer gets wrong about workers, scripts, conditions and tables in items of his own: told once, by the name of the element."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn.lint import spelling
from tests.bpmn.linting import linted
from tests.bpmn.naive import ITEMS, KNOWN, mistaken, told
from tests.bpmn.retyped import FOLDERS, read
from tests.conformance import drawing
from tests.conformance.test_cases import CASES

CLEAN = '=level = "bad" and count(domains) &gt; 0'
ERROR = '<camunda:errorEventDefinition id="failed" errorRef="Error_LOST" expression="${true}"/>'
LOST = '<bpmn:error id="Error_LOST" name="lost" errorCode="LOST"/>'
DEPARTMENT = 'onething.department" value="hrss'

RULES = {"bad-variable", "bad-version", "default-id", "error-nobody-catches", "error-nobody-throws", "odd-topic", "unfit-value"}
RULES |= {"not-executable", "odd-cell", "same-name", "unmapped-result", "variable-never-written"}


def test_items__as_they_should_be():
    assert told(ITEMS) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_mistake__none_in_what_is_shipped(folder: Path):
    assert {f.rule for f in linted(read(folder), KNOWN)} & RULES == set()


def test_mistake__none_in_what_conforms():
    """But for what tries out an error that nobody catches."""
    told = {case.name: {f.rule for f in linted({"p.bpmn": drawing.draw(case.drawing)}, KNOWN)} & RULES for case in CASES}

    assert len(told) > 100
    assert {name: rules for name, rules in told.items() if rules - {"error-nobody-catches", "error-nobody-throws"}} == {}


@pytest.mark.parametrize(
    ("file", "written", "instead", "rule", "element", "words"),
    [
        ("pension.bpmn", "pension-years", "pension years", "odd-topic", "read_years", "write 'pension-years'"),
        ("pension.bpmn", "pension-years", "ｐｅｎｓｉｏｎ－ｙｅａｒｓ", "odd-topic", "read_years", "write 'pension-years'"),
        (
            "pension.bpmn",
            'attachedToRef="read_years"',
            'attachedToRef="sum_up"',
            "error-nobody-throws",
            "no_account",
            "the task that throws",
        ),
        ("pension.bpmn", "${years + extra}", "${year + extra}", "variable-never-written", "sum_up", "did you mean 'years'?"),
        ("pension.bpmn", "${total &gt;= 15}", "${totel &gt;= 15}", "variable-never-written", "enough", "did you mean 'total'?"),
        ("pension.bpmn", ">${years}<", ">${yaers}<", "variable-never-written", "read_years", "did you mean 'years'?"),
        ("pension.bpmn", "== 'granted'", "== granted", "variable-never-written", "decided", "write 'granted', with quotation marks"),
        ("pension.bpmn", "${outcome == 'granted'}", "${outcome}", "unfit-value", "decided", "gives a text"),
        ("pension.bpmn", "${outcome == 'granted'}", "${outcome == 1}", "unfit-value", "decided", "Expected a number"),
        (
            "pension.bpmn",
            "${outcome == 'granted'}",
            "$｛outcome == ‘granted’｝",
            "literal-condition",
            "decided-granted",
            "write ${outcome == 'g",
        ),
        (
            "pension.bpmn",
            "${outcome == 'granted'}",
            "￥{outcome == 'granted'}",
            "literal-condition",
            "decided-granted",
            "write ${outcome ==",
        ),
        (
            "pension.bpmn",
            "${outcome == 'granted'}",
            '＝outcome = "granted"',
            "literal-condition",
            "decided-granted",
            'write =outcome = "gr',
        ),
        ("pension.bpmn", "&gt;= 15", "≥ 15", "expression", "enough-review", "(type >=)"),
        ("pension.bpmn", "&gt;= 15", "》= 15", "expression", "enough-review", "(type >)"),
        ("pension.bpmn", "&gt;= 15", "=&gt; 15", "expression", "enough-review", "at least is written >="),
        ("pension.bpmn", 'resultVariable="total"', 'resultVariable="${total}"', "bad-variable", "sum_up", "write total"),
        ("pension.bpmn", 'Parameter name="years"', 'Parameter name="${years}"', "bad-variable", "read_years", "write years"),
        ("pension.bpmn", DEPARTMENT, 'onething.department" value="department-hrss', "unknown-group", "benefit_calc", "write hrss"),
        ("pension.bpmn", DEPARTMENT, 'onething.department" value="人社局', "unknown-group", "benefit_calc", "write hrss"),
        ("pension.bpmn", 's="department-hrss"', 's="人社局"', "unknown-group", "by_hand", "write department-hrss"),
        ("pension.bpmn", DEPARTMENT, 'onething.department" value="人社', "unknown-group", "benefit_calc", "make the department before"),
        ("pension.bpmn", 's="department-hrss"', 's="department-hrss，window"', "nobody-assigned", "by_hand", "has ，"),
        (
            "pension.bpmn",
            's="department-hrss"',
            's="department-hrss window"',
            "unknown-group",
            "by_hand",
            "write department-hrss, window, with commas",
        ),
        ("listing.bpmn", CLEAN, "=since &gt; 2024-01-01", "unfit-value", "clean", "a text (2026-11-25) and a number"),
        ("listing.bpmn", CLEAN, '=penalties &gt; "0"', "unfit-value", "clean", "Expected two values of one kind to compare"),
        ("listing.bpmn", CLEAN, '=contains(domains, "fire")', "unfit-value", "clean", "Expected a text, but it is a list"),
        ("listing.bpmn", CLEAN, "${domains.length() &gt; 0}", "unfit-value", "clean", "has length()"),
        ("listing.bpmn", CLEAN, "=level = 1", "unfit-value", "clean", "gives null"),
        ("listing.bpmn", CLEAN, "${penalties}", "unfit-value", "clean", "gives a number"),
        ("listing.bpmn", '"bad" and', '"Bad" and', "unknown-choice", "clean", "did you mean 'bad'?"),
        ("listing.bpmn", "${domains}", "${penalties}", "unfit-value", "look", "to be a list"),
        ("listing.bpmn", ' camunda:mapDecisionResult="singleEntry"', "", "unmapped-result", "rate", "choose singleEntry"),
        ("listing.bpmn", '"singleEntry"', '"singleResult"', "unmapped-result", "rate", "gives a row with its columns"),
        ("listing.bpmn", '"singleEntry"', '"collectEntries"', "unmapped-result", "rate", "gives a list of values"),
        ("listing.bpmn", 'target="company"', 'target="${company}"', "bad-variable", "ask", "write company"),
        ("listing.bpmn", ">P5D<", ">${P5D}<", "variable-never-written", "waited", "write P5D alone"),
        ("listing.bpmn", 'dueDate="P3D"', 'dueDate="${penalties}"', "unfit-value", "look", "Expected a date and time or a duration"),
        ("listing.bpmn", 'dueDate="P3D"', 'dueDate="${since}"', "unfit-value", "look", "a date and time with an offset"),
    ],
)
def test_mistake__is_told_once(file: str, written: str, instead: str, rule: str, element: str, words: str):
    [(found, where, message)] = told(mistaken(file, (written, instead)))

    assert (found, where) == (rule, element)
    assert words in message


def test_cell__a_text_without_its_quotation_marks():
    [(rule, _element, message)] = told(mistaken("level.dmn", ('"bad"', "bad")))

    assert rule == "odd-cell"
    assert 'but bad is a variable that nobody writes, so that it says nothing: write "bad"' in message


@pytest.mark.parametrize("right", ["penalties", "company", "null", 'if penalties &gt; 3 then "bad" else "good"'])
def test_cell__that_is_computed(right: str):
    assert told(mistaken("level.dmn", ('"bad"', right))) == []


def test_cell__a_comparison_in_quotation_marks():
    [(rule, _element, message)] = told(mistaken("level.dmn", ("&gt; 0", '"&gt; 0"')))

    assert rule == "odd-cell"
    assert "write > 0, without quotation marks" in message
    assert told(mistaken("level.dmn", ("&gt; 0", '"&gt; 0"'), ('typeRef="number"', 'typeRef="string"'))) == []


@pytest.mark.parametrize("version", ["v1", "1.0", "０", "0", "最新"])
def test_call__of_a_version_that_is_no_number(version: str):
    called = f'calledElement="summary" camunda:calledElementBinding="version" camunda:calledElementVersion="{version}"'

    [(rule, element, message)] = told(mistaken("listing.bpmn", ('calledElement="summary"', called)))

    assert (rule, element) == ("bad-version", "ask")
    assert f"but it is {version!r}" in message


def test_call__of_a_version_by_its_number():
    called = 'calledElement="summary" camunda:calledElementBinding="version" camunda:calledElementVersion=" 2 "'

    assert told(mistaken("listing.bpmn", ('calledElement="summary"', called))) == []


def test_failure__that_is_an_error_which_nobody_catches():
    reported = mistaken(
        "pension.bpmn", ("<camunda:inputOutput>", f"{ERROR}<camunda:inputOutput>"), ("<bpmn:process", f"{LOST}<bpmn:process")
    )

    [(rule, element, message)] = told(reported)

    assert (rule, element) == ("error-nobody-catches", "read_years")
    assert "to catch the error 'LOST'" in message


def test_failure__that_is_an_error_which_is_caught():
    caught = ERROR.replace("Error_LOST", "Error_NO_5f_RECORD")

    assert told(mistaken("pension.bpmn", ("<camunda:inputOutput>", f"{caught}<camunda:inputOutput>"))) == []


@pytest.mark.parametrize(
    "right",
    [
        '=level = "good"',
        '=date(since) &gt; date("2024-01-01")',
        '=since &gt; "2024-01-01"',
        "=penalties &gt; 3",
        '=list contains(domains, "fire")',
        "${domains.contains('fire')}",
        "${domains.size() &gt; 1}",
        "${findings == 'bad'}",  # whatever the summary hands back
    ],
)
def test_condition__that_can_be_evaluated(right: str):
    found = told(mistaken("listing.bpmn", (CLEAN, right)))

    assert found == []


def test_result__of_which_the_column_is_named():
    read = ('"singleEntry"', '"singleResult"'), (CLEAN, "${level.level == 'bad'}")

    assert told(mistaken("listing.bpmn", *read)) == []


def test_value__that_a_worker_may_have_written_in_another_way():
    """Of what a worker sets in a process of ours, a name is wrong only where it is a slip of another."""
    assert told(mistaken("pension.bpmn", ("${total &gt;= 15}", "${granted_years &gt;= 15}"))) == []


@pytest.mark.parametrize(
    ("word", "meant", "slips"),
    [
        ("totel", "total", True),
        ("approved", "approver", False),
        ("bride", "pride", False),
        ("fee1", "fee2", False),
        ("yaers", "years", True),
    ],
)
def test_inner_slip(word: str, meant: str, *, slips: bool):
    assert spelling.is_inner_slip(word, meant) is slips
