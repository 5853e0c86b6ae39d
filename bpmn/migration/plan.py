"""A plan: from which version of a diagram to which, and what is the same in both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bpmn.definition import ACTIVITIES, AWAITED, BODY, SCOPES, Definition, Element, ElementType
from bpmn.errors import InstanceError
from bpmn.migration.places import Stage
from bpmn.soundness import Net, is_join


@dataclass(frozen=True, kw_only=True)
class Plan:
    """From one version of a diagram to another: what has the same id is the same, what was renamed is named."""

    source: Definition
    target: Definition
    #: Elements and flows that have another id in the target.
    renamed: Mapping[str, str] = field(default_factory=dict)
    #: Flows into joins that have another id in the target although nobody said so: they are told by what they join.
    redrawn: Mapping[str, str] = field(default_factory=dict, init=False, compare=False)
    #: What the compiler has put behind an element that has another id in the target: an implicit fork or end, and the flow to it.
    inserted: Mapping[str, str] = field(default_factory=dict, init=False, compare=False)
    _nets: dict[tuple[bool, str | None], Net] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse names that lead nowhere; raises InstanceError."""
        for old, new in self.renamed.items():
            for sort in ("elements", "flows"):
                if (old in getattr(self.source, sort)) != (new in getattr(self.target, sort)):
                    raise InstanceError(f"Expected {old} and {new} both to be {sort} of their versions, but one of them is none")
            if old not in self.source.elements and old not in self.source.flows:
                raise InstanceError(f"Expected to find {old} in the old version, but it is not there")
        object.__setattr__(self, "inserted", dict(self._inserted()))
        object.__setattr__(self, "redrawn", dict(self._redrawn()))
        ends = Counter(self.goes_to(key) for key in (*self.source.elements, *self.source.flows))
        for key in self.renamed.values():
            if ends[key] > 1:
                raise InstanceError(f"Expected one element to become {key}, but there are {ends[key]}")

    def goes_to(self, key: str) -> str:
        """Id that an element or a flow has in the target, whether it is there or not."""
        if key.endswith(BODY):
            return self.goes_to(key.removesuffix(BODY)) + BODY
        return self.renamed.get(key) or self.redrawn.get(key) or self.inserted.get(key, key)

    def net(self, scope: str | None, *, target: bool) -> Net:
        """What can happen in a scope, looked at once."""
        if (target, scope) not in self._nets:
            self._nets[target, scope] = Net(self.target if target else self.source, scope)
        return self._nets[target, scope]

    def is_entered(self, scope: str | None) -> bool:
        """Whether a case of the target surely may come into a scope by itself; of one that nobody enters nothing is to be expected."""
        if scope is None:
            return True
        around = self.target.elements[scope].parent
        return bool(self.net(around, target=True).ever(scope)) and self.is_entered(around)

    def _inserted(self) -> Iterator[tuple[str, str]]:
        """Yield what nobody has drawn and nobody can name, with what stands in its place behind the same element.

        Where a fork was left to the compiler, that may be a gateway that is drawn now, as well.
        """
        old, new, known = self.source, self.target, {*self.source.elements, *self.renamed.values()}
        behind = {each.source: each for each in new.flows.values() if not new.elements[each.target].drawn}
        behind |= {each.source: each for each in new.flows.values() if each.target not in known and _forks(new.elements[each.target])}
        for flow in old.flows.values():
            found = behind.get(self.renamed.get(flow.source, flow.source))
            if found and not old.elements[flow.target].drawn and flow.target not in self.renamed:
                yield from ((flow.id, found.id), (flow.target, found.target))

    def _redrawn(self) -> Iterator[tuple[str, str]]:
        """Yield the flows into joins that are gone, with the one that leads the same way now.

        Modeler gives a flow that is drawn again another id, and when a task is dropped on a flow it leaves the old id to the first half:
        then the one that leads from the same element to the same join, over nothing but what is new, is the same to whoever waits there.
        """
        old, new = self.source, self.target
        known = {self.goes_to(key) for key in (*old.elements, *old.flows)}
        ways = Counter((flow.source, flow.target) for flow in old.flows.values())
        for key, flow in old.flows.items():
            join = new.elements.get(self.goes_to(flow.target))
            alone = ways[flow.source, flow.target] == 1 and key not in self.renamed
            if join is None or not alone or not is_join(old.elements[flow.target]) or key in join.incoming:
                continue
            found = [each for each in join.incoming if each not in known and self._origin(each, known) == self.goes_to(flow.source)]
            if len(found) == 1:
                yield key, found[0]

    def _origin(self, flow: str, known: Collection[str]) -> str:
        """Element of the old version from which a flow of the target comes, over nothing but new elements with one way in and out."""
        at = self.target.elements[self.target.flows[flow].source]
        while at.id not in known and len(at.incoming) == len(at.outgoing) == 1:
            at = self.target.elements[self.target.flows[at.incoming[0]].source]
        return at.id

    def misfit(self, key: str, *, at: Stage = Stage.INSIDE) -> str:
        """Say why an element is another one in the target for who is at this stage of it, and what helps; empty when it is the same."""
        old, new = self.source.elements[key], self.target.elements.get(self.goes_to(key))
        called = label(self.source, key)
        if new is None and old.type is ElementType.MULTI_INSTANCE_BODY:
            return f"Expected {called} to run several times in the new version, too, but it does not: {_PASS}"
        if new is None and old.type in _GATEWAYS and not old.drawn:
            return f"Expected {called} in the new version, but it is not there: draw a gateway as the first thing behind it, or {_PASS}"
        if new is None:
            return f"Expected {called} in the new version, but it is not there: say with --map {key}=… what it is called now, or {_PASS}"
        for what, was, now in zip(_NATURE, _nature(old, at), _nature(new, at), strict=True):
            if was != now:
                return f"Expected {called} to keep its {what} {_said(was)}, but it is {_said(now)}: draw that as a new element, or {_PASS}"
        around = tuple(map(self.goes_to, _path(self.source, old)))
        if around != _path(self.target, new):
            return f"Expected {called} to stay in {_place(around)}, but it is in {_place(_path(self.target, new))}: {_PASS}"
        return ""


