"""Coverage (覆盖): which nodes and flows of a drawing were reached, which paths were taken, and what kept the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from bpmn.definition import BODY, Definition, Element, ElementType, Flow
from bpmn.simulation.paths import Path, Place
from bpmn.simulation.stories import Stories
from bpmn.simulation.trails import Trails
from bpmn.simulation.writes import Writes


@dataclass(kw_only=True)
class Coverage:
    """What was reached of one process, as it is drawn."""

    process: Definition
    #: What is known of whoever writes in it; None: nothing.
    stories: Stories | None = None
    reached: set[str] = field(default_factory=set)

    @cached_property
    def trails(self) -> Trails:
        """The paths that tokens have taken."""
        stories = self.stories or Stories(Writes(process=self.process))
        return Trails(process=self.process, paths=stories.paths, impossible=stories.impossible())

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

    @property
    def untaken(self) -> list[Path]:
        """Paths that no token has taken, in the order in which they were found."""
        return [path for path in self.trails.paths if not self.trails.is_taken(path)]

    @property
    def impossible(self) -> list[Path]:
        """Those of them that no token can take."""
        return [path for path in self.untaken if path in self.trails.impossible]

    @property
    def roundabout(self) -> list[Path]:
        """Paths that tokens have taken with a loop on the way only."""
        looped = self.trails.looped - self.trails.direct
        return [path for path in self.trails.paths if path in looped]

    @property
    def percent_of_paths(self) -> int:
        """Paths that were taken, of a hundred that are not impossible; rounded down."""
        total = len(self.trails.paths) - len(self.impossible)
        return 100 * len(self.trails.taken) // total if total else 100

    def spoken(self, path: Path) -> str:
        """Name what a path comes by, as people read it; a gateway that only brings ways together is left out."""
        shown = [self.process.elements[key] for key in path.elements]
        return " → ".join(each.name or each.id for each in shown if each.drawn and not self._only_merges(each))

    def _only_merges(self, element: Element) -> bool:
        return element.type is ElementType.EXCLUSIVE_GATEWAY and len(element.outgoing) == 1

    def contradiction(self, path: Path) -> str:
        """Say why no token can take a path."""
        wants = self.trails.impossible[path]
        needed = " and ".join(f"{each.condition.source} {each.spoken} at {self.process.elements[each.element].label}" for each in wants)
        said = " and ".join(dict.fromkeys(version.said for each in wants for version in each.reads.values() if version.said))
        if said:
            return f"it needs {needed}, but {said}"
        return f"it needs {needed}, {'which contradict each other' if len(wants) > 1 else 'which no value makes so'}"

    def why_not(self, path: Path) -> str:
        """Say how far tokens have come on a path, and what kept them there."""
        stuck = (self._stuck(path, end.since()) for end in self.trails.paths.last[path])
        _, place, key = max(stuck, key=lambda each: (each[0], -each[1].number))
        return self._kept(place, key)

    def _stuck(self, path: Path, places: list[Place]) -> tuple[int, Place, str]:
        """Find the first step that none has taken on one of the ways to the end of a path."""
        keys = [*(place.key for place in places[1:]), path.keys[-1]]
        steps = enumerate(zip(places, keys, strict=True))
        return next((number, place, key) for number, (place, key) in steps if not place.steps[key].is_taken)

    def _kept(self, place: Place, key: str) -> str:
        source = self.process.elements[place.element]
        if source.drawn and source.id not in self.reached:
            return f"{source.label} was never reached"
        flow = self.process.flows.get(key)
        if flow is None:
            kept = f"{source.label} was never left by {self.process.elements[key].label}"
        elif flow.condition is not None:
            kept = f"{flow.condition.source} was never true"
        elif source.default == key:
            others = (self.process.flows[other].condition for other in source.outgoing)
            kept = f"{' or '.join(other.source for other in others if other)} was always true"
        else:
            kept = f"{source.label} was always left in another way"
        where = ", come by this path" if key in self.reached else ""
        return kept + where

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
