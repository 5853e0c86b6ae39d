"""A variable is called by a name."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import Element
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """What takes a value is the name of a variable, and no expression: a variable that is called `${total}` is found by none."""
    for resource, _process, element in bundle.elements():
        for what, name in _named(element):
            if name and name.strip().startswith(("${", "#{", "=")):
                bare = name.strip().removeprefix("=").strip("#${}").strip()
                message = (
                    f"Expected {what} of {element.label} to be the name of a variable, but it is {name.strip()[:60]!r}, which no "
                    f"expression would find: write {bare[:60] or 'a name'}"
                )
                yield Problem(resource=resource, element=element, message=message)


def _named(element: Element) -> Iterator[tuple[str, str | None]]:
    """Yield the names under which an element sets variables, each with what it is."""
    yield "the result variable", element.result_variable
    yield from (("an input parameter", parameter.name) for parameter in element.input_parameters)
    yield from (("an output parameter", parameter.name) for parameter in element.output_parameters)
    yield from (("the target of an in mapping", mapping.target) for mapping in element.inputs)
    yield from (("the target of an out mapping", mapping.target) for mapping in element.outputs)
    if element.event:
        yield "the code variable", element.event.code_variable
        yield "the message variable", element.event.message_variable
