"""One-thing rules (高效办成一件事): what a bundle must show, judged on the diagram of a matter or an item.

They look at the `onething.…` properties; a process without `onething.kind` is no bundle, and none of them speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from bpmn.definition import Definition, Element, EventType

#: Element (None: the process) and message.
Problems = Iterator[tuple[Element | None, str]]

#: Kinds of predecessors (前置) that hold an item back: statutory order, and result as material.
BINDING = frozenset({"FS", "RM"})
KINDS = BINDING | {"DATA", "JOINT", "SOFT"}


@dataclass(frozen=True)
class Rule:
    """One thing that a bundle must show."""

    name: str
    severity: str
    check: Callable[[Definition], Problems]


def intake_first(process: Definition) -> Problems:
    """A matter is taken in at one window (一窗受理)."""
    if kind(process) == "matter" and not _of_kind(process, "intake"):
        message = (
            f"Expected the matter {process.key} to have an intake (一窗受理), but there is none: draw a task with onething.kind=intake"
        )
        yield None, message


def one_issuance(process: Definition) -> Problems:
    """Everything is issued together, once (统一出件)."""
    found = _of_kind(process, "issuance")
    if kind(process) == "matter" and len(found) != 1:
        where = f"it has {len(found)}" if found else "it has none"
        message = (
            f"Expected the matter {process.key} to have one issuance (统一出件), but {where}: draw one task with onething.kind=issuance"
        )
        yield None, message


def calls_items(process: Definition) -> Problems:
    """A matter bundles items (单事项)."""
    if kind(process) == "matter" and not _items(process):
        yield None, f"Expected the matter {process.key} to call items, but it calls none: draw a call activity with onething.item for each"


def item_once(process: Definition) -> Problems:
    """Each item stands in a bundle once: two would take its case from one another."""
    seen: dict[str, Element] = {}
    for element in process.elements.values():
        code = element.properties.get("onething.item")
        if code and code in seen:
            yield element, f"Expected the item {code} once, but both {seen[code].label} and {element.label} handle it: keep one"
        elif code:
            seen[code] = element


def department_named(process: Definition) -> Problems:
    """An item says which department decides it."""
    if kind(process) == "item" and not process.properties.get("onething.department"):
        yield None, f"Expected the item {process.key} to name its department, but it does not: fill in onething.department"


def tolerance_has_deadline(process: Definition) -> Problems:
    """A material that may follow later must follow by some day (容缺补交)."""
    for element in _of_kind(process, "tolerance"):
        timers = [
            event for event in process.boundaries(element.id) if event.event and event.event.type is EventType.TIMER and event.interrupting
        ]
        if not timers:
            message = (
                f"Expected {element.label} to have a deadline and a way on when it passes, but it has none: "
                "draw a boundary timer (定时边界事件) that interrupts it"
            )
            yield element, message


def predecessors_known(process: Definition) -> Problems:
    """A predecessor (前置) is an item of the same bundle."""
    codes = set(_items(process))
    for element in process.elements.values():
        for code, relation in _predecessors(element):
            if relation not in KINDS:
                message = f"Expected a predecessor of {element.label} to read item:{'|'.join(sorted(KINDS))}, but it is {code}:{relation}"
                yield element, message
            elif code not in codes:
                yield element, f"Expected the predecessors of {element.label} to be items of this bundle, but {code} is none"


def predecessors_end(process: Definition) -> Problems:
    """Items that wait for one another would wait for ever."""
    waits = {
        code: {before for before, relation in _predecessors(element) if relation in BINDING} for code, element in _items(process).items()
    }
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle = [*error.args[1]]
        yield _items(process).get(circle[0]), f"Expected items not to wait for one another, but they do: {' → '.join(circle)}"


def kind(process: Definition) -> str:
    """Return what a process is: matter, item, or something that has no rules here."""
    return process.properties.get("onething.kind", "")


def _of_kind(process: Definition, wanted: str) -> list[Element]:
    return [element for element in process.elements.values() if element.properties.get("onething.kind") == wanted]


def _items(process: Definition) -> dict[str, Element]:
    """Items of the bundle by code, with the call activity that handles each."""
    elements = process.elements.values()
    return {element.properties["onething.item"]: element for element in elements if element.properties.get("onething.item")}


def _predecessors(element: Element) -> list[tuple[str, str]]:
    """Read `onething.predecessors`: `hukou:RM birth_cert:SOFT`."""
    words = element.properties.get("onething.predecessors", "").split()
    return [(code, relation) for code, _, relation in (word.partition(":") for word in words)]


#: To add a rule: write its function, add its line.
RULES = (
    Rule("intake-first", "warning", intake_first),
    Rule("one-issuance", "warning", one_issuance),
    Rule("calls-items", "warning", calls_items),
    Rule("item-once", "warning", item_once),
    Rule("department-named", "warning", department_named),
    Rule("tolerance-has-deadline", "warning", tolerance_has_deadline),
    Rule("predecessors-known", "error", predecessors_known),
    Rule("predecessors-end", "error", predecessors_end),
)
