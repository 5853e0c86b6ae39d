"""Every shipped diagram, walked along random paths in a world that answers at random: it ends or waits, hot as cold (which runs on the compiled form)."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import compiled, compiler
from bpmn.instance import Instance
from bpmn.waits import Context, WaitKind
from tests.bpmn.instances import HOUR, NOW, again

SHIPPED = sorted((Path(__file__).parents[2] / "workflows").rglob("*.bpmn"))
COMPARED = re.compile(r"(\w+) == '(\w+)'")
#: Functions whose value is a time; the others say yes or no.
TIMES = frozenset({"tolerance", "acceptance_due", "supplement_due", "issue_by", "issuance_due", "deadline", "workdays"})


class World:
    """Answers every question by chance, and the same question of the same moment always alike."""

    def __init__(self, definition, chance):
        self.chance = chance
        self.step = 0
        self.definition = definition
        sources = [flow.condition.source for flow in definition.flows.values() if flow.condition]
        self.words = {}
        for name, word in (pair for source in sources for pair in COMPARED.findall(source)):
            self.words.setdefault(name, ["something else"]).append(word)
        self.names = {name for flow in definition.flows.values() if flow.condition for name in flow.condition.names}

    def draw(self, question, choices):
        return choices[zlib.crc32(f"{self.chance} {self.step} {question}".encode()) % len(choices)]

    def answer(self, name):
        moments = [None, NOW + HOUR, NOW + 99 * HOUR]
        return lambda *given: self.draw((name, *given), moments if name in TIMES else [True, False])

    def variables(self):
        return {name: self.draw(name, self.words.get(name, [True, False])) for name in sorted(self.names)}

    def context(self):
        names = {name for flow in self.definition.flows.values() if flow.condition for name in flow.condition.calls}
        functions = {name: self.answer(name) for name in names | TIMES}
        return Context(now=NOW, functions=functions, live=TIMES, decide=lambda ref, _: self.draw(ref, [[], [{"one": 1}]]))


def command(instance, wait, world):
    """Do what a wait waits for; now and then the other thing that could happen to it."""
    if wait.kind is WaitKind.TIMER:
        instance.fire(wait.id)
    elif wait.kind is WaitKind.MESSAGE:
        instance.deliver(wait.id, world.variables())
    elif wait.kind is WaitKind.INCIDENT:
        instance.retry(wait.id)
    elif wait.kind is not WaitKind.USER_TASK and world.draw("fails", [True, False, False]):
        instance.raise_error(wait.id, "FAILED")
    else:
        instance.complete(wait.id, world.variables())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_walk__a_shipped_diagram(path, data):
    for definition in compiler.compile(path.read_bytes(), path.name):
        world = World(definition, data.draw(st.integers(0, 2**16), label="chance"))
        compiled_then = compiled.read(compiled.write(definition))
        hot, cold = (
            Instance.start(compiled_by, world.variables(), world.context(), at=_start(definition))
            for compiled_by in (definition, compiled_then)
        )
        for world.step in range(15):
            assert hot.ended or hot.waits()
            cold = again(cold)
            assert (hot.waits(), hot.ended, hot.end, hot.error) == (cold.waits(), cold.ended, cold.end, cold.error)
            if hot.ended:
                break
            wait = data.draw(st.sampled_from(hot.waits()))
            for instance in (hot, cold):
                command(instance, wait, world)
        assert hot.snapshot() == cold.snapshot()
        assert len(hot.snapshot()) < 4_000


def _start(definition):
    starts = definition.starts()
    return None if any(start.event is None or start.event.type == "none" for start in starts) else starts[0].id
