"""Stories of paths: what must be so for a token to come along, and the proof that it cannot be."""

import datetime as dt
import itertools
import random

import pytest

from bpmn.instance import Instance
from bpmn.simulation import telling
from bpmn.simulation.stories import Stories
from bpmn.simulation.trails import Trails
from bpmn.simulation.writes import Writes
from bpmn.waits import Context
from tests.bpmn import definitions, schemas
from tests.bpmn.diagrams import (
    boundary,
    element,
    end,
    exclusive,
    external,
    flows,
    message_boundary,
    message_catch,
    parallel,
    start,
    subprocess,
    task,
    timer_boundary,
    user,
)
from tests.bpmn.drawings import compiled

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
CHOICE = {"validate": {"required": True}}
YES, NO = "${answer == 'yes'}", "${!(answer == 'yes')}"


def asking(key, *values, **more):
    """A form with one question."""
    options = [{"value": each, "label": each} for each in values]
    return schemas.form(schemas.component("radio", key, values=options, **(CHOICE | more)))


def stories(*content, asked=None, **more):
    """Stories of a drawing in which some tasks have forms."""
    process = compiled(*content)
    return Stories(Writes(process=process, forms=asked or {}, telling=telling.values(process), **more))


def impossible(*content, **more):
    """Paths that are impossible, as the elements that they come by, each with the conditions that contradict."""
    found = stories(*content, **more).impossible()
    return {" ".join(path.elements): [(want.condition.source, want.truth) for want in wants] for path, wants in found.items()}


def twice(between=(), arrows="m -> h"):
    """Two gateways that ask the same, one after the other."""
    return (
        start("s"), user("ask"), exclusive("g", default="n"), task("y"), task("n"), exclusive("m"), *between, exclusive("h", default="c"), end("c"), end("d"),
        flows("s -> ask -> g -> n -> m", f"g -> y [{YES}]", "y -> m", arrows, "h -> c", f"h -> d [{YES}]"),
    )  # fmt: skip


def test_impossible__what_was_answered_stays_so():
    found = impossible(*twice(), asked={"ask": asking("answer", "yes", "no")})

    assert found == {"s ask g y m h c": [(YES, True), (YES, False)], "s ask g n m h d": [(YES, False), (YES, True)]}


@pytest.mark.parametrize(
    ("between", "arrows"),
    [
        ([user("again")], "m -> again -> h"),
        ([user("again"), timer_boundary("late", on="again", duration="P1D"), end("x")], "m -> again -> h"),
        ([subprocess("sub", start("t"), user("again"), end("u"), flows("t -> again -> u"))], "m -> sub -> h"),
    ],
    ids=["by another task", "where it can be broken off, too", "within a subprocess"],
)
def test_impossible__not_where_it_is_asked_again(between, arrows):
    form = asking("answer", "yes", "no")
    extra = [flows("late -> x")] if len(between) > 1 else []

    assert impossible(*twice(between, arrows), *extra, asked={"ask": form, "again": form}) == {}


@pytest.mark.parametrize(
    "between", [external("work", topic="t"), message_catch("work", message="told"), user("work")], ids=lambda e: e[:20]
)
def test_impossible__what_no_form_asks_for_comes_in_anywhere(between):
    """A worker, a message, whoever completes a task without a form may set a variable that nobody is asked for."""
    assert impossible(*twice([between], "m -> work -> h"), asked={}) == {}
    assert len(impossible(*twice([between], "m -> work -> h"), asked={"ask": asking("answer", "yes", "no")})) == 2
    assert len(impossible(*twice(), asked={})) == 2


def test_impossible__not_where_it_changes_beside():
    """One branch asks, another reads twice."""
    drawn = (
        start("s"), parallel("f"), user("ask"), end("asked"), *twice()[2:-1],
        flows("s -> f -> ask -> asked", "f -> g -> n -> m -> h -> c", f"g -> y [{YES}]", "y -> m", f"h -> d [{YES}]"),
    )  # fmt: skip

    assert impossible(*drawn, asked={"ask": asking("answer", "yes", "no")}) == {}
    assert len(impossible(*drawn, asked={"ask": asking("other", "yes", "no")})) == 2


