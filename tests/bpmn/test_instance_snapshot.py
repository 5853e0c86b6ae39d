"""Snapshots: small, complete, and read for ever."""

from __future__ import annotations

import gc
import pickle
import weakref
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bpmn import snapshot, spiff
from bpmn.errors import InstanceError
from bpmn.instance import Instance
from bpmn.waits import Context, WaitKind
from tests.bpmn.diagrams import (
    call,
    end,
    error_boundary,
    exclusive,
    external,
    flows,
    inclusive,
    message_boundary,
    parallel,
    receive,
    start,
    subprocess,
    timer_boundary,
    timer_catch,
    user,
)
from tests.bpmn.instances import HOUR, NOW, again, begin, complete, definition, fire, standing, wait

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"

#: A process in which a token can stand in every way that there is.
EVERYTHING = (
    start("s"),
    parallel("f"),
    user("task", groups="clerks", assignee="li", due="2026-12-01T08:00:00Z", priority="70"),
    timer_boundary("remind", on="task", cycle="R3/PT1H", interrupting=False),
    timer_boundary("deadline", on="task", date="${deadline()}", interrupting=False),
    message_boundary("recall", on="task", message="recall"),
    subprocess(
        "sub",
        start("ss"),
        parallel("sf"),
        external("worker", topic="register"),
        receive("paid", message="paid"),
        parallel("sj"),
        end("se"),
        flows("ss -> sf -> worker -> sj -> se", "sf -> paid -> sj"),
    ),
    call("item", of="food_permit", inputs=["form"], outputs=["number"]),
    call("failed", of="food_permit", outputs=["${missing} -> missing"]),
    timer_catch("pause", duration="P1M"),
    exclusive("broken", default="e"),
    user("never"),
    user("first"),
    user("second"),
    inclusive("j"),
    end("e"),
    flows("s -> f", "f -> task -> e", "f -> sub -> e", "f -> item -> e", "f -> failed -> e", "f -> pause -> e", "f -> broken -> e"),
    flows("broken -> never [${unknown}]", "never -> e", "f -> first -> j -> e", "f -> second -> j"),
    flows("remind -> e", "deadline -> e", "recall -> e"),
)

EVERYWHERE = {
    "task": WaitKind.USER_TASK,
    "remind": WaitKind.TIMER,
    "deadline": WaitKind.TIMER,
    "recall": WaitKind.MESSAGE,
    "worker": WaitKind.EXTERNAL_TASK,
    "item": WaitKind.CALL,
    "failed": WaitKind.INCIDENT,
    "pause": WaitKind.TIMER,
    "broken": WaitKind.INCIDENT,
    "second": WaitKind.USER_TASK,
}


def world():
    return Context(now=NOW + 2 * HOUR, functions={"deadline": lambda: NOW + HOUR}, live=frozenset({"deadline"}))


def everywhere():
    """An instance with a token in every way of standing: twice reminded, once past its deadline, half joined."""
    instance = begin(*EVERYTHING, variables={"form": {"name": "面馆", "seats": 12}}, functions=world().functions, live=world().live)
    complete(instance, "failed", other=1)
    fire(instance, "remind", at=NOW + HOUR)
    fire(instance, "remind", at=NOW + 2 * HOUR)
    fire(instance, "deadline")
    complete(instance, "first")
    instance.deliver(wait(instance, "paid").id)
    return instance


def kinds(instance):
    return {w.element: w.kind for w in instance.waits()}


def test_load__everything_as_it_was():
    instance = everywhere()
    assert kinds(instance) == EVERYWHERE

    loaded = again(instance)

    assert loaded.waits() == instance.waits()
    assert loaded.snapshot() == instance.snapshot()
    assert again(loaded).waits() == instance.waits()


def finish(instance):
    """Bring an instance that stands everywhere to its end."""
    instance.retry(wait(instance, "failed").id)
    assert wait(instance, "failed").kind is WaitKind.INCIDENT  # what was returned does not hold it
    instance.variables["unknown"] = False
    instance.retry(wait(instance, "broken").id)
    complete(instance, "second", "worker", "item", number=7)
    fire(instance, "pause")
    fire(instance, "remind")
    assert set(standing(instance)) == {"task", "deadline", "recall", "failed"}
    complete(instance, "task")


@pytest.mark.parametrize("path", sorted(SNAPSHOTS.glob("everywhere-*.bin")), ids=lambda path: path.stem)
def test_load__what_an_earlier_version_wrote(path):
    instance = Instance.load(definition(*EVERYTHING), path.read_bytes(), {"form": {}}, world())

    assert kinds(instance) == EVERYWHERE
    task, remind, deadline = (wait(instance, name) for name in ("task", "remind", "deadline"))
    assert (task.groups, task.assignee, task.priority, task.since) == (("clerks",), "li", 70, NOW)
    assert task.task_due_at == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert (remind.due_at, remind.repeats, remind.attached_to) == (NOW + 3 * HOUR, False, task.id)
    assert (deadline.due_at, deadline.repeats) == (None, True)
    assert wait(instance, "item").variables == {"form": {"name": "面馆", "seats": 12}}
    assert wait(instance, "pause").due_at == datetime(2026, 12, 25, 8, tzinfo=UTC)
    finish(instance)


