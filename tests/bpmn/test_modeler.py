"""Opening a diagram in Camunda Modeler and saving it changes nothing in its meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bpmn import compiler
from bpmn.definition import Definition
from tests.bpmn import modeler
from tests.bpmn.everything import EVERYTHING, THE_REST

WORKFLOWS = Path(__file__).parents[2] / "workflows"
SHIPPED = {str(path.relative_to(WORKFLOWS)): path.read_text(encoding="utf-8") for path in sorted(WORKFLOWS.glob("**/*.bpmn"))}

DIAGRAMS = {**SHIPPED, "everything": EVERYTHING, "the rest": THE_REST}


def meaning(xml: str) -> list[Definition]:
    """What a diagram says, without the lines on which it says so."""
    return [
        replace(definition, line=0, elements={key: replace(element, line=0) for key, element in definition.elements.items()})
        for definition in compiler.compile(xml.encode(), "x.bpmn")
    ]


@pytest.fixture(scope="module")
def saved() -> dict[str, modeler.Saved]:
    """All diagrams, opened and saved."""
    return modeler.save(DIAGRAMS)


def test_save__workflows_are_there():
    assert SHIPPED


@pytest.mark.parametrize("name", DIAGRAMS)
def test_save__changes_nothing_in_meaning(name: str, saved: dict[str, modeler.Saved]):
    assert meaning(saved[name]["xml"]) == meaning(DIAGRAMS[name])
    assert saved[name]["warnings"] == []


def test_save__a_change_would_be_seen(saved: dict[str, modeler.Saved]):
    changed = saved["everything"]["xml"].replace("R3/PT1H", "R3/PT2H")

    assert meaning(changed) != meaning(EVERYTHING)