def test_impossible__within_each_branch_of_a_fork():
    """What is asked in one branch is read there; the other does not write it."""
    branch = (
        user("ask"),
        exclusive("g", default="n"),
        task("y"),
        task("n"),
        exclusive("m"),
        exclusive("h", default="c"),
        end("c"),
        end("d"),
    )
    arrows = flows("s -> f -> ask -> g -> n -> m -> h -> c", f"g -> y [{YES}]", "y -> m", f"h -> d [{YES}]", "f -> other -> e")
    asked = {"ask": asking("answer", "yes", "no"), "other": asking("more", "yes", "no")}

    assert len(impossible(start("s"), parallel("f"), *branch, user("other"), end("e"), arrows, asked=asked)) == 2
    assert impossible(start("s"), parallel("f"), *branch, user("other"), end("e"), arrows, asked={**asked, "other": asked["ask"]}) == {}


def test_impossible__not_where_a_loop_may_have_written():
    """The way back asks again; who has come round with another answer goes on without the first."""
    drawn = (
        start("s"), user("ask"), exclusive("g", default="n"), end("y"), user("n"), exclusive("h", default="e"), end("e"), user("again"),
        flows("s -> ask -> g -> n -> h -> e", f"g -> y [{YES}]", f"h -> again [{YES}]", "again -> n"),
    )  # fmt: skip
    form = asking("answer", "yes", "no")

    assert "n h again n" in impossible(*drawn, asked={"ask": form})
    assert impossible(*drawn, asked={"ask": form, "again": form, "n": form}) == {}


def test_impossible__within_a_subprocess_what_was_decided_before():
    inside = subprocess("sub", start("t"), exclusive("h", default="c"), end("c"), end("d"), flows("t -> h -> c", f"h -> d [{YES}]"))
    drawn = (
        start("s"),
        user("ask"),
        exclusive("g", default="e"),
        inside,
        end("e"),
        end("u"),
        flows("s -> ask -> g -> e", f"g -> sub [{YES}]", "sub -> u"),
    )

    assert impossible(*drawn, asked={"ask": asking("answer", "yes", "no")}) == {"t h c": [(YES, True), (YES, False)]}


def test_impossible__beside_an_activity_what_may_change_there():
    inside = subprocess("sub", start("t"), user("ask"), end("u"), flows("t -> ask -> u"))
    beside = (message_boundary("told", message="m", on="sub", interrupting=False), exclusive("h", default="c"), end("c"), end("d"))
    drawn = (start("s"), inside, *beside, end("e"), flows("s -> sub -> e", "told -> h -> c", f"h -> d [{YES}]"))

    assert impossible(*drawn, asked={"ask": asking("answer", "yes", "no")}) == {}


def test_impossible__what_only_the_application_brings():
    """Who begins brings no; who comes in by the message brings yes, and nobody else writes it."""
    drawn = (
        start("s"), user("ask"), exclusive("g", default="go"), user("go"), end("joined"), end("e"), message_boundary("join", message="join", on="go", interrupting=False),
        flows("s -> ask -> g -> go -> e", "g -> joined [${joining}]", "join -> ask"),
    )  # fmt: skip
    facts = {"given": {"joining": False}, "brought": {"join": {"joining": True}}}

    assert impossible(*drawn, **facts) == {"s ask g joined": [("${joining}", True)], "join ask g go e": [("${joining}", False)]}
    assert impossible(*drawn) == {}


@pytest.mark.parametrize(
    ("condition", "is_one"),
    [
        ("${kind == 'a' && kind == 'b'}", True),
        ("${kind == 'c'}", True),
        ("${amount > 5 and amount < 3}", True),
        ("${!flag && flag}", True),
        ('= kind = "a" and kind = "b"', True),
        ("${amount > 5 and amount < 7}", False),
        ("${1 == 2}", True),
        ("${flag}", False),
        ("${kind == other}", False),
        ("${amount + 1 == amount}", False),
        ("${kind.startsWith('x')}", False),
        ("${settled()}", False),
        ("${empty kind && kind == 'a'}", True),
    ],
)
def test_impossible__conditions_of_which_the_values_tell(condition, is_one):
    """What is calculated, or compared with another variable, may be anything: it is not proven."""
    asked = {"ask": asking("kind", "a", "b")}

    found = impossible(
        start("s"),
        user("ask"),
        exclusive("g", default="e"),
        end("d"),
        end("e"),
        flows("s -> ask -> g -> e", f"g -> d [{condition}]"),
        asked=asked,
    )

    assert ("s ask g d" in found) is is_one
    assert "s ask g e" not in found


