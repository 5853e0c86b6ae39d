"""Rules about activities that run several times."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bpmn.compiler.particulars import repetition
from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.source import MODEL, Node
from bpmn.definition import Element, ElementType, Loop, LoopType
from bpmn.expressions import no_condition

MARKERS = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")
VARIABLE = re.compile(r"[^\W\d]\w*")


def loop_without_number(drawing: Drawing) -> Problems:
    """A multi-instance activity says how often it runs: by a number, or once for each entry of a collection."""
    for element, loop, marker in _loops(drawing):
        if loop.type is LoopType.STANDARD:
            continue
        if not repetition.collection(marker) and marker.find(f"{MODEL}loopCardinality") is None:
            message = f"Expected {drawing.label(element.id)} to have a loop cardinality or a collection, but it has neither: fill one in"
            yield element.id, message


def computed_collection(drawing: Drawing) -> Problems:
    """A collection is the name of a variable, or an expression."""
    for element, loop, marker in _loops(drawing):
        written = repetition.collection(marker)
        if loop.collection and loop.collection.source != written and loop.collection.names != {written}:
            message = (
                f"Expected the collection of {drawing.label(element.id)} to be the name of a variable or ${{…}}, "
                f"but it is {written[:60]!r}: write an expression"
            )
            yield element.id, message


def bad_element_variable(drawing: Drawing) -> Problems:
    """The element variable has a name, and takes the entries of a collection."""
    for element, loop, marker in _loops(drawing):
        name = loop.element_variable
        if name is None:
            continue
        if not VARIABLE.fullmatch(name):
            message = f"Expected the element variable of {drawing.label(element.id)} to be a name, but it is {name[:60]!r}: write a name"
            yield element.id, message
        elif not repetition.collection(marker):
            message = f"Expected {drawing.label(element.id)} to have a collection for {name}, but it has none: fill it in, or remove {name}"
            yield element.id, message


def loop_without_condition(drawing: Drawing) -> Problems:
    """A loop says when it runs once more."""
    for element, loop, _ in _loops(drawing):
        if loop.type is LoopType.STANDARD and loop.condition is None:
            message = f"Expected the loop of {drawing.label(element.id)} to have a condition, but it has none"
            yield element.id, f"{message}: write it, or draw an exclusive gateway (排他网关) behind it whose flow leads back"


def literal_loop_condition(drawing: Drawing) -> Problems:
    """A condition is one expression; a text would always or never hold."""
    for element, loop, _ in _loops(drawing):
        if loop.condition is not None and (instead := no_condition(loop.condition)):
            yield element.id, f"Expected the condition of {drawing.label(element.id)} to be ${{…}} or =…, but {instead}"


def bad_loop_number(drawing: Drawing) -> Problems:
    """A number of times is a whole number."""
    for element, loop, marker in _loops(drawing):
        written = marker.get("loopMaximum")
        if loop.cardinality is not None and loop.cardinality.dialect == "literal":
            written = loop.cardinality.source
        if written is not None and not re.fullmatch(r"[0-9]{1,9}", written):
            message = f"Expected {drawing.label(element.id)} to run a whole number of times, but it says {written[:60]!r}"
            yield element.id, f"{message}: write a number or an expression"


def loop_elsewhere(drawing: Drawing) -> Problems:
    """An event subprocess runs once for each event; an activity has one marker."""
    for element, _, _ in _loops(drawing):
        markers = [child for name in MARKERS for child in drawing.node(element.id).iterchildren(f"{MODEL}{name}")]
        if element.type is ElementType.EVENT_SUBPROCESS:
            yield element.id, f"Expected {drawing.label(element.id)} to run once for each event, but it has a loop marker: remove it"
        elif len(markers) > 1:
            yield element.id, f"Expected {drawing.label(element.id)} to have one loop marker, but it has {len(markers)}: keep one"


def _loops(drawing: Drawing) -> Iterator[tuple[Element, Loop, Node]]:
    for element in drawing.elements:
        if element.loop is not None:
            node = drawing.node(element.id)
            marker = next(child for name in MARKERS for child in node.iterchildren(f"{MODEL}{name}"))
            yield element, element.loop, marker
