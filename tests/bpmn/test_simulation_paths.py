"""Paths of a drawing, and which of them tokens have taken: counted from the drawing, told from the history of the executor."""

import datetime as dt
from pathlib import Path

import pytest

from bpmn import compiler
from bpmn.instance import Instance
from bpmn.simulation import paths
from bpmn.simulation.outlook import FAR, Outlook
from bpmn.simulation.paths import Criterion
from bpmn.simulation.trails import Trail, Trails
from bpmn.waits import Context
from tests.bpmn import definitions
from tests.bpmn.diagrams import boundary, element, end, exclusive, flows, parallel, start, subprocess, task, timer_boundary, user
from tests.bpmn.drawings import compiled

WORKFLOWS = Path(__file__).parents[2] / "workflows"
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def told(found):
    """Paths as the elements that they come by."""
    return sorted(" ".join(path.elements) for path in found)


def played(definition, *answers, variables=None):
    """Start an instance and complete its tasks one by one, looking at its history each time; return the trails."""
    trails = Trails(process=definition, paths=paths.of(definition))
    instance = Instance.start(definition, variables or {}, Context(now=NOW))
    known = set()

    def look():
        for activity in instance.history():
            trails.see("i", activity, is_new=activity.id not in known)
            known.add(activity.id)

    look()
    for name, given in answers:
        # What happened before has been told: as when it is loaded again.
        instance = Instance.load(definition, instance.snapshot(), dict(instance.variables), Context(now=NOW))
        wait = next(wait for wait in instance.waits() if wait.element == name)
        instance.fire(wait.id) if wait.kind == "timer" else instance.complete(wait.id, given)
        look()
    return trails


# Which there are ----------------------------------------------------------------------------------------------------------------------

DIAMONDS = (
    start("s"), exclusive("g", default="a"), task("a"), task("b"), exclusive("m"), exclusive("h", default="c"), end("c"), end("d"),
    flows("s -> g -> a -> m -> h -> c", "g -> b [${x == 1}]", "b -> m", "h -> d [${x == 1}]"),
)  # fmt: skip


def test_of__every_way_to_every_end():
    assert told(paths.of(compiled(*DIAMONDS))) == ["s g a m h c", "s g a m h d", "s g b m h c", "s g b m h d"]


def test_of__loops_once_each_and_ways_without_them():
    drawn = compiled(start("s"), exclusive("g"), user("a"), exclusive("h", default="e"), end("e"),
                    flows("s -> g -> a -> h -> e", "h -> g [${more}]", "h -> a [${again}]"))  # fmt: skip

    assert told(paths.of(drawn)) == ["a h a", "g a h g", "s g a h e"]


def test_of__branches_of_a_fork_through_the_join_but_not_their_combinations():
    drawn = compiled(
        start("s"), parallel("f"), user("a"), user("b"), parallel("j"), end("e"), flows("s -> f -> a -> j -> e", "f -> b -> j")
    )

    assert told(paths.of(drawn)) == ["s f a j e", "s f b j e"]


def test_of__boundary_events_within_and_beside_and_subprocesses():
    inside = (start("t"), user("a"), timer_boundary("soon", on="a", duration="P1D", interrupting=False), end("told"), end("done"))
    drawn = compiled(start("s"), subprocess("sub", *inside, flows("t -> a -> done", "soon -> told")), timer_boundary("late", on="sub", duration="P2D"),
                    end("over"), end("e"), flows("s -> sub -> e", "late -> over"))  # fmt: skip

    assert told(paths.of(drawn)) == ["s sub e", "s sub late over", "soon told", "t a done"]


def test_of__compensation_is_no_path_of_its_own():
    drawn = compiled(start("s"), user("pay"), boundary("unpay", definitions.compensate(), on="pay"), definitions.association("unpay", "undo"),
                    user("undo", attrs={"isForCompensation": "true"}), element("endEvent", "e", definitions.compensate()), flows("s -> pay -> e"))  # fmt: skip

    assert told(paths.of(drawn)) == ["s pay e"]


@pytest.mark.parametrize("size", [8, 9])
def test_of__pairs_of_choices_where_there_are_too_many(size):
    content, arrows, last = [start("s")], [], "s"
    for place in range(size):
        content += [exclusive(f"g{place}", default=f"m{place}"), task(f"a{place}"), exclusive(f"m{place}")]
        arrows += [f"{last} -> g{place} -> m{place}", f"g{place} -> a{place} [${{x == {place}}}]", f"a{place} -> m{place}"]
        last = f"m{place}"

    found = paths.of(compiled(*content, end("e"), flows(*arrows, f"{last} -> e")))

    assert (found.criterion, len(found)) == {8: (Criterion.PATHS, 2**8), 9: (Criterion.PAIRS, 2 + 4 * 8)}[size]


def test_of__ten_thousand_elements():
    names = [f"t{place}" for place in range(10_000)]

    assert len(paths.of(compiled(start("s"), *map(task, names), end("e"), flows(" -> ".join(["s", *names, "e"]))))) == 1


@pytest.mark.parametrize("file", sorted(WORKFLOWS.rglob("*.bpmn")), ids=lambda file: file.stem)
def test_of__what_is_shipped_comes_by_every_node_and_flow(file):
    for drawn in compiler.compile(file.read_bytes(), file.name):
        found = paths.of(drawn)

        assert found.criterion is Criterion.PATHS
        assert {key for path in found for key in path.keys} >= drawn.flows.keys()
        assert {key for path in found for key in path.elements} | {
            e.id for e in drawn.elements.values() if "#" in e.id
        } >= drawn.elements.keys() - {e.id for e in drawn.elements.values() if e.type == "eventSubProcess"}


