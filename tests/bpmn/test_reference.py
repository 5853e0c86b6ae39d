"""The page about BPMN says what the compiler does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bpmn import compiler
from bpmn.compiler import reference, vocabulary
from bpmn.compiler.vocabulary import Fate, Word, elements
from bpmn.definition import ElementType
from tests.bpmn.diagrams import boundary, catch, diagram, element, end, flows, start, tag, user

PAGE = Path(__file__).parents[2] / "docs/reference/bpmn.md"


def test_reference__is_current():
    assert PAGE.read_text(encoding="utf-8") == "\n".join(reference.write()), (
        "run `python -m bpmn.compiler.reference > docs/reference/bpmn.md`"
    )


def test_reference__has_every_element_that_runs():
    inserted = {ElementType.MULTI_INSTANCE_BODY, ElementType.EVENT_SUBPROCESS}

    assert {kind.value for kind in set(ElementType) - inserted} <= vocabulary.ELEMENTS.keys()


def loop_with(part: str, loop: str = "multiInstance") -> Callable[[dict[str, str]], str]:
    """A loop marker in which that part has the attributes."""
    return lambda attrs: tag(f"bpmn:{loop}LoopCharacteristics", tag(f"bpmn:{part}", "${y}", attrs=attrs))


def owner_with(attrs: dict[str, str]) -> str:
    return tag("bpmn:potentialOwner", tag("bpmn:resourceAssignmentExpression", tag("bpmn:formalExpression", "a", attrs=attrs)))


#: What stands in an activity, with the attributes where they belong.
PARTS: dict[str, Callable[[dict[str, str]], str]] = {
    "multiInstanceLoopCharacteristics": lambda attrs: tag("bpmn:multiInstanceLoopCharacteristics", attrs=attrs),
    "standardLoopCharacteristics": lambda attrs: tag("bpmn:standardLoopCharacteristics", attrs=attrs),
    "loopCardinality": loop_with("loopCardinality"),
    "completionCondition": loop_with("completionCondition"),
    "inputDataItem": loop_with("inputDataItem"),
    "loopCondition": loop_with("loopCondition", "standard"),
    "formalExpression": owner_with,
}


def carrying(owner: str, attribute: str, value: str) -> bytes:
    """A diagram in which an element of that tag has that attribute."""
    attrs = {attribute: value}
    day = tag("bpmn:timerEventDefinition", tag("bpmn:timeDuration", "P1D"))
    ends = {"sourceRef": "s", "targetRef": "e"}
    between = start("s"), end("e")
    on_task = start("s"), user("t"), end("e"), flows("s -> t -> e", "x -> e")
    special = {
        "process": lambda: diagram(*between, flows("s -> e"), attrs=attrs),
        "startEvent": lambda: diagram(start("x", attrs=attrs), end("e"), flows("x -> e")),
        "endEvent": lambda: diagram(start("s"), end("x", attrs=attrs), flows("s -> x")),
        "sequenceFlow": lambda: diagram(*between, element("sequenceFlow", "x", attrs=ends | attrs)),
        "conditionExpression": lambda: diagram(
            *between, element("sequenceFlow", "x", tag(f"bpmn:{owner}", "${x}", attrs=attrs), attrs=ends)
        ),
        "boundaryEvent": lambda: diagram(*on_task, boundary("x", day, on="t", attrs=attrs)),
        "intermediateCatchEvent": lambda: diagram(*between, element(owner, "x", day, attrs=attrs), flows("s -> x -> e")),
    }
    if owner.startswith("time"):
        return diagram(*on_task, boundary("x", tag("bpmn:timerEventDefinition", tag(f"bpmn:{owner}", "P1D", attrs=attrs)), on="t"))
    if owner in PARTS:
        return diagram(start("s"), user("x", PARTS[owner](attrs)), end("e"), flows("s -> x -> e"))
    if owner == "condition":
        return diagram(
            start("s"),
            catch("x", tag("bpmn:conditionalEventDefinition", tag("bpmn:condition", "${y}", attrs=attrs))),
            end("e"),
            flows("s -> x -> e"),
        )
    if owner.endswith("EventDefinition"):
        return diagram(*on_task, boundary("x", tag(f"bpmn:{owner}", attrs=attrs), on="t"))
    plain = lambda: diagram(*between, element(owner, "x", attrs=attrs), flows("s -> x -> e"))  # noqa: E731 - like its neighbours
    return special.get(owner, plain)()


ATTRIBUTES = [(word, owner) for word in vocabulary.ATTRIBUTES for owner in sorted(word.owners)]


@pytest.mark.parametrize(("word", "owner"), ATTRIBUTES, ids=[f"{owner}-{word.name}" for word, owner in ATTRIBUTES])
def test_reference__attribute_meets_its_fate(word: Word, owner: str):
    """One diagram for every row: what is refused is refused, what is ignored is not."""
    findings = compiler.examine(carrying(owner, word.name, "something"), "x.bpmn").findings
    refused = any(finding.rule == "unsupported-attribute" and f"{word.name}=" in finding.message for finding in findings)
    warned = any(finding.rule == "ignored-attribute" and f"{word.name} has none" in finding.message for finding in findings)
    elsewhere = {finding.element for finding in findings if finding.severity == "error"}

    assert refused == (word.fate is Fate.REFUSED)
    assert warned == (word.fate is Fate.WARNED and ("p" if owner == "process" else "x") not in elsewhere)


@pytest.mark.parametrize("word", vocabulary.ATTRIBUTES, ids=lambda word: word.name)
def test_reference__harmless_values_are_accepted(word: Word):
    for owner in word.owners:
        for value in word.harmless:
            findings = compiler.examine(carrying(owner, word.name, value), "x.bpmn").findings

            assert not [finding for finding in findings if finding.rule == "unsupported-attribute"]


@pytest.mark.parametrize(("place", "definition"), vocabulary.EVENTS, ids=lambda name: name or "none")
def test_reference__event_meets_its_fate(place: str, definition: str):
    body = tag(f"bpmn:{definition}") if definition else ""
    standing = {"attachedToRef": "t"} if place == "boundaryEvent" else {}
    content = diagram(start("s"), user("t"), element(place, "x", body, attrs=standing), end("e"), flows("s -> t -> e"))

    findings = compiler.examine(content, "x.bpmn").findings

    refused = any(finding.rule == "unsupported-event" for finding in findings)
    assert refused == (vocabulary.EVENTS[place, definition].fate is Fate.REFUSED)


INSIDE = {name for name, _ in [*elements.PARTS, *elements.REFUSED_PARTS]} | {"incoming", "outgoing"}


@pytest.mark.parametrize("word", vocabulary.ELEMENTS.values(), ids=lambda word: word.name)
def test_reference__element_meets_its_fate(word: Word):
    inside = word.name in INSIDE
    part = tag(f"bpmn:{word.name}")
    content = diagram(
        start("s"),
        user("t", part if inside else ""),
        "" if inside else element(word.name, "x"),
        end("e"),
        flows("s -> t -> e"),
    )

    findings = compiler.examine(content, "x.bpmn").findings

    assert any(finding.rule == "unsupported-element" for finding in findings) == (word.fate is Fate.REFUSED)


@pytest.mark.parametrize("word", vocabulary.EXTENSIONS.values(), ids=lambda word: word.name)
def test_reference__extension_meets_its_fate(word: Word):
    owner = next((kind for kind in ("callActivity", "userTask", "serviceTask") if kind in word.owners), "userTask")
    content = diagram(start("s"), element(owner, "x", ext=tag(f"camunda:{word.name}")), end("e"), flows("s -> x -> e"))

    findings = compiler.examine(content, "x.bpmn").findings

    assert any(finding.rule == "unsupported-extension" for finding in findings) == (word.fate is Fate.REFUSED)
