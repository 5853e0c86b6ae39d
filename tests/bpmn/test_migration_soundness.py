"""Whatever is said to be movable comes to its end: nobody waits for ever who would not in a case of the new version."""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from dataclasses import replace
from unittest import mock

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from bpmn import migration
from bpmn import snapshot as snapshots
from bpmn.definition import ElementType
from bpmn.instance import Instance
from bpmn.migration import Plan
from bpmn.soundness import Net, is_join
from bpmn.spiff import process
from bpmn.waits import Context, WaitKind
from tests.bpmn import exhaustive, graphs
from tests.bpmn.instances import NOW, proceed

#: Cases that are looked at to say whether one of the new version may come to stand so, too.
MOST = 60
FORKING = (ElementType.EXCLUSIVE_GATEWAY, ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY)


@st.composite
def versions(draw):
    """Draw a process, and the same with a flow less, one more, or one that leads elsewhere, once or twice."""
    before = draw(graphs.nested())
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
    source = draw(st.sampled_from(sources))
    target = draw(st.sampled_from(_targets(drawn, source)))
    key = f"{source}-{target}"
    assume(key not in drawn.flows)
    flow = replace(next(iter(drawn.flows.values())), id=key, source=source, target=target, condition=None)
    return _drawn(drawn, [*drawn.flows.values(), flow])


def _elsewhere(draw, drawn):
    flow = draw(st.sampled_from(list(drawn.flows.values())))
    target = draw(st.sampled_from(_targets(drawn, flow.source)))
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


def _targets(drawn, source):
    """Where a flow may lead: within the same scope."""
    scope, begins = drawn.elements[source].parent, (ElementType.START_EVENT, ElementType.BOUNDARY_EVENT)
    return [e.id for e in drawn.elements.values() if e.type not in begins and e.parent == scope]


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
    standing = instance.glance(None).kinds
    for row in rows:
        if row.id in standing:
            element = elements[row.element]
            here = {each.flow for each in rows if (each.element, each.scope) == (row.element, row.scope)}
            found.add((row.element, frozenset(element.incoming) - here if is_join(element) else frozenset()))
    return found


def ways_on(instance, names):
    """What may come next: every wait, and whatever the conditions then say."""
    for wait in instance.waits():
        failed = wait.kind is WaitKind.INCIDENT
        if failed and not any(row.id == wait.id and "error" in row.facts for row in snapshots.decode(instance.snapshot()).rows):
            continue  # nobody can help who waits in vain
        for known in _everything(names):
            following = Instance.load(instance.definition, instance.snapshot(), instance.variables, Context(now=NOW))
            following.set_variables(known, quietly=True)
            proceed(following, wait, known)
            yield following


def may_be_stuck(drawn, in_vain, names):
    """Whether these may wait in vain in a case of a drawing, too: on paper, in every order; or, where there are too many, in some cases."""
    left = {fault for fault in in_vain if not _may_be_stuck_on_paper(drawn, *fault)}
    if not left:
        return True
    begun, seen = [Instance.start(drawn, known, Context(now=NOW)) for known in _everything(names)], set()
    while begun and left:
        instance = begun.pop()
        if instance.ended or (key := _key(instance)) in seen:
            continue
        seen.add(key)
        if len(seen) > MOST:
            return None
        left -= stuck(instance)
        begun += ways_on(instance, names)
    return not left


def _may_be_stuck_on_paper(drawn, opens, flows):
    """Whether one is; False: nobody knows."""
    net = Net(drawn, drawn.elements[opens].parent)
    starts = [(e.id,) for e in drawn.elements.values() if e.type is ElementType.START_EVENT and e.parent == drawn.elements[opens].parent]
    everything = exhaustive.Exhaustive(drawn, net.steps, starts)
    return everything.complete and not net.is_intricate(net.before(opens)) and flows in everything.in_vain(opens, net.opening[opens])


def _everything(names):
    """Whatever may be known: each of the names is true or false."""
    return [dict(zip(names, values, strict=True)) for values in itertools.product((True, False), repeat=len(names))]


def _key(instance):
    """Where the tokens stand, scope by scope."""
    scopes = defaultdict(list)
    for row in snapshots.decode(instance.snapshot()).rows:
        scopes[row.scope].append((row.element, row.flow or "", row.state, bool(row.facts.get("watches")), row.facts.get("job", "")))
    return tuple(sorted(tuple(sorted(rows)) for rows in scopes.values()))


@given(st.data())
@settings(max_examples=60, deadline=None)
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
                assert may_be_stuck(after, in_vain, names) is not False, in_vain
            proceed(instance, data.draw(st.sampled_from(waits)), draw())
