"""A rule: one thing that may be wrong with a diagram, judged by one small function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from bpmn.compiler.source import Node, Source, is_open, label
from bpmn.definition import SCOPES, Definition, Element, ElementType, EventType, Flow


class Drawing:
    """One process as drawn, for the rules that judge it."""

    def __init__(self, source: Source, process: Node, definition: Definition) -> None:
        self.source = source
        self.process = process
        self.definition = definition

    @property
    def applied_for(self) -> bool:
        """Whether it is a matter or an item: what begins for an applicant, and has a number of its own."""
        return self.definition.properties.get("onething.kind", "process") != "process"

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Return all flow nodes."""
        return tuple(self.definition.elements.values())

    @cached_property
    def scopes(self) -> dict[str | None, list[Element]]:
        """Return flow nodes by the subprocess around them; None is the process itself.  Empty subprocesses are there too."""
        scopes: dict[str | None, list[Element]] = {None: []}
        scopes |= {element.id: [] for element in self.of_type(*SCOPES) if is_open(self.node(element.id))}
        for element in self.elements:
            scopes.setdefault(element.parent, []).append(element)
        return scopes

    @cached_property
    def boundaries(self) -> dict[str, list[Element]]:
        """Return boundary events by the activity that they stand on."""
        boundaries: dict[str, list[Element]] = {}
        for event in self.of_type(ElementType.BOUNDARY_EVENT):
            boundaries.setdefault(event.attached_to or "", []).append(event)
        return boundaries

    @cached_property
    def links(self) -> dict[tuple[str | None, str | None], list[str]]:
        """Return link catch events by the scope they stand in and their name."""
        links: dict[tuple[str | None, str | None], list[str]] = {}
        for catch in self.of_event(EventType.LINK, ElementType.CATCH_EVENT):
            links.setdefault((catch.parent, catch.event.name if catch.event else None), []).append(catch.id)
        return links

    def of_type(self, *types: ElementType) -> list[Element]:
        """Return flow nodes of some types, in document order."""
        return [element for element in self.elements if element.type in types]

    def of_event(self, kind: EventType, *types: ElementType) -> list[Element]:
        """Return flow nodes that wait for or do one kind of thing, of some types or of all, in document order."""
        return [element for element in self.elements if element.event_type is kind and (not types or element.type in types)]

    def outgoing(self, element: Element) -> list[Flow]:
        """Return the flows out of an element, in document order."""
        return [self.definition.flows[key] for key in element.outgoing]

    def node(self, key: str | None) -> Node:
        """Return the XML node of an element or a flow; None means the process."""
        return self.process if key is None else self.source.nodes[key]

    def label(self, key: str | None) -> str:
        """Say what messages call an element or a flow; None means the process."""
        return label(self.node(key))


#: What is wrong where: at an XML node, or at an element or a flow by its id (None: the process); and the message.
SourceProblems = Iterator[tuple[Node, str]]
Problems = Iterator[tuple[str | None, str]]


@dataclass(frozen=True)
class SourceRule:
    """Judges the XML."""

    name: str
    severity: str
    check: Callable[[Source], SourceProblems]


@dataclass(frozen=True)
class DrawingRule:
    """Judges one process as drawn."""

    name: str
    severity: str
    check: Callable[[Drawing], Problems]
