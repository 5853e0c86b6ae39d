"""What is read has been written before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn import closure
from bpmn.definition import CHOICES, Definition, Element, ElementType
from bpmn.lint import expressions
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import variable_never_written as variables
from bpmn.matter import ways


def check(bundle: Bundle) -> Problems:
    """A variable that a matter or an item reads is not written only behind the element that reads it."""
    begun = variables.begun_with(bundle)
    for resource, process in bundle.processes:
        given = begun.get(process.key)
        if given is None or not variables.is_closed(process):
            continue
        writers = _writers(bundle, process)
        before = _before(process)
        for element in process.elements.values():
            for name in sorted(_read(bundle, process, element) & writers.keys() - given):
                if later := _later(bundle, process, element, writers[name], before):
                    message = (
                        f"Expected {element.label} to read what has been written before, but {name} is only written later, "
                        f"at {', '.join(each.label for each in later)}: read another variable, or ask for it before"
                    )
                    yield Problem(resource=resource, element=element, message=message)


def _writers(bundle: Bundle, process: Definition) -> dict[str, list[Element]]:
    """The elements that write each variable of a process."""
    found: dict[str, list[Element]] = {}
    for element in process.elements.values():
        form = bundle.shown.get(element.form_ref or "")
        fields = {field.key for field in form.fields} if form else set()
        for name in variables.written_at(element) | fields:
            found.setdefault(name, []).append(element)
    return found


def _read(bundle: Bundle, process: Definition, element: Element) -> set[str]:
    """Variables that an element, the flows out of it and its form read."""
    names = {name for expression in expressions.asked(process, element) for name in expression.names}
    form = bundle.shown.get(element.form_ref or "")
    if form:
        names |= {name for _, expression, seen in expressions.in_form(form.fields) for name in expression.names - seen.keys()}
    return names


def _later(bundle: Bundle, process: Definition, reader: Element, writers: list[Element], before: Mapping[str, set[str]]) -> list[Element]:
    """Return the writers, where no token can have passed one of them before it comes to the reader; else none."""
    passed = closure.of([reader.id], lambda key: before.get(key, ()))
    starts = passed & {start.id for start in process.starts()}
    if not starts or any(writer.id in passed or _is_beside(process, writer) for writer in writers):
        return []
    return (
        []
        if any(_parts(element) or _is_asked_anything(bundle, element) for element in map(process.elements.__getitem__, passed))
        else writers
    )


def _is_asked_anything(bundle: Bundle, element: Element) -> bool:
    """Tell whether a task takes whatever is sent, since no form of it can be read."""
    has_form = element.form_data is not None or (element.form_ref or "") in bundle.shown
    return element.type is ElementType.USER_TASK and not has_form


def _before(process: Definition) -> dict[str, set[str]]:
    """What may come right before each element: along flows, into and out of subprocesses, and by the events on their borders."""
    following = ways.followers(process)
    found: dict[str, set[str]] = {}
    for element in process.elements.values():
        for key in following(element.id):
            found.setdefault(key, set()).add(element.id)
        for scope in _around(process, element):
            for event in process.boundaries(scope):
                found.setdefault(event.id, set()).add(element.id)
    return found


def _around(process: Definition, element: Element) -> Iterator[str]:
    """Yield an element and the scopes that it stands in."""
    here: Element | None = element
    while here is not None:
        yield here.id
        here = process.elements.get(here.parent or "")


def _parts(element: Element) -> bool:
    """Tell whether one token becomes several here: what one of them has written, another reads."""
    beside = element.type is ElementType.BOUNDARY_EVENT and not element.interrupting
    return beside or element.type is ElementType.MULTI_INSTANCE_BODY or (len(element.outgoing) > 1 and element.type not in CHOICES)


def _is_beside(process: Definition, element: Element) -> bool:
    """Tell whether an element stands in what an event begins beside the rest."""
    return any(process.elements[scope].type is ElementType.EVENT_SUBPROCESS for scope in _around(process, element))
