"""How an activity runs several times."""

from __future__ import annotations

from bpmn.compiler.source import MODEL, TRUE, Node, Source, camunda, text_of
from bpmn.definition import Loop, LoopType
from bpmn.expressions import Expression

MOST_DIGITS = 9


def read(source: Source, node: Node) -> Loop | None:
    """Read the loop characteristics of an activity."""
    for marker in node.iterchildren(f"{MODEL}multiInstanceLoopCharacteristics"):
        return _instances(source, node, marker)
    for marker in node.iterchildren(f"{MODEL}standardLoopCharacteristics"):
        return _rounds(source, node, marker)
    return None


def collection(marker: Node) -> str:
    """Return what gives one entry for each instance, as it is written: Camunda's attribute, or BPMN's reference."""
    return camunda(marker, "collection") or _text(marker, "loopDataInputRef")


def element_variable(marker: Node) -> str | None:
    """Return the name of the variable that takes the entry."""
    item = marker.find(f"{MODEL}inputDataItem")
    return camunda(marker, "elementVariable") or (item.get("name") if item is not None else None)


def _instances(source: Source, node: Node, marker: Node) -> Loop:
    written = collection(marker)
    named = bool(written) and "{" not in written and not written.startswith("=")
    return Loop(
        type=LoopType.SEQUENTIAL if marker.get("isSequential") in TRUE else LoopType.PARALLEL,
        cardinality=_expression(source, node, marker, "loopCardinality"),
        collection=source.expression(node, f"${{{written}}}" if named else written, "the collection"),
        element_variable=element_variable(marker),
        condition=_expression(source, node, marker, "completionCondition"),
        async_before=camunda(marker, "asyncBefore") in TRUE or camunda(marker, "async") in TRUE,
        async_after=camunda(marker, "asyncAfter") in TRUE,
        retry_cycle=source.retries(node, marker),
    )


def _rounds(source: Source, node: Node, marker: Node) -> Loop:
    most = marker.get("loopMaximum", "")
    return Loop(
        type=LoopType.STANDARD,
        condition=_expression(source, node, marker, "loopCondition"),
        test_before=marker.get("testBefore") in TRUE,
        maximum=int(most) if most.isascii() and most.isdigit() and len(most) <= MOST_DIGITS else None,
    )


def _expression(source: Source, node: Node, marker: Node, name: str) -> Expression | None:
    return source.expression(node, _text(marker, name), f"the {NAMES[name]}")


def _text(marker: Node, name: str) -> str:
    part = marker.find(f"{MODEL}{name}")
    return "" if part is None else text_of(part)


NAMES = {"loopCardinality": "cardinality", "completionCondition": "completion condition", "loopCondition": "condition of the loop"}
