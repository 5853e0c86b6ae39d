"""A scope played in every order, step by step, with nothing left out: slow, and plain enough to be believed."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

from bpmn.markings import GATHERING, JOB, place_of
from bpmn.spiff.reach import nothing_comes
from bpmn.spiff.spec import spec_of

#: Markings that are looked at; tokens in one place.
MOST, CROWD = 2_000, 4


class Exhaustive:
    """Every marking that can be reached from some others; `complete` says whether that is all."""

    def __init__(self, drawn, steps, begun):
        self.drawn, self.steps = drawn, list({step: None for each in steps.values() for step in each})
        self.next, self.complete = {}, True
        open_ends = [_marking(places) for places in begun]
        while open_ends and self.complete:
            here = open_ends.pop()
            if here not in self.next:
                self.next[here] = [(step, after) for step in self.steps for after in self.after(step, Counter(dict(here)))]
                open_ends += [after for _, after in self.next[here]]
                self.complete = len(self.next) <= MOST and all(count <= CROWD for _, count in here)

    def after(self, step, tokens):
        if not (self.opens(step, tokens) if step.inclusive else tokens >= Counter(step.before)):
            return
        left = tokens - Counter(place for place in step.before if tokens[place])
        numbers = range(step.least, len(step.after) + 1) if step.least is not None else [len(step.after)]
        for number in numbers:
            for after in itertools.combinations(step.after, number):
                yield frozenset() if step.sweeps else _marking([*left.elements(), *after])

    def opens(self, step, tokens):
        specs, waiting = spec_of(self.drawn).task_specs, defaultdict(set)
        if not any(tokens[place] for place in step.before):
            return False
        for place in tokens:
            if place in self.drawn.flows or place.endswith(GATHERING):
                waiting[place_of(self.drawn, place).id].add(place)
        coming = {place.removesuffix(JOB) for place in tokens if place.endswith(JOB)}
        moving = {place for place in tokens if place in self.drawn.elements}
        return nothing_comes(specs[step.opens], specs, moving, waiting, coming)

    def hold(self, one, other):
        return any(Counter(dict(marking)) >= Counter((one, other)) for marking in self.next)

    def some(self, number):
        """Some of the markings, as places."""
        return [tuple(Counter(dict(marking)).elements()) for marking in sorted(self.next, key=sorted)[:number]]

    def in_vain(self, opens, places):
        """For which of its places something waits for ever: whatever happens, it opens no more, and nobody else comes."""
        found = set()
        for marking in self.next:
            here = _at(marking, places)
            later = self.later(marking)
            opening = any(step.opens == opens or step.sweeps for each in later for step, _ in self.next[each])
            if here and not opening and all(_at(each, places) == here for each in later):
                found.add(frozenset(places) - {place for place, _ in here})
        return found

    def later(self, marking):
        found, open_ends = {marking}, [marking]
        while open_ends:
            fresh = {after for _, after in self.next[open_ends.pop()]} - found
            found |= fresh
            open_ends += fresh
        return found


def _marking(places):
    return frozenset(Counter(places).items())


def _at(marking, places):
    return {token for token in marking if token[0] in places}
