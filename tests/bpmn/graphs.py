"""Random graphs of elements, without any structure: what nobody should draw, and somebody will."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from bpmn.definition import Definition, Element, ElementType, EventDefinition, EventType, Flow
from bpmn.expressions import parse

KINDS = (
    ElementType.USER_TASK,
    ElementType.USER_TASK,
    ElementType.TASK,
    ElementType.EXCLUSIVE_GATEWAY,
    ElementType.PARALLEL_GATEWAY,
    ElementType.PARALLEL_GATEWAY,
    ElementType.INCLUSIVE_GATEWAY,
    ElementType.INCLUSIVE_GATEWAY,
    ElementType.END_EVENT,
)
FORKING = frozenset({ElementType.EXCLUSIVE_GATEWAY, ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY})
#: Now and then an activity takes or gives several tokens, or waits for a job.
PARTICULARS = st.sampled_from(
    ({}, {}, {}, {}, {"start_quantity": 2}, {"completion_quantity": 2}, {"async_before": True}, {"async_before": True, "async_after": True})
)


@st.composite
def definitions(draw):
    """Draw a process: a start, up to nine elements, and flows from anywhere to anywhere."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=3, max_size=9))
    names = [f"n{number}" for number in range(len(kinds))]
    arrows = [("s", "n0")]
    for name, kind in zip(names, kinds, strict=True):
        if kind is not ElementType.END_EVENT:
            most = 3 if kind in FORKING else 1
            targets = draw(st.lists(st.sampled_from(names), min_size=1, max_size=most, unique=True))
            arrows += [(name, target) for target in targets]
    recall = draw(
        st.none() | st.sampled_from([name for name, kind in zip(names, kinds, strict=True) if kind is ElementType.USER_TASK] or [None])
    )
    if recall:
        arrows.append(("recall", draw(st.sampled_from(names))))
    particulars = {name: draw(PARTICULARS) for name, kind in zip(names, kinds, strict=True) if kind not in FORKING}
    return _definition(dict(zip(names, kinds, strict=True)), arrows, recall, particulars, interrupting=draw(st.booleans()))


@st.composite
def nested(draw):
    """Draw a process; now and then one of its tasks is a subprocess with a graph of its own."""
    outer = draw(definitions())
    tasks = [key for key, element in outer.elements.items() if element.type is ElementType.USER_TASK]
    if not tasks or not draw(st.booleans()):
        return outer
    box, inner = draw(st.sampled_from(tasks)), _renamed(draw(definitions()))
    elements = {key: replace(element, parent=box) for key, element in inner.elements.items()}
    around = replace(outer.elements[box], type=ElementType.SUBPROCESS)
    return replace(outer, elements={**outer.elements, box: around, **elements}, flows={**outer.flows, **inner.flows})


def _renamed(drawn):
    """The same with other ids."""

    def named(key):
        return "-".join(f"i{part}" for part in key.split("-"))

    def all_named(keys):
        return tuple(map(named, keys))

    elements = {
        named(key): replace(
            each,
            id=named(key),
            incoming=all_named(each.incoming),
            outgoing=all_named(each.outgoing),
            default=each.default and named(each.default),
            attached_to=each.attached_to and named(each.attached_to),
        )
        for key, each in drawn.elements.items()
    }
    flows = {
        named(key): replace(
            each, id=named(key), source=named(each.source), target=named(each.target), condition=each.condition and condition(named(key))
        )
        for key, each in drawn.flows.items()
    }
    return replace(drawn, elements=elements, flows=flows)


def _definition(kinds, arrows, recall, particulars, *, interrupting):
    flows = {f"{source}-{target}": (source, target) for source, target in arrows}
    defaults = {source: key for key, (source, _) in flows.items()}  # the last flow out of each
    elements = [_element("s", ElementType.START_EVENT, flows, {})]
    elements += [
        _element(name, kind, flows, defaults if kind in FORKING else {}, **particulars.get(name, {})) for name, kind in kinds.items()
    ]
    if recall:
        event = EventDefinition(type=EventType.MESSAGE, name="recall")
        more = {"attached_to": recall, "interrupting": interrupting, "event": event}
        elements.append(_element("recall", ElementType.BOUNDARY_EVENT, flows, {}, **more))
    return Definition(
        key="p",
        name="",
        elements={element.id: element for element in elements},
        flows={
            key: Flow(id=key, name="", source=s, target=t, condition=_condition(key, s, kinds, defaults)) for key, (s, t) in flows.items()
        },
    )


def _condition(key, source, kinds, defaults):
    conditional = kinds.get(source) in (ElementType.EXCLUSIVE_GATEWAY, ElementType.INCLUSIVE_GATEWAY) and defaults[source] != key
    return condition(key) if conditional else None


def condition(flow):
    """The condition of a flow: a variable of its own."""
    return parse("${" + flow.replace("-", "_") + "}")


def _element(name, kind, flows, defaults, **more):
    incoming = tuple(key for key, (_, target) in flows.items() if target == name)
    outgoing = tuple(key for key, (source, _) in flows.items() if source == name)
    return Element(id=name, name="", type=kind, incoming=incoming, outgoing=outgoing, default=defaults.get(name), **more)


def conditions(definition):
    """Names of the variables that steer a process."""
    return [flow.id.replace("-", "_") for flow in definition.flows.values() if flow.condition is not None]
