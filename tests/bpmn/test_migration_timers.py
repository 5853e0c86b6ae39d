"""Migration of what waits for a moment, a signal, a message, a condition."""

from __future__ import annotations

from tests.bpmn.definitions import conditional, signal
from tests.bpmn.diagrams import (
    catch,
    end,
    flows,
    message_catch,
    start,
    timer_catch,
)
from tests.bpmn.instances import HOUR, NOW, begin, fire, wait
from tests.bpmn.migrating import migrate, timed, told, verdicts


def test_migrate__timer_as_it_was():
    """Its date was computed once, and variables that have changed since have no say."""
    old = begin(*timed("${wait}"), variables={"wait": "PT9H"})
    old.variables["wait"] = "PT1H"

    moved = migrate(old, *timed("${wait}"))

    assert wait(moved.instance, "late") == wait(old, "late")
    assert verdicts(moved) == {"review": "kept", "late": "kept"}


def test_migrate__timer_reads_otherwise():
    """It is computed anew from the moment when it was set."""
    old = begin(*timed("PT9H"))

    moved = migrate(old, *timed("PT12H"))

    late = wait(moved.instance, "late")
    assert (late.id, late.since, late.due_at) == (wait(old, "late").id, NOW, NOW + 12 * HOUR)
    assert verdicts(moved)["late"] == "reset"
    fire(moved.instance, "late", at=late.due_at)
    assert moved.instance.ended


def test_migrate__duration_becomes_a_cycle():
    old = begin(*timed("PT9H"))

    moved = migrate(old, *timed("R3/PT6H", "cycle"))

    assert wait(moved.instance, "late").due_at == NOW + 6 * HOUR


def test_migrate__timer_in_the_flow():
    old = begin(start("s"), timer_catch("rest", duration="PT9H"), end("e"), flows("s -> rest -> e"))

    moved = migrate(old, start("s"), timer_catch("rest", duration="PT2H"), end("e"), flows("s -> rest -> e"))

    assert wait(moved.instance, "rest").due_at == NOW + 2 * HOUR


def test_migrate__bound_timer():
    """It moves with the world before and after."""
    known = {"functions": {"deadline": lambda: NOW + 7 * HOUR}, "live": frozenset({"deadline"})}
    old = begin(*timed("${deadline()}", "date"), **known)

    kept, reset = migrate(old, *timed("${deadline()}", "date")), migrate(old, *timed("PT1H"))

    assert wait(kept.instance, "late").due_at == NOW + 7 * HOUR
    assert wait(reset.instance, "late").due_at == NOW + HOUR


def test_migrate__timer_that_cannot_be_computed():
    moved = migrate(begin(*timed("PT9H")), *timed("${unknown}"))

    assert moved.instance is None
    (reason,) = moved.reasons
    assert reason.startswith("Expected to set late anew, but ")


def alarmed(name):
    return (start("s"), catch("rest", signal(name)), end("e"), flows("s -> rest -> e"))


def test_migrate__signal_of_another_name():
    """It is found out anew, as the name of a message is."""
    moved = migrate(begin(*alarmed("fire")), *alarmed("flood"))

    assert verdicts(moved) == {"rest": "reset"}
    assert wait(moved.instance, "rest").name == "flood"
    assert moved.instance.broadcast("fire") == 0
    assert moved.instance.broadcast("flood") == 1


def test_migrate__message_whose_name_reads_otherwise():
    def reported(name):
        return (start("s"), message_catch("rest", message=name), end("e"), flows("s -> rest -> e"))

    moved = migrate(begin(*reported("fire-${n}"), variables={"n": 7}), *reported("flood-${n}"))
    back = migrate(moved.instance, *reported("drought"))

    assert verdicts(moved) == verdicts(back) == {"rest": "reset"}
    assert wait(moved.instance, "rest").name == "flood-7"
    assert wait(back.instance, "rest").name == "drought"
    assert back.instance.throw("flood-7") == 0


def guarded(condition):
    return (start("s"), catch("rest", conditional(condition)), end("e"), flows("s -> rest -> e"))


def test_migrate__condition_that_reads_otherwise():
    """One that holds already would carry the case on: that is no move."""
    old = begin(*guarded("${n == 3}"), variables={"n": 1})

    assert verdicts(migrate(old, *guarded("${n == 2}"))) == {"rest": "reset"}
    assert told(migrate(old, *guarded("${n == 1}"))) == ("Expected rest to wait where it is, but it would go on at once",)
    moved = migrate(old, *guarded("${n == 2}"))
    moved.instance.set_variables({"n": 2})
    assert moved.instance.ended
