"""Rules about what passes in and out of a call activity, and about names and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bpmn.compiler.rules.rule import Drawing
from bpmn.compiler.source import CAMUNDA, Node, extensions
from bpmn.definition import Element, ElementType

Problems = Iterator[tuple[str | None, str]]

KNOWN = frozenset({"source", "sourceExpression", "target", "variables", "businessKey"})


def bad_mapping(drawing: Drawing) -> Problems:
    """A mapping names what it gives and what takes it."""
    for element, row, words in _mappings(drawing):
        said = row.attrib
        if unknown := sorted(set(map(str, said)) - KNOWN):
            yield element.id, f"Expected {words} to have source and target, but it has {', '.join(unknown)}: remove that, it does not run"
        elif "variables" in said:
            if said["variables"] != "all" or len(said) > 1:
                message = f'Expected {words} to say variables="all" alone, but it says more: use a mapping of its own for each variable'
                yield element.id, message
        elif "businessKey" not in said and not (bool(said.get("source")) ^ bool(said.get("sourceExpression")) and said.get("target")):
            message = f"Expected {words} to have a source or a source expression, and a target, but it has {_listed(row)}: fill them in"
            yield element.id, message


def computed_source(drawing: Drawing) -> Problems:
    """The source of a mapping is the name of a variable; what is computed is a source expression."""
    for element in drawing.of_type(ElementType.CALL_ACTIVITY):
        for mapping in (*element.inputs, *element.outputs):
            name = mapping.source.source[2:-1] if mapping.by_name and mapping.source else None
            if name and mapping.source and (mapping.source.names != {name} or mapping.source.calls):
                message = (
                    f"Expected the source of {mapping.target!r} of {drawing.label(element.id)} to be the name of a variable, "
                    f"but it is {name[:60]!r}: use a source expression"
                )
                yield element.id, message


def ignored_business_key(drawing: Drawing) -> Problems:
    """Items have numbers of their own; a business key passes nothing."""
    for element, row, words in _mappings(drawing):
        if "businessKey" in row.attrib:
            yield element.id, f"Expected {words} to have an effect, but a business key has none: an item has a number of its own"


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
    for element in drawing.of_type(ElementType.CALL_ACTIVITY):
        node = drawing.node(element.id)
        for kind in ("in", "out"):
            for row in extensions(node, kind):
                yield element, row, f"the {kind} mapping{_target(row)} of {drawing.label(element.id)}"


def _target(row: Node) -> str:
    return f" to {row.get('target')!r}" if row.get("target") else ""


def _listed(row: Node) -> str:
    return " and ".join(sorted(map(str, row.attrib))) or "nothing"
