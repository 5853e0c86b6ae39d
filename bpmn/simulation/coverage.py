"""Coverage (覆盖): which nodes and flows of a drawing were reached, and how far the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bpmn.definition import BODY, Definition, Element, ElementType, Flow
from bpmn.matter import ways
from bpmn.simulation import tokens


@dataclass(kw_only=True)
class Coverage:
    """What was reached of one process, as it is drawn."""

    process: Definition
    reached: set[str] = field(default_factory=set)
    _measured: int = field(default=-1, init=False)
    _distances: Mapping[str, int] = field(default_factory=dict, init=False)

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
    def is_single(self) -> bool:
        """Whether only one thing ever goes on at a time."""
        return tokens.is_single(self.process)

    @property
    def percent(self) -> int:
        """Nodes and flows that were reached, of a hundred; rounded down, so that only all are 100."""
        total = len(self.drawn)
        return 100 * (total - len(self.missed)) // total if total else 100

    def why(self, missed: Element | Flow) -> str:
        """Say what kept something from being reached, as far as the drawing tells."""
        if isinstance(missed, Flow):
            source = self.process.elements[missed.source]
            if source.drawn and source.id not in self.reached:
                return f"{source.label} was never reached"
            return f"{missed.condition.source} was never true" if missed.condition else "another way was always taken"
        if missed.attached_to is not None:
            host = self.process.elements[missed.attached_to]
            return f"{host.label} was {'never left in this way' if host.id in self.reached else 'never reached'}"
        if missed.handler or missed.for_compensation or not missed.incoming:
            return "nothing of the kind ever happened"
        return "no flow to it was ever taken"

    @property
    def distances(self) -> Mapping[str, int]:
        """How many steps, by the drawing, each element is from something that was never reached; 0: it is that itself."""
        if len(self.reached) != self._measured:
            self._measured, self._distances = len(self.reached), self._measure()
        return self._distances

    def _measure(self) -> dict[str, int]:
        before = self._before
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

    @cached_property
    def _before(self) -> Mapping[str, list[str]]:
        """What leads to each element."""
        found: dict[str, list[str]] = {}
        for key, follower in _steps(self.process):
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
