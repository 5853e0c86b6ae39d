"""What would run, and makes no sense: each is told where it stands, and nothing is told of what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.linting import linted
from tests.bpmn.retyped import FOLDERS, read, retyped
from tests.conformance import drawing
from tests.conformance.test_cases import CASES

RULES = {"flow-never-taken", "bad-cycle", "promise-above-law", "empty-cell", "unreadable-figure", "unknown-group"}
RULES |= {"variable-read-too-early", "same-name", "same-option", "both-ways", "idle-gateway", "due-at-once"}
RULES |= {"joint-handling-cut-off", "settled-without-end", "tolerance-has-outcomes", "another-department"}
RULES |= {"bad-moment", "misplaced-deadline", "same-time", "terminates-others", "mismatched-item", "form-without-field"}
RULES |= {"unfit-value", "idle-expression", "optional-outcome", "withdrawal-goes-on"}
RULES |= {"bad-boolean", "duration-in-months", "flow-named-otherwise", "reversed-question", "twofold-flow"}
KNOWN = lint.Known(functions=functions.NAMES, words=WORDS, variables=functions.VARIABLES)
ACCEPTED = "${outcome == 'accept' or outcome == 'tolerate'}"
CORRECTED = "${outcome == 'supplement'}"
DUE = "timeDate xsi:type=\"bpmn:tFormalExpression\">${deadline('promised')}</bpmn:timeDate"
LIMIT = "<text>5</text>"
WINDOW = 'candidateGroups="window" camunda:dueDate="${acceptance_due()}"'
RATED = 'timeDate xsi:type="bpmn:tFormalExpression">${workdays(15)}</bpmn:timeDate'
GRANTED = "${outcome == 'granted'}"
REMINDED = '<bpmn:endEvent id="officer_reminded" name="已催办">'
CARRIED_ON = '<bpmn:endEvent id="carry_on" name="继续等待">'
BACK = '<bpmn:boundaryEvent id="withdrawn_at_intake"'
WORK = 'camunda:type="external" camunda:topic="onething.remind"'
CLOSED = '<bpmn:endEvent id="closed" name="办结">'
RATES = '<bpmn:endEvent id="rated" name="已评价">'
TERMINATED = "<bpmn:terminateEventDefinition/>"
DASHED = 'cancelActivity="false"'
TASK = '<bpmn:userTask id="decide"'
JOINED = '<bpmn:sequenceFlow id="deem_joined_to_joining"'
TWICE = '<bpmn:sequenceFlow id="twice" sourceRef="deem_joined" targetRef="joining" />'
HIDES = r"=outcome != \"tolerate\""
#: What conforms, and does what these rules warn of.
ODD = {
    "activities/multi-instance: Two tokens come to an activity that runs twice": {"twofold-flow"},
    "activities/quantities: Tokens in numbers at an inclusive join": {"idle-gateway"},
    "gateways/alone: Parallel: one way in and one way out": {"idle-gateway"},
    "gateways/unstructured: Conditional flows out of a task: all that hold": {"both-ways"},
    "gateways/unstructured: Conditional flows out of a task: the default flow when none holds": {"both-ways"},
    "gateways/unstructured: Default flow out of a task: not beside a flow without a condition": {"both-ways"},
    "scopes/terminate: In the first branch, before the others have begun": {"terminates-others"},
    "patterns/4-cycles: 10 Arbitrary Cycles": {"idle-gateway"},
}


def found(resources: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """Rules, elements and messages of what these rules find."""
    return [(finding.rule, finding.element, finding.message) for finding in linted(resources, KNOWN) if finding.rule in RULES]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_sense__in_what_is_shipped(folder: Path):
    assert found(read(folder)) == []


def test_sense__in_what_conforms():
    told = {case.name: found({"p.bpmn": drawing.draw(case.drawing)}) for case in CASES}

    assert {name: {rule for rule, _element, _message in each} for name, each in told.items() if each} == ODD


@pytest.mark.parametrize(
    ("file", "written", "mistaken", "rule", "element", "words"),
    [
        ("starter.bpmn", ACCEPTED, ACCEPTED.replace("or", "and"), "flow-never-taken", "intake_outcome", "holds for nothing"),
        ("starter.bpmn", CORRECTED, "${outcome == 'accept'}", "flow-never-taken", "intake_outcome", "“受理、容缺受理”"),
        ("starter.bpmn", CORRECTED, "${outcome}", "unfit-value", "intake_outcome", "${outcome} gives a text"),
        ("starter-first.bpmn", DUE, DUE.replace("Date", "Cycle"), "bad-cycle", "overdue_due", "choose the type date for the timer"),
        ("starter-items.dmn", LIMIT, "<text>25</text>", "promise-above-law", "starter_first", "the 20 days that the law gives"),
        ("starter-items.dmn", LIMIT, "<text>-5</text>", "unreadable-figure", "", "promised in rule 1 (item_limits_1) of the table"),
        ("starter.dmn", LIMIT, "<text>-5</text>", "unreadable-figure", "", "due_days in rule 3 (materials_3)"),
        ("starter.dmn", '<text>"include"</text>', "<text></text>", "empty-cell", "", "rule 1 (items_1) of the table items to say action"),
        ("starter.dmn", '<text>"SUBMIT"</text>', "<text></text>", "empty-cell", "", "to say exemption"),
        ("starter.bpmn", WINDOW, WINDOW.replace("candidateGroups", "assignee"), "unknown-group", "intake", "window is a group: write it"),
        ("starter.bpmn", "${not answered}", "${score > 3}", "variable-read-too-early", "corrected", "later, at “好差评” (rate)"),
        ("intake.form", HIDES, "=score > 3", "variable-read-too-early", "intake", "but score is only written later"),
        ("starter.bpmn", 'name="一窗受理"', 'name="补正材料"', "same-name", "supplement", "“补正材料” (intake) is called so, too"),
        (
            "starter.bpmn",
            'name="第二个事项" camunda',
            'name="第一个事项" camunda',
            "same-name",
            "call_starter_second",
            "rename one of them",
        ),
        ("starter-first.bpmn", "department-market", "department-fire", "another-department", "decide", "write department-market, or"),
        ("decision.form", '"value": "other"', '"value": "scope"', "same-option", "", "have the same value 'scope'"),
        ("decision.form", '"value": "other"', '"value": ""', "same-option", "", "has an empty value"),
        ("starter.bpmn", RATED, "timeDuration>PT0S</bpmn:timeDuration", "due-at-once", "rating_closed", "its duration PT0S is none"),
        ("starter.bpmn", "${workdays(15)}", "2020-02-01T09:00:00+08:00", "due-at-once", "rating_closed", "09:00:00+08:00 has passed"),
        (
            "starter.bpmn",
            RATED,
            "timeDuration>P15M</bpmn:timeDuration",
            "duration-in-months",
            "rating_closed",
            "write PT15M for 15 minutes",
        ),
        ("starter.bpmn", "${issuance_due()}", "P10M", "duration-in-months", "issue", "the due date of “统一出件” (issue)"),
        ("starter.bpmn", "${settled()}", "${not settled()}", "reversed-question", "tolerance_open", "where settled() is true"),
        (
            "starter.bpmn",
            "${ready('starter_first')}",
            "${!ready('starter_first')}",
            "reversed-question",
            "dispatch",
            "where ready() is true",
        ),
        ("starter.bpmn", "${issuable()}</bpmn:", "=issuable() = false</bpmn:", "reversed-question", "issuable", "“统一出件” (issue)"),
        ("starter.bpmn", "${tolerance_open()}", "${not tolerance_open()}", "reversed-question", "tolerance_open", "(await_material)"),
        ("starter.bpmn", CORRECTED, "${outcome != 'accept'}", "flow-never-taken", "intake_outcome", "whatever is chosen, or nothing"),
        ("starter.bpmn", CORRECTED, "${outcome != 'supplement'}", "flow-named-otherwise", "intake_outcome", "“不受理、不予受理” is chosen"),
        ("starter-first.bpmn", GRANTED, GRANTED.replace("granted", "denied"), "flow-named-otherwise", "decided", "“准予” is chosen"),
        (
            "starter-first.bpmn",
            GRANTED,
            GRANTED.replace("==", "!="),
            "flow-named-otherwise",
            "decided",
            "for something else only: correct its condition",
        ),
        ("starter-first.bpmn", GRANTED, '=not(outcome = "granted")', "flow-named-otherwise", "decided", "since it is called “准予”"),
        (
            "starter-first.bpmn",
            'name="准予" sourceRef',
            'name="不予" sourceRef',
            "flow-named-otherwise",
            "decided",
            "since it is called “不予”",
        ),
        ("starter-first.bpmn", 'name="已准予"', 'name="不予许可"', "flow-named-otherwise", "decided", "its end is called “不予许可”"),
        (
            "starter.bpmn",
            JOINED,
            TWICE + JOINED,
            "twofold-flow",
            "deem_joined",
            "two lead to “并入在办联办？” (joining), which would run twice",
        ),
        (
            "starter.bpmn",
            JOINED,
            TWICE.replace('"joining"', '"deem_joined"') + JOINED,
            "twofold-flow",
            "deem_joined",
            "leads straight back",
        ),
        ("starter.bpmn", CARRIED_ON, f"{CARRIED_ON}{TERMINATED}", "reversed-question", "settled", "the default flow beside ${settled()}"),
        ("starter.bpmn", "tolerance('grace')", "tolerance('due')", "same-time", "grace_due", "both are due at ${tolerance('due')}"),
        (
            "starter-first.bpmn",
            "deadline('warning')",
            "deadline('promised')",
            "same-time",
            "warning_due",
            "another moment than “承诺时限届满”",
        ),
        (
            "starter.bpmn",
            ">${supplement_due()}<",
            ">${acceptance_due()}<",
            "misplaced-deadline",
            "supplement_lapse",
            "write ${supplement_due()}",
        ),
        (
            "starter.bpmn",
            'Date="${supplement_due()}',
            'Date="${issuance_due()}',
            "misplaced-deadline",
            "supplement",
            "calls issuance_due()",
        ),
        ("starter.bpmn", RATED, "timeDuration>${5}</bpmn:timeDuration", "bad-moment", "rating_closed", "${5} gives none"),
        ("starter.bpmn", "${issuance_due()}", "=3", "bad-moment", "issue", "the due date of “统一出件” (issue)"),
        ("starter.bpmn", "${issuance_due()}", "2020-02-01T09:00:00+08:00", "due-at-once", "issue", "has passed"),
        (
            "starter-first.bpmn",
            REMINDED,
            f"{REMINDED}{TERMINATED}",
            "terminates-others",
            "officer_reminded",
            "would end “第一个事项审批” (decide)",
        ),
        ("starter.bpmn", CLOSED, f"{CLOSED}{TERMINATED}", "terminates-others", "closed", "the other paths out of it"),
        ("decision.form", '"value": "denied"', '"value": "granted"', "same-option", "", "have the same value 'granted'"),
        ("decision.form", '"label": "不予许可"', '"label": "准予"', "same-option", "", "'granted' and 'denied' are both called “准予”"),
        ("starter.bpmn", BACK, f'{BACK} cancelActivity="false"', "withdrawal-goes-on", "withdrawn_at_intake", "to end “一窗受理” (intake)"),
        ("starter-first.bpmn", WORK, 'camunda:expression="remind"', "idle-expression", "remind_officer", "that nobody keeps"),
        ("decision.form", '"required": true', '"required": false', "optional-outcome", "decide", "“决定” (outcome) of the form of"),
        ("intake.form", '"required": true', '"required": false', "optional-outcome", "intake", "tick “Required” (必填)"),
        ("starter-first.bpmn", DASHED, 'cancelActivity="FALSE"', "bad-boolean", "overdue_due", "'FALSE', which is neither: write false"),
        ("starter-first.bpmn", DASHED, 'cancelActivity="true "', "bad-boolean", "overdue_due", "write true, in small letters and without"),
        ("starter-first.bpmn", DASHED, 'cancelActivity="否"', "bad-boolean", "overdue_due", "write false"),
        ("starter-first.bpmn", DASHED, 'cancelActivity=""', "bad-boolean", "overdue_due", "write true or false"),
        ("starter-first.bpmn", 'isExecutable="true"', 'isExecutable="True"', "bad-boolean", "", "isExecutable of process “第一个事项”"),
        ("starter-first.bpmn", TASK, f'{TASK} camunda:asyncBefore="True"', "bad-boolean", "decide", "camunda:asyncBefore of user task"),
        (
            "starter.bpmn",
            'id="longest_wait" name="最长等待期满" cancelActivity="false"',
            'id="longest_wait" name="最长等待期满"',
            "joint-handling-cut-off",
            "longest_wait",
            "it ends the joint handling",
        ),
        (
            "starter.bpmn",
            '<bpmn:terminateEventDefinition id="all_settled_terminate" />',
            "",
            "settled-without-end",
            "all_settled",
            "make it a terminate end event",
        ),
        (
            "starter.bpmn",
            'messageRef="Message_material_supplied"',
            'messageRef="Message_items_changed"',
            "tolerance-has-outcomes",
            "await_material",
            "lacks the message material_supplied, and waits for items_changed",
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
        ("starter.bpmn", "${workdays(15)}", "9999-02-01T09:00:00+08:00"),
        ("starter.bpmn", RATED, "timeDuration>PT15M</bpmn:timeDuration"),
        ("starter.bpmn", RATED, "timeDuration>P1Y3M</bpmn:timeDuration"),
        ("starter.bpmn", RATED, "timeDuration>P6M</bpmn:timeDuration"),
        ("starter.bpmn", "${settled()}", "${settled() and not issuable()}"),
        ("starter.bpmn", JOINED, TWICE.replace('"joining"', '"joined"') + JOINED),
        ("starter-first.bpmn", GRANTED, "${outcome != 'denied'}"),
        ("starter-first.bpmn", GRANTED, '=outcome = "granted"'),
        ("starter-first.bpmn", 'name="准予" sourceRef', 'name="准予登记" sourceRef'),
        ("starter-first.bpmn", 'name="准予" sourceRef', 'name="granted" sourceRef'),
        ("starter-first.bpmn", DASHED, 'cancelActivity="0"'),
        ("starter-first.bpmn", WORK, 'camunda:expression="${1 + 1}" camunda:resultVariable="sum"'),
        ("decision.form", '"required": true', '"required": "=true"'),
        ("starter.bpmn", RATED, "timeDuration>${'P5D'}</bpmn:timeDuration"),
        ("starter.bpmn", "${acceptance_due()}", "${workdays(5)}"),
        ("starter-first.bpmn", "deadline('warning')", "deadline('statutory')"),
        ("starter.bpmn", RATES, f"{RATES}{TERMINATED}"),
        ("starter-first.bpmn", DUE, 'timeCycle xsi:type="bpmn:tFormalExpression">R3/P1D</bpmn:timeCycle'),
        ("starter-items.dmn", LIMIT, "<text>0</text>"),
        ("starter-items.dmn", LIMIT, '<text>"5"</text>'),
        ("starter-items.dmn", LIMIT, "<text>20</text>"),
        ("starter.dmn", '<text>"include"</text>', '<text>if q_second = "是" then "include" else "exclude"</text>'),
        ("intake.form", HIDES, r"=q_second = \"是\""),
        ("starter.bpmn", "${not answered}", "${outcome == 'supplement'}"),
        ("starter.bpmn", "${issuable()}", "${score > 3}"),  # tokens have been parted before: nobody knows which comes first
        ("starter.bpmn", RATED, "timeDuration>PT1S</bpmn:timeDuration"),
        ("starter.bpmn", 'candidateGroups="window"', 'candidateGroups="window " camunda:candidateUsers="zhang"'),
    ],
)
def test_right__is_not_told(file: str, written: str, mistaken: str):
    assert found(retyped(file, written, mistaken)) == []


def test_mistake__flow_deleted_behind_a_gateway():
    """What is left of the gateway decides nothing."""
    flow = '<bpmn:sequenceFlow id="closing_to_rate" sourceRef="closing" targetRef="rate" />'
    resources = retyped("starter.bpmn", flow, "")
    for side in ("outgoing", "incoming"):
        resources["starter.bpmn"] = resources["starter.bpmn"].replace(f"<bpmn:{side}>closing_to_rate</bpmn:{side}>".encode(), b"")

    assert ("idle-gateway", "closing") in {each[:2] for each in found(resources)}


@pytest.mark.parametrize("value", ['["granted"]', '{"code": "granted"}'])
def test_right__options_that_are_no_texts(value: str):
    """Nothing that a condition says is compared with a list or an object, and nothing fails."""
    resources = retyped("decision.form", '"value": "granted"', f'"value": {value}')
    resources["decision.form"] = resources["decision.form"].replace(rb"outcome != \"granted\"", b"granted = 1")

    assert {rule for rule, _element, _message in found(resources)} <= {"form-without-field"}


def test_right__variable_that_a_task_without_form_may_take():
    """Where a task before has no form, nobody knows what was sent: nothing is told."""
    resources = retyped("starter.bpmn", "${not answered}", "${score > 3}")
    assert [each[0] for each in found(resources)] == ["variable-read-too-early"]

    resources["starter.bpmn"] = resources["starter.bpmn"].replace(b'camunda:formRef="starter_supplement" ', b"", 1)

    assert found(resources) == []