@pytest.mark.parametrize(
    ("name", "ended", "end_event", "error"),
    [("ended-v1", True, "e", None), ("failed-v1", True, "bad", "E1"), ("canceled-v1", True, None, None)],
)
def test_load__what_had_ended_in_an_earlier_version(name, ended, end_event, error):
    content = (
        start("s"),
        user("a"),
        exclusive("x", default="e"),
        end("e"),
        end("bad", error="E1"),
        flows("s -> a -> x -> e", "x -> bad [${bad}]"),
    )

    instance = Instance.load(definition(*content), (SNAPSHOTS / f"{name}.bin").read_bytes(), {}, Context(now=NOW))

    assert (instance.ended, instance.end, instance.error, instance.waits()) == (ended, end_event, error, ())


def test_snapshots__one_of_each_version():
    assert {f"everywhere-v{version}.bin" for version in range(1, snapshot.VERSION + 1)} == {
        p.name for p in SNAPSHOTS.glob("everywhere-*.bin")
    }


def test_snapshot__holds_no_variables():
    instance = begin(start("s"), user("a"), end("e"), flows("s -> a -> e"), variables={"name": "x" * 10_000})

    assert len(instance.snapshot()) < 150


def test_snapshot__many_calls_with_the_same_form():
    names = [f"item{number}" for number in range(20)]
    form = {f"field{number}": f"value {number * 7919}" for number in range(60)}
    content = (start("s"), parallel("f"), *(call(name, of=name, inputs=["form"]) for name in names), end("e"))
    instance = begin(*content, flows("s -> f", *(f"f -> {name} -> e" for name in names)), variables={"form": form})

    assert len(instance.snapshot()) < 4_000
    assert {w.variables["form"]["field59"] for w in again(instance).waits()} == {"value 467221"}


def test_snapshot__flat_over_a_thousand_rounds():
    content = (start("s"), exclusive("m"), parallel("f"), user("a"), user("b"), parallel("j"), exclusive("x", default="e"), end("e"))
    instance = begin(*content, flows("s -> m -> f -> a -> j -> x -> e", "f -> b -> j", "x -> m [${more}]"))
    small = len(instance.snapshot())

    for _ in range(1000):
        complete(instance, "a", "b", more=True)

    assert len(instance.snapshot()) <= small + 10
    assert len(instance._process.tasks) == 3


def test_snapshot__of_a_thousand_branches():
    names = [f"t{number}" for number in range(1000)]
    content = (start("s"), parallel("f"), *map(user, names), parallel("j"), end("e"))
    instance = begin(*content, flows("s -> f", *(f"f -> {name} -> j" for name in names), "j -> e"))

    *most, last = [w.id for w in instance.waits()]
    for task in most:
        instance.complete(task)
    instance = again(instance)
    instance.complete(last)

    assert instance.ended


def test_load__no_time_and_no_function_is_needed():
    content = (start("s"), user("a"), timer_boundary("t", on="a", duration="${workdays(3)}"), end("e"), flows("s -> a -> e", "t -> e"))
    asked = []

    def workdays(count):
        asked.append(count)
        return "P3D"

    snapshot_ = begin(*content, functions={"workdays": workdays}).snapshot()
    instance = Instance.load(definition(*content), snapshot_, {}, Context(now=NOW))

    assert wait(instance, "t").due_at == NOW + 72 * HOUR
    assert asked == [3]


def test_spec__built_once_and_never_changed_by_running():
    compiled = definition(*EVERYTHING)
    spec = spiff.spec_of(compiled)
    before = _fingerprint(spec)

    instance = Instance.start(compiled, {"form": {}}, world())
    again(instance).cancel()
    complete(instance, "first", "second", "task")

    assert spiff.spec_of(compiled) is spec
    assert _fingerprint(spec) == before


def _fingerprint(spec):
    """All attributes of all task specs, however deep."""
    return {name: repr({key: value for key, value in vars(task).items() if key != "_wf_spec"}) for name, task in spec.task_specs.items()}


def test_spec__goes_with_its_definition():
    compiled = definition(start("s"), user("a"), end("e"), flows("s -> a -> e"))
    spec = weakref.ref(spiff.spec_of(compiled))
    assert spec() is not None

    del compiled
    gc.collect()

    assert spec() is None


def test_instances__of_one_definition_know_nothing_of_each_other():
    compiled = definition(start("s"), user("a"), error_boundary("h", on="a"), user("b"), end("e"), flows("s -> a -> b -> e", "h -> e"))
    first, second = (Instance.start(compiled, {}, Context(now=NOW)) for _ in range(2))

    complete(first, "a", who="first")

    assert standing(second) == ["a"]
    assert second.variables == {}
    assert wait(second, "a").id == 2


def test_load__bytes_of_somebody_else():
    compiled = definition(start("s"), user("a"), end("e"), flows("s -> a -> e"))

    for alien in (pickle.dumps({}), b"{}", bytes(100), b"\x01", b"\x01\x78\x9c"):
        with pytest.raises(InstanceError, match="Expected a"):
            Instance.load(compiled, alien, {}, Context(now=NOW))
