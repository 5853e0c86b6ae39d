"""Diagrams as somebody redraws them in Camunda Modeler."""

from __future__ import annotations

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"


def drop_task(diagram: bytes, flow: str, key: str, *, name: str, groups: str) -> bytes:
    """Drop a new user task on a flow: the flow keeps its id and ends at the task, and another one goes on from there."""
    root = etree.fromstring(diagram)
    (arrow,) = root.iterfind(f".//{BPMN}sequenceFlow[@id='{flow}']")
    target, onward, scope = arrow.get("targetRef"), f"{key}_onward", arrow.getparent()
    for incoming in root.iterfind(f".//*[@id='{target}']/{BPMN}incoming"):
        if incoming.text == flow:
            incoming.text = onward
    arrow.set("targetRef", key)
    task = etree.SubElement(scope, f"{BPMN}userTask", {"id": key, "name": name, f"{CAMUNDA}candidateGroups": groups})
    etree.SubElement(task, f"{BPMN}incoming").text = flow
    etree.SubElement(task, f"{BPMN}outgoing").text = onward
    etree.SubElement(scope, f"{BPMN}sequenceFlow", {"id": onward, "sourceRef": key, "targetRef": target})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
