"""Stories of paths: what a program may have written before a form asks for it."""

from bpmn.simulation.writes import Writes
from tests.bpmn.diagrams import end, exclusive, external, flows, start, timer_boundary, user
from tests.bpmn.test_stories import NO, YES, asking, impossible, stories


def asked_later(worker, arrows=()):
    """A program, a gateway that asks what it has left, and a form that asks for the same only behind it."""
    gateway = (exclusive("g", default="ask"), end("e"), end("f"))
    ways = flows("s -> w -> g", f"g -> e [{YES}]", "g -> ask -> f", *arrows)
    return start("s"), worker, *gateway, user("ask"), ways


def test_program__writes_what_a_form_asks_for_later():
    """A step of the engine leaves nothing."""
    asked = {"ask": asking("answer", "yes", "no")}
    worker = external("w", topic="look")

    assert stories(*asked_later(worker), asked=asked, programs=frozenset({"w"})).writes.by("w") == {"answer": [None, "no", "yes", "其他"]}
    assert stories(*asked_later(worker), asked=asked).writes.by("w") == {}


def test_impossible__what_a_program_would_have_to_write_instead_of_a_form():
    """Behind the form, it was the form; and what nothing reads before a form asks for it, no program need write."""
    asked = {"ask": asking("answer", "yes"), "again": asking("answer", "no")}
    drawn = (
        start("s"), user("ask"), external("w", topic="look"), exclusive("g", default="e"), user("again"), end("e"), end("f"), exclusive("h", default="i"), end("i"),
        flows("s -> ask -> w -> g", f"g -> again [{NO}]", "g -> e", "again -> h", f"h -> f [{YES}]", "h -> i"),
    )  # fmt: skip

    found = impossible(*drawn, asked=asked, programs=frozenset({"w"}))

    assert "s ask w g again h f" in found


def test_early__what_is_read_before_a_form_asks_for_it():
    drawn = stories(*asked_later(external("w", topic="look")), asked={"ask": asking("answer", "yes")}, programs=frozenset({"w"}))
    unread = stories(start("s"), external("w", topic="look"), user("ask"), exclusive("g", default="f"), end("e"), end("f"),
                     flows("s -> w -> ask -> g", f"g -> e [{YES}]", "g -> f"), asked={"ask": asking("answer", "yes")}, programs=frozenset({"w"}))  # fmt: skip

    assert drawn.writes.early("w") == {"answer"}
    assert unread.writes.early("w") == frozenset()
    assert Writes(process=unread.process, forms=unread.writes.forms, programs=frozenset({"w"}), tables={"w": frozenset({"answer"})}).early(
        "w"
    )


def test_early__around_a_loop_and_over_a_border():
    """On the first round no form has asked; who leaves a form over its border has not filled it in."""
    round_ = stories(
        *asked_later(external("w", topic="look"), arrows=("ask -> w",)), asked={"ask": asking("answer", "yes")}, programs=frozenset({"w"})
    )
    border = stories(start("s"), user("ask"), timer_boundary("b", on="ask", duration="P1D"), external("w", topic="look"),
                     exclusive("g", default="f"), end("e"), end("f"),
                     flows("s -> ask -> f", "b -> w -> g", f"g -> e [{YES}]", "g -> f"),
                     asked={"ask": asking("answer", "yes")}, programs=frozenset({"w"}))  # fmt: skip

    assert round_.writes.early("w") == {"answer"}
    assert border.writes.early("w") == {"answer"}