@pytest.mark.parametrize("seed", range(5))
def test_impossible__whatever_the_order_of_the_document(seed):
    drawn = list(twice())
    random.Random(seed).shuffle(drawn)

    assert impossible(*drawn, asked={"ask": asking("answer", "yes", "no")}).keys() == {"s ask g y m h c", "s ask g n m h d"}


def test_impossible__a_hundred_questions_in_a_row():
    """What has nothing to do with each other is not combined."""
    content = [start("s"), end("end")]
    for place in range(100):
        content += [user(f"a{place}"), exclusive(f"g{place}", default=f"a{place + 1}" if place < 99 else "end"), end(f"e{place}")]
    chain = " -> ".join(["s", *(f"a{place} -> g{place}" for place in range(100)), "end"])
    ways = [f"g{place} -> e{place} [${{q{place} == 'yes'}}]" for place in range(100)]

    assert impossible(*content, flows(chain, *ways), asked={f"a{place}": asking(f"q{place}", "yes", "no") for place in range(100)}) == {}


def test_samples__chosen_early_for_what_is_asked_late():
    """Of all that can be filled in at the first task, what the last gateway needs together with the second."""
    wanted = "${a1 == 'no' && b1 == 'yes' && !(a2 == 'yes') && b2 == 'maybe'}"
    asked = {name: schemas.form(*(schemas.component("textfield", f"{name}{place}") for place in (1, 2))) for name in "ab"}
    drawn = (
        start("s"),
        user("a"),
        user("b"),
        exclusive("g", default="e"),
        end("d"),
        end("e"),
        flows("s -> a -> b -> g -> e", f"g -> d [{wanted}]"),
    )
    values = ["yes", "no", "maybe"]
    told = stories(*drawn, asked=asked)

    first = [next(some) for some in told.samples("a", {"a1": values, "a2": values})]
    then = [list(some) for some in told.samples("b", {"b1": values, "b2": values}, {"a1": "no", "a2": "maybe"})]
    in_vain = [list(some) for some in told.samples("b", {"b1": values, "b2": values}, {"a1": "yes", "a2": "maybe"})]

    assert {"a1": "no", "a2": "no"} in first
    assert [{"b1": "yes", "b2": "maybe"}] in then
    assert [{"b1": "yes", "b2": "maybe"}] not in in_vain


@pytest.mark.parametrize(("guests", "is_proved"), [(5, True), (9, False)])
def test_impossible__too_many_values_to_try_prove_nothing(guests, is_proved):
    """More guests than rooms, of whom no two share one: that takes some trying."""
    rooms = range(guests - 1)
    asked = [" || ".join(f"g{guest} == {room}" for room in rooms) for guest in range(guests)]
    asked += [" && ".join(f"!(g{one} == {room} && g{other} == {room})" for one in range(guests) for other in range(one)) for room in rooms]
    gateways = [exclusive(f"x{place}", default="e") for place in range(len(asked))]
    ways = [f"x{place} -> {f'x{place + 1}' if place + 1 < len(asked) else 'd'} [${{{some}}}]" for place, some in enumerate(asked)]

    found = impossible(
        start("s"), *gateways, end("d"), end("e"), flows("s -> x0", *ways, *(f"x{place} -> e" for place in range(len(asked))))
    )

    assert (f"s {' '.join(f'x{place}' for place in range(len(asked)))} d" in found) is is_proved


def test_impossible__errors_and_escalations_may_bring_something():
    drawn = (
        start("s"), user("ask"), boundary("up", definitions.escalation("UP"), on="ask", interrupting=False), exclusive("h", default="c"), end("c"), end("d"),
        element("endEvent", "e"), flows("s -> ask -> e", "up -> h -> c", f"h -> d [{NO}]"),
    )  # fmt: skip

    assert impossible(*drawn) == {}


# Nothing that happens is impossible ---------------------------------------------------------------------------------------------------


