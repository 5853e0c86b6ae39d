"""Random processes of blocks, as diagrams and as a model: who must be at work, in any order of completion.

The model knows nothing of tokens: a block is told to begin, and says when it is over.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.bpmn import diagrams


@dataclass
class Block:
    """A piece of process with one way in and one way out."""

    parts: list[Block] = field(default_factory=list)
    active: bool = False

    def name(self, numbers):
        """Name this block and what is in it."""
        self.id = f"{type(self).__name__.lower()}{next(numbers)}"
        for part in self.parts:
            part.name(numbers)

    def working(self):
        """Names of the tasks that somebody must do."""
        return [task for part in self.parts for task in part.working()]

    def conditions(self):
        """Names of the variables that steer it."""
        return [name for part in self.parts for name in part.conditions()]

    def begin(self, known):
        """Begin; return whether it is over at once."""
        raise NotImplementedError

    def complete(self, task, known):
        """A task in it is done; return whether the block is over."""
        raise NotImplementedError


class Work(Block):
    """A user task, with a reminder beside it."""

    def begin(self, known):
        self.active = True
        return False

    def working(self):
        return [self.id] if self.active else []

    def complete(self, task, known):
        self.active = False
        return True

    def draw(self):
        late = f"{self.id}_late"
        content = [
            diagrams.user(self.id),
            diagrams.timer_boundary(late, on=self.id, cycle="R/PT1H", interrupting=False),
            diagrams.end(f"{late}_end"),
        ]
        return self.id, self.id, content, [f"{late} -> {late}_end"]


class Sequence(Block):
    """One after the other."""

    def begin(self, known):
        self.at = 0
        return self._go_on(known)

    def _go_on(self, known):
        while self.at < len(self.parts):
            if not self.parts[self.at].begin(known):
                return False
            self.at += 1
        return True

    def working(self):
        return self.parts[self.at].working() if self.at < len(self.parts) else []

    def complete(self, task, known):
        if self.parts[self.at].complete(task, known):
            self.at += 1
            return self._go_on(known)
        return False

    def draw(self):
        drawn = [part.draw() for part in self.parts]
        arrows = [f"{before[1]} -> {after[0]}" for before, after in itertools.pairwise(drawn)]
        content = [element for part in drawn for element in part[2]]
        return drawn[0][0], drawn[-1][1], content, arrows + [arrow for part in drawn for arrow in part[3]]


class Split(Block):
    """Several beside each other: all of them, some, or one."""

    gateway = staticmethod(diagrams.parallel)

    def chosen(self, known):
        return list(self.parts)

    def begin(self, known):
        self.open = [part for part in self.chosen(known) if not part.begin(known)]
        self.active = bool(self.open)
        return not self.open

    def working(self):
        return [task for part in self.open for task in part.working()] if self.active else []

    def complete(self, task, known):
        part = next(part for part in self.open if task in part.working())
        if part.complete(task, known):
            self.open.remove(part)
        self.active = bool(self.open)
        return not self.open

    def guard(self, number):
        return None

    def draw(self):
        fork, join = f"{self.id}_fork", f"{self.id}_join"
        drawn = [part.draw() for part in self.parts]
        default = {} if self.guard(0) is None else {"default": drawn[-1][0]}
        content, arrows = [self.gateway(fork, **default), self.gateway(join)], []
        for number, (entry, leave, inner, inner_arrows) in enumerate(drawn):
            content += inner
            guard = "" if self.guard(number) is None or number == len(drawn) - 1 else f" [${{{self.guard(number)}}}]"
            arrows += [f"{fork} -> {entry}{guard}", f"{leave} -> {join}", *inner_arrows]
        return fork, join, content, arrows


class Parallel(Split):
    """All of them."""


class Inclusive(Split):
    """Those whose condition is true; the last one if there are none."""

    gateway = staticmethod(diagrams.inclusive)

    def guard(self, number):
        return f"{self.id}_{number}"

    def conditions(self):
        return [self.guard(number) for number in range(len(self.parts) - 1)] + super().conditions()

    def chosen(self, known):
        true = [part for number, part in enumerate(self.parts[:-1]) if known[self.guard(number)]]
        return true or self.parts[-1:]


class Exclusive(Inclusive):
    """The first one whose condition is true."""

    gateway = staticmethod(diagrams.exclusive)

    def chosen(self, known):
        return super().chosen(known)[:1]


class Loop(Block):
    """Again and again, while its condition is true."""

    def conditions(self):
        return [self.id, *super().conditions()]

    def begin(self, known):
        while self.parts[0].begin(known):
            if not known[self.id]:
                return True
        return False

    def complete(self, task, known):
        if not self.parts[0].complete(task, known):
            return False
        return not known[self.id] or self.begin(known)

    def draw(self):
        entry, leave, content, arrows = self.parts[0].draw()
        merge, split, out = f"{self.id}_merge", f"{self.id}_split", f"{self.id}_out"
        content += [diagrams.exclusive(merge), diagrams.exclusive(split, default=out), diagrams.milestone(out)]
        return merge, out, content, [*arrows, f"{merge} -> {entry}", f"{leave} -> {split} -> {out}", f"{split} -> {merge} [${{{self.id}}}]"]


class Inside(Block):
    """An embedded subprocess, which a message may withdraw."""

    def begin(self, known):
        self.active = not self.parts[0].begin(known)
        return not self.active

    def working(self):
        return super().working() if self.active else []

    def complete(self, task, known):
        self.active = not self.parts[0].complete(task, known)
        return not self.active

    def draw(self):
        entry, leave, content, arrows = self.parts[0].draw()
        first, last, out = f"{self.id}_start", f"{self.id}_end", f"{self.id}_out"
        inner = [*content, diagrams.start(first), diagrams.end(last), diagrams.flows(*arrows, f"{first} -> {entry}", f"{leave} -> {last}")]
        withdrawn = diagrams.message_boundary(f"{self.id}_withdrawn", on=self.id, message=f"withdraw_{self.id}")
        drawn = [diagrams.subprocess(self.id, *inner), withdrawn, diagrams.exclusive(out)]
        return self.id, out, drawn, [f"{self.id} -> {out}", f"{self.id}_withdrawn -> {out}"]


def _around(inner):
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.builds(Sequence, several),
        st.builds(Parallel, several),
        st.builds(Inclusive, several),
        st.builds(Exclusive, several),
        st.builds(Loop, st.lists(inner, min_size=1, max_size=1)),
        st.builds(Inside, st.lists(inner, min_size=1, max_size=1)),
    )


BLOCKS = st.recursive(st.builds(Work), _around, max_leaves=9)


def diagram(block):
    """Draw a whole process around a block; returns its elements."""
    block.name(itertools.count())
    entry, leave, content, arrows = block.draw()
    return [diagrams.start("s"), diagrams.end("e"), *content, diagrams.flows(f"s -> {entry}", f"{leave} -> e", *arrows)]
