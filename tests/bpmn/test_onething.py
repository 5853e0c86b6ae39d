"""What a bundle must show."""

from __future__ import annotations

import pytest

from bpmn import lint, onething
from tests.bpmn.diagrams import call, diagram, end, flows, receive, start, timer_boundary, user


def of(kind: str) -> dict[str, dict[str, str]]:
    return {"properties": {"onething.kind": kind}}


def item(key: str, code: str, predecessors: str = "") -> str:
    return call(key, of="handle", properties={"onething.item": code, **({"onething.predecessors": predecessors} if predecessors else {})})


def matter(*content: str, intakes: int = 1, issuances: int = 1, deadline: bool = True) -> bytes:
    """A matter whose elements stand in a row; `content` are further ones, `x` first."""
    row = [user(f"intake{n}", **of("intake")) for n in range(intakes)]
    row += [*content, receive("plan", message="m", **of("tolerance"))]
    row += [user(f"issue{n}", **of("issuance")) for n in range(issuances)]
    keys = [element.split('id="', 1)[1].split('"', 1)[0] for element in row]
    late = timer_boundary("late", on="plan", duration="P3D", interrupting=deadline)
    return diagram(start("s"), *row, late, end("e"), flows(" -> ".join(["s", *keys, "e"]), "late -> e"), key="matter", **of("matter"))


def findings(content: bytes) -> list[tuple[str, str]]:
    found = lint.lint({"m.bpmn": content}, known_processes=frozenset({"handle"}))
    return [(finding.rule, finding.element) for finding in found]


GOOD = (item("x", "food"), item("y", "fire", "food:RM food:DATA"))


def test_lint__bundle_that_shows_everything():
    assert findings(matter(*GOOD)) == []


@pytest.mark.parametrize(
    ("rule", "element", "content"),
    [
        ("intake-first", "", matter(*GOOD, intakes=0)),
        ("one-issuance", "", matter(*GOOD, issuances=0)),
        ("one-issuance", "", matter(*GOOD, issuances=2)),
        ("calls-items", "", matter()),
        ("item-once", "y", matter(item("x", "food"), item("y", "food"))),
        ("tolerance-has-deadline", "plan", matter(*GOOD, deadline=False)),
        ("predecessors-known", "x", matter(item("x", "food", "nothing:RM"))),
        ("predecessors-known", "y", matter(item("x", "food"), item("y", "fire", "food:SOMETIMES"))),
        ("predecessors-known", "y", matter(item("x", "food"), item("y", "fire", "food"))),
        ("predecessors-end", "x", matter(item("x", "food", "food:RM"))),
        ("department-named", "", diagram(start("s"), end("e"), flows("s -> e"), key="food", **of("item"))),
    ],
)
def test_lint__bundle_that_lacks_something(rule, element, content):
    assert findings(content) == [(rule, element)]


def test_lint__items_that_wait_for_one_another():
    content = matter(item("x", "food", "fire:FS"), item("y", "fire", "food:RM"))

    found = lint.lint({"m.bpmn": content}, known_processes=frozenset({"handle"}))

    assert [(finding.rule, finding.severity) for finding in found] == [("predecessors-end", "error")]
    assert "food" in found[0].message
    assert "fire" in found[0].message


def test_lint__advice_does_not_bind():
    """An order that is only suggested (SOFT) holds nothing back."""
    assert findings(matter(item("x", "food", "fire:SOFT"), item("y", "fire", "food:RM"))) == []


def test_lint__every_one_thing_rule_has_a_case():
    shown = test_lint__bundle_that_lacks_something.pytestmark[0].args[1]

    assert {rule.name for rule in onething.RULES} == {rule for rule, *_ in shown}


def test_lint__other_processes_are_no_bundles():
    assert findings(diagram(start("s"), user("x"), end("e"), flows("s -> x -> e"))) == []
