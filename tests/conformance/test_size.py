"""Thousands of steps in one command, and scopes as deep as anybody draws them."""

from __future__ import annotations

import pytest

from bpmn import compiler
from bpmn.instance import Instance
from bpmn.waits import Context
from tests.bpmn.instances import NOW, again, standing
from tests.conformance import drawing

MANY = 3000


def begin(*lines, **variables):
    (definition,) = compiler.compile(drawing.draw(lines), "size.bpmn")
    return Instance.start(definition, variables, Context(now=NOW))


def chain(kind, number):
    names = [f"t{i}" for i in range(number)]
    return ["start s", f"{kind} {' '.join(names)}", "end e", f"s -> {' -> '.join(names)} -> e"]


def test_size__thousands_of_steps_one_after_the_other():
    instance = begin(*chain("task", MANY))

    assert (instance.ended, instance.end) == (True, "e")
    assert len(instance.history()) == MANY + 2


def test_size__thousands_of_rounds_of_a_loop():
    loop = ["start s", "exclusive m", "script t script=${n + 1} result=n", "exclusive x default=e", "end e"]

    instance = begin(*loop, "s -> m -> t -> x", f"x -> m [${{n < {MANY}}}]", "x -> e", n=0)

    assert (instance.ended, instance.variables) == (True, {"n": MANY})


@pytest.mark.parametrize("how", ["", " one-by-one"])
def test_size__thousands_of_instances(how):
    instance = begin("start s", f"script t script=${{n + 1}} result=n times={MANY}{how}", "end e", "s -> t -> e", n=0)

    assert (instance.ended, instance.variables) == (True, {"n": MANY})


def test_size__thousands_of_tokens():
    instance = begin("start s", f"task a gives={MANY}", f"user b takes={MANY}", "end e", "s -> a -> b -> e")

    assert standing(instance) == ["b"]


def test_size__a_task_at_a_time_dumped_and_restored():
    instance = begin(*chain("user", 200))

    for step in range(200):
        instance = again(instance)
        assert standing(instance) == [f"t{step}"]
        instance.complete(instance.waits()[0].id)

    assert instance.ended


def test_size__thirty_subprocesses_deep():
    inside = ["user t"]
    first = "t"
    for level in range(30):
        inside = [f"start s{level}", *inside, f"end e{level}", f"s{level} -> {first} -> e{level}"]
        inside = [f"subprocess n{level}", *(f"    {line}" for line in inside)]
        first = f"n{level}"
    instance = again(begin("start s", *inside, "end e", f"s -> {first} -> e"))

    instance.complete(instance.waits()[0].id)

    assert (instance.ended, instance.end) == (True, "e")