#: What helps where nothing else does.
_PASS = "let the case pass it before it is moved"  # noqa: S105 - no password
#: What an element must keep while a token is in it, besides its id and its scope.
_NATURE = ("type", "use for compensation", "event", "way of working", "process", "loop", "start quantity", "onething.kind")
#: To whoever has not come in yet, or only has to take a flow, these are alike: that is done as the new version says.
_GATEWAYS = (ElementType.EXCLUSIVE_GATEWAY, ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY)
_ALIKE = dict.fromkeys(ACTIVITIES, "activity") | dict.fromkeys(_GATEWAYS, "gateway")


def _nature(element: Element, at: Stage) -> tuple[object, ...]:
    if at is not Stage.INSIDE:
        alike = element.type if at is Stage.LEAVING else _ALIKE.get(element.type, element.type)
        return (alike, element.for_compensation or None, *((None,) * (len(_NATURE) - 2)))
    ways = {"topic": element.topic, "expression": element.expression, "decision": element.decision_ref}
    return (
        element.type,
        element.for_compensation or None,
        element.event_type,
        next((way for way, value in ways.items() if value is not None), None),
        element.called.source if element.called else None,
        element.loop.type if element.loop else None,
        element.start_quantity,
        element.properties.get("onething.kind"),
    )


def label(definition: Definition, key: str) -> str:
    """Name an element; one that nobody has drawn by what it is behind."""
    element = definition.elements[key]
    if element.drawn or element.type is ElementType.MULTI_INSTANCE_BODY:
        return element.label
    before = definition.elements[definition.flows[element.incoming[0]].source]
    return f"the {'end' if element.type is ElementType.END_EVENT else 'fork'} behind {before.label}"


def _forks(element: Element) -> bool:
    """Whether it is a gateway that nobody waits at, where a token takes flows."""
    return element.type in _GATEWAYS and len(element.incoming) == 1


def _said(nature: object) -> str:
    return "none" if nature is None else str(nature)


def _path(definition: Definition, element: Element) -> tuple[str, ...]:
    """Ids of the scopes around an element, from within."""
    return () if element.parent is None else (element.parent, *_path(definition, definition.elements[element.parent]))


def _place(path: tuple[str, ...]) -> str:
    return " in ".join(path) or "the process"


def watchers(definition: Definition, element: str | None) -> Mapping[str, str | None]:
    """What watches while a token is in an element (None: in the process), with the flow that leads there."""
    found = definition.elements.get(element) if element is not None else None
    events = list(definition.boundaries(found.id)) if found else []
    if found is None or found.type in SCOPES:
        events += definition.event_starts(element)
    watching = {event.id: None for event in events if event.event_type in AWAITED}
    if found and found.type is ElementType.EVENT_BASED_GATEWAY:
        return watching | {definition.flows[flow].target: flow for flow in found.outgoing}
    return watching
