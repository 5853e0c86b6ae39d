"""What would not run as drawn is refused, or warned about, by element and in words."""

from __future__ import annotations

import re

import pytest

from bpmn import compiler
from bpmn.errors import DocumentError, Finding
from tests.bpmn import refusals, refusals_of_events, refusals_of_work
from tests.bpmn.diagrams import (
    diagram,
    document,
    element,
    end,
    external,
    flows,
    parallel,
    process,
    start,
    subprocess,
    task,
    timer_boundary,
    timer_catch,
    user,
)
from tests.bpmn.refusals import ENDS, around, with_attribute

NOTHING = frozenset[str]()
REFUSED = refusals.REFUSED + refusals_of_events.REFUSED + refusals_of_work.REFUSED
WARNED = refusals.WARNED + refusals_of_events.WARNED + refusals_of_work.WARNED
ACCEPTED = refusals_of_events.ACCEPTED + refusals_of_work.ACCEPTED


def found(content: bytes, rule: str) -> list[Finding]:
    return [finding for finding in compiler.examine(content, "p.bpmn", functions=NOTHING).findings if finding.rule == rule]


@pytest.mark.parametrize(("rule", "element", "words", "content"), REFUSED)
def test_compile__refused(rule, element, words, content):
    with pytest.raises(DocumentError) as refusal:
        compiler.compile(content, "p.bpmn", functions=NOTHING)

    finding = next(finding for finding in refusal.value.findings if finding.rule == rule and finding.element == element)
    assert re.search(words, finding.message)
    assert re.match(r"Expected .+, but ", finding.message)
    assert (finding.severity, finding.line, finding.resource) == ("error", 2, "p.bpmn")


@pytest.mark.parametrize(("rule", "element", "words", "content"), WARNED)
def test_compile__warned(rule, element, words, content):
    definitions = compiler.compile(content, "p.bpmn", functions=NOTHING)

    finding = next(finding for finding in found(content, rule) if finding.element == element)
    assert definitions
    assert re.search(words, finding.message)
    assert finding.severity == "warning"


@pytest.mark.parametrize(("rule", "content"), ACCEPTED)
def test_compile__accepted(rule, content):
    assert compiler.compile(content, "p.bpmn", functions=NOTHING)
    assert found(content, rule) == []


@pytest.mark.parametrize(
    ("rule", "element", "words", "content"),
    [case for case in REFUSED if case[0] in {"unsupported-element", "bad-timer", "bad-due-date", "missing-topic"}],
)
def test_compile__one_fault_one_finding(rule, element, words, content):
    """What is wrong once is said once."""
    findings = compiler.examine(content, "p.bpmn", functions=NOTHING).findings

    assert [(finding.rule, finding.element) for finding in findings if finding.severity == "error"] == [(rule, element)]


def test_compile__everything_at_once():
    content = diagram(
        start("s"),
        element("complexGateway", "a", name="计算"),
        external("b", topic=None),
        timer_catch("c", duration="soon"),
        end("e"),
        flows("s -> a -> b -> c -> e"),
    )

    with pytest.raises(DocumentError) as refusal:
        compiler.compile(content, "p.bpmn")

    assert {(f.rule, f.element, f.element_name) for f in refusal.value.findings} == {
        ("unsupported-element", "a", "计算"),
        ("missing-topic", "b", ""),
        ("bad-timer", "c", ""),
    }
    assert "complex gateway “计算” (a)" in str(refusal.value)


def test_compile__finding_tells_the_line():
    content = diagram(start("s"), element("complexGateway", "a"), end("e"), flows("s -> a -> e")).replace(b"><", b">\n<")

    with pytest.raises(DocumentError) as refusal:
        compiler.compile(content, "p.bpmn")

    (finding,) = refusal.value.findings
    assert b'<bpmn:complexGateway id="a"' in content.splitlines()[finding.line - 1]


def test_compile__other_processes_do_not_matter():
    """A pool that is only drawn may hold anything."""
    content = document(process("p", ENDS, flows("s -> e")), process("q", element("scriptTask", "x"), executable=False))

    assert [definition.key for definition in compiler.compile(content, "p.bpmn")] == ["p"]


@pytest.mark.parametrize(
    "harmless", ['camunda:asyncBefore="false"', 'startQuantity="1"', 'isForCompensation="false"', 'camunda:exclusive="false"']
)
def test_compile__attributes_that_say_nothing(harmless):
    name, _, value = harmless.partition("=")

    assert compiler.compile(with_attribute(task("x"), name, value.strip('"')), "p.bpmn")


def test_compile__unknown_functions_are_not_looked_for_unless_asked():
    assert compiler.compile(around(user("x", assignee="${anything()}")), "p.bpmn")
    assert compiler.compile(around(user("x", assignee="${anything()}")), "p.bpmn", functions=frozenset({"anything"}))


@pytest.mark.parametrize("way_out", ["terminate", "boundary"])
def test_compile__circle_that_something_else_ends(way_out):
    """Reminders go round until the work beside them is done, or something interrupts them."""
    circle = [
        start("is"),
        parallel("g"),
        task("work"),
        end("ie", terminate=way_out == "terminate"),
        task("remind"),
        timer_catch("day", duration="P1D"),
    ]
    inner = subprocess("x", *circle, flows("is -> g -> work -> ie", "g -> day -> remind -> day"))
    outside = [timer_boundary("b", on="x", duration="P9D"), flows("b -> e")] if way_out == "boundary" else []

    assert found(around(inner, *outside), "no-way-to-an-end") == []
    assert found(around(inner.replace("<bpmn:terminateEventDefinition/>", "")), "no-way-to-an-end") != []


@pytest.mark.parametrize(("value", "interrupting"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_compile__booleans_of_xml(value, interrupting):
    content = around(user("x"), timer_boundary("b", on="x", duration="P1D", attrs={"cancelActivity": value}), flows("b -> e"))

    (definition,) = compiler.compile(content.replace(b'isExecutable="true"', b'isExecutable="1"'), "p.bpmn")

    assert definition.elements["b"].interrupting is interrupting
