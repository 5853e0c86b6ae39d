"""Compensation and transactions."""

from __future__ import annotations

from tests.bpmn.definitions import CANCEL, association, compensate, error, instances, parameters
from tests.bpmn.diagrams import boundary, end, exclusive, external, flows, parallel, start, subprocess, throw, transaction, user
from tests.bpmn.instances import again, begin, complete, outcomes, standing, wait


def undone(name, *content, **more):
    """A task and the task that undoes it."""
    undo = {"isForCompensation": "true"}
    return (
        user(name, *content, **more),
        boundary(f"{name}_b", compensate(), on=name),
        user(f"undo_{name}", attrs=undo),
        association(f"{name}_b", f"undo_{name}"),
    )


def test_throw__all_that_was_done_the_last_first():
    content = (*undone("a"), *undone("b"), *undone("c"), throw("back", compensate()), user("d"), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> b -> back -> d -> e", "d -> c"))
    complete(instance, "a", "b")

    assert standing(instance) == ["undo_b", "undo_a"]  # c was never done
    instance = again(instance)
    complete(instance, "undo_a")
    assert standing(instance) == ["undo_b"]
    complete(instance, "undo_b")
    assert standing(instance) == ["d"]


def test_throw__one_activity():
    content = (*undone("a"), *undone("b"), throw("back", compensate("a")), throw("rest", compensate()), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> b -> back -> rest -> e"))
    complete(instance, "a", "b")
    assert standing(instance) == ["undo_a"]
    complete(instance, "undo_a")
    assert standing(instance) == ["undo_b"]  # a is undone already
    complete(instance, "undo_b")
    assert instance.ended


def test_throw__nothing_to_undo_passes():
    instance = begin(start("s"), *undone("a"), throw("back", compensate()), user("d"), end("e"), flows("s -> back -> d -> a -> e"))

    assert standing(instance) == ["d"]


def test_throw__a_loop_is_undone_as_often_as_it_was_done():
    content = (start("s"), exclusive("m"), *undone("a"), exclusive("x", default="back"), throw("back", compensate()), end("e"))
    instance = begin(*content, flows("s -> m -> a -> x -> back -> e", "x -> m [${more}]"))
    complete(instance, "a", more=True)
    complete(instance, "a", more=False)

    assert standing(instance) == ["undo_a", "undo_a"]


def test_subprocess__is_undone_by_what_is_in_it():
    sub = subprocess("sub", start("ss"), *undone("a"), *undone("b"), end("se"), flows("ss -> a -> b -> se"))
    instance = begin(start("s"), sub, *undone("c"), throw("back", compensate()), end("e"), flows("s -> sub -> c -> back -> e"))
    complete(instance, "a", "b")
    complete(again(instance), "c")
    complete(instance, "c")

    assert standing(instance) == ["undo_c", "undo_b", "undo_a"]
    complete(instance, "undo_c", "undo_b", "undo_a")
    assert instance.ended


def test_subprocess__sees_the_variables_that_it_had():
    sub = subprocess("sub", start("ss"), *undone("a"), end("se"), flows("ss -> a -> se"), ext=parameters(inputs={"x": "${outer}"}))
    instance = begin(start("s"), sub, throw("back", compensate("sub")), end("e"), flows("s -> sub -> back -> e"), variables={"outer": 7})
    complete(instance, "a", outer=8)

    assert instance.variables_at(wait(instance, "undo_a").id)["x"] == 7


def test_multi_instance__each_one_is_undone():
    content = undone("a", instances(count="3"))
    instance = begin(start("s"), *content, throw("back", compensate("a")), end("e"), flows("s -> a -> back -> e"))
    complete(instance, "a", "a", "a")
    assert standing(instance) == ["undo_a"] * 3
    complete(instance, "undo_a", "undo_a", "undo_a")
    assert instance.ended


def test_end_event__waits_for_what_it_undoes():
    content = (start("s"), parallel("f"), *undone("a"), user("b"), end("back", compensate()), end("e"))
    instance = begin(*content, flows("s -> f -> a -> back", "f -> b -> e"))
    complete(instance, "a")
    assert standing(instance) == ["b", "undo_a"]
    complete(instance, "b", "undo_a")
    assert (instance.ended, instance.end) == (True, "back")


def test_interrupted__activity_is_not_undone():
    content = (*undone("a"), boundary("bad", error("E"), on="a"), throw("back", compensate()), end("e"))
    instance = begin(start("s"), *content, flows("s -> a -> e", "bad -> back -> e"))
    instance.raise_error(wait(instance, "a").id, "E")

    assert instance.ended


def booked():
    inside = (
        start("ss"),
        parallel("f"),
        *undone("a"),
        *undone("b"),
        user("c"),
        user("d"),
        exclusive("x", default="ok"),
        end("ok"),
        end("no", CANCEL),
    )
    tx = transaction("tx", *inside, flows("ss -> f -> a -> b -> x -> ok", "f -> c -> d -> ok", "x -> no [${cancel}]"))
    content = (tx, boundary("canceled", CANCEL, on="tx"), boundary("failed", error(), on="tx"), user("sorry"), user("done"), end("e"))
    return begin(start("s"), *content, flows("s -> tx -> done -> e", "canceled -> sorry -> e", "failed -> e"), variables={"cancel": False})


def test_transaction__that_completes():
    instance = booked()
    complete(instance, "a", "b", "c", "d")

    assert standing(instance) == ["done"]


def test_transaction__canceled_undoes_and_leaves_by_its_boundary():
    instance = booked()
    complete(instance, "a")
    complete(instance, "b", cancel=True)

    assert standing(instance) == ["undo_b", "undo_a"]  # what was open is gone
    instance = again(instance)
    complete(instance, "undo_b", "undo_a")
    assert standing(instance) == ["sorry"]
    assert ("tx", "canceled") in outcomes(instance)


def test_transaction__error_undoes_nothing():
    inside = (start("ss"), *undone("a"), external("w", topic="t"), end("se"), flows("ss -> a -> w -> se"))
    content = (transaction("tx", *inside), boundary("failed", error(), on="tx"), user("sorry"), end("e"))
    instance = begin(start("s"), *content, flows("s -> tx -> e", "failed -> sorry -> e"))
    complete(instance, "a")
    instance.raise_error(wait(instance, "w").id, "E")

    assert standing(instance) == ["sorry"]


def test_transaction__undone_later_by_what_is_in_it():
    inside = (start("ss"), *undone("a"), end("se"), flows("ss -> a -> se"))
    instance = begin(start("s"), transaction("tx", *inside), throw("back", compensate()), end("e"), flows("s -> tx -> back -> e"))
    complete(instance, "a")

    assert standing(instance) == ["undo_a"]