# Which were taken ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "way"), [(1, "s g b m h d"), (2, "s g a m h c")])
def test_see__the_one_way_that_a_token_took(x, way):
    trails = played(compiled(*DIAMONDS), variables={"x": x})

    assert told(trails.taken) == told(trails.direct) == [way]


def test_see__loops_and_the_way_with_and_without_them():
    drawn = compiled(start("s"), user("a"), exclusive("g", default="e"), end("e"), flows("s -> a -> g -> e", "g -> a [${more}]"))

    straight, twice = (
        played(drawn, ("a", {"more": False})),
        played(drawn, ("a", {"more": True}), ("a", {"more": True}), ("a", {"more": False})),
    )

    assert (told(straight.direct), told(straight.looped)) == (["s a g e"], [])
    assert (told(twice.direct), told(twice.looped)) == (["a g a"], ["s a g e"])


def test_see__only_what_has_come_to_its_end():
    drawn = compiled(
        start("s"), parallel("f"), user("a"), user("b"), parallel("j"), end("e"), flows("s -> f -> a -> j -> e", "f -> b -> j")
    )

    assert told(played(drawn, ("a", {})).taken) == []
    assert told(played(drawn, ("b", {}), ("a", {})).taken) == ["s f a j e", "s f b j e"]


def test_see__inclusive_branches_that_were_not_taken_are_not():
    drawn = compiled(start("s"), element("inclusiveGateway", "f"), user("a"), element("inclusiveGateway", "j"), end("e"),
                    flows("s -> f", "f -> a [${x}]", "f -> j [${!x || y}]", "a -> j -> e"))  # fmt: skip

    assert told(played(drawn, ("a", {}), variables={"x": True, "y": False}).taken) == ["s f a j e"]
    assert told(played(drawn, ("a", {}), variables={"x": True, "y": True}).taken) == ["s f a j e", "s f j e"]
    assert told(played(drawn, variables={"x": False, "y": False}).taken) == ["s f j e"]


def test_see__boundary_event_instead_of_the_end_of_its_activity():
    drawn = compiled(
        start("s"), user("a"), timer_boundary("late", on="a", duration="P1D"), end("over"), end("e"), flows("s -> a -> e", "late -> over")
    )

    assert told(played(drawn, ("late", {})).taken) == ["s a late over"]
    assert told(played(drawn, ("a", {})).taken) == ["s a e"]


# How far it is ------------------------------------------------------------------------------------------------------------------------


def test_far__by_ways_that_no_token_has_gone():
    trails = played(compiled(*DIAMONDS), variables={"x": 2})
    begin, outlook = Trail(trails.paths.begins["s"]), Outlook(trails)

    for x in (1, 3):
        trails.direct |= played(compiled(*DIAMONDS), variables={"x": x}).direct
    assert outlook.far([begin]) == 5
    trails.direct |= set(trails.paths)
    assert (outlook.far([begin]), outlook.is_hopeful) == (FAR, False)


def test_far__what_is_impossible_is_not_wanted():
    trails = Trails(process=compiled(*DIAMONDS), paths=paths.of(compiled(*DIAMONDS)))
    begin, outlook = Trail(trails.paths.begins["s"]), Outlook(trails)

    assert outlook.far([begin]) == 5
    trails.impossible, trails.direct = dict.fromkeys(list(trails.paths)[1:], ()), {next(iter(trails.paths))}
    assert outlook.far([begin]) == FAR


def test_far__without_a_loop_on_the_way_where_that_is_asked_for():
    drawn = compiled(start("s"), user("a"), exclusive("g", default="e"), end("e"), flows("s -> a -> g -> e", "g -> a [${more}]"))
    trails = played(drawn, ("a", {"more": True}), ("a", {"more": False}))
    begin, outlook = Trail(trails.paths.begins["s"]), Outlook(trails)

    assert (outlook.far([begin]), outlook.far([begin], direct=True)) == (FAR, 3)


def test_far__to_what_begins_within_and_beside_an_activity():
    inside = subprocess("sub", start("t"), user("a"), end("done"), flows("t -> a -> done"))
    drawn = compiled(start("s"), inside, timer_boundary("late", on="sub", duration="P2D", interrupting=False), end("over"), end("e"),
                    flows("s -> sub -> e", "late -> over"))  # fmt: skip
    trails = Trails(process=drawn, paths=paths.of(drawn))
    begin, outlook = Trail(trails.paths.begins["s"]), Outlook(trails)
    trails.direct = {path for path in trails.paths if path.elements[0] == "s"}

    assert outlook.far([begin]) == 3
    trails.direct |= {path for path in trails.paths if path.elements[0] == "late"}
    assert outlook.far([begin]) == 4


def test_far__measured_once_and_without_putting_all_paths_together(monkeypatch):
    """Whenever a path was taken, it is measured anew from everywhere: what that costs must not grow with what was taken, too."""
    trails, measured = played(compiled(*DIAMONDS), variables={"x": 2}), []
    begin, outlook, measure = Trail(trails.paths.begins["s"]), Outlook(trails), Outlook._measure
    monkeypatch.setattr(Outlook, "_measure", lambda self, *, direct: measured.append(direct) or measure(self, direct=direct))
    monkeypatch.setattr(Trails, "taken", property(lambda _self: pytest.fail("all that were taken are put together")))

    for x in (1, 3):
        trails.direct |= played(compiled(*DIAMONDS), variables={"x": x}).direct
        assert outlook.far([begin]) < FAR
        assert outlook.is_hopeful

    assert set(measured) == {False}