class Drawer:
    """Draws at random: tasks that ask, choices, forks, loops, subprocesses, and what begins beside a task."""

    def __init__(self, chance):
        self.chance, self.count, self.asked, self.content, self.arrows = chance, itertools.count(), {}, [], []

    def name(self, kind):
        return f"{kind}{next(self.count)}"

    def condition(self):
        return f"[${{{self.chance.choice('abc')} == 'yes'}}]"

    def block(self, depth):
        """Draw something; returns where it is entered and left."""
        kinds = [self.task, self.beside, self.row, self.row, self.choice, self.choice, self.fork, self.loop, self.sub]
        return self.chance.choice(kinds if depth else [self.task])(depth - 1)

    def task(self, _depth):
        name = self.name("t")
        self.asked[name] = self.chance.choice("abc")
        self.content.append(user(name))
        return name, name

    def beside(self, depth):
        name, _ = self.task(depth)
        event, over = self.name("v"), self.name("o")
        (entered, left) = self.block(depth)
        self.content += [timer_boundary(event, on=name, duration="P1D", interrupting=self.chance.random() < 0.3), end(over)]
        self.arrows += [f"{event} -> {entered}", f"{left} -> {over}"]
        return name, name

    def row(self, depth):
        (first, then), (next_, last) = self.block(depth), self.block(depth)
        self.arrows.append(f"{then} -> {next_}")
        return first, last

    def choice(self, depth):
        way, together, (some, some_left), (other, other_left) = self.name("g"), self.name("m"), self.block(depth), self.block(depth)
        self.content += [exclusive(way, default=other), exclusive(together)]
        self.arrows += [
            f"{way} -> {some} {self.condition()}",
            f"{way} -> {other}",
            f"{some_left} -> {together}",
            f"{other_left} -> {together}",
        ]
        return way, together

    def fork(self, depth):
        way, together, (some, some_left), (other, other_left) = self.name("f"), self.name("j"), self.block(depth), self.block(depth)
        self.content += [parallel(way), parallel(together)]
        self.arrows += [f"{way} -> {some}", f"{way} -> {other}", f"{some_left} -> {together}", f"{other_left} -> {together}"]
        return way, together

    def loop(self, depth):
        begun, again, on, (some, left) = self.name("l"), self.name("g"), self.name("n"), self.block(depth)
        self.content += [exclusive(begun), exclusive(again, default=on), task(on)]
        self.arrows += [f"{begun} -> {some}", f"{left} -> {again} -> {on}", f"{again} -> {begun} {self.condition()}"]
        return begun, on

    def sub(self, depth):
        inside = Drawer(self.chance)
        inside.count = self.count
        name, (entered, left), begin, over = self.name("u"), inside.block(depth), self.name("s"), self.name("e")
        self.content.append(
            subprocess(name, start(begin), *inside.content, end(over), flows(f"{begin} -> {entered}", f"{left} -> {over}", *inside.arrows))
        )
        self.asked |= inside.asked
        return name, name


@pytest.mark.parametrize("seed", range(40))
def test_impossible__nothing_that_happens(seed):
    drawer = Drawer(random.Random(seed))
    entered, left = drawer.block(4)
    asked = {name: asking(key, "yes", "no") for name, key in drawer.asked.items()}
    told = stories(start("s"), *drawer.content, end("e"), flows(f"s -> {entered}", f"{left} -> e", *drawer.arrows), asked=asked)
    proved = told.impossible()

    happened = set().union(*(happens(told, drawer) for _ in range(12)))

    assert happened
    assert not [" ".join(path.elements) for path in happened & proved.keys()]


def happens(told, drawer):
    """Let people answer at random, and timers run out; the paths that tokens take."""
    trails = Trails(process=told.process, paths=told.paths)
    instance = Instance.start(told.process, dict.fromkeys("abc", "no"), Context(now=NOW))
    known = set()
    for _ in range(30):
        for activity in instance.history():
            trails.see("i", activity, is_new=activity.id not in known)
            known.add(activity.id)
        waits = [wait for wait in instance.waits() if wait.kind in ("timer", "user_task")]
        if not waits:
            break
        wait = drawer.chance.choice(waits)
        if wait.kind == "timer":
            instance.fire(wait.id)
        else:
            instance.complete(wait.id, {drawer.asked[wait.element]: drawer.chance.choice(["yes", "no"])})
    return trails.taken
