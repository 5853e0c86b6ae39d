"""What the files of a deployment say about one another."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bpmn import lint
from bpmn.errors import Finding
from tests.bpmn import diagrams
from tests.bpmn.diagrams import call, decision, diagram, end, external, flows, start, user
from tests.bpmn.linting import linted
from tests.effort import calls

DMN = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="x">
  <decision id="{key}" name="材料清单">
    <decisionTable hitPolicy="COLLECT">
      <input id="i"><inputExpression id="ie" typeRef="string"><text>{input}</text></inputExpression></input>
      <output id="o" name="material" typeRef="string"/>
      <rule id="r"><inputEntry id="e1"><text>"a"</text></inputEntry><outputEntry id="e2"><text>"plan"</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>"""


def table(key: str = "checklist", reads: str = "situation") -> bytes:
    return DMN.format(key=key, input=reads).encode()


def form(key: str) -> bytes:
    return json.dumps({"type": "default", "id": key, "schemaVersion": 19, "components": []}).encode()


def process(key: str, *content: str) -> bytes:
    """A process `s -> x -> e`."""
    return diagram(start("s"), *content, end("e"), flows("s -> x -> e"), key=key)


def calling(key: str, called: str) -> bytes:
    return process(key, call("x", of=called, name="办理"))


#: What is called begins by a message only.
WAITING = diagrams.document(
    diagrams.process("p", start("s"), call("x", of="waiting", name="办理"), end("e"), flows("s -> x -> e")),
    diagrams.process("waiting", start("m", message="come"), end("f"), flows("m -> f")),
)


def errors(resources: dict[str, bytes], **known: Any) -> list[Finding]:
    """What the files would be refused for; warnings have their examples in tests/bpmn/rules."""
    return [finding for finding in linted(resources, lint.Known(**known)) if finding.severity == "error"]


def rules(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.resource, finding.rule, finding.element) for finding in findings]


def test_lint__whole_bundle():
    resources = {
        "matter.bpmn": diagram(
            start("s"),
            user("intake", form="intake"),
            decision("list", ref="checklist", result="materials"),
            call("item", of="item"),
            call("any", of="${item}"),
            end("e"),
            flows("s -> intake -> list -> item -> any -> e"),
            key="matter",
        ),
        "item.bpmn": process("item", user("x", form_key="camunda-forms:deployment:work.form")),
        "tables.dmn": table(),
        "intake.form": form("intake"),
        "work.form": form("work"),
        "README.md": b"\xff not for the engine",
    }

    assert errors(resources) == []


@pytest.mark.parametrize(
    ("content", "rule", "words"),
    [
        (calling("p", "nowhere"), "unknown-process", "“办理” \\(x\\) .*'nowhere'"),
        (WAITING, "unknown-process", "“办理” \\(x\\) .*'waiting' waits for an event"),
        (process("p", decision("x", ref="nowhere", result="r")), "unknown-decision", "'nowhere'"),
        (process("p", user("x", form="nowhere")), "unknown-form", "'nowhere'"),
        (process("p", user("x", form_key="camunda-forms:deployment:nowhere.form")), "unknown-form", "'nowhere.form'"),
    ],
)
def test_lint__reference_to_nothing(content, rule, words):
    resources = {"p.bpmn": content, "other.dmn": table("other"), "other.form": form("other")}

    (finding,) = errors(resources)

    assert (finding.severity, finding.rule, finding.resource, finding.element, finding.line) == ("error", rule, "p.bpmn", "x", 2)
    assert re.search(words, finding.message)


def test_lint__what_is_deployed_already():
    resources = {"p.bpmn": calling("p", "item"), "q.bpmn": process("q", decision("x", ref="checklist", result="r"))}

    assert errors(resources, processes=frozenset({"item"}), decisions=frozenset({"checklist"})) == []


def test_lint__reference_into_a_broken_file():
    """What stands in a file that cannot be read is not said to be missing."""
    resources = {"p.bpmn": calling("p", "item"), "item.bpmn": b"<broken", "q.bpmn": process("q", user("x", form="f")), "f.form": b"{"}

    findings = errors(resources)

    assert [finding.resource for finding in findings] == ["item.bpmn", "f.form"]


