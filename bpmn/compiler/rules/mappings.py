"""Rules about what passes in and out of a call activity and with a signal, and about names and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.source import CAMUNDA, MODEL, Node, extensions
from bpmn.definition import Element, ElementType, EventType

KNOWN = frozenset({"source", "sourceExpression", "target", "variables", "local", "businessKey"})


def bad_mapping(drawing: Drawing) -> Problems:
    """A mapping names what it gives and what takes it."""
    for element, row, words in _mappings(drawing):
        said = row.attrib
        known = KNOWN if element.type is ElementType.CALL_ACTIVITY else KNOWN - {"businessKey"}
        if unknown := sorted(set(map(str, said)) - known):
            yield element.id, f"Expected {words} to have source and target, but it has {', '.join(unknown)}: remove that, it does not run"
        elif "variables" in said:
            if said["variables"] != "all" or set(map(str, said)) - {"variables", "local"}:
                message = f'Expected {words} to say variables="all" alone, but it says more: use a mapping of its own for each variable'
                yield element.id, message
        elif "businessKey" not in said and not (bool(said.get("source")) ^ bool(said.get("sourceExpression")) and said.get("target")):
            message = f"Expected {words} to have a source or a source expression, and a target, but it has {_listed(row)}: fill them in"
            yield element.id, message


def computed_source(drawing: Drawing) -> Problems:
    """The source of a mapping is the name of a variable; what is computed is a source expression."""
    for element in drawing.elements:
        for mapping in (*element.inputs, *element.outputs, *(element.event.inputs if element.event else ())):
            name = mapping.source.source[2:-1] if mapping.by_name and mapping.source else None
            if name and mapping.source and (mapping.source.names != {name} or mapping.source.calls):
                message = (
                    f"Expected the source of {mapping.target!r} of {drawing.label(element.id)} to be the name of a variable, "
                    f"but it is {name[:60]!r}: use a source expression"
                )
                yield element.id, message


def signal_takes_nothing(drawing: Drawing) -> Problems:
    """What catches a signal takes all that comes with it."""
    for element in drawing.of_event(EventType.SIGNAL, ElementType.START_EVENT, ElementType.CATCH_EVENT, ElementType.BOUNDARY_EVENT):
        if element.event and element.event.inputs:
            message = f"Expected {drawing.label(element.id)} to pass nothing on, but it has mappings"
            yield element.id, f"{message}: put them on the event that throws the signal"


def ignored_business_key(drawing: Drawing) -> Problems:
    """What a case calls goes under the number of the case, and an item has a number of its own; a business key passes nothing there."""
    for element, row, words in _mappings(drawing) if drawing.applied_for else ():
        if "businessKey" in row.attrib:
            yield element.id, f"Expected {words} to have an effect, but a business key has none here: a case has its own number; remove it"


def bad_property(drawing: Drawing) -> Problems:
    """A property has a name, once."""
    for key in (None, *drawing.definition.elements):
        rows = [row for group in extensions(drawing.node(key), "properties") for row in group.iterchildren(f"{CAMUNDA}property")]
        count = Counter(row.get("name", "") for row in rows)
        for name, times in count.items():
            if not name:
                yield key, f"Expected every property of {drawing.label(key)} to have a name, but one has none: fill it in or remove it"
            elif times > 1:
                yield key, f"Expected the property {name} of {drawing.label(key)} once, but it is there {times} times: keep one"


def _mappings(drawing: Drawing) -> Iterator[tuple[Element, Node, str]]:
    for element in drawing.elements:
        node = drawing.node(element.id)
        parts = [node] if element.type is ElementType.CALL_ACTIVITY else node.iterchildren(f"{MODEL}signalEventDefinition")
        for part in parts:
            for kind in ("in", "out"):
                for row in extensions(part, kind):
                    yield element, row, f"the {kind} mapping{_target(row)} of {drawing.label(element.id)}"


def _target(row: Node) -> str:
    return f" to {row.get('target')!r}" if row.get("target") else ""


def _listed(row: Node) -> str:
    return " and ".join(sorted(map(str, row.attrib))) or "nothing"
