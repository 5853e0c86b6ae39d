"""From the tree to a Definition, exactly as drawn; nothing is judged here and nothing rewritten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from types import MappingProxyType
from typing import NamedTuple

from bpmn.compiler import particulars
from bpmn.compiler.particulars import every
from bpmn.compiler.particulars.events import COMPUTED
from bpmn.compiler.source import MODEL, TRUE, Node, Source, camunda, documentation, is_open, line, local_reference, tag, text_of
from bpmn.compiler.vocabulary.elements import NODE_TAGS
from bpmn.definition import Definition, Element, ElementType, Flow

#: Flow nodes that run, by tag.
RUNNING = {kind.value: kind for kind in ElementType if kind.value in NODE_TAGS} | {"manualTask": ElementType.TASK}
#: Elements that are refused still stand in the drawing, so that what is around them can be judged.
STAND_INS = {"adHocSubProcess": ElementType.SUBPROCESS, "complexGateway": ElementType.EXCLUSIVE_GATEWAY}


class Arrows(NamedTuple):
    """Flow ids by element."""

    incoming: dict[str, list[str]]
    outgoing: dict[str, list[str]]


def read(source: Source, process: Node) -> Definition:
    """Return the process as drawn."""
    placed = list(_walk(process, None))
    ids = {node.get("id", "") for node, _ in placed if tag(node) != "sequenceFlow"}
    flows = {node.get("id", ""): _flow(source, node) for node, _ in placed if tag(node) == "sequenceFlow"}
    # A flow that leads from or to nothing has been reported; it is no part of the drawing.
    flows = {key: flow for key, flow in flows.items() if flow.source in ids and flow.target in ids}
    arrows = Arrows(defaultdict(list), defaultdict(list))
    for flow in flows.values():
        arrows.outgoing[flow.source].append(flow.id)
        arrows.incoming[flow.target].append(flow.id)
    elements = {node.get("id", ""): _element(source, node, parent, arrows) for node, parent in placed if tag(node) != "sequenceFlow"}
    return Definition(
        key=process.get("id", ""),
        name=process.get("name") or _participant(source, process),
        line=line(process),
        properties=MappingProxyType(every.properties(process)),
        elements=MappingProxyType(elements),
        flows=MappingProxyType(flows),
        documentation=documentation(process),
        version_tag=camunda(process, "versionTag"),
        history_time_to_live=camunda(process, "historyTimeToLive"),
        startable_in_tasklist=camunda(process, "isStartableInTasklist") != "false",
        errors=MappingProxyType(_errors(source)),
    )


def _errors(source: Source) -> dict[str, str]:
    """What is said of the errors of a file, by their codes: the message where it is plain text, else the name."""
    drawn = {node.get("errorCode", ""): node for node in source.nodes.values() if tag(node) == "error"}
    messages = {code: camunda(node, "errorMessage") for code, node in drawn.items()}
    said = {code: drawn[code].get("name") if text is None or COMPUTED.search(text) else text for code, text in messages.items()}
    return {code: words for code, words in said.items() if words and words != code}


def kind_of(node: Node) -> ElementType | None:
    """Return the kind of a flow node; None for what is none."""
    if tag(node) == "subProcess" and node.get("triggeredByEvent") in TRUE:
        return ElementType.EVENT_SUBPROCESS
    return RUNNING.get(tag(node)) or STAND_INS.get(tag(node))


def _walk(scope: Node, parent: str | None) -> Iterator[tuple[Node, str | None]]:
    """Yield flow nodes and sequence flows in document order, each with the subprocess around it."""
    for node in scope.iterchildren(f"{MODEL}*"):
        if tag(node) == "sequenceFlow" or kind_of(node):
            yield node, parent
        if is_open(node):
            yield from _walk(node, node.get("id"))


def _flow(source: Source, node: Node) -> Flow:
    condition = node.find(f"{MODEL}conditionExpression")
    return Flow(
        id=node.get("id", ""),
        name=node.get("name", ""),
        source=local_reference(node.get("sourceRef", "")),
        target=local_reference(node.get("targetRef", "")),
        condition=source.expression(node, text_of(condition), "the condition") if condition is not None else None,
    )


def _element(source: Source, node: Node, parent: str | None, arrows: Arrows) -> Element:
    key, kind = node.get("id", ""), kind_of(node)
    assert kind
    return Element(
        id=key,
        name=node.get("name", ""),
        type=kind,
        line=line(node),
        parent=parent,
        incoming=tuple(arrows.incoming.get(key, ())),
        outgoing=tuple(arrows.outgoing.get(key, ())),
        default=local_reference(node.get("default", "")) or None,
        documentation=documentation(node),
        template=camunda(node, "modelerTemplate"),
        template_version=camunda(node, "modelerTemplateVersion"),
        **particulars.read(source, node, kind),
    )


def _participant(source: Source, process: Node) -> str:
    """Return the name of the pool that a process is drawn in; designers name that, and not the process inside."""
    for participant in source.root.iterfind(f"{MODEL}collaboration/{MODEL}participant"):
        if source.referred(participant, "processRef") is process:
            return participant.get("name", "")
    return ""