def test_lint__findings_of_every_file():
    resources = {
        "b.bpmn": process("b", external("x", topic=None)),
        "a.bpmn": b"<!DOCTYPE a><a/>",
        "t.dmn": b"<a/>",
        "u.dmn": b"",
        "f.form": b"[]",
    }

    findings = errors(resources)

    assert [finding.resource for finding in findings] == ["b.bpmn", "a.bpmn", "t.dmn", "u.dmn", "f.form"]
    assert {finding.severity for finding in findings} == {"error"}


def test_lint__warnings():
    findings = linted({"p.bpmn": diagram(start("s"), user("x"), flows("s -> x"))})

    assert ("warning", "loose-end") in [(finding.severity, finding.rule) for finding in findings]


def test_lint__a_key_twice():
    resources = {
        "a.bpmn": process("p", user("x")),
        "b.bpmn": process("p", user("x")),
        "a.dmn": table(),
        "b.dmn": table(),
        "a.form": form("f"),
        "b.form": form("f"),
    }

    findings = errors(resources)

    assert [(finding.resource, finding.rule) for finding in findings] == [(name, "duplicate-key") for name in ("b.bpmn", "b.dmn", "b.form")]
    assert "both a.bpmn and b.bpmn" in findings[0].message


def test_lint__process_that_calls_itself():
    assert rules(errors({"p.bpmn": calling("p", "p")})) == [("p.bpmn", "call-cycle", "x")]


def test_lint__processes_that_call_one_another():
    resources = {"a.bpmn": calling("a", "b"), "b.bpmn": calling("b", "c"), "c.bpmn": calling("c", "a"), "d.bpmn": calling("d", "a")}

    findings = errors(resources)

    assert rules(findings) == [(name, "call-cycle", "x") for name in ("a.bpmn", "b.bpmn", "c.bpmn")]
    assert all(re.search(r"round: (a → b → c → a|b → c → a → b|c → a → b → c)", finding.message) for finding in findings)


def test_lint__process_that_is_called_twice():
    resources = {"a.bpmn": calling("a", "c"), "b.bpmn": calling("b", "c"), "c.bpmn": process("c", user("x"))}

    assert errors(resources) == []


@pytest.mark.parametrize("resource", ["p.bpmn", "t.dmn"])
def test_lint__unknown_function(resource):
    resources = {"p.bpmn": process("p", user("x", assignee="${ready(1)}")), "t.dmn": table(reads="ready(1)")}

    findings = errors(resources, functions=frozenset({"workdays"}))

    assert [finding.rule for finding in findings if finding.resource == resource] == ["unknown-function"]
    assert errors(resources, functions=frozenset({"ready"})) == []


@pytest.mark.parametrize("name", ["p.bpmn", "p.bpmn20.xml", "t.dmn", "t.dmn11.xml", "f.form"])
@pytest.mark.parametrize("content", [b"", b"\0", b"\xff\xfe", b"{" * 10_000, b"[" * 100_000, b"<a>" * 1_000, b"null"])
def test_lint__garbage(name, content):
    findings = errors({name: content})

    assert [finding.severity for finding in findings] == ["error"]
    assert findings[0].resource == name


def test_lint__nothing():
    assert errors({}) == []


def test_lint__several_circles():
    calls = {"p": "q", "q": "p", "t": "u", "u": "t", "v": "p", "w": "z"}
    resources = {f"{key}.bpmn": calling(key, called) for key, called in calls.items()} | {"z.bpmn": process("z", user("x"))}

    findings = errors(resources)

    assert rules(findings) == [(f"{key}.bpmn", "call-cycle", "x") for key in "pqtu"]


def test_lint__long_chain_of_calls():
    """Eight times the processes that call one another in turn are eight times the work to judge."""
    short, long = ({f"{number}.bpmn": calling(f"p{number}", f"p{number + 1}") for number in range(length)} for length in (50, 400))

    assert rules(errors(long)) == [("399.bpmn", "unknown-process", "x")]
    assert calls(lambda: errors(long)) < 10 * calls(lambda: errors(short))
