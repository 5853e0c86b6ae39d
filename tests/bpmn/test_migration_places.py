"""Wherever a token may stand: the table of docs/decisions/0009, a test for each cell.

    s → f → x → j → z → e       x is the place; beside it somebody works
        f → other → j

The versions: the same; x is gone; x is something else; x stands in a subprocess; x has another id, and that is said; a third branch leads
into j; x leads elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from bpmn import migration
from bpmn.instructions import Instruction, Verb
from bpmn.migration import Plan
from bpmn.waits import Context, WaitKind
from tests.bpmn.definitions import CANCEL, again, association, compensate, conditional, escalation, instances, message, parameters, signal
from tests.bpmn.diagrams import (
    boundary,
    call,
    catch,
    decision,
    end,
    event_gateway,
    event_subprocess,
    exclusive,
    external,
    flows,
    inclusive,
    message_catch,
    milestone,
    parallel,
    receive,
    script,
    start,
    subprocess,
    task,
    throw,
    timer,
    timer_catch,
    transaction,
    user,
)
from tests.bpmn.instances import begin, complete, definition, proceed, standing

BEFORE, AFTER = {"camunda:asyncBefore": "true"}, {"camunda:asyncAfter": "true"}
#: A job whose priority is not known: who must wait for it fails.
PRESSING = {**BEFORE, "camunda:jobPriority": "${number}"}
#: What was not known when something failed.
MENDED = {"name": "market", "list": ["li", "wang"], "when": "PT1H", "yes": True, "number": 5, "more": False}
VERSIONS = ("same", "gone", "another type", "in a scope", "renamed", "join gains", "leads elsewhere")
#: What is refused when x has been entered, and when nobody has come into it yet.
ENTERED = {
    "gone": "Expected x in the new version, but it is not there",
    "another type": "Expected x to keep its ",
    "in a scope": "Expected x to stay in the process, but it is in box",
    "join gains": "Expected a token on every flow into j, but it could wait for ever for one by c-j",
}
AHEAD = {key: reason for key, reason in ENTERED.items() if key != "another type"}


@dataclass(frozen=True)
class Place:
    """A place, and what it is refused for, by version."""

    drawn: tuple[str, ...]
    refused: dict[str, str] = field(default_factory=lambda: ENTERED)
    #: Where the way leads in and out, and what is between.
    into: str = "x"
    out: str | None = "x"
    arrows: tuple[str, ...] = ()
    #: x as something else.
    other: tuple[str, ...] = (user("x"),)
    #: Tasks that are done to come to stand there.
    done: tuple[str, ...] = ()
    #: What waits there.
    stands: tuple[str, ...] = ("x",)
    #: A message that is sent to come to stand there; whether another instance has called this one.
    message: str | None = None
    called: bool = False


def box(kind, *more):
    return kind("x", start("i"), user("in"), end("o"), flows("i -> in -> o"), *more)


EVENTS = (message_catch("paid", message="paid"), timer_catch("late", duration="PT9H"))
ELSEWHERE = (external("x", topic="t"),)
BOOKED = (
    user("book"),
    boundary("unbook", compensate(), on="book"),
    user("undo", attrs={"isForCompensation": "true"}),
    association("unbook", "undo"),
)
FAILS = {"ext": parameters(outputs={"result": "${name}"})}
CHOICE = ("x -> m [${yes}]", "x -> k", "m -> k")
FORK = {**AHEAD, **{key: AHEAD[key].replace(" x ", " the fork behind x ") for key in ("gone", "in a scope")}}

PLACES = {
    "user task": Place((user("x"),), other=ELSEWHERE),
    "external task": Place(ELSEWHERE),
    "receive task": Place((receive("x", message="paid"),)),
    "call activity": Place((call("x", of="food_permit"),)),
    "several at once": Place((user("x", instances(count="2")),), stands=("x", "x"), other=(user("x", instances(count="2", sequential=True)),)),
    "several, one after the other": Place((user("x", instances(count="2", sequential=True)),), other=(user("x", instances(count="2")),)),
    "loop": Place((user("x", again("${more}")),), other=(user("x", instances(count="2")),)),
    "subprocess": Place((box(subprocess),), stands=("in",), other=(box(transaction),)),
    "several subprocesses": Place((box(subprocess, instances(count="2")),), stands=("in", "in"), other=(user("x", instances(count="2")),)),
    "transaction": Place((box(transaction),), stands=("in",), other=(box(subprocess),)),
    "event-based gateway": Place(
        (event_gateway("x"), *EVENTS, exclusive("k")), out="k", arrows=("x -> paid -> k", "x -> late -> k"), stands=("paid", "late"),
        other=(parallel("x"), *EVENTS, exclusive("k")),
    ),
    "timer": Place((timer_catch("x", duration="PT9H"),), other=(message_catch("x", message="paid"),)),
    "message": Place((message_catch("x", message="paid"),), other=(timer_catch("x", duration="PT9H"),)),
    "signal": Place((catch("x", signal("flood")),), other=(timer_catch("x", duration="PT9H"),)),
    "condition": Place((catch("x", conditional("${sure == 1}")),), other=(timer_catch("x", duration="PT9H"),)),
    "job before a task": Place((user("x", attrs=BEFORE),), AHEAD, other=(external("x", topic="t"),)),
    "job before a gateway": Place(
        (exclusive("x", default="k", attrs=BEFORE), task("m"), exclusive("k")), out="k", arrows=CHOICE, refused=AHEAD,
        other=(inclusive("x", default="k", attrs=BEFORE), task("m"), exclusive("k")),
    ),
    "job before a start inside": Place(
        (subprocess("x", start("i", attrs=BEFORE), user("in"), end("o"), flows("i -> in -> o")),), stands=("i",), other=(user("x"),),
    ),
    "job after a task": Place((user("x", attrs=AFTER),), AHEAD, done=("x",), other=(external("x", topic="t"),)),
    "job before a link": Place((milestone("x", attrs=BEFORE),), other=(catch("x", signal("flood")),)),
    "an escalation that went out": Place((throw("x", escalation("e1")),), called=True, other=(milestone("x"),)),
    "compensation that runs": Place(
        (*BOOKED, throw("x", compensate())), into="book", arrows=("book -> x",), done=("book",), stands=("undo",), other=(*BOOKED, milestone("x")),
    ),
    "what can be compensated": Place((*BOOKED, user("x")), into="book", arrows=("book -> x",), done=("book",), other=(*BOOKED, *ELSEWHERE)),
    "failed into a task": Place((user("x", groups="${name}"),), AHEAD, other=ELSEWHERE),
    "failed into work": Place((external("x", topic="${name}"),), AHEAD),
    "failed script": Place((script("x", "${name}"),), AHEAD),
    "failed decision": Place((decision("x", ref="${name}", result="r"),), AHEAD),
    "failed call": Place((call("x", of="${name}"),), AHEAD),
    "failed into a subprocess": Place(
        (box(subprocess, instances(collection="${list}")),), {**AHEAD, "gone": "Expected x to run several times in the new version, too, but it does not"}, stands=("x#multiInstanceBody",), other=(user("x", instances(count="2")),),
    ),
    "failed timer": Place((timer_catch("x", duration="${when}"),), AHEAD, other=(message_catch("x", message="paid"),)),
    "failed throw": Place((throw("x", signal("${name}")),), other=(catch("x", signal("flood")),)),
    "failed plain task": Place((task("x", **FAILS),), other=ELSEWHERE),
    "failed exclusive gateway": Place(
        (exclusive("x", default="k"), task("m"), exclusive("k")), AHEAD, out="k", arrows=CHOICE,
        other=(inclusive("x", default="k"), task("m"), exclusive("k")),
    ),
    "failed inclusive gateway": Place(
        (inclusive("x", default="k"), task("m"), inclusive("k")), AHEAD, out="k", arrows=CHOICE,
        other=(exclusive("x", default="k"), task("m"), exclusive("k")),
    ),
    "failed fork behind a task": Place(
        (user("x"), task("m"), exclusive("k")), FORK, out="k", arrows=("x -> m [${yes}]", "x -> k [${!yes}]", "m -> k"), done=("x",),
        stands=("x.split",), other=(external("x", topic="t"), task("m"), exclusive("k")),
    ),
    "failed job": Place((user("x", attrs=PRESSING),), AHEAD, other=ELSEWHERE),
    "failed boundary event": Place(
        (user("u"), end("o"), boundary("x", message("stop"), on="u", attrs=PRESSING)), AHEAD, into="u", arrows=("u -> o",), message="stop",
        other=(user("u"), end("o"), boundary("x", timer(duration="PT1H"), on="u")),
    ),
    "failed end": Place((end("x", signal("${name}")),), {**AHEAD, "another type": ENTERED["another type"]}, out=None, other=(milestone("x"),)),
}  # fmt: skip


def versions(place, version):
    """Draw the process with a place, in one of its versions."""
    drawn, into, out, arrows = place.drawn, place.into, place.out, place.arrows
    if version == "another type":
        drawn = place.other
    if version == "gone":
        drawn, into, out, arrows = (user("n"),), "n", "n", ()
    if version == "in a scope":
        inner = flows(f"i2 -> {into}", *arrows, *([f"{out} -> o2"] if out else []))
        drawn, into, out, arrows = (subprocess("box", start("i2"), *drawn, *([end("o2")] if out else []), inner),), "box", "box", ()
    way = (f"f -> {into}", *arrows)
    if out:
        way += (f"{out} -> e2",) if version == "leads elsewhere" else (f"{out} -> j",)
    if version == "renamed":
        drawn, way = (tuple(re.sub(r"\bx\b", "y", text) for text in texts) for texts in (drawn, way))
    third = ("f -> c -> j",) if version == "join gains" else ()
    content = (start("s"), parallel("f"), user("other"), user("c"), *drawn, parallel("j"), user("z"), end("e"), end("e2"))
    return (*content, flows("s -> f -> other -> j -> z -> e", *way, *third))


def to_the_place(place):
    """An instance that has come there."""
    instance = begin(*versions(place, "same"), called=place.called)
    complete(instance, *place.done)
    if place.message:
        instance.throw(place.message)
    assert tuple(element for element in standing(instance) if element != "other") == place.stands
    return instance


def to_the_end(instance):
    """Go on until it ends, whatever that takes; say what was done, in order."""
    instance.set_variables({**MENDED, "sure": 1})
    done = []
    for _ in range(40):
        if instance.ended:
            return done
        wait = instance.waits()[0]
        done.append(wait.element)
        instance.context.decide = lambda _decision, _variables: [{"r": 1}]
        proceed(instance, wait, {})
    raise AssertionError(f"it goes in circles: {done}")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", PLACES)
def test_migrate__place(name, version):
    place = PLACES[name]
    old = to_the_place(place)
    plan = Plan(source=old.definition, target=definition(*versions(place, version)), renamed={"x": "y"} if version == "renamed" else {})

    moved = migration.migrate(plan, old.snapshot(), old.variables, Context(**vars(old.context)))

    if (expected := place.refused.get(version)) is not None:
        assert moved.instance is None
        assert any(reason.startswith(expected) for reason in moved.reasons), moved.reasons
        return
    assert moved.reasons == ()
    assert [(wait.id, wait.since) for wait in moved.instance.waits()] == [(wait.id, wait.since) for wait in old.waits()]
    if version == "same":
        assert moved.instance.snapshot() == old.snapshot()
    assert to_the_end(moved.instance).count("z") == 1


# Joins that are half filled, and who has yet to come to one -----------------------------------------------------------------------------


def migrate(old, *content, **renamed):
    plan = Plan(source=old.definition, target=definition(*content), renamed=renamed)
    return migration.migrate(plan, old.snapshot(), old.variables, Context(**vars(old.context)))


def joined(join, *arrows, more=()):
    """Two branches that meet in a join, or what becomes of them."""
    return (
        start("s"), parallel("f"), user("a"), user("b"), join, user("z"), end("e"), *more,
        flows("s -> f -> a", "f -> b", "j -> z -> e", *(arrows or ("a -> j", "b -> j"))),
    )  # fmt: skip


THIRD = (user("c"),)
HALF = {
    "the same": (joined(parallel("j")), None),
    "gains a branch that nobody can take": (
        joined(parallel("j"), "f -> c -> j", "a -> j", "b -> j", more=THIRD),
        "Expected a token on every flow into j, but it could wait for ever for one by c-j",
    ),
    "gains a branch that is still to be taken": (joined(parallel("j"), "b -> c -> j", "a -> j", "b -> j", more=THIRD), None),
    "loses the flow by which one came": (
        joined(parallel("j"), "a -> c -> e", "b -> j", "f -> j", more=THIRD),
        "Expected flow a-j, by which a token has come to j, to lead there in the new version, but it does not",
    ),
    "loses the flow by which nobody has come": (joined(parallel("j"), "a -> j", "b -> e"), "Expected j to go on waiting, but all it waits for have come"),
    "of another kind": (joined(inclusive("j")), "Expected j to keep its type parallelGateway, but it is inclusiveGateway"),
}  # fmt: skip


@pytest.mark.parametrize("how", HALF)
@pytest.mark.parametrize("job", [False, True], ids=["waits", "has a job before it"])
def test_migrate__half_a_parallel_join(how, job):
    after, reason = HALF[how]
    old = begin(*joined(parallel("j", attrs=BEFORE if job else None)))
    complete(old, "a")
    job_may = {"of another kind", "loses the flow by which nobody has come"}  # nobody has come to the join yet

    moved = migrate(old, *after)

    if reason is None or (job and how in job_may):
        assert moved.reasons == ()
        assert to_the_end(moved.instance).count("z") == (2 if how == "loses the flow by which nobody has come" and not job else 1)
    else:
        assert [told.startswith(reason) for told in moved.reasons] == [True]


def test_migrate__half_an_inclusive_join():
    """It waits for who can still come, and a branch that was not taken may go."""

    def drawn(*names):
        return (
            start("s"), inclusive("f", default="a"), *map(user, names), inclusive("j"), user("z"), end("e"),
            flows(*(f"f -> {name} [${{{name}}}]" for name in names[1:]), "s -> f -> a", *(f"{name} -> j" for name in names), "j -> z -> e"),
        )  # fmt: skip

    old = begin(*drawn("a", "b", "c", "d"), variables={"b": True, "c": True, "d": False})
    complete(old, "b")

    less, more = migrate(old, *drawn("a", "b", "c")), migrate(old, *drawn("a", "b", "c", "d", "g"))

    assert (less.reasons, more.reasons) == ((), ())
    assert [to_the_end(each.instance) for each in (less, more)] == [["c", "z"], ["c", "z"]]
    assert migrate(old, *drawn("a", "c")).reasons[0].startswith("Expected flow b-j, by which a token has come to j, to lead there")


def test_migrate__half_of_the_tokens_that_an_activity_needs():
    def drawn(*arrows):
        c = user("c", attrs={"startQuantity": "2"})
        return (start("s"), parallel("f"), user("a"), user("b"), c, end("e"), flows("s -> f -> a -> c -> e", "f -> b", *arrows))

    old = begin(*drawn("b -> c"))
    complete(old, "a")

    assert to_the_end(migrate(old, *drawn("b -> c")).instance) == ["b", "c"]


def test_migrate__an_activity_would_never_have_tokens_enough():
    """The branch that is new has been passed: one token too few comes."""

    def drawn(number, *arrows):
        return (
            start("s"), parallel("f"), user("a"), user("b"), user("n"), user("c", attrs={"startQuantity": number}), end("e"),
            flows("s -> f -> a -> c -> e", "f -> b -> c", *arrows),
        )  # fmt: skip

    (reason,) = migrate(begin(*drawn("2")), *drawn("3", "f -> n -> c")).reasons

    assert reason == "Expected 3 tokens to start c, but fewer could come: move the case when it is behind c"


def test_migrate__where_everybody_waited_in_vain():
    """The drawing was wrong; the new one asks for nobody who cannot come, and a retry lets the case go on."""
    old = begin(start("s"), exclusive("x", default="a"), user("a"), user("b"), parallel("j"), end("e"),
                flows("s -> x -> a -> j -> e", "x -> b [${go}]", "b -> j"), variables={"go": False})  # fmt: skip
    complete(old, "a")
    (stuck,) = old.waits()
    assert stuck.kind is WaitKind.INCIDENT

    moved = migrate(old, start("s"), exclusive("x", default="a"), user("a"), user("b"), parallel("j"), end("e"),
                    flows("s -> x -> a -> j -> e", "x -> b [${go}]", "b -> e"))  # fmt: skip

    (still,) = moved.instance.waits()
    assert (still.id, still.kind) == (stuck.id, WaitKind.INCIDENT)
    assert still.error == "Expected j to be retried, since a token has come on every flow into it by now"
    moved.instance.retry(still.id)
    assert (moved.instance.ended, moved.instance.end) == (True, "e")


def test_migrate__put_at_a_join_by_hand():
    """It came by no flow, and stands for one of those by which nobody else came."""
    old = begin(*joined(parallel("j")))
    old.modify(
        Instruction(verb=Verb.CANCEL, target=next(wait.id for wait in old.waits() if wait.element == "a")),
        Instruction(verb=Verb.BEFORE, target="j"),
    )
    assert standing(old) == ["b"]

    same, more = migrate(old, *joined(parallel("j"))), migrate(old, *joined(parallel("j"), "f -> c -> j", "a -> j", "b -> j", more=THIRD))

    assert to_the_end(same.instance) == ["b", "z"]
    assert more.reasons[0].startswith("Expected a token on every flow into j, but it could wait for ever for one by ")


@pytest.mark.parametrize("failed", [False, True])
def test_migrate__who_waits_for_a_job_before_what_is_a_join_now(failed):
    """It has not gone through: it will wait there for the others."""

    def drawn(*arrows):
        return (
            start("s"), parallel("f"), user("a"), user("b"), parallel("j", attrs=PRESSING if failed else BEFORE), user("z"), end("e"),
            flows("s -> f -> a -> j -> z -> e", "f -> b", *arrows),
        )  # fmt: skip

    old = begin(*drawn("b -> e"))
    complete(old, "b", "a")
    assert standing(old) == ["j"]

    (reason,) = migrate(old, *drawn("b -> j")).reasons
    assert reason.startswith("Expected a token on every flow into j, but it could wait for ever for one by b-j")


def test_migrate__failed_before_a_job_that_is_no_more():
    """The retry goes straight in: no job is left behind."""
    old = begin(start("s"), user("x", attrs=PRESSING), end("e"), flows("s -> x -> e"))

    moved = migrate(old, start("s"), user("x"), end("e"), flows("s -> x -> e"))

    (failed,) = moved.instance.waits()
    moved.instance.retry(failed.id)
    (waiting,) = moved.instance.waits()
    assert (waiting.id, waiting.kind) == (failed.id, WaitKind.USER_TASK)


def test_migrate__failed_at_what_runs_no_longer_beside_the_rest():
    """Whether it failed or not: in the new version it is one or the other."""

    def drawn(fork):
        return (
            start("s"), fork, exclusive("x", default="b"), user("a"), user("b"), end("e"),
            flows("s -> f", "f -> x -> b -> e", "x -> e [${missing}]", "f -> a [${!no}]" if "exclusive" in fork else "f -> a", "a -> e"),
        )  # fmt: skip

    old = begin(*drawn(parallel("f")))
    assert sorted(standing(old)) == ["a", "x"]

    (reason,) = migrate(old, *drawn(exclusive("f", default="x"))).reasons
    assert reason.startswith("Expected x and a beside one another, but that never happens in the new version: move the case when")


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        ((exclusive("g", default="k"), flows("x -> g -> k", "g -> m [${!yes}]", "m -> k")), None),
        ((parallel("g"), flows("x -> g -> k")), None),
        ((exclusive("x2"), flows("x -> x2 -> k")), None),
        ((flows("x -> k"),), "Expected the fork behind x in the new version, but it is not there"),
    ],
)
def test_migrate__failed_at_a_fork_that_nobody_had_drawn(drawn, reason):
    """A gateway that is drawn there now mends it.  Without one there is nowhere to be: in x the token would do x again for the history,
    and in what follows it has not come in yet, since it has failed before it took a flow."""
    *gates, arrows = drawn
    old = begin(
        start("s"), user("x"), task("m"), user("k"), end("e"), flows("s -> x", "x -> k [${!yes}]", "x -> m [${yes}]", "m -> k -> e")
    )
    complete(old, "x")
    assert standing(old) == ["x.split"]

    moved = migrate(old, start("s"), user("x"), task("m"), user("k"), end("e"), *gates, arrows, flows("s -> x", "k -> e"))

    if reason:
        assert [told.split(":")[0] for told in moved.reasons] == [reason]
    else:
        assert moved.reasons == ()
        assert to_the_end(moved.instance)[-1] == "k"


# Scopes -------------------------------------------------------------------------------------------------------------------------------


def alarmed(*more, interrupting=True, opening=True):
    """A process that an alarm interrupts, or not."""
    attrs = {"isInterrupting": None if interrupting else "false"}
    alarm = event_subprocess("alarm", start("rung", message="alarm", attrs=attrs), user("help"), end("helped"), flows("rung -> help -> helped"))  # fmt: skip
    return (start("s"), user("x"), end("e"), flows("s -> x -> e"), *([alarm] if opening else []), *more)


@pytest.mark.parametrize(("was", "is_now"), [(True, True), (True, False), (False, False), (False, True)])
def test_migrate__event_subprocess_at_work(was, is_now):
    old = begin(*alarmed(interrupting=was))
    old.throw("alarm")

    moved = migrate(old, *alarmed(interrupting=is_now))

    if was or not is_now:
        assert moved.reasons == ()
        complete(moved.instance, *(["help"] if was else ["help", "x"]))
        assert moved.instance.ended
    else:
        (reason,) = moved.reasons
        assert reason.startswith("Expected alarm to run beside what it has left running, but it interrupts that now: move the case when")


def test_migrate__nothing_new_begins_to_watch_where_all_else_was_interrupted():
    old = begin(*alarmed())
    old.throw("alarm")
    flood = event_subprocess("flood", start("risen", message="flood"), user("pump"), end("dry"), flows("risen -> pump -> dry"))

    moved = migrate(old, *alarmed(flood))

    assert [wait.element for wait in moved.instance.waits()] == ["help"]
    assert moved.instance.throw("flood") == 0


def test_migrate__handler_that_is_an_ordinary_step_now():
    """A compensation would carry the case on along its flows."""
    old = begin(start("s"), *BOOKED, user("x"), end("e"), flows("s -> book -> x -> e"))
    complete(old, "book")

    (reason,) = migrate(old, start("s"), user("book"), user("undo"), user("x"), end("e"), flows("s -> book -> x -> undo -> e")).reasons

    assert reason.startswith(
        "Expected to compensate book as before, but: Expected undo to keep its use for compensation True, but it is none"
    )


def test_migrate__transaction_while_it_is_canceled():
    def drawn(*inner):
        box = transaction("x", start("i"), *BOOKED, end("c", CANCEL), flows("i -> book -> c"), *inner)
        return (start("s"), box, boundary("off", CANCEL, on="x"), user("z"), end("e"), flows("s -> x -> e", "off -> z -> e"))

    old = begin(*drawn())
    complete(old, "book")
    assert standing(old) == ["undo"]

    assert to_the_end(migrate(old, *drawn()).instance) == ["undo", "z"]


@pytest.mark.parametrize("many", [instances(collection="list"), instances(collection="list", sequential=True)])
def test_migrate__failed_in_one_round_of_several(many):
    def drawn(groups):
        return (start("s"), user("x", many, groups=groups), user("z"), end("e"), flows("s -> x -> z -> e"))

    old = begin(*drawn("${list == 1 ? 1 : name}"), variables={"list": ["li", "wang"]})
    assert set(standing(old)) == {"x"}

    moved = migrate(old, *drawn("market"))

    assert {wait.kind for wait in moved.instance.waits()} == {WaitKind.INCIDENT}
    assert to_the_end(moved.instance)[-1] == "z"
