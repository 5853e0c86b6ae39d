"""Random diagrams of blocks, in the lines that cases are written in: everything that runs, nested in everything else."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from hypothesis import strategies as st

#: What waits or passes, alone; `{id}` is its id.
ALONE = (
    "user {id}",
    "user {id} async-before",
    "user {id} times=2",
    "user {id} times=2 one-by-one",
    "user {id} times=3 async-after-each until=${{nrOfCompletedInstances > 1}}",
    "user {id} while=${{{id}}} most=3",
    "task {id}",
    "task {id} async-after times=2",
    "service {id} topic=t input.local=${{1}}",
    "script {id} script=${{1}} result=r",
    "receive {id} message={id}",
    "catch {id} duration=PT1H",
    "catch {id} message={id}",
    "throw {id} signal=alarm",
    "throw {id} compensation",
    "throw {id} escalation=up",
    "call {id} of=other",
)
#: What stands around a block: a subprocess with these options, and what hangs on it or watches in it.
AROUND = (
    ("subprocess {id}", ()),
    ("subprocess {id} times=2", ()),
    ("subprocess {id} times=2 one-by-one async-before-each", ()),
    ("subprocess {id} while=${{true}} most=2", ()),
    ("subprocess {id}", ("boundary {id}.b on={id} message=stop{id}", "{id}.b -> {id}.out")),
    ("subprocess {id}", ("boundary {id}.b on={id} duration=PT1H beside async-before", "end {id}.be", "{id}.b -> {id}.be")),
    ("subprocess {id} times=2", ("boundary {id}.b on={id} signal=alarm", "{id}.b -> {id}.out")),
    ("subprocess {id}", ("boundary {id}.b on={id} escalation=up beside", "end {id}.be", "{id}.b -> {id}.be")),
    ("subprocess {id}", ("boundary {id}.b on={id} compensation", "user {id}.undo undoes", "{id}.b ~> {id}.undo")),
    ("subprocess {id}", ("boundary {id}.b on={id} error", "{id}.b -> {id}.out")),
    ("subprocess {id} times=2", ("boundary {id}.b on={id} error=E1", "user {id}.fix", "{id}.b -> {id}.fix -> {id}.out")),
    ("transaction {id}", ("boundary {id}.b on={id} compensation", "task {id}.undo undoes", "{id}.b ~> {id}.undo")),
    ("transaction {id}", ("boundary {id}.b on={id} cancel", "{id}.b -> {id}.out")),
    ("transaction {id} times=2", ("boundary {id}.b on={id} cancel", "user {id}.fix", "{id}.b -> {id}.fix -> {id}.out")),
    ("subprocess {id}", ("boundary {id}.b on={id} condition=${{{id}d}}", "{id}.b -> {id}.out")),
)
#: A subprocess that has completed is undone by what stands in it.
UNDONE_INSIDE = (
    "event-subprocess {id}.ev",
    "    start {id}.m compensation",
    "    throw {id}.n compensation",
    "    user {id}.p",
    "    {id}.m -> {id}.n -> {id}.p",
)
#: What watches inside of it.
WATCHING = (
    (),
    ("event-subprocess {id}.ev", "    start {id}.m message=note{id} beside", "    user {id}.n", "    {id}.m -> {id}.n"),
    ("event-subprocess {id}.ev", "    start {id}.m message=halt{id} async-before", "    user {id}.n", "    {id}.m -> {id}.n"),
    ("event-subprocess {id}.ev", "    start {id}.m signal=alarm beside", "    task {id}.n", "    {id}.m -> {id}.n"),
    ("event-subprocess {id}.ev", "    start {id}.m escalation=up", "    user {id}.n", "    {id}.m -> {id}.n"),
    ("event-subprocess {id}.ev", "    start {id}.m error=E1", "    throw {id}.n compensation", "    {id}.m -> {id}.n"),
    ("event-subprocess {id}.ev", "    start {id}.m condition=${{{id}c}} beside", "    task {id}.n", "    {id}.m -> {id}.n"),
    ("event-subprocess {id}.ev", "    start {id}.m condition=${{{id}c}}", "    user {id}.n", "    {id}.m -> {id}.n"),
    UNDONE_INSIDE,
)
#: How else it may end, when a condition holds.
ENDS = (None, "terminate", "error=E1", "escalation=up", "signal=alarm", "compensation")


@dataclass
class Block:
    """A piece of process with one way in and one way out."""

    kind: object
    parts: list[Block] = field(default_factory=list)
    watching: tuple[str, ...] = ()
    ends: str | None = None

    def draw(self, numbers):
        """Return the first element, the last one, and the lines."""
        self.id = f"n{next(numbers)}"
        drawn = [part.draw(numbers) for part in self.parts]
        if self.kind == "sequence":
            arrows = [f"{before[1]} -> {after[0]}" for before, after in itertools.pairwise(drawn)]
            return drawn[0][0], drawn[-1][1], [line for part in drawn for line in part[2]] + arrows
        if self.kind in {"parallel", "exclusive", "inclusive"}:
            return self._split(drawn)
        if self.kind == "events":
            return self._race(drawn)
        if self.kind == "loop":
            return self._loop(*drawn)
        if isinstance(self.kind, str):
            return self.id, self.id, [self.kind.format(id=self.id)]
        return self._around(*drawn)

    def _split(self, drawn):
        fork, join = f"{self.id}.f", f"{self.id}.j"
        default = "" if self.kind == "parallel" else f" default={drawn[-1][0]}"
        lines = [f"{self.kind} {fork}{default}", f"{self.kind} {join}"]
        for number, (entry, leave, inner) in enumerate(drawn):
            guard = f" [${{{self.id}c{number}}}]" if default and number < len(drawn) - 1 else ""
            lines += [*inner, f"{fork} -> {entry}{guard}", f"{leave} -> {join}"]
        return fork, join, lines

    def _race(self, drawn):
        lines = [f"event-gateway {self.id}", f"exclusive {self.id}.out"]
        for number, (entry, leave, inner) in enumerate(drawn):
            catch = f"{self.id}.e{number}"
            lines += [f"catch {catch} message={catch}", *inner, f"{self.id} -> {catch} -> {entry}", f"{leave} -> {self.id}.out"]
        return self.id, f"{self.id}.out", lines

    def _loop(self, inner):
        entry, leave, lines = inner
        merge, split, out = f"{self.id}.m", f"{self.id}.x", f"{self.id}.out"
        # Somebody looks at each round: nothing that runs by itself goes in circles for ever.
        more = [f"exclusive {merge}", f"user {self.id}", f"exclusive {split} default={out}", f"throw {out}"]
        arrows = [f"{merge} -> {entry}", f"{leave} -> {self.id} -> {split} -> {out}", f"{split} -> {merge} [${{{self.id}c}}]"]
        return merge, out, [*lines, *more, *arrows]

    def _around(self, inner):
        entry, leave, lines = inner
        opening, beside = self.kind
        undone = any("compensation" in line for line in beside) and self.watching == UNDONE_INSIDE
        cancels = any("cancel" in line for line in beside)
        watching = () if undone else self.watching  # in one way, not in two
        inside = [*lines, f"start {self.id}.s", f"end {self.id}.e", f"{self.id}.s -> {entry}", *watching]
        if ends := "cancel" if cancels else self.ends:
            split = [
                f"exclusive {self.id}.x default={self.id}.e",
                f"end {self.id}.c {ends}",
                f"{self.id}.x -> {self.id}.c [${{{self.id}c}}]",
            ]
            inside += [*split, f"{leave} -> {self.id}.x -> {self.id}.e"]
        else:
            inside.append(f"{leave} -> {self.id}.e")
        outside = [f"exclusive {self.id}.out", f"{self.id} -> {self.id}.out", *beside]
        drawn = [opening, *(f"    {line}" for line in inside), *outside]
        return self.id, f"{self.id}.out", [line.format(id=self.id) if "{id}" in line else line for line in drawn]


def _composed(inner):
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.builds(Block, st.sampled_from(("sequence", "parallel", "exclusive", "inclusive", "events")), several),
        st.builds(Block, st.just("loop"), st.lists(inner, min_size=1, max_size=1)),
        *[
            st.builds(
                Block, st.sampled_from(AROUND), st.lists(inner, min_size=1, max_size=1), st.sampled_from(WATCHING), st.sampled_from(ENDS)
            )
        ]
        * 2,
    )


BLOCKS = st.recursive(st.builds(Block, st.sampled_from(ALONE)), _composed, max_leaves=8)


def lines(block):
    """Draw a whole process around a block."""
    entry, leave, inner = block.draw(itertools.count())
    return ["start s", "end e", *inner, f"s -> {entry}", f"{leave} -> e"]
