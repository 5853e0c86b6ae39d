"""Places: how far a token has come in its element, and where that is on paper (`bpmn.soundness`)."""

from __future__ import annotations

from enum import Enum, auto

from bpmn import snapshot as snapshots
from bpmn.definition import Definition, Element, ElementType
from bpmn.markings import GATHERING
from bpmn.snapshot import Row
from bpmn.soundness import Net, is_join

#: Where a token waits for something that is found out when it comes.
_CATCHING = frozenset({ElementType.CATCH_EVENT, ElementType.RECEIVE_TASK})


class Stage(Enum):
    """How far a token has come in its element."""

    BEFORE = auto()  #: it has yet to come in: a job must let it, or it failed on the way in; it comes in as the new version says
    INSIDE = auto()
    LEAVING = auto()  #: the work is done, but what it gives could not be taken over
    AFTER = auto()  #: it only has to take a flow: a job must let it, or it failed at that


def stage(row: Row) -> Stage:
    """Say how far a token has come."""
    facts = row.facts
    if facts.get("left"):
        return Stage.AFTER
    if facts.get("job") == "before" or ("error" in facts and not facts.get("done")):
        return Stage.BEFORE
    return Stage.LEAVING if "error" in facts else Stage.INSIDE


def awaits(row: Row, element: Element) -> bool:
    """Whether a token waits for what an event says, or failed when it began to."""
    waits = bool(row.facts.get("watches")) or element.type in _CATCHING
    return waits and not row.facts.keys() & {"job", "done"}


def is_gathered(row: Row) -> bool:
    """Whether a token waits for other tokens."""
    return row.state == snapshots.WAITING


def is_at_join(row: Row, definition: Definition, element: str) -> bool:
    """Whether a token stands before a join, on the flow by which it came, when it is at this element."""
    before = is_gathered(row) or row.facts.get("job") == "before"
    return before and is_join(definition.elements[element])


def place(row: Row, definition: Definition, net: Net, element: str, flow: str) -> str:
    """Say where a token stands that is at an element to which it came by a flow."""
    if is_at_join(row, definition, element):
        return flow if is_gathered(row) else net.arrival(flow)
    gathers = is_gathered(row) and definition.elements[element].start_quantity > 1
    return element + GATHERING if gathers else element
