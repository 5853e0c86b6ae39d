"""Drawings as people begin them: one mistake is told once, in one line, where it stands; what follows from it is not told as well."""

from __future__ import annotations

import pytest

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.diagrams import boundary, diagram, element, end, exclusive, flows, parallel, start, subprocess, timer, user
from tests.bpmn.linting import linted
from tests.bpmn.retyped import retyped

KNOWN = lint.Known(functions=functions.NAMES, words=WORDS, scenarios=["one.yaml"])
#: What a task in these drawings lacks, of which nothing is said here.
BARE = {"no-form", "nobody-assigned", "unnamed", "no-history-time-to-live", "no-time-limit"}


def found(resources: dict[str, bytes]) -> list[tuple[str, str]]:
    """Rules and elements, in the order of the lines."""
    return [(f.rule, f.element) for f in linted(resources, KNOWN) if f.rule not in BARE]


def drawn(*parts: str) -> dict[str, bytes]:
    return {"p.bpmn": diagram(*parts)}


def test_message__called_as_modeler_calls_a_new_one():
    """Nobody sends it: what joins would never come, at either of its two ways in."""
    told = found(retyped("starter.bpmn", 'name="follow_on_requested"', 'name="Message_1abc2de"'))

    assert {rule for rule, _element in told} == {"message-nobody-sends"}
    assert len(told) == 2


def test_message__with_a_slip_of_the_pen():
    told = found(retyped("starter.bpmn", 'name="follow_on_requested"', 'name="follow_on_request"'))

    assert {rule for rule, _element in told} <= {"misspelled-message", "message-nobody-sends"}
    assert len({element for _rule, element in told}) == len(told)


def test_message__of_a_process_without_a_matter():
    """Whoever likes sends it, by POST /message."""
    assert found(drawn(start("s"), element("receiveTask", "r", name="等通知"), end("e"), flows("s -> r -> e"))) != []
    resources = retyped("starter-first.bpmn", 'onething.kind" value="item"', 'onething.kind" value="process"')

    assert "message-nobody-sends" not in {rule for rule, _element in found(resources)}


def test_subprocess__without_a_start():
    """None of what is in it is told to be out of reach."""
    inside = user("a", name="甲"), user("b", name="乙"), end("f"), flows("a -> b -> f")
    told = found(drawn(start("s"), element("subProcess", "joint", *inside, name="联合办理"), end("e"), flows("s -> joint -> e")))

    assert told == [("no-start-event", "joint")]


def test_task__that_is_not_connected():
    """It needs no end behind it, but a way to it, or to go."""
    assert found(drawn(start("s"), user("a", name="甲"), end("e"), user("b", name="乙"), flows("s -> a -> e"))) == [("unreachable", "b")]


def test_settled__by_two_flows_to_one_end():
    settled = exclusive("g", name="办结？", default="w"), exclusive("h", name="办结？", default="w"), end("over"), end("w")
    ways = flows("t -> f -> g", "f -> h", "g -> over [${settled()}]", "h -> over [${settled()}]", "g -> w", "h -> w")
    joint = subprocess("joint", start("t"), parallel("f"), *settled, ways, name="联合办理")
    drawing = diagram(start("s"), joint, end("e"), flows("s -> joint -> e"), properties={"onething.kind": "matter"})

    assert found({"p.bpmn": drawing}).count(("settled-without-end", "over")) == 1


def test_intake__without_its_kind():
    """The corrections do lead back to it; that it is no intake is told."""
    told = found(retyped("starter.bpmn", 'name="onething.kind" value="intake"', 'name="note" value=""'))

    assert "supplement-item-by-item" not in {rule for rule, _element in told}


def test_call__copied_with_the_item_of_the_original():
    """Process and condition were changed, the item was not: it is told once, and what else follows from it is not."""
    written = 'name="onething.item" value="starter_second"'
    resources = retyped("starter.bpmn", written, written.replace("second", "first"))
    told = [finding for finding in linted(resources, KNOWN) if finding.rule not in BARE]

    assert [(finding.rule, finding.element) for finding in told] == [("mismatched-item", "call_starter_second")]
    assert "the called element and ready(…) are starter_second: write starter_second there, too" in told[0].message


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("PT10D", "write P10D for days by the calendar; for working days, write ${workdays(10)}, and choose the type date"),
        ("5D", "write P5D for days"),
        ("3", "write P3D for days"),
        ("p2w", "write P2W"),
        ("P4H", "write PT4H"),
        ("30s", "write PT30S"),
    ],
)
def test_duration__that_is_nearly_one(written: str, instead: str):
    drawing = drawn(
        start("s"), user("a", name="甲"), boundary("b", timer(duration=written), on="a"), end("e"), flows("s -> a -> e", "b -> e")
    )

    (told,) = [finding for finding in linted(drawing, KNOWN) if finding.severity == "error"]

    assert (told.rule, told.element) == ("bad-timer", "b")
    assert instead in told.message


@pytest.mark.parametrize(
    "written", ["{ready('starter_first')}", "$ready('starter_first')", "ready('starter_first')", "$ready('starter_first')}"]
)
def test_condition__with_half_of_its_marks(written: str):
    told = linted(retyped("starter.bpmn", "${ready('starter_first')}", written), KNOWN)

    assert ["write ${ready('starter_first')}" in each.message for each in told if each.rule == "literal-condition"] == [True]


def test_due_date__that_is_nearly_a_duration():
    told = linted(drawn(start("s"), user("a", name="甲", due="PT5D"), end("e"), flows("s -> a -> e")), KNOWN)

    assert [each.message.rpartition(": ")[2] for each in told if each.rule == "bad-due-date"] == [
        "write P5D for days by the calendar; for working days, write ${workdays(5)}"
    ]


@pytest.mark.parametrize("written", ["5M", "PT", "P", "R3/5D"])
def test_duration__of_which_nobody_knows_what_is_meant(written: str):
    drawing = drawn(
        start("s"), user("a", name="甲"), boundary("b", timer(duration=written), on="a"), end("e"), flows("s -> a -> e", "b -> e")
    )

    (told,) = [finding for finding in linted(drawing, KNOWN) if finding.rule == "bad-timer"]

    assert "write" not in told.message


@pytest.mark.parametrize(
    ("name", "when", "words"),
    [
        ("十个工作日", {"duration": "P10D"}, "write ${workdays(10)}, and choose the type date"),
        ("两周（10 个工作日）", {"duration": "P2W"}, "write ${workdays(10)}"),
        ("十个工作日", {"date": "${workdays(10)}"}, None),
        ("十天", {"duration": "P10D"}, None),
        ("工作日每两小时", {"duration": "PT2H"}, None),
    ],
)
def test_timer__that_is_called_by_working_days(name: str, when: dict[str, str], words: str | None):
    parts = start("s"), user("a", name="甲"), boundary("b", timer(**when), on="a", name=name), end("e"), flows("s -> a -> e", "b -> e")

    told = [finding.message for finding in linted(drawn(*parts), KNOWN) if finding.rule == "days-by-the-calendar"]

    assert [bool(words) and words in message for message in told] == ([True] if words else [])


def test_label__broken_into_lines():
    """As it is in a drawing, so that it fits; a finding is one line."""
    drawing = diagram(start("s"), element("callActivity", "x", name="燃气|报装"), end("e"), flows("s -> x -> e"))
    told = linted({"p.bpmn": drawing.replace(b"|", b"&#10;")}, KNOWN)[0]

    assert (told.rule, told.element_name) == ("missing-called-element", "燃气 报装")
    assert "call activity “燃气 报装” (x)" in told.message
