"""Whatever is said to be movable comes to its end: nobody waits for ever who would not in a case of the new version, or in this one as it is.

That is what docs/decisions/0009 promises, and no more: a drawing that is wrong for every case is no reason to keep one where it is, nor is it
a reason if this one would wait in vain in its own version as well.
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict, deque
from unittest import mock

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from bpmn import migration
from bpmn import snapshot as snapshots
from bpmn.definition import BODY, SCOPES, ElementType
from bpmn.instance import Instance
from bpmn.migration import Plan, places
from bpmn.soundness import Net, is_join
from bpmn.spiff import process
from bpmn.waits import Context, WaitKind
from tests.bpmn import exhaustive, graphs, redrawn
from tests.bpmn.instances import NOW, proceed

#: Cases that are looked at to say whether one of the new version may come to stand so, too.
MOST = 300


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
    """Who waits in vain, and for which flows (at what needs several tokens: for none).  Where all have come, a retry opens it."""
    elements, found = instance.definition.elements, set()
    rows = [row for row in snapshots.decode(instance.snapshot()).rows if row.state == snapshots.WAITING]
    standing = instance.glance(None).kinds
    for row in rows:
        if row.id in standing:
            element = elements[row.element]
            here = {each.flow for each in rows if (each.element, each.scope) == (row.element, row.scope)}
            lacks = frozenset(element.incoming) - here if is_join(element) else frozenset()
            if lacks or element.start_quantity > 1:
                found.add((row.element, lacks))
    return found


def ways_on(instance):
    """What may come next: every wait, and whatever the conditions then say, or fail to say, so that one branch is late for another."""
    failed = _failed(instance)
    alike = {(wait.kind, wait.element, wait.holder == wait.id or wait.holder): wait for wait in instance.waits()}
    for wait in alike.values():
        if wait.kind is not WaitKind.INCIDENT or wait.id in failed:  # nobody can help who waits in vain
            yield from _ways(functools.partial(_go_on, instance, wait), failed.keys() - {wait.id})


def _go_on(instance, wait, known):
    following = Instance.load(instance.definition, instance.snapshot(), {}, Context(now=NOW))
    following.set_variables(known, quietly=True)
    proceed(following, wait, known)
    return following


def _begin(drawn, known):
    return Instance.start(drawn, known, Context(now=NOW))


def _ways(play, failed=frozenset()):
    """Play with nothing known, and again with what was asked for and not known: true or false.  Some have `failed` before."""
    left = [{}]
    while left:
        known = left.pop()
        yield (instance := play(known))
        asked = [
            name for number, element in _failed(instance).items() if number not in failed for name in _names(instance.definition, element)
        ]
        if name := next((name for name in asked if name not in known), None):
            left += [{**known, name: value} for value in (True, False)]


def _failed(instance):
    """Elements by the numbers of those who have failed there."""
    return {row.id: row.element for row in snapshots.decode(instance.snapshot()).rows if "error" in row.facts}


def _names(drawn, element):
    """What the conditions behind an element ask for, in their order."""
    return [flow.replace("-", "_") for flow in drawn.elements[element].outgoing if drawn.flows[flow].condition is not None]


def may_be_stuck(in_vain, staying, after):
    """Whether these may wait in vain in a case of the new version, too, or in this one if it stays; None: there is too much to look at."""
    left, untold = set(), set()
    for opens, flows in in_vain:
        told = {_in_a_new_one(after, opens, flows), _if_it_stays(staying, opens, flows)}
        if True not in told:
            (untold if None in told else left).add((opens, flows))
    if left:
        return False
    whole = True
    for begun in ([staying], list(_ways(functools.partial(_begin, after)))) if untold else ():
        found, told = _found_stuck(begun, untold)
        untold, whole = untold - found, whole and told
    return not untold or (False if whole else None)


def _in_a_new_one(drawn, opens, flows):
    """Whether one waits in vain for these flows in a case that begins, in whatever order; None: that is not told on paper."""
    scope = drawn.elements[opens].parent
    return (entered := _is_entered(drawn, scope)) and _on_paper(drawn, opens, flows, _beginnings(drawn, scope)) and entered


def _is_entered(drawn, scope):
    """Whether a case ever comes into a scope."""
    if scope is None:
        return True
    box = drawn.elements[scope]
    everything = exhaustive.Exhaustive(drawn, Net(drawn, box.parent).steps, _beginnings(drawn, box.parent))
    begins = box.type is ElementType.EVENT_SUBPROCESS or (box.parent or "").endswith(BODY)
    if not begins and not any(scope == place for marking in everything.next for place, _ in marking):
        return False if everything.complete else None
    return _is_entered(drawn, box.parent)


def _beginnings(drawn, scope):
    return [(start.id,) for start in drawn.starts(scope)]


def _if_it_stays(instance, opens, flows):
    """Whether one waits in vain for these flows in a case as it stands, in its own version."""
    drawn = instance.definition
    return opens in drawn.elements and _on_paper(drawn, opens, flows, _standing(instance, drawn.elements[opens].parent))


def _on_paper(drawn, opens, flows, begun):
    scope = drawn.elements[opens].parent
    net = Net(drawn, scope)
    if opens not in net.opening:
        return False
    everything = exhaustive.Exhaustive(drawn, net.steps, begun)
    if not everything.complete or net.is_intricate(net.before(opens)):
        return None
    # Who waits beside a subprocess in which somebody waits in vain does so, too: that is not on this paper.
    holds = any(each.parent == scope and each.type in SCOPES for each in drawn.elements.values())
    return flows in everything.in_vain(opens, net.opening[opens]) or (None if holds else False)


def _standing(instance, scope):
    """Where tokens stand in each activation of a scope."""
    net = Net(instance.definition, scope)
    rows = [row for row in snapshots.decode(instance.snapshot()).rows if not row.facts.get("watches")]
    around = {row.id for row in rows if row.element == scope} if scope else {None}
    return [
        tuple(places.place(row, instance.definition, net, row.element, row.flow) for row in rows if row.scope == number)
        for number in around
    ]


def _found_stuck(begun, wanted):
    """Who waits in vain in a case that begins so, whatever happens, until all who are wanted were found; and whether nothing was left out."""
    found, seen, left = set(), set(), deque(begun)
    for instance in itertools.islice(_taken(left), MOST):
        if wanted <= found:
            break
        if not instance.ended and (key := _key(instance)) not in seen:
            seen.add(key)
            found |= stuck(instance)
            left += ways_on(instance)
    return found, not left


def _taken(left):
    while left:
        yield left.popleft()


def _key(instance):
    """Where the tokens stand, scope by scope."""
    scopes = defaultdict(list)
    for row in snapshots.decode(instance.snapshot()).rows:
        scopes[row.scope].append((row.element, row.flow or "", row.state, bool(row.facts.get("watches")), row.facts.get("job", "")))
    return tuple(sorted(tuple(sorted(rows)) for rows in scopes.values()))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_migrate__what_is_moved_comes_to_its_end(data):
    before, after = data.draw(redrawn.versions())
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
        staying, instance = instance, moved.instance
        for _ in range(12):
            if instance.ended or not (waits := instance.waits()):
                break
            if in_vain := stuck(instance):
                assert may_be_stuck(in_vain, staying, after) is not False, in_vain
            proceed(instance, data.draw(st.sampled_from(waits)), draw())
