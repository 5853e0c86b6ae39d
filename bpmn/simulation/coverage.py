"""Coverage (覆盖): which nodes and flows of a drawing were reached, and how far the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bpmn.definition import BODY, Definition, Element, ElementType, Flow
from bpmn.matter import ways


@dataclass(kw_only=True)
class Coverage:
    """What was reached of one process, as it is drawn."""

    process: Definition
    reached: set[str] = field(default_factory=set)

    def see(self, element: str, flow: str | None = None) -> None:
        """Note that a token came to an element, by a flow or in another way."""
        self.reached.update((element, *self._ways(element)) if flow is None else (element, flow))

    def _ways(self, element: str) -> Iterator[str]:
        """Yield what leads to an element without a token on it: flows out of event-based gateways, and compensation events."""
        elements = self.process.elements
        for key in elements[element].incoming:
            if elements[self.process.flows[key].source].type is ElementType.EVENT_BASED_GATEWAY:
                yield key
        yield from (each.id for each in elements.values() if each.handler == element)

    @property
    def nodes(self) -> list[Element]:
        """The nodes that are drawn, in the order of the document."""
        return [element for element in self.process.elements.values() if element.drawn and not element.id.endswith(BODY)]

    @property
    def flows(self) -> list[Flow]:
        """The flows that are drawn, in the order of the document: those that were inserted lead to what was inserted."""
        elements = self.process.elements
        return [flow for flow in self.process.flows.values() if elements[flow.target].drawn or flow.target.endswith(BODY)]

    @property
    def drawn(self) -> list[Element | Flow]:
        """Both."""
        return [*self.nodes, *self.flows]

    @property
    def missed(self) -> list[Element | Flow]:
        """What was never reached."""
        return [each for each in self.drawn if each.id not in self.reached]

    @property
    def percent(self) -> int:
        """Nodes and flows that were reached, of a hundred; rounded down, so that only all are 100."""
        total = len(self.drawn)
        return 100 * (total - len(self.missed)) // total if total else 100

    def distances(self) -> dict[str, int]:
        """Say of each element how many steps, by the drawing, it is from something that was never reached; 0: it is that itself."""
        before = _before(self.process)
        missed = {each.id for each in self.missed}
        found = {key: 0 for key in self.process.elements if key in missed}
        found |= {flow.source: 1 for flow in self.process.flows.values() if flow.id in missed and flow.source not in found}
        frontier = sorted(found, key=lambda key: found[key])
        for key in frontier:
            for earlier in before.get(key, ()):
                if earlier not in found:
                    found[earlier] = found[key] + 1
                    frontier.append(earlier)
        return found


def _before(process: Definition) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, follower in _steps(process):
        found.setdefault(follower, []).append(key)
    return found


def _steps(process: Definition) -> Iterator[tuple[str, str]]:
    """Yield pairs of elements of which a token can get from the first to the second."""
    following = ways.followers(process)
    for element in process.elements.values():
        for follower in following(element.id):
            yield element.id, follower
        if element.attached_to is not None:
            yield element.attached_to, element.id
        if element.handler is not None:
            yield element.id, element.handler
