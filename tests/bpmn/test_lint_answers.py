"""Mistakes in what is asked: in forms, in questions and in the tables that read the answers.  Each is told, nothing is told of what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn import tables
from tests.bpmn.linting import linted
from tests.bpmn.retyped import FOLDERS, STARTER, read, retyped

MISTAKES = {"field-nobody-fills", "unknown-choice", "unknown-answer", "bad-question", "unfit-column", "unlisted-word"}
KNOWN = lint.Known(functions=functions.NAMES, words=WORDS, variables=functions.VARIABLES)
#: A condition of the intake's form, as it stands in the file.
HIDES = r"=outcome != \"tolerate\""
#: The second cell of the starter's table of items.
CELL = '<text>"是"</text>'
COLUMN = 'typeRef="string">\n          <text>q_second'


def found(resources: dict[str, bytes]) -> list[tuple[str, str]]:
    """Rules and messages of what these rules find."""
    return [(finding.rule, finding.message) for finding in linted(resources, KNOWN) if finding.rule in MISTAKES]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_mistake__none_in_what_is_shipped(folder: Path):
    assert found(read(folder)) == []


@pytest.mark.parametrize(
    ("file", "written", "mistaken", "rule", "words"),
    [
        ("intake.form", HIDES, r"=outcom != \"tolerate\"", "field-nobody-fills", "nobody fills in outcom: did you mean 'outcome'?"),
        ("intake.form", HIDES, "=outcome != tolerate", "field-nobody-fills", 'nobody fills in tolerate: write "tolerate", with quotation'),
        (
            "intake.form",
            HIDES,
            "=q_secnd",
            "field-nobody-fills",
            "“申请人已签署容缺受理承诺书” (commitment_signed) of the form starter_intake",
        ),
        ("intake.form", HIDES, r"=outcome != \"容缺受理\"", "unknown-choice", "(accept, refuse, supplement, tolerate), but it compares it"),
        ("intake.form", '"value": "tolerate"', '"value": "tolerated"', "unknown-choice", "with 'tolerate': did you mean 'tolerated'?"),
        ("starter.bpmn", "${not answered}", "${answered == '否'}", "unknown-choice", "answered with what the forms offer (false, true)"),
        ("starter.dmn", CELL, '<text>"yes"</text>', "unknown-answer", "rule 2 (items_2) of the table items"),
        ("starter.dmn", CELL, '<text>"是 "</text>', "unknown-answer", 'write "是"'),
        ("starter.dmn", CELL, '<text>not("否", "shi")</text>', "unknown-answer", 'asks for "shi": offered are “是”、“否”'),
        ("starter.dmn", CELL, "<text>true</text>", "unknown-answer", "asks for true"),
        ("starter.dmn", CELL, "<text>not(5)</text>", "unknown-answer", "asks for 5"),
        ("starter.dmn", '"single"', '"signle"', "bad-question", "of the type 'signle': did you mean 'single'?"),
        ("starter.dmn", '"single"', '"单选"', "bad-question", "write boolean, date, derived, multi"),
        ("starter.dmn", '"single"', '"boolean"', "bad-question", "empty them, or write the type single"),
        ("starter.dmn", '"是,否"', '"是、否"', "bad-question", "it offers 是、否: write 是,否, parted by commas"),
        ("starter.dmn", '"是,否"', "", "bad-question", "it offers none"),
        ("starter.dmn", '"是,否"', '"是,否,是"', "bad-question", "是 stands twice"),
        ("starter.dmn", COLUMN, COLUMN.replace("string", "boolean"), "unfit-column", "“是否办理第二个事项” of the table items"),
        ("starter.dmn", COLUMN, COLUMN.replace("string", "integer"), "unfit-column", "(q_second), which is a question of the type single"),
        (
            "starter.dmn",
            '"REQUIRED"',
            '"REQUIERD"',
            "unlisted-word",
            "rule 1 (materials_1) of the table materials to be one of CONDITIONAL",
        ),
        ("starter.dmn", '"SELF"', '"自备"', "unlisted-word", "GOV, OTHER, SELF, but it is '自备'"),
        ("starter.dmn", '"fixed"', '"fixd"', "unlisted-word", "did you mean 'fixed'?"),
    ],
)
def test_mistake__is_told(file: str, written: str, mistaken: str, rule: str, words: str):
    told = found(retyped(file, written, mistaken))

    assert any(name == rule and words in message for name, message in told)


@pytest.mark.parametrize(
    ("file", "written", "mistaken"),
    [
        ("intake.form", HIDES, '=q_second = \\"是\\"'),
        ("intake.form", HIDES, r"=applicant_kind = \"person\""),
        ("intake.form", HIDES, r"=some each in [\"tolerate\"] satisfies each = outcome"),
        ("starter.dmn", CELL, '<text>not("是")</text>'),
        ("starter.dmn", CELL, '<text>"否", not("shi")</text>'),
        ("starter.dmn", CELL, '<text>starts with(?, "shi")</text>'),
        ("starter.dmn", '"是,否"', '"是，否"'),
        ("starter.dmn", '"SELF"', '"OTHER"'),
        ("starter.dmn", COLUMN, COLUMN.replace("string", "any")),
    ],
)
def test_right__is_not_told(file: str, written: str, mistaken: str):
    assert found(retyped(file, written, mistaken)) == []


EXCLUSIONS = tables.decision(
    "exclusions",
    ["q_second:string", "needed:string"],
    ["reason", "basis"],
    '"是" | - => "不适用" | "条例"',
    policy="COLLECT",
    requires=["needed"],
) + tables.decision("needed", ["q_second:string"], ["needed"], '- => "x"')


@pytest.mark.parametrize(
    ("written", "mistaken", "rule", "words"),
    [
        ("", "", "", ""),
        ('<text>"是"</text>', '<text>"shi"</text>', "unknown-answer", "of the table exclusions to ask for an answer"),
        (
            'typeRef="string"><text>q_second',
            'typeRef="boolean"><text>q_second',
            "unfit-column",
            "of the table exclusions to take the answers",
        ),
        ('name="basis"', 'name="article"', "unknown-column", "Expected the table exclusions to have an output called basis"),
        ('<text>"条例"</text>', "<text></text>", "empty-cell", "of the table exclusions to say basis"),
    ],
)
def test_exclusions(written: str, mistaken: str, rule: str, words: str):
    """Where a matter is not offered the applicant is told why, and by which article."""
    told = [(each.rule, each.message) for each in linted(with_table(EXCLUSIONS.replace(written, mistaken, 1)), KNOWN)]

    assert [name for name, message in told if "exclusions" in message] == [rule] * bool(rule)
    assert not rule or any(name == rule and words in message for name, message in told)


def test_exclusions__what_they_require():
    """What a table requires is given the answers, too."""
    head, rest = EXCLUSIONS.split('<decision id="needed"')
    mistaken = head + '<decision id="needed"' + rest.replace('typeRef="string"', 'typeRef="number"', 1)

    assert [message for name, message in found(with_table(mistaken)) if name == "unfit-column" and "of the table needed" in message]


def with_table(table: str) -> dict[str, bytes]:
    """The starter with another table."""
    return {**STARTER, "starter.dmn": STARTER["starter.dmn"].replace(b"</definitions>", f"{table}</definitions>".encode())}


@pytest.mark.parametrize(
    ("kind", "least", "most", "words"),
    [
        ("number", "1", '"9"', "have a number as its max, but it is '9'"),
        ("text", "1", "", "be of the type number, since it has a min, but it is 'text'"),
        ("number", "9", "1", "have an answer, but none is 9 or more and 1 or less: exchange min and max"),
        ("number", "1", "1", ""),
        ("number", "-1.5", "", ""),
    ],
)
def test_question__with_bounds(kind: str, least: str, most: str, words: str):
    row = ((3, f'"{kind}"'), (4, ""), (7, least), (8, most))
    content = STARTER["starter.dmn"].decode()
    for place, cell in row:
        head = f'<outputEntry id="situations_1_out_{place}">\n          <text>'
        before, after = content.split(head)
        content = f"{before}{head}{cell}{after[after.index('</text>') :]}"

    told = [message for rule, message in found(STARTER | {"starter.dmn": content.encode()}) if rule == "bad-question"]

    assert (words in told[0] and len(told) == 1) if words else told == []


def test_form__of_a_process_in_which_anybody_writes():
    """There only what is almost a field beside it is told."""
    resources = retyped("intake.form", HIDES, r"=outcom != \"tolerate\" or quantity > 3")
    resources["starter.bpmn"] = resources["starter.bpmn"].replace(b'"onething.kind" value="matter"', b'"onething.kind" value="process"')

    assert [message.count("outcom:") for rule, message in found(resources) if rule == "field-nobody-fills"] == [1]
