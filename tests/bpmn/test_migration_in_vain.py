"""Who waits in vain after a move: only as in a case of the new version, or as in this one if it stays (docs/decisions/0009)."""

from __future__ import annotations

import pytest

from tests.bpmn.definitions import instances
from tests.bpmn.diagrams import end, exclusive, flows, inclusive, parallel, start, subprocess, user
from tests.bpmn.instances import begin, complete, incidents, standing, wait
from tests.bpmn.migrating import migrate, told

#: Within, `j` is a join by mistake: on the way back to it nobody comes before it opens.
PLAIN = (start("i"), user("a"), exclusive("j"), user("b"), exclusive("x", default="o"), end("o"))
BROKEN = (start("i"), user("a"), parallel("j"), user("b"), exclusive("x", default="o"), end("o"))
INSIDE = flows("i -> a -> j -> b -> x -> o", "x -> j [${again}]")
IN_VAIN = "Expected a token on every flow into j, but it could wait for ever for one by x-j"


def around(inside, *more, arrows):
    return (start("s"), subprocess("box", *inside, INSIDE), user("z"), *more, end("e"), flows(*arrows))


DEAD = {
    "no flow leads there": ((), ["s -> z -> e", "box -> e"]),
    "it leads to itself only": ((exclusive("m", default="box"),), ["s -> z -> e", "box -> m -> box", "m -> e [${over}]"]),
    "behind a join that never opens": (
        (parallel("never"), exclusive("m", default="z"), user("y")),
        ["s -> m -> z -> e", "m -> never [${much}]", "y -> never", "never -> box -> e"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("circumstance", DEAD)
def test_migrate__into_what_no_case_of_the_new_version_enters(circumstance):
    """Whoever is in the subprocess would wait in vain, and in the new version nobody ever does, since nobody comes into it."""
    more, arrows = DEAD[circumstance]
    old = begin(*around(PLAIN, arrows=["s -> box -> z -> e"]))

    moved = migrate(old, *around(BROKEN, *more, arrows=arrows))

    assert told(moved) == (IN_VAIN,)
    assert moved.instance is None


ALIVE = {
    "at once": ((), ["s -> box -> z -> e"]),
    "perhaps": ((exclusive("m", default="z"),), ["s -> m -> z -> e", "m -> box [${much}]", "box -> z"]),
    "behind a join": ((parallel("f"), user("c"), parallel("g")), ["s -> f -> g -> box -> z -> e", "f -> c -> g"]),
}


@pytest.mark.parametrize("circumstance", ALIVE)
def test_migrate__into_what_is_broken_for_every_case(circumstance):
    """A case of the new version that comes there waits in vain as well: the drawing is wrong, not the move."""
    more, arrows = ALIVE[circumstance]
    old = begin(*around(PLAIN, arrows=["s -> box -> z -> e"]))

    moved = migrate(old, *around(BROKEN, *more, arrows=arrows))

    assert moved.reasons == ()
    complete(moved.instance, "a")
    assert "x-j" in incidents(moved.instance)["j"]


def test_migrate__into_what_nobody_enters_but_nobody_waits_there():
    """Nothing is said against a subprocess that only this case is in: it comes to its end."""
    old = begin(*around(PLAIN, arrows=["s -> box -> z -> e"]))

    moved = migrate(old, *around(PLAIN, arrows=["s -> z -> e", "box -> e"]))

    complete(moved.instance, "a", "b", again=False)
    assert moved.instance.ended


def test_migrate__into_what_nobody_enters_and_was_broken_before():
    """It waits in vain if it stays, too."""
    old = begin(*around(BROKEN, arrows=["s -> box -> z -> e"]))

    moved = migrate(old, *around(BROKEN, user("y"), arrows=["s -> z -> y -> e", "box -> e"]))

    assert moved.reasons == ()


def repeated(inside, *, arrows):
    return (start("s"), subprocess("box", *inside, INSIDE, instances(count="${2}")), user("z"), end("e"), flows(*arrows))


@pytest.mark.parametrize(("arrows", "reasons"), [(["s -> box -> z -> e"], ()), (["s -> z -> e", "box -> e"], (IN_VAIN, IN_VAIN))])
def test_migrate__into_rounds(arrows, reasons):
    """A round begins by itself as soon as a case comes to what is repeated, and not before."""
    old = begin(*repeated(PLAIN, arrows=["s -> box -> z -> e"]))

    assert told(migrate(old, *repeated(BROKEN, arrows=arrows))) == reasons


def test_migrate__where_it_would_wait_in_vain_if_it_stays():
    """Two are needed at `b`, and one goes round: a case of the new version never comes so far, but staying is no better."""
    content = (start("s"), parallel("f"), user("a"), user("b", attrs={"startQuantity": "2"}))
    old = begin(*content, flows("s -> f -> a -> b -> a", "f -> b"))
    complete(old, "a")

    moved = migrate(old, *content, flows("s -> f -> a -> b -> a", "f -> b", "f -> f"))

    complete(moved.instance, "b", "a")
    assert incidents(moved.instance).keys() == {"b"}


def test_migrate__beside_a_subprocess_in_which_somebody_waits_in_vain():
    """The join outside waits for the subprocess, which is why it waits in vain: no flow of the new version leads there any more."""
    content = (
        start("s"), inclusive("f", default="c"), user("c"), inclusive("j"), user("z"), end("e"),
        subprocess("box", start("i"), parallel("k"), end("o"), flows("i -> k -> o", "k -> k")),
    )  # fmt: skip
    old = begin(*content, flows("s -> f -> c -> j -> z -> e", "f -> box [${x}]", "f -> j [${x}]", "box -> j"), variables={"x": True})
    assert incidents(old).keys() == {"j", "k"}

    moved = migrate(old, *content, flows("s -> f -> c -> j -> z -> e", "f -> j [${x}]", "box -> j"))

    assert moved.reasons == ()
    assert incidents(moved.instance).keys() == {"j", "k"}


def test_migrate__in_vain_until_the_new_version_is_retried():
    """Where the new version asks for nobody who cannot come, nobody waits in vain: whoever waits is let go by a retry."""
    content = (start("s"), parallel("j"), user("z"), end("e"))
    old = begin(*content, flows("s -> j -> z -> e", "j -> j"))

    moved = migrate(old, *content, flows("s -> j -> z -> e"))

    moved.instance.retry(wait(moved.instance, "j").id)
    assert standing(moved.instance) == ["z"]
