"""Rules about words: elements, events, attributes and extensions that do not run as they are drawn."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from bpmn.compiler import vocabulary
from bpmn.compiler.rules.rule import SourceProblems
from bpmn.compiler.source import CAMUNDA, MODEL, Node, Source, bearer, label, spoken, tag
from bpmn.compiler.vocabulary import FOREIGN, Fate, Word


def unsupported_element(source: Source) -> SourceProblems:
    """Elements that BPMN has and this engine has not."""
    for node in source.meant:
        word = vocabulary.element(tag(node))
        if word.fate is Fate.REFUSED and not tag(node).endswith("EventDefinition"):
            owner = bearer(node)
            what = f"a {named(word)}" if owner is node else f"its {named(word)}"
            yield node, f"Expected {label(owner)} to run as drawn, but {what} is not supported: {word.note}"


def unsupported_event(source: Source) -> SourceProblems:
    """Event definitions that do not run where they stand."""
    for node in source.meant:
        if not tag(node).endswith("Event"):
            continue
        definitions = [tag(child) for child in node.iterchildren(f"{MODEL}*") if tag(child).endswith("EventDefinition")]
        if len(definitions) > 1:
            yield node, f"Expected {label(node)} to have one event definition, but it has {len(definitions)}: draw one event for each"
            continue
        word = vocabulary.event(tag(node), definitions[0] if definitions else "")
        if word.fate is Fate.REFUSED:
            what = f"its {named(word)}" if word.name else "an event without a definition"
            yield node, f"Expected {label(node)} to run as drawn, but {what} is not supported there: {word.note}"


def unsupported_attribute(source: Source) -> SourceProblems:
    """Attributes that would make the element do something else, and attributes that nobody knows."""
    for node, value, word in _attributes(source):
        if word.fate is Fate.REFUSED and value not in word.harmless:
            yield node, f'Expected {label(bearer(node))} to run as drawn, but {word.name}="{_short(value)}" is not supported: {word.note}'


def ignored_attribute(source: Source) -> SourceProblems:
    """Attributes that have no effect, although they might be expected to."""
    for node, value, word in _attributes(source):
        if word.fate is Fate.WARNED and value not in word.harmless:
            yield node, f"Expected {label(bearer(node))} to say only what has an effect, but {word.name} has none: {word.note}"


def unsupported_extension(source: Source) -> SourceProblems:
    """Extensions that would make the element do something else, and extensions that nobody knows."""
    for node, word in _extensions(source):
        if word.fate is Fate.REFUSED:
            yield node, f"Expected {label(bearer(node))} to run as drawn, but its camunda:{word.name} is not supported: {word.note}"


def ignored_extension(source: Source) -> SourceProblems:
    """Extensions that have no effect, although they might be expected to."""
    for node, word in _extensions(source):
        if word.fate is Fate.WARNED:
            yield node, f"Expected {label(bearer(node))} to say only what has an effect, but camunda:{word.name} has none: {word.note}"


def foreign_engine(source: Source) -> SourceProblems:
    """What was written for another engine would silently not happen."""
    platform = source.root.get("{http://camunda.org/schema/modeler/1.0}executionPlatform", "")
    if platform == "Camunda Cloud":
        message = "Expected a diagram for Camunda 7, but it was drawn for Camunda 8: draw it with the Camunda 7 profile of the Modeler"
        yield source.root, message
    for node in source.meant:
        inside = (child for part in node.iterchildren(f"{MODEL}extensionElements") for child in part.iterchildren())
        names = [*map(str, node.attrib), *(str(child.tag) for child in inside)]
        engines = {FOREIGN[space] for space in map(_namespace, names) if space in FOREIGN}
        for engine in sorted(engines):
            message = (
                f"Expected {label(bearer(node))} to be drawn for Camunda 7, but it says something to {engine}: remove it, it has no effect"
            )
            yield node, message


def named(word: Word) -> str:
    """Write a word as people read it: `script task (脚本任务)`."""
    return spoken(word.name) + (f" ({word.chinese})" if word.chinese else "")


def _attributes(source: Source) -> Iterator[tuple[Node, str, Word]]:
    for node in source.meant:
        owner = tag(node)
        if owner.endswith("EventDefinition") or vocabulary.element(owner).fate in (Fate.RUNS, Fate.REWRITTEN):
            for key, value in node.attrib.items():
                name = str(key).replace(CAMUNDA, "camunda:")
                if not name.startswith("{"):
                    yield node, str(value), vocabulary.attribute(name, owner)


def _extensions(source: Source) -> Iterator[tuple[Node, Word]]:
    for node in source.meant:
        for part in node.iterchildren(f"{MODEL}extensionElements"):
            for child in part.iterchildren(f"{CAMUNDA}*"):
                yield node, vocabulary.extension(etree.QName(child).localname, tag(node))


def _namespace(name: str) -> str:
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def _short(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:59]}…"  # noqa: PLR2004 - a line of a message
