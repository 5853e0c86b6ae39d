"""Two versions of a drawing: one is the other with a few things drawn otherwise, as somebody may who has nothing but the last one in mind."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from bpmn.compiler.rewriting import bodies
from bpmn.compiler.rewriting.sketch import Sketch
from bpmn.definition import BODY, Element, ElementType, EventDefinition, EventType, Flow, Loop, LoopType
from bpmn.expressions import parse
from tests.bpmn import graphs

FORKING = (ElementType.EXCLUSIVE_GATEWAY, ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY)
#: Where nobody can come to by a flow.
_BEGINNING = (ElementType.START_EVENT, ElementType.BOUNDARY_EVENT, ElementType.EVENT_SUBPROCESS)
_WORK = (ElementType.USER_TASK, ElementType.SUBPROCESS, ElementType.MULTI_INSTANCE_BODY)


@st.composite
def versions(draw):
    """Draw a process, and the same with something changed, once or twice; or the other way round, so that what was added is removed."""
    before = draw(graphs.nested())
    for edit in draw(st.lists(st.sampled_from((_repeated, _bounded, _alarmed)), max_size=2, unique=True)):
        before = edit(draw, before)
    after = before
    for _ in range(draw(st.integers(1, 2))):
        after = draw(st.sampled_from(EDITS))(draw, after)
    return (after, before) if draw(st.booleans()) else (before, after)


# Flows -------------------------------------------------------------------------------------------------------------------------------


def _less(draw, drawn):
    forks = [flow for flow in drawn.flows.values() if len(drawn.elements[flow.source].outgoing) > 1]
    gone = draw(st.sampled_from(forks)) if forks else None
    return _drawn(drawn, [flow for flow in drawn.flows.values() if flow != gone])


def _more(draw, drawn):
    if not (fork := _some(draw, drawn, lambda each: each.type in FORKING and len(each.outgoing) < 3)):
        return drawn
    flow = _flow(fork.id, draw(st.sampled_from(_targets(drawn, fork.id))))
    return _drawn(drawn, [*drawn.flows.values(), flow]) if flow.id not in drawn.flows else drawn


def _elsewhere(draw, drawn):
    flow = draw(st.sampled_from(list(drawn.flows.values())))
    other = _flow(flow.source, draw(st.sampled_from(_targets(drawn, flow.source))))
    led = [other if each is flow else each for each in drawn.flows.values()]
    return _drawn(drawn, led) if other.id not in drawn.flows else drawn


# Elements ----------------------------------------------------------------------------------------------------------------------------


def _otherwise(draw, drawn):
    """A gateway of another kind."""
    if not (changed := _some(draw, drawn, lambda each: each.type in FORKING)):
        return drawn
    return _drawn(_with(drawn, replace(changed, type=draw(st.sampled_from(FORKING)))), drawn.flows.values())


def _without(draw, drawn):
    """An element less: what led to it leads on."""
    if not (gone := _some(draw, drawn, lambda each: each.type not in _BEGINNING and each.outgoing)):
        return drawn
    left = {key: each for key, each in drawn.elements.items() if not {key, each.attached_to, *_around(drawn, each)} & {gone.id}}
    target = drawn.flows[gone.outgoing[0]].target
    led = {flow.id: _flow(flow.source, target) if flow.target == gone.id else flow for flow in drawn.flows.values()}
    flows = {flow.id: flow for flow in led.values() if flow.source in left and flow.target in left}
    return _drawn(replace(drawn, elements=left), flows.values())


def _bounded(draw, drawn):
    """A boundary event more."""
    if not (activity := _some(draw, drawn, lambda each: each.type in _WORK and not drawn.boundaries(each.id))):
        return drawn
    late = Element(
        id=f"late{activity.id.removesuffix(BODY)}", name="", type=ElementType.BOUNDARY_EVENT, parent=activity.parent,
        attached_to=activity.id, interrupting=draw(st.booleans()), event=EventDefinition(type=EventType.MESSAGE, name="late"),
    )  # fmt: skip
    return _drawn(_with(drawn, late), [*drawn.flows.values(), _flow(late.id, draw(st.sampled_from(_targets(drawn, activity.id))))])


def _wrapped(draw, drawn):
    """A subprocess around a task."""
    task = _some(draw, drawn, lambda each: each.type is ElementType.USER_TASK and not drawn.boundaries(each.id))
    if not task or "box" in drawn.elements:
        return drawn
    box = replace(task, id="box", type=ElementType.SUBPROCESS)
    begin, end = _element("boxed", ElementType.START_EVENT, box.id), _element("unboxed", ElementType.END_EVENT, box.id)
    led = [_flow(*(box.id if key == task.id else key for key in (flow.source, flow.target))) for flow in drawn.flows.values()]
    elements = [box, begin, replace(task, parent=box.id, start_quantity=1, completion_quantity=1), end]
    return _drawn(_with(drawn, *elements), [*led, _flow(begin.id, task.id), _flow(task.id, end.id)])


def _repeated(draw, drawn):
    """A task or subprocess that runs twice, one after the other or side by side."""
    again = _some(draw, drawn, lambda each: each.type in _WORK[:2])
    if not again or any(each.loop for each in drawn.elements.values()):
        return drawn
    loop = Loop(type=draw(st.sampled_from((LoopType.PARALLEL, LoopType.SEQUENTIAL))), cardinality=parse("${2}"))
    sketch = Sketch(_with(drawn, replace(again, loop=loop)))
    bodies.wrap(sketch)
    return sketch.finished()


def _alarmed(draw, drawn):
    """An event subprocess more."""
    if "alarm" in drawn.elements:
        return drawn
    event = EventDefinition(type=EventType.MESSAGE, name="alarm")
    scope = draw(st.sampled_from([None, *(each.id for each in drawn.elements.values() if each.type is ElementType.SUBPROCESS)]))
    alarm = _element("alarm", ElementType.EVENT_SUBPROCESS, scope)
    begin = replace(_element("rings", ElementType.START_EVENT, alarm.id), event=event, interrupting=draw(st.booleans()))
    task, end = _element("help", ElementType.USER_TASK, alarm.id), _element("helped", ElementType.END_EVENT, alarm.id)
    flows = (_flow("rings", "help"), _flow("help", "helped"))
    return _drawn(_with(drawn, alarm, begin, task, end), [*drawn.flows.values(), *flows])


EDITS = (_less, _more, _elsewhere, _otherwise, _less, _more, _elsewhere, _otherwise, _without, _bounded, _wrapped, _repeated, _alarmed)


# How it is drawn ---------------------------------------------------------------------------------------------------------------------


def _some(draw, drawn, fits):
    """One of the elements that fit, if there is any; none of those that a body repeats, since the body is what is drawn."""
    found = [each for each in drawn.elements.values() if not (each.parent or "").endswith(BODY) and fits(each)]
    return draw(st.sampled_from(found)) if found else None


def _targets(drawn, source):
    """Where a flow may lead: within the same scope."""
    scope = drawn.elements[source].parent
    return [e.id for e in drawn.elements.values() if e.type not in _BEGINNING and e.parent == scope]


def _around(drawn, element):
    """Ids of the scopes around an element."""
    return () if element.parent is None else (element.parent, *_around(drawn, drawn.elements[element.parent]))


def _element(key, kind, scope):
    return Element(id=key, name="", type=kind, parent=scope)


def _flow(source, target):
    return Flow(id=f"{source}-{target}".replace(BODY, ""), name="", source=source, target=target, condition=None)


def _with(drawn, *elements):
    return replace(drawn, elements={**drawn.elements, **{each.id: each for each in elements}})


def _drawn(drawn, flows):
    """The same elements with these flows; the last flow out of a gateway that chooses is the default, the others have a condition."""
    elements, named, flows = {}, {}, list(flows)
    for element in drawn.elements.values():
        out = [flow for flow in flows if flow.source == element.id]
        chooses = element.type in FORKING and element.type is not ElementType.PARALLEL_GATEWAY
        for flow in out:
            conditional = chooses and flow is not out[-1]
            named[flow.id] = replace(flow, condition=graphs.condition(flow.id) if conditional else None)
        elements[element.id] = replace(
            element,
            incoming=tuple(flow.id for flow in flows if flow.target == element.id),
            outgoing=tuple(flow.id for flow in out),
            default=out[-1].id if element.type in FORKING and out else None,
        )
    return replace(drawn, elements=elements, flows=named)
