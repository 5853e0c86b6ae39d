"""Rules about what is drawn around processes: pools, lanes, and messages between pools."""

from __future__ import annotations

from bpmn.compiler.rules.rule import SourceProblems
from bpmn.compiler.source import MODEL, Node, Source, label, local_reference, tag, text_of

#: What refers to something by attributes, and what to do when it is not there.
_REFERRING = {
    "participant": (("processRef",), "draw the pool (池) anew around its process"),
    "messageFlow": (("sourceRef", "targetRef"), "draw the message flow (消息流) anew"),
    "lane": ((), "draw the lane (泳道) anew"),
}


def dangling_pool(source: Source) -> SourceProblems:
    """Pools, lanes and message flows show what is in the file."""
    for node in source.root.iter(*(f"{MODEL}{name}" for name in _REFERRING)):
        attributes, advice = _REFERRING[tag(node)]
        references = [(name, node.get(name, "")) for name in attributes if node.get(name)]
        references += [("flowNodeRef", text_of(part)) for part in node.iterchildren(f"{MODEL}flowNodeRef")]
        for name, reference in references:
            if _is_wrong(source.nodes.get(local_reference(reference)), name):
                yield (
                    node,
                    f"Expected {name} of {label(node)} to be in this file, but there is no such thing as {reference[:60]!r}: {advice}",
                )


def _is_wrong(end: Node | None, name: str) -> bool:
    return end is None or (name == "processRef" and tag(end) != "process")
