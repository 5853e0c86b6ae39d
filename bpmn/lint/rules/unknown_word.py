"""Where the engine goes by one of a few words, it is one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.decisions import Decision
from bpmn.decisions.table import DecisionTable
from bpmn.definition import Definition, Element
from bpmn.lint import expressions, spelling
from bpmn.lint.bundle import Bundle, Words
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts

#: The element template of the engine's own steps.
STEP = "onething.step"


def check(bundle: Bundle) -> Problems:
    """Where the engine goes by one of a few words, it is one of them: any other would do something else, or nothing."""
    words = bundle.known.words
    if not words.steps:
        return
    for resource, process in bundle.processes:
        for message in _properties(f"the process {process.key}", process.properties, words.processes):
            yield Problem(resource=resource, process=process, message=message)
        codes = _codes(process, bundle)
        for element in process.elements.values():
            for message in _in_element(process, element, words, codes):
                yield Problem(resource=resource, element=element, message=message)
    for resource, decision in bundle.decisions:
        for line, message in _in_table(decision, words):
            yield Problem(resource=resource, line=line, message=message)


def _codes(process: Definition, bundle: Bundle) -> frozenset[str]:
    """Codes of the items that a bundle calls; empty: the case says which, or it is none."""
    matter = next((matter for matter in bundle.matters if matter.process is process), None)
    return frozenset() if matter is None or any(call.is_computed for call in matter.calls.values()) else matter.named


def _in_element(process: Definition, element: Element, words: Words, codes: frozenset[str]) -> Iterator[str]:
    yield from _properties(element.label, element.properties, words.elements)
    topic = element.topic.source if element.topic else ""
    if topic and topic not in words.steps and (element.template == STEP or _means_a_step(topic, words.steps)):
        yield _message(f"the topic of {element.label}", topic, words.steps)
    known = {**words.arguments, "ready": codes}
    for expression in expressions.asked(process, element):
        for call in expression.invocations:
            text, names = next(iter(call.arguments), None), known.get(call.name)
            if names and isinstance(text, str) and text not in names:
                yield _message(f"what {call.name}() at {element.label} is asked for", text, names)


def _means_a_step(topic: str, steps: frozenset[str]) -> bool:
    return topic.startswith("onething.") or any(spelling.is_slip(topic, step) for step in steps)


def _properties(place: str, properties: Mapping[str, str], known: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name, words in known.items():
        if properties.get(name) and properties[name] not in words:
            yield _message(f"{name} of {place}", properties[name], words)


def _in_table(decision: Decision, words: Words) -> Iterator[tuple[int, str]]:
    for rule, row in facts.rows(decision.logic) if isinstance(decision.logic, DecisionTable) else ():
        for (table, column), known in words.columns.items():
            if table == decision.id and column in row and row[column] not in known:
                yield rule.line, _message(f"{column} in {rule} of the table {table}", row[column], known)


def _message(place: str, text: object, words: frozenset[str]) -> str:
    return f"Expected {place} to be one of {', '.join(sorted(words))}, but it is {text!r}{spelling.advice(str(text), words)}"
