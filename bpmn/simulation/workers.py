"""Workers (程序): what a program may write before a form asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bpmn import closure
from bpmn.definition import BODY, Definition, ElementType
from bpmn.forms import Form
from bpmn.matter import ways


def early(process: Definition, forms: Mapping[str, Form], tables: Mapping[str, frozenset[str]]) -> Callable[[str], frozenset[str]]:
    """Return a function that names, of the variables that forms ask for, those that the program of an element may write first.

    A program is the first where a token comes to it without any form that asks for the variable, and where the variable is read behind it
    before such a form.  `forms` and `tables` are by element; of a table, the variables that it reads.
    """
    following = ways.followers(process)
    asking: dict[str, frozenset[str]] = {}
    for key, form in forms.items():
        for field in form.fields:
            asking[field.key] = asking.get(field.key, frozenset()) | {key}
    begins = [element.id for element in process.elements.values() if element.type is ElementType.START_EVENT and element.parent is None]

    def onwards(key: str, stop: frozenset[str]) -> list[str]:
        broken_off = [event.id for event in (*process.boundaries(key), *process.boundaries(key + BODY))]
        return [*(() if key in stop else following(key)), *broken_off]

    def come_to(starts: Iterable[str], stop: frozenset[str]) -> set[str]:
        return closure.of(starts, lambda key: onwards(key, stop))

    def named(key: str) -> frozenset[str]:
        return frozenset(
            name
            for name, stop in asking.items()
            if key in come_to(begins, stop) and any(name in _read(process, each, tables) for each in come_to([key], stop) - stop)
        )

    return named


def _read(process: Definition, key: str, tables: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return what is read at an element, or on the flows out of it."""
    element = process.elements[key]
    conditions = [process.flows[flow].condition for flow in element.outgoing] + [element.event.condition if element.event else None]
    return tables.get(key, frozenset()).union(*(condition.names for condition in conditions if condition))
