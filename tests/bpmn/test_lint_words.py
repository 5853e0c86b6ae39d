"""A word that the engine does not know is refused where it stands, with those that it knows."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.linting import linted
from tests.bpmn.retyped import FOLDERS, read, retyped
from tests.bpmn.test_templates import choices

ITEM = '<camunda:properties>\n            <camunda:property name="onething.item"'
WINDOW = 'candidateGroups="window"'
each_mistake = pytest.mark.parametrize(
    ("file", "written", "mistaken", "element", "words"),
    [
        ("starter.bpmn", 'kind" value="matter"', 'kind" value="mater"', "starter", "item, matter, post-check, process, but it is 'mater'"),
        ("starter.bpmn", 'kind" value="intake"', 'kind" value="受理"', "intake", "intake, issuance, post-check"),
        ("starter.bpmn", "ON_FIRST_ACCEPT", "on_first_accept", "starter", "ON_ALL_ACCEPTED, ON_FIRST_ACCEPT, ON_SUBMIT"),
        ("starter.bpmn", 'outcome" value="returned"', 'outcome" value="退件"', "tolerance_return", "returned, terminated"),
        ("starter.bpmn", "onething.split-issuance", "onething.split_issuance", "split_issuance", "onething.split-issuance"),
        ("starter.bpmn", "tolerance('grace')", "tolerance('graze')", "grace_due", "due, grace, remind, but it is 'graze'"),
        (
            "starter.bpmn",
            "ready('starter_second')",
            'ready( "starter_secnd" )',
            "dispatch",
            "starter_first, starter_second, but it is 'starter_secnd'",
        ),
        ("starter-first.bpmn", "${deadline('warning')}", "${deadline('预警')}", "warning_due", "promised, statutory, warning"),
        ("starter-first.bpmn", 'mode" value="review"', 'mode" value="审批"', "starter_first", "automatic, commitment, filing, review"),
        ("starter.dmn", '"include"', '"包含"', "", "action in rule 1 (items_1) of the table items to be one of exclude, import, include"),
        ("starter.dmn", '"SUBMIT"', '"submit"', "", "exemption in rule 2 (materials_2) of the table materials"),
        ("starter.dmn", '"BEFORE_ISSUE"', '"BEFORE_ISUE"', "", "AFTER_ISSUE, BEFORE_DECISION, BEFORE_ISSUE, BEFORE_OPENING"),
        ("starter-items.dmn", '"working"', '"工作日"', "", "calendar, working, but it is '工作日'"),
    ],
)


def found(resources: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """Files, elements and messages of what the rule finds."""
    findings = linted(resources, lint.Known(words=WORDS))
    return [(finding.resource, finding.element, finding.message) for finding in findings if finding.rule == "unknown-word"]


def test_words__of_every_kind():
    """Words of a kind that the engine does not say are not checked: a kind that was forgotten would pass whatever is drawn."""
    assert [kind for kind, said in asdict(WORDS).items() if not said] == []


@each_mistake
def test_lint__unknown_word(file: str, written: str, mistaken: str, element: str, words: str):
    [(resource, at, message)] = found(retyped(file, written, mistaken))

    assert (resource, at) == (file, element)
    assert words in message


@pytest.mark.parametrize(
    ("written", "mistaken", "words"),
    [
        (
            "<text>q_second</text>",
            "<text>q_secnd</text>",
            "“事项清单” (items) to read answers to the questions of situations, but none is q_secnd",
        ),
        ('<text>"是"</text>', "<text>是</text>", 'none is 是: correct the name, or write "是" if a text is meant'),
    ],
)
def test_lint__table_reads_what_nobody_asks(written: str, mistaken: str, words: str):
    findings = linted(retyped("starter.dmn", written, mistaken), lint.Known(variables=functions.VARIABLES))

    [message] = [finding.message for finding in findings if finding.rule == "variable-never-written"]
    assert words in message


@pytest.mark.parametrize("groups", ["window，department-market", "window、department-market"])
def test_lint__groups_parted_by_another_comma(groups: str):
    findings = linted(retyped("starter.bpmn", 'candidateGroups="window"', f'candidateGroups="{groups}"'))

    [finding] = [finding for finding in findings if finding.rule == "nobody-assigned"]
    assert (finding.element, groups in finding.message) == ("intake", True)


def test_lint__post_check_reads_what_nobody_writes():
    [folder] = [folder for folder in FOLDERS if folder.name == "post-check"]
    resources = read(folder)
    resources["post-check.bpmn"] = resources["post-check.bpmn"].replace(b"department-${department}", b"department-${deparment}", 1)

    findings = linted(resources, lint.Known(variables=functions.VARIABLES))

    [(element, message)] = [(each.element, each.message) for each in findings if each.rule == "variable-never-written"]
    assert (element, "did you mean 'department'?" in message) == ("verify", True)


@pytest.mark.parametrize(
    ("file", "written", "mistaken", "rule", "words"),
    [
        ("decision.form", '"label": "不予许可"', '"label": "准予"', "same-option", '"key": "outcome"'),
        ("intake.form", r"=outcome != \"tolerate\"", r"=outcome != \"tolerat\"", "unknown-choice", '"key": "commitment_signed"'),
        ("intake.form", r"=outcome != \"tolerate\"", r"=outcom != \"tolerate\"", "field-nobody-fills", '"key": "commitment_signed"'),
        ("rating.form", '"id": "starter_rating"', '"id": "starter_intake"', "duplicate-key", '"id": "starter_intake"'),
        (
            "starter-second.bpmn",
            '<bpmn:process id="starter_second"',
            '<bpmn:process id="starter_first"',
            "duplicate-key",
            '"starter_first"',
        ),
    ],
)
def test_lint__tells_the_line_in_a_form(file: str, written: str, mistaken: str, rule: str, words: str):
    resources = retyped(file, written, mistaken)

    [finding] = [each for each in linted(resources, lint.Known(variables=functions.VARIABLES)) if each.rule == rule]

    assert words in resources[finding.resource].decode().splitlines()[finding.line - 1]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_lint__known_questions(folder: Path):
    findings = linted(read(folder), lint.Known(variables=functions.VARIABLES))

    assert [finding.message for finding in findings if finding.rule in {"variable-never-written", "nobody-assigned"}] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_lint__known_words(folder: Path):
    assert found(read(folder)) == []


@pytest.mark.parametrize(
    ("template", "name", "known"),
    [
        ("matter", "onething.clock_start", WORDS.processes),
        ("single-item", "onething.mode", WORDS.processes),
        ("item", "onething.on_refusal", WORDS.elements),
        ("tolerance-return", "onething.outcome", WORDS.elements),
    ],
)
def test_words__are_those_that_templates_offer(template: str, name: str, known: dict[str, frozenset[str]]):
    assert choices(template, name) == known[name]


@pytest.mark.parametrize(
    ("file", "written", "mistaken", "words"),
    [
        ("starter.bpmn", "${workdays(15)}", "workdays(15)", "write ${workdays(15)}"),
        ("starter.bpmn", "${workdays(15)}", "＄{workdays（15）}", "write ${workdays(15)}"),
        ("starter.bpmn", "${workdays(15)}", "15个工作日", "write ${workdays(15)}"),
        ("starter.bpmn", "${workdays(15)}", "20个自然日", "write ${calendardays(20)}"),
        ("starter.bpmn", "${workdays(15)}", "15天", "write P15D, and choose the type duration"),
        ("starter.bpmn", "${workdays(15)}", "１５天", "write P15D, and choose the type duration"),
        ("starter.bpmn", "${workdays(15)}", "P15D", "choose the type duration"),
        ("starter.bpmn", 'Date="${acceptance_due()}"', 'Date="5 个工作日"', "write ${workdays(5)}"),
        ("starter.bpmn", "${settled()}", "settled()", "write ${settled()}"),
        ("starter.bpmn", "${outcome == 'supplement'}", "${outcome == supplement}", "write 'supplement', with quotation marks"),
        ("starter.bpmn", "${outcome == 'supplement'}", "${Outcome == 'supplement'}", "nobody writes Outcome: did you mean 'outcome'?"),
        (
            "starter.bpmn",
            'formRef="starter_supplement"',
            'formRef="starter_rating"',
            "“补正合格？” (corrected)",
        ),
        ("starter-first.bpmn", "${outcome == 'granted'}", "${commitment_signed}", "another process asks for it, so hand it over"),
        ("starter.bpmn", ITEM, f'<camunda:in source="applicant_nme" target="applicant_name"/>{ITEM}', "did you mean 'applicant_name'?"),
        ("starter.bpmn", WINDOW, f'{WINDOW} camunda:candidateUsers="zhang，li"', "commas (,) between the groups and users of “一窗受理”"),
        ("starter.bpmn", "starter_first:RM", "starter_first：RM", "such as starter_first:FS"),
        ("starter.bpmn", "starter_first:RM", "starter_first;RM", "such as starter_first:FS"),
        ("starter.bpmn", "starter_first:RM", "starter_frist:RM", "but starter_frist is none: did you mean 'starter_first'?"),
        ("starter-items.dmn", "<text>5</text>", "<text>五</text>", "“事项时限” (item_limits) to read the item alone, but it reads 五"),
        ("intake.form", r"=outcome != \"tolerate\"", r"outcome != \"tolerate\"", "to begin with =, but it is 'outcome != \"tolerate\"'"),
    ],
)
def test_lint__says_what_to_write(file: str, written: str, mistaken: str, words: str):
    findings = linted(retyped(file, written, mistaken), lint.Known(functions=functions.NAMES, words=WORDS, variables=functions.VARIABLES))

    assert any(words in finding.message for finding in findings)
