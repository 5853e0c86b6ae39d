"""Whatever a diagram looks like, the compiler says what is wrong or compiles it; it never breaks."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from bpmn import compiler
from bpmn.definition import BODY, SCOPES, Definition, Element, ElementType, EventType
from bpmn.errors import DocumentError, Finding
from tests.bpmn.everything import EVERYTHING, THE_REST

VALUES = [
    "",
    " ",
    "intake",
    "s",
    "s-intake",
    "true",
    "false",
    "0",
    "${x}",
    "${",
    "= 1 +",
    "P1D",
    "tns:m",
    "p",
    "\u53d7\u7406",
    "a b",
    "-1",
    "R/PT0S",
]
TAGS = [
    "userTask",
    "scriptTask",
    "sendTask",
    "callActivity",
    "eventBasedGateway",
    "intermediateCatchEvent",
    "intermediateThrowEvent",
    "startEvent",
    "endEvent",
    "boundaryEvent",
    "subProcess",
    "transaction",
    "exclusiveGateway",
    "sequenceFlow",
]
TAGS += [
    "timerEventDefinition",
    "messageEventDefinition",
    "linkEventDefinition",
    "compensateEventDefinition",
    "cancelEventDefinition",
    "signalEventDefinition",
    "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics",
    "conditionExpression",
    "extensionElements",
    "process",
    "lane",
]
MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


def mutate(root: etree._Element, data: st.DataObject) -> None:
    """Change one thing somewhere."""
    nodes = list(root.iter())
    if len(nodes) == 1:
        return
    node = nodes[data.draw(st.integers(1, len(nodes) - 1))]
    what = data.draw(st.sampled_from(["remove", "copy", "rename", "attribute", "drop", "text", "move"]))
    parent = node.getparent()
    assert parent is not None
    if what == "remove":
        parent.remove(node)
    elif what == "copy":
        parent.append(etree.fromstring(etree.tostring(node)))
    elif what == "rename":
        node.tag = MODEL + data.draw(st.sampled_from(TAGS))
    elif what == "text":
        node.text = data.draw(st.sampled_from(VALUES))
    elif what == "move":
        target = nodes[data.draw(st.integers(0, len(nodes) - 1))]
        if node not in [target, *target.iterancestors()]:
            target.append(node)
    elif node.attrib:
        key = data.draw(st.sampled_from(sorted(map(str, node.attrib))))
        if what == "drop":
            del node.attrib[key]
        else:
            node.set(key, data.draw(st.sampled_from(VALUES)))


def check(definition: Definition) -> None:
    """What the executor relies on."""
    for flow in definition.flows.values():
        assert flow.id in definition.elements[flow.source].outgoing
        assert flow.id in definition.elements[flow.target].incoming
        assert definition.elements[flow.source].parent == definition.elements[flow.target].parent
    for element in definition.elements.values():
        gateway = element.type.value.endswith("Gateway")
        assert gateway or len(element.outgoing) == (0 if is_last(definition, element) else 1)
        assert element.default is None or (gateway and element.default in element.outgoing)
        assert element.parent is None or definition.elements[element.parent].type in SCOPES
        assert (element.loop is not None) == (element.type is ElementType.MULTI_INSTANCE_BODY) == element.id.endswith(BODY)
        assert element.handler is None or definition.elements[element.handler].for_compensation
        assert element.event is None or element.event.type is not EventType.LINK
        assert (element.attached_to is not None) == (element.type is ElementType.BOUNDARY_EVENT)
        assert (element.event is not None) == (element.type.value.endswith("Event") or element.type is ElementType.RECEIVE_TASK)
        if element.attached_to:
            assert definition.elements[element.attached_to].parent == element.parent
    for scope in {element.parent for element in definition.elements.values()}:
        assert definition.starts(scope) or str(scope).endswith(BODY)


def is_last(definition: Definition, element: Element) -> bool:
    """Whether no token leaves an element by a flow."""
    undoes = element.for_compensation or element.handler is not None
    return undoes or element.type in (ElementType.END_EVENT, ElementType.EVENT_SUBPROCESS) or element.id + BODY in definition.elements


def outcome(content: bytes) -> tuple[list[Definition], list[Finding]]:
    """Definitions, or what is wrong."""
    try:
        return compiler.compile(content, "x.bpmn", functions=frozenset({"window", "workdays"})), []
    except DocumentError as refusal:
        return [], refusal.findings


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), times=st.integers(1, 6))
def test_compile__mutated(data, times):
    root = etree.fromstring(data.draw(st.sampled_from([EVERYTHING, THE_REST])).encode())
    for _ in range(times):
        mutate(root, data)

    definitions, findings = outcome(etree.tostring(root))

    assert bool(definitions) != bool(findings)
    assert all(finding.message.startswith("Expected ") for finding in findings)
    for definition in definitions:
        check(definition)


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(0, len(EVERYTHING.encode())), noise=st.binary(max_size=3))
def test_compile__garbled_bytes(cut, noise):
    content = EVERYTHING.encode()

    definitions, findings = outcome(content[:cut] + noise + content[cut + len(noise) :])

    assert bool(definitions) != bool(findings)
