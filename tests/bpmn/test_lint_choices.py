"""What forms offer can be chosen: each choice has the fields that it needs, and is one that the engine knows."""

from __future__ import annotations

import pytest

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.linting import linted
from tests.bpmn.retyped import FOLDERS, STARTER, read, retyped

KNOWN = lint.Known(functions=functions.NAMES, words=WORDS)
RULES = {"choice-without-field", "form-without-field", "optional-outcome"}
#: What stands at the decision of the starter's first item, instead of its form.
GENERATED = """<camunda:formData>
          <camunda:formField id="{field}" label="审批决定" type="enum">
            <camunda:value id="granted" name="准予" />
            <camunda:value id="denied" name="不予许可" />
            {required}
          </camunda:formField>
          {more}
        </camunda:formData>
        <camunda:properties>"""
REQUIRED = '<camunda:validation><camunda:constraint name="required" /></camunda:validation>'
REASONS = '<camunda:formField id="reason_code" type="string" /><camunda:formField id="reason" type="string" />'


def found(resources: dict[str, bytes]) -> list[tuple[str, str, str]]:
    return [(f.rule, f.element, f.message) for f in linted(resources, KNOWN) if f.rule in RULES]


def generated(*, field: str, required: str, more: str) -> dict[str, bytes]:
    """The starter, with generated fields at the decision of its first item."""
    drawn = (
        STARTER["starter-first.bpmn"]
        .decode()
        .replace(' camunda:formRefBinding="deployment"', "")
        .replace(' camunda:formRef="starter_decision"', "")
    )
    head, mark, tail = drawn.partition('<camunda:property name="onething.kind" value="decision"')
    before, _opening, between = head.rpartition("<camunda:properties>")
    fields = GENERATED.format(field=field, required=required, more=more)
    return STARTER | {"starter-first.bpmn": (before + fields + between + mark + tail).encode()}


@pytest.mark.parametrize(
    ("file", "written", "mistaken", "element", "words"),
    [
        ("intake.form", '"key": "refusal_kind"', '"key": "kind"', "intake", "to ask for refusal_kind where outcome = refuse"),
        ("intake.form", '"key": "reason"', '"key": "why"', "intake", "to ask for reason where outcome = refuse"),
        ("intake.form", '"key": "commitment_signed"', '"key": "signed"', "intake", "to ask for commitment_signed where outcome = tolerate"),
        (
            "intake.form",
            '"value": "not_required"',
            '"value": "not_needed"',
            "intake",
            "'not_needed', and whoever chooses that is refused: known are not_acc",
        ),
        ("follow-on.form", '"key": "reason"', '"key": "why"', "follow_on", "to ask for reason where outcome = refuse"),
        ("supplement.form", '"key": "reason"', '"key": "why"', "supplement", "to ask for reason where answered = false"),
        ("decision.form", '"key": "reason_code"', '"key": "code"', "decide", "to ask for reason_code where outcome = denied (“不予许可”)"),
        ("issuance.form", '"value": "post"', '"value": "ems"', "issue", "it offers 'ems', and whoever chooses that is refused: known are"),
        # Copied from another form, with the condition of that one.
        (
            "decision.form",
            '"hide": "=outcome != \\"denied\\""',
            '"hide": "=outcome != \\"refuse\\""',
            "decide",
            "to ask for reason_code where",
        ),
    ],
)
def test_choice__that_nobody_can_make(file: str, written: str, mistaken: str, element: str, words: str):
    told = [each for each in found(retyped(file, written, mistaken)) if each[:2] == ("choice-without-field", element)]

    assert len(told) == 1
    assert words in told[0][2]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_choice__shipped_forms(folder):
    assert found(read(folder)) == []


def test_choice__whose_field_may_be_shown():
    """What a condition reads beside the choice is not known: nothing is told."""
    assert found(retyped("decision.form", '"hide": "=outcome != \\"denied\\""', '"hide": "=outcome != \\"denied\\" or quick"')) == []


@pytest.mark.parametrize(
    ("field", "required", "more", "rule", "words"),
    [
        ("result", REQUIRED, REASONS, "form-without-field", "Expected the generated form of"),
        ("outcome", "", REASONS, "optional-outcome", "may be left empty"),
        ("outcome", REQUIRED, "", "choice-without-field", "to ask for reason and reason_code where outcome = denied"),
    ],
)
def test_generated_form__is_judged_as_another_is(field: str, required: str, more: str, rule: str, words: str):
    told = found(generated(field=field, required=required, more=more))

    assert [(each[0], words in each[2]) for each in told] == [(rule, True)]


def test_generated_form__that_asks_for_all():
    assert found(generated(field="outcome", required=REQUIRED, more=REASONS)) == []
