"""Slips of the pen that a designer makes: each is told where it stands, with what is meant, and nothing is told of what is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bpmn import lint
from bpmn.lint import spelling
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn import definitions
from tests.bpmn.diagrams import diagram, document, element, end, flows, process, receive, start, user
from tests.bpmn.linting import linted
from tests.bpmn.retyped import FOLDERS, read, retyped
from tests.conformance import drawing
from tests.conformance.test_cases import CASES

SLIPS = {"bad-argument", "misspelled-message", "unknown-group", "unknown-property", "dangling-pool"}
KNOWN = lint.Known(functions=functions.NAMES, words=WORDS, departments=frozenset({"market", "urban"}))
#: Every department that somebody draws.
EVERYBODY = "market fire urban tobacco ecology gas water culture health police hrss medical"


def found(resources: dict[str, bytes], known: lint.Known = KNOWN) -> list[tuple[str, str, str]]:
    """Rules, elements and messages of what these rules find."""
    return [(f.rule, f.element, f.message) for f in linted(resources, known) if f.rule in SLIPS]


@pytest.mark.parametrize(
    ("file", "written", "mistaken", "rule", "element", "words"),
    [
        ("starter.bpmn", "onething.promised", "onething.promissed", "unknown-property", "starter", "did you mean 'onething.promised'?"),
        ("starter.bpmn", "onething.longest_wait", "onething.longest-wait", "unknown-property", "starter", "'onething.longest_wait'?"),
        ("starter.bpmn", '"onething.lead"', '"onthing.lead"', "unknown-property", "starter", "to be called onething.lead"),
        (
            "starter.bpmn",
            "onething.predecessors",
            "onething.predecesors",
            "unknown-property",
            "call_starter_second",
            "'onething.predecessors'?",
        ),
        ("starter.bpmn", "onething.lead", "onething.whatever", "unknown-property", "starter", "remove it, or use an element template"),
        ("starter.bpmn", "onething.lead", "onething.outcome", "unknown-property", "starter", "onething.outcome on an element"),
        ("starter-first.bpmn", "onething.department", "onething.depatment", "unknown-property", "starter_first", "'onething.department'?"),
        ("starter-first.bpmn", '"department-market"', '"department-markt"', "unknown-group", "decide", "did you mean 'department-market'?"),
        ("starter-first.bpmn", '"department-market"', '"department-police"', "unknown-group", "decide", "make the department before"),
        ("starter-first.bpmn", '"department-market"', '"market"', "unknown-group", "decide", "write department-market"),
        ("starter-first.bpmn", 'department" value="market"', 'department" value="Market"', "unknown-group", "starter_first", "'market'?"),
        (
            "starter.bpmn",
            'candidateGroups="window"',
            'candidateGroups="综合窗口"',
            "unknown-group",
            "intake",
            "write supervisor, window, or",
        ),
        (
            "starter.bpmn",
            'name="withdrawn"',
            'name="withdrwan"',
            "misspelled-message",
            "withdrawn_at_intake",
            "'withdrawn' is what is sent",
        ),
        ("starter.bpmn", 'name="items_changed"', 'name="items-changed"', "misspelled-message", "items_changed", "'items_changed' is what"),
        ("starter.bpmn", "workdays(15)", "workdays()", "bad-argument", "rating_closed", "given nothing, and takes days: write workdays(5)"),
        ("starter.bpmn", "workdays(15)", "workdays(15, 3)", "bad-argument", "rating_closed", "given 2 arguments, and takes days"),
        (
            "starter.bpmn",
            "workdays(15)",
            "workdays('十五')",
            "bad-argument",
            "rating_closed",
            "given a text (十五), and takes a number (days)",
        ),
        ("starter.bpmn", "workdays(15)", "workdays(-15)", "bad-argument", "rating_closed", "given a number (-15)"),
        ("starter.bpmn", "workdays(15)", "workdays(null)", "bad-argument", "rating_closed", "given null"),
        ("starter.bpmn", "${workdays(15)}", "=workdays(-15)", "bad-argument", "rating_closed", "given a number (-15)"),
        (
            "starter.bpmn",
            "${workdays(15)}",
            "${now().plusDays()}",
            "bad-argument",
            "rating_closed",
            "Expected 1 between the brackets of plusDays()",
        ),
        (
            "starter.bpmn",
            "${workdays(15)}",
            "${now().plusDays('三')}",
            "bad-argument",
            "rating_closed",
            "Expected a number, but it is a text (三)",
        ),
        ("starter.bpmn", "${workdays(15)}", "${dateTime(1)}", "bad-argument", "rating_closed", "given one argument, and takes nothing"),
        ("starter.bpmn", "${workdays(15)}", '=date("2026-02-30")', "bad-argument", "rating_closed", "2026-02-30"),
        (
            "starter.bpmn",
            "tolerance('grace')",
            "tolerance(grace)",
            "bad-argument",
            "grace_due",
            "write tolerance('grace'), with quotation marks",
        ),
        ("starter.bpmn", "tolerance('grace')", "tolerance()", "bad-argument", "grace_due", "given nothing, and takes what"),
        ("starter.bpmn", "acceptance_due()", "acceptance_due(5)", "bad-argument", "intake", "given one argument, and takes nothing"),
        ("starter-first.bpmn", "deadline('warning')", "deadline(5)", "bad-argument", "warning_due", "takes a text (kind)"),
    ],
)
def test_slip__is_told(file: str, written: str, mistaken: str, rule: str, element: str, words: str):
    told = found(retyped(file, written, mistaken))

    assert {(each[0], each[1]) for each in told} >= {(rule, element)}
    assert {each[0] for each in told} == {rule}
    assert words in told[0][2]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_slip__none_in_what_is_shipped(folder: Path):
    assert found(read(folder), lint.Known(words=WORDS, departments=frozenset(EVERYBODY.split()))) == []


def test_slip__none_in_what_conforms():
    told = {case.name: found({"p.bpmn": drawing.draw(case.drawing)}) for case in CASES}

    assert len(told) > 100
    assert {name: each for name, each in told.items() if each} == {}


def awaiting(sent: str, awaited: str) -> bytes:
    """A process that sends one message by a worker, and another that waits for one."""
    sending = element("intermediateThrowEvent", "x", definitions.message(sent, type="external", topic="post"), name="通知")
    return document(
        process("p", start("s"), sending, end("e"), flows("s -> x -> e")),
        process("q", start("t"), receive("y", message=awaited, name="等待"), end("f"), flows("t -> y -> f")),
    )


@pytest.mark.parametrize(
    ("sent", "awaited", "slips"),
    [
        ("order_paid", "order_piad", True),
        ("材料已经补交", "材料己经补交", True),
        ("Order paid", "order-paid", True),
        ("order_paid", "order_paid", False),
        ("order_1", "order_2", False),
        ("order_a", "order_b", False),
        ("paid", "received", False),
    ],
)
def test_slip__in_the_name_of_a_message_that_is_sent(sent: str, awaited: str, slips: bool):
    assert [each[:2] for each in found({"p.bpmn": awaiting(sent, awaited)})] == [("misspelled-message", "y")] * slips


def test_slip__names_of_messages_that_are_waited_for_elsewhere():
    """Two that wait for messages of other systems may call them almost alike: nobody knows what is sent."""
    drawn = diagram(start("s"), receive("x", message="order_paid"), receive("y", message="order_said"), end("e"), flows("s -> x -> y -> e"))

    assert found({"p.bpmn": drawn}) == []


def test_slip__groups_of_an_installation_that_nobody_knows():
    """Without a database only the form of a group is judged."""
    drawn = diagram(start("s"), user("x", groups="department-grain,${group},windows"), end("e"), flows("s -> x -> e"))

    [(rule, element, message)] = found({"p.bpmn": drawn}, lint.Known(words=WORDS))

    assert (rule, element) == ("unknown-group", "x")
    assert "'windows' nobody is a member: did you mean 'window'?" in message


@pytest.mark.parametrize(
    ("drawn", "element", "words"),
    [
        ('<bpmn:participant id="pool" name="部门" processRef="q"/>', "pool", "processRef of participant “部门” (pool)"),
        ('<bpmn:participant id="pool" processRef="x"/>', "pool", "no such thing as 'x'"),
        ('<bpmn:participant id="pool"/><bpmn:messageFlow id="flow" sourceRef="pool" targetRef="y"/>', "flow", "targetRef of message flow"),
        ('<bpmn:participant id="pool" processRef="p"/><bpmn:messageFlow id="flow" sourceRef="pool" targetRef="x"/>', None, ""),
    ],
)
def test_slip__in_a_collaboration(drawn: str, element: str | None, words: str):
    content = diagram(start("s"), user("x", groups="window"), end("e"), flows("s -> x -> e")).decode()
    content = content.replace("</bpmn:definitions>", f'<bpmn:collaboration id="c">{drawn}</bpmn:collaboration></bpmn:definitions>')

    told = found({"p.bpmn": content.encode()})

    assert [each[:2] for each in told] == ([("dangling-pool", element)] if element else [])
    assert all(words in each[2] for each in told)


def test_slip__in_a_lane():
    lane = '<bpmn:laneSet id="l"><bpmn:lane id="m"><bpmn:flowNodeRef>{}</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
    right, wrong = (diagram(lane.format(key), start("s"), end("e"), flows("s -> e")) for key in ("s", "gone"))

    assert found({"p.bpmn": right}) == []
    assert [each[:2] for each in found({"p.bpmn": wrong})] == [("dangling-pool", "m")]


@pytest.mark.parametrize(("text", "slips"), [('date("2026-02-30")', True), ("workdays()", True), ('date("2026-02-28")', False)])
def test_slip__in_a_table(text: str, slips: bool):
    resources = retyped("starter.dmn", "<text>q_second</text>", f"<text>{text}</text>")

    assert [each[0] for each in found(resources)] == ["bad-argument"] * slips


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("windwo", {"window", "supervisor"}, "window"),
        ("ONETHING-PROMISED", {"onething.promised"}, "onething.promised"),
        ("综合窗口", {"window", "supervisor"}, None),
        ("x", set(), None),
    ],
)
def test_nearest(word: str, known: set[str], meant: str | None):
    assert spelling.nearest(word, known) == meant


def test_functions__are_in_the_reference():
    """Each with as many arguments as it takes; two words of Camunda 7 are no calls."""
    page = (Path(__file__).parents[2] / "docs/reference/expressions.md").read_text(encoding="utf-8")
    written = dict(re.findall(r"`(\w+)\(([^)]*)\)`", page[page.index("### Functions of the engine") : page.index("### Methods of JUEL")]))

    taken = {name: len(parameters) for name, parameters in WORDS.parameters.items() if name not in {"execution", "authenticatedUserId"}}
    assert {name: len(arguments.split()) for name, arguments in written.items()} == taken
