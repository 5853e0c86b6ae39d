"""Element templates: what Camunda Modeler offers, and what the shipped diagrams are made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from engine import effects, steps
from engine.clock import PauseKind
from tests.bpmn import modeler

WORKFLOWS = Path(__file__).parents[2] / "workflows"
TEMPLATES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(WORKFLOWS.glob(".camunda/element-templates/*.json"))
}
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
#: What stands on an element of its own accord, whatever template it is made from.
PLAIN = {"id", "name", "isExecutable", "messageRef", f"{CAMUNDA}modelerTemplate", f"{CAMUNDA}modelerTemplateVersion"}
PLAIN |= {f"{CAMUNDA}historyTimeToLive"}

each_template = pytest.mark.parametrize("name", TEMPLATES)


def bindings(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of a template by what they write."""
    return {each["binding"]["name"]: each for each in template["properties"]}


def choices(name: str, binding: str) -> set[str]:
    return {choice["value"] for choice in bindings(TEMPLATES[name])[binding]["choices"]}


def templated() -> list[Any]:
    """Every element of the shipped diagrams that says which template it is made from."""
    found = []
    for path in sorted(WORKFLOWS.glob("*/*.bpmn")):
        nodes = etree.parse(path).iter(f"{BPMN}*")
        found += [pytest.param(node, id=f"{path.stem}-{node.get('id')}") for node in nodes if node.get(f"{CAMUNDA}modelerTemplate")]
    return found


def written(node: etree._Element) -> dict[str, str]:
    """Attributes and `camunda:properties` of an element, as templates name them."""
    attributes = {key.replace(CAMUNDA, "camunda:"): value for key, value in node.attrib.items() if key not in PLAIN}
    path = f"{BPMN}extensionElements/{CAMUNDA}properties/{CAMUNDA}property"
    return attributes | {each.get("name"): each.get("value") for each in node.iterfind(path)}


def test_template__valid_against_the_published_schema():
    complaints = modeler.complaints(list(TEMPLATES.values()))

    assert dict(zip(TEMPLATES, complaints, strict=True)) == {name: [] for name in TEMPLATES}


def test_template__the_schema_would_complain():
    assert modeler.complaints([{"name": "nothing"}]) != [[]]


@each_template
def test_template__is_found_by_what_people_type(name: str):
    template = TEMPLATES[name]

    assert template["id"] == f"onething.{name}"
    assert any("\u4e00" <= letter <= "\u9fff" for word in template["keywords"] for letter in word)
    assert any(word.isascii() for word in template["keywords"])


@each_template
def test_template__turns_a_plain_task_into_its_element(name: str):
    template = TEMPLATES[name]
    target = template.get("elementType", {}).get("value")

    assert template["appliesTo"] == ([target] if target is None else ["bpmn:Task", target]) or template["appliesTo"] == ["bpmn:Process"]


def test_templates__every_kind_that_the_engine_knows():
    kinds = {bindings(template)["onething.kind"]["value"] for template in TEMPLATES.values() if "onething.kind" in bindings(template)}

    assert kinds == {*effects.EFFECTS, "tolerance", "matter", "item"}


def test_templates__every_step_of_the_engine():
    assert choices("step", "camunda:topic") | {"onething.tolerance-return"} == set(steps.STEPS)


def test_templates__every_procedure():
    assert choices("special-procedure", "onething.procedure") == set(PauseKind) - {PauseKind.SUPPLEMENT, PauseKind.TOLERANCE_OVERDUE}


@pytest.mark.parametrize("node", templated())
def test_diagram__says_what_its_template_writes(node: etree._Element):
    template = TEMPLATES[node.get(f"{CAMUNDA}modelerTemplate").removeprefix("onething.")]
    known, found = bindings(template), written(node)

    fixed = {name: each["value"] for name, each in known.items() if each["type"] == "Hidden"}
    assert node.get(f"{CAMUNDA}modelerTemplateVersion") == str(template["version"])
    assert fixed.items() <= found.items()
    assert set(found) <= set(known)
    for name, each in known.items():
        if each["type"] == "Dropdown" and name in found:
            assert found[name] in {choice["value"] for choice in each["choices"]}
        if each.get("constraints", {}).get("notEmpty"):
            assert found.get(name)


def test_diagrams__are_made_from_templates():
    """Every task of the shipped diagrams."""
    tasks = ("userTask", "serviceTask", "businessRuleTask", "receiveTask", "callActivity")
    nodes = [node for path in WORKFLOWS.glob("*/*.bpmn") for tag in tasks for node in etree.parse(path).iter(BPMN + tag)]

    assert [node.get("id") for node in nodes if node.get(f"{CAMUNDA}modelerTemplate") is None] == []
