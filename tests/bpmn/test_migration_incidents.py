"""Migration of what has failed, and of what is remembered of elements that are over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bpmn import migration
from bpmn import snapshot as snapshots
from bpmn.definition import Element, ElementType
from bpmn.instance import Instance
from bpmn.migration import Plan
from bpmn.waits import Context
from tests.bpmn.diagrams import (
    end,
    exclusive,
    flows,
    parallel,
    start,
    task,
    timer_boundary,
    timer_catch,
    user,
)
from tests.bpmn.instances import HOUR, NOW, begin, complete, definition, incidents, standing, wait
from tests.bpmn.migrating import LATER, migrate, told, verdicts


def test_migrate__incident_mended_by_the_new_version():
    def decided(condition):
        return (
            start("s"),
            task("t"),
            exclusive("x"),
            end("e"),
            end("o"),
            flows("s -> t -> x", f"x -> e [{condition}]", "x -> o [${not true}]"),
        )

    old = begin(*decided("${missing}"))
    assert list(incidents(old)) == ["x"]

    moved = migrate(old, *decided("${true}"))

    assert incidents(moved.instance) == incidents(old)
    moved.instance.retry(wait(old, "x").id)
    assert moved.instance.end == "e"


def test_migrate__incident_watches_for_nothing_yet():
    """Who has not come in has no boundary events; they come with the retry."""
    old = begin(start("s"), user("review", groups="${who}"), end("e"), flows("s -> review -> e"))
    after = (
        start("s"),
        user("review", groups="market"),
        timer_boundary("late", on="review", duration="PT1H"),
        end("e"),
        flows("s -> review -> e", "late -> e"),
    )

    moved = migrate(old, *after)

    assert verdicts(moved) == {"review": "kept"}
    moved.instance.retry(wait(old, "review").id)
    assert standing(moved.instance) == ["review", "late"]


def test_migrate__timer_that_failed_and_reads_otherwise():
    old = begin(start("s"), timer_catch("rest", duration="${unknown}"), end("e"), flows("s -> rest -> e"))
    assert list(incidents(old)) == ["rest"]

    moved = migrate(old, start("s"), timer_catch("rest", duration="PT2H"), end("e"), flows("s -> rest -> e"))

    assert wait(moved.instance, "rest").due_at == NOW + 2 * HOUR


def test_migrate__stuck_at_a_join_stays_so():
    """What the old version broke is not the move's doing."""
    stuck = (
        start("s"),
        exclusive("x", default="a"),
        user("a"),
        user("b"),
        parallel("j"),
        end("e"),
        flows("s -> x -> a -> j -> e", "x -> b [${go}]", "b -> j"),
    )
    old = begin(*stuck, variables={"go": False})
    complete(old, "a")
    assert list(incidents(old)) == ["j"]

    moved = migrate(old, *stuck, user("unused"))

    assert incidents(moved.instance) == incidents(old)


def compensable(*entries, handler="undo"):
    """A process in which something was done that a handler can undo."""
    content = (start("s"), user("book"), user("review"), end("e"), flows("s -> book -> review -> e"))
    drawn = definition(*content)
    undo = Element(id=handler, name="", type=ElementType.USER_TASK, for_compensation=True)
    drawn = replace(drawn, elements={**drawn.elements, undo.id: undo})
    instance = Instance.start(drawn, {}, Context(now=NOW))
    complete(instance, "book")
    return drawn, replace(snapshots.decode(instance.snapshot()), facts={"compensable": list(entries)})


def remembered(handler):
    return {"activity": "book", "local": {}, "handler": handler}


def test_migrate__handlers_of_compensation():
    before, state = compensable(remembered("undo"), {"activity": "box", "local": {}, "inner": [remembered("undo")]})
    after, _ = compensable(handler="cancel")

    moved = migration.migrate(
        Plan(source=before, target=after, renamed={"undo": "cancel"}), snapshots.encode(state), {}, Context(now=LATER)
    )

    found = snapshots.decode(moved.instance.snapshot())
    assert found.facts["compensable"] == [remembered("cancel"), {"activity": "box", "local": {}, "inner": [remembered("cancel")]}]


@pytest.mark.parametrize("entry", [remembered("undo"), {"activity": "box", "local": {}, "inner": [remembered("undo")]}])
def test_migrate__handler_that_is_gone(entry):
    before, state = compensable(entry)
    after, _ = compensable(handler="cancel")

    moved = migration.migrate(Plan(source=before, target=after), snapshots.encode(state), {}, Context(now=LATER))

    assert told(moved) == ("Expected to compensate book as before, but: Expected undo in the new version, but it is not there",)
