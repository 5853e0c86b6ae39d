"""Whatever is said to be movable comes to its end: nobody waits for ever who would not in a case of the new version."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from unittest import mock

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from bpmn import migration
from bpmn import snapshot as snapshots
from bpmn.definition import ElementType
from bpmn.instance import Instance
from bpmn.migration import Plan
from bpmn.soundness import is_join
from bpmn.spiff import process
from bpmn.waits import Context, WaitKind
from tests.bpmn import graphs
from tests.bpmn.instances import NOW, proceed

#: Cases that are looked at to say whether one of the new version may come to stand so, too.
MOST = 200
FORKING = (ElementType.EXCLUSIVE_GATEWAY, ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY)


@st.composite
def versions(draw):
    """Draw a process, and the same with a flow less, one more, or one that leads elsewhere, once or twice."""
    before = draw(graphs.definitions())
    after = before
    for _ in range(draw(st.integers(1, 2))):
        after = draw(st.sampled_from((_less, _more, _elsewhere, _otherwise)))(draw, after)
    return before, after


def _less(draw, drawn):
    forks = [flow for flow in drawn.flows.values() if len(drawn.elements[flow.source].outgoing) > 1]
    assume(forks)
    gone = draw(st.sampled_from(forks))
    return _drawn(drawn, [flow for flow in drawn.flows.values() if flow != gone])


def _more(draw, drawn):
    sources = [e.id for e in drawn.elements.values() if e.type in FORKING and len(e.outgoing) < 3]
    assume(sources)
    source, target = draw(st.sampled_from(sources)), draw(st.sampled_from(_targets(drawn)))
    key = f"{source}-{target}"
    assume(key not in drawn.flows)
    flow = replace(next(iter(drawn.flows.values())), id=key, source=source, target=target, condition=None)
    return _drawn(drawn, [*drawn.flows.values(), flow])


def _elsewhere(draw, drawn):
    flow, target = draw(st.sampled_from(list(drawn.flows.values()))), draw(st.sampled_from(_targets(drawn)))
    key = f"{flow.source}-{target}"
    assume(key not in drawn.flows)
    return _drawn(drawn, [replace(each, id=key, target=target) if each is flow else each for each in drawn.flows.values()])


def _otherwise(draw, drawn):
    """A gateway of another kind."""
    gateways = [e for e in drawn.elements.values() if e.type in FORKING]
    assume(gateways)
    changed = draw(st.sampled_from(gateways))
    elements = {**drawn.elements, changed.id: replace(changed, type=draw(st.sampled_from(FORKING)))}
    return _drawn(replace(drawn, elements=elements), list(drawn.flows.values()))


def _targets(drawn):
    return [e.id for e in drawn.elements.values() if e.type not in (ElementType.START_EVENT, ElementType.BOUNDARY_EVENT)]


def _drawn(drawn, flows):
    """The same elements with these flows; the last flow out of a gateway that chooses is the default, the others have a condition."""
    elements, named = {}, {}
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


def _draw(data, names, *, known=True):
    """What is known: each of the names is true or false, or (some of them) not there, and whoever asks for it fails."""
    choices = st.booleans() if known else st.sampled_from((True, False, None))
    drawn = {name: data.draw(choices, label=name) for name in names}
    return {name: value for name, value in drawn.items() if value is not None}


def forget(instance, known):
    """Know this from now on, and nothing else."""
    instance.remove_variables(set(instance.variables) - set(known), quietly=True)
    return known


def stuck(instance):
    """Who waits in vain, and for which flows."""
    elements, found = instance.definition.elements, set()
    rows = [row for row in snapshots.decode(instance.snapshot()).rows if row.state == snapshots.WAITING]
    standing = instance.standing()
    for row in rows:
        if row.id in standing:
            element = elements[row.element]
            here = {each.flow for each in rows if each.element == row.element}
            found.add((row.element, frozenset(element.incoming) - here if is_join(element) else frozenset()))
    return found


def ways_on(instance, names):
    """What may come next: every wait, and whatever the conditions then say."""
    for wait in instance.waits():
        failed = wait.kind is WaitKind.INCIDENT
        if failed and not any(row.id == wait.id and "error" in row.facts for row in snapshots.decode(instance.snapshot()).rows):
            continue  # nobody can help who waits in vain
        for values in itertools.product((True, False), repeat=len(names)):
            following = Instance.load(instance.definition, instance.snapshot(), instance.variables, Context(now=NOW))
            known = dict(zip(names, values, strict=True))
            following.set_variables(known, quietly=True)
            proceed(following, wait, known)
            yield following


def may_be_stuck(drawn, names):
    """Say who may wait in vain in a case of a drawing; None: there are too many."""
    choices = itertools.product((True, False), repeat=len(names))
    begun = [Instance.start(drawn, dict(zip(names, values, strict=True)), Context(now=NOW)) for values in choices]
    seen, found = set(), set()
    while begun:
        instance = begun.pop()
        if instance.ended or (key := _key(instance)) in seen:
            continue
        seen.add(key)
        if len(seen) > MOST:
            return None
        found |= stuck(instance)
        begun += ways_on(instance, names)
    return found


def _key(instance):
    rows = snapshots.decode(instance.snapshot()).rows
    return tuple(sorted((row.element, row.flow or "", row.state, bool(row.facts.get("watches")), row.facts.get("job", "")) for row in rows))


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_migrate__what_is_moved_comes_to_its_end(data):
    before, after = data.draw(versions())
    names = sorted({*graphs.conditions(before), *graphs.conditions(after)})
    assume(len(names) <= 5)
    draw = functools.partial(_draw, data, names)
    with mock.patch.object(process, "STEP_LIMIT", 100):
        instance = Instance.start(before, draw(known=False), Context(now=NOW))
        for _ in range(data.draw(st.integers(0, 5))):
            if instance.ended:
                return
            known = forget(instance, draw(known=False))
            proceed(instance, data.draw(st.sampled_from(instance.waits())), known)
        if instance.ended:
            return
        moved = migration.migrate(Plan(source=before, target=after), instance.snapshot(), instance.variables, Context(now=NOW))
        event("moved" if moved.instance else "refused")
        if moved.instance is None:
            return
        was_stuck = stuck(instance)
        instance = moved.instance
        for _ in range(12):
            if instance.ended or not (waits := instance.waits()):
                break
            if (in_vain := stuck(instance)) and not ({key for key, _ in in_vain} <= {key for key, _ in was_stuck}):
                fresh = may_be_stuck(after, names)
                assert fresh is None or in_vain <= fresh, (in_vain, fresh)
            proceed(instance, data.draw(st.sampled_from(waits)), draw())
