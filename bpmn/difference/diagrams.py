"""Diagrams: what changed on the process, its elements and its flows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from bpmn import compiler
from bpmn.definition import Definition, Element, ElementType, Flow
from bpmn.difference.change import Change, ChangeKind, Subject, compare
from bpmn.difference.written import written
from bpmn.errors import DocumentError
from bpmn.lint.bundle import DIAGRAMS

Processes = Mapping[str, Definition]

#: What says where an element stands in the file or the drawing, and what flows, the name and the documentation say better.
_UNTOLD = frozenset({"id", "line", "drawn", "parent", "incoming", "outgoing", "title", "description"})


def read(files: Mapping[str, bytes], process: str | None) -> Processes:
    """Return the processes of files exactly as drawn, or one of them; raises DocumentError."""
    found = [each for name, content in files.items() if name.endswith(DIAGRAMS) for each in _drawn(content, name)]
    return {each.key: each for each in found if process in {None, each.key}}


def _drawn(content: bytes, name: str) -> tuple[Definition, ...]:
    examination = compiler.examine(content, name)
    errors = [finding for finding in examination.findings if finding.refuses]
    if errors:
        raise DocumentError(errors)
    return examination.drawn


def between(before: Processes, after: Processes) -> Iterator[Change]:
    """Compare processes by their keys; one on each side is the same, whatever it is called."""
    if len(before) == len(after) == 1:
        (old,), (new,) = before.values(), after.values()
        before = {new.key: old}
    yield from compare(before, after, _process, lambda each: written(each, without={"elements", "flows"}))
    for key, process in after.items():
        if key in before:
            yield from _inside(before[key], process)


def _process(process: Definition, kind: ChangeKind) -> Change:
    return Change(kind=kind, subject=Subject.PROCESS, id=process.key, name=process.name)


def _inside(before: Definition, after: Definition) -> Iterator[Change]:
    told = functools.partial(_element, after.key)
    yield from compare(before.elements, after.elements, told, lambda each: written(each, without=_UNTOLD))
    yield from _moved(before, after, told)
    yield from _reordered(before, after, told)
    yield from _flows(before, after)


def _element(process: str, element: Element, kind: ChangeKind) -> Change:
    return _was_and_is(Change(kind=kind, subject=Subject.ELEMENT, id=element.id, name=element.name, within=process), element.type)


def _was_and_is(change: Change, text: str) -> Change:
    """Say what was added or removed."""
    return replace(
        change, before=text if change.kind is ChangeKind.REMOVED else None, after=text if change.kind is ChangeKind.ADDED else None
    )


def _moved(before: Definition, after: Definition, told: Callable[[Element, ChangeKind], Change]) -> Iterator[Change]:
    for element in after.elements.values():
        old = before.elements.get(element.id)
        if old is not None and old.parent != element.parent:
            yield replace(told(element, ChangeKind.MOVED), before=_label(before, old.parent), after=_label(after, element.parent))


def _reordered(before: Definition, after: Definition, told: Callable[[Element, ChangeKind], Change]) -> Iterator[Change]:
    """Say where conditions are put in another order: the first flow whose condition is true is taken."""
    for element in after.elements.values():
        old = before.elements.get(element.id)
        if old is not None and element.type is old.type is ElementType.EXCLUSIVE_GATEWAY:
            was, now = ([flow for flow in each.outgoing if flow in old.outgoing and flow in element.outgoing] for each in (old, element))
            if was != now:
                yield replace(told(element, ChangeKind.CHANGED), attribute="order", before=", ".join(was), after=", ".join(now))


def _flows(before: Definition, after: Definition) -> Iterator[Change]:
    def told(flow: Flow, kind: ChangeKind) -> Change:
        change = Change(kind=kind, subject=Subject.FLOW, id=flow.id, name=flow.name, within=after.key)
        return _was_and_is(change, _ends(before if kind is ChangeKind.REMOVED else after, flow))

    yield from compare(before.flows, after.flows, told, lambda each: written(each, without={"id", "source", "target"}))
    for flow in after.flows.values():
        old = before.flows.get(flow.id)
        if old is not None and (old.source, old.target) != (flow.source, flow.target):
            yield replace(told(flow, ChangeKind.REROUTED), before=_ends(before, old), after=_ends(after, flow))


def _ends(process: Definition, flow: Flow) -> str:
    return f"{_label(process, flow.source)} → {_label(process, flow.target)}"


def _label(process: Definition, element: str | None) -> str:
    """Name a place: an element, or the process itself."""
    if element is None:
        return process.name or process.key
    found = process.elements.get(element)
    return found.label if found else element
