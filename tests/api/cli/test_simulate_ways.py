"""`onething simulate`: every kind of thing that can happen in a drawing happens."""

import pytest

from tests.api.cli.simulating import coverage, option
from tests.bpmn import definitions
from tests.bpmn.diagrams import (
    boundary,
    element,
    end,
    error_boundary,
    exclusive,
    external,
    flows,
    message_boundary,
    message_catch,
    start,
    task,
    timer,
    timer_boundary,
    timer_catch,
    user,
)


def test_simulate__every_choice_of_a_form(simulate, drawn):
    file = drawn(
        start("s"),
        user("choose", form="work", groups="window", name="选择"),
        exclusive("kind_known", default="other"),
        end("large"),
        end("medium"),
        end("other"),
        flows(
            "s -> choose -> kind_known",
            "kind_known -> large [${kind == 'large'}]",
            "kind_known -> medium [${kind == 'medium'}]",
            "kind_known -> other",
        ),
        fields=[option("kind", "small", "medium", "large")],
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}
    assert "completes 选择 kind=large  → large" in result.output


def test_simulate__what_is_never_reached_is_said(simulate, drawn):
    file = drawn(
        start("s"),
        user("choose", form="work", groups="window"),
        exclusive("kind_known", default="small"),
        user("never", name="永远走不到", form="work"),
        end("small"),
        flows("s -> choose -> kind_known -> small", "kind_known -> never [${kind == 'a' && kind == 'b'}]", "never -> small"),
        fields=[option("kind", "a", "b")],
    )

    result = simulate(file, "--min-coverage", 90)

    assert result.exit_code == 1
    assert "never reached: never 永远走不到" in result.output
    assert "never reached: kind_known-never" in result.output
    assert "never reached: choose" not in result.output
    assert "Expected 90 % of p (p) to be reached, but it is 70 %" in result.output


def test_simulate__what_is_never_reached_is_no_failure_by_itself(simulate, drawn):
    file = drawn(
        start("s"),
        exclusive("choice", default="no"),
        end("yes"),
        end("no"),
        flows("s -> choice -> no", "choice -> yes [${1 == 2}]"),
    )

    assert simulate(file).exit_code == 0


def test_simulate__timers_messages_workers_and_errors(simulate, drawn):
    file = drawn(
        start("s"),
        user("work", form="work", groups="window"),
        timer_boundary("late", on="work", duration="P3D", interrupting=False),
        end("reminded"),
        message_boundary("gone", on="work", message="withdrawn by mail"),
        end("given_up"),
        external("ask", topic="register"),
        error_boundary("unknown", on="ask", error="not-known"),
        end("not_known"),
        message_catch("paid", message="payment"),
        end("e"),
        flows("s -> work -> ask -> paid -> e", "late -> reminded", "gone -> given_up", "unknown -> not_known"),
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}, result.output
    assert "03-05 09:00                   time passes: late  → late → reminded" in result.output


def test_simulate__several_at_once_event_subprocess_condition_and_compensation(simulate, drawn):
    file = drawn(
        start("s"),
        user("each", definitions.instances(collection="people", elementVariable="person"), groups="window"),
        element("intermediateCatchEvent", "rich", definitions.conditional("${money > 5}")),
        element("eventBasedGateway", "first"),
        timer_catch("late", duration="P2D"),
        message_catch("asked", message="ask"),
        user("pay", groups="window"),
        boundary("unpay", definitions.compensate(), on="pay"),
        user("undo", groups="window", attrs={"isForCompensation": "true"}),
        definitions.association("unpay", "undo"),
        element("endEvent", "undone", definitions.compensate()),
        element(
            "subProcess", "beside", start("told", message="tell"), end("heard"), flows("told -> heard"), attrs={"triggeredByEvent": "true"}
        ),
        flows("s -> each -> rich -> first -> late -> pay", "first -> asked -> pay", "pay -> undone"),
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}, result.output


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        (element("startEvent", "s", definitions.signal("flood")), "begins: p  → s → wait"),
        (start("s", message="asked"), "walk 1: asked; everything on the day it is due"),
        (element("startEvent", "s", timer(cycle="R2/P1D")), "03-03 09:00  admin            begins: p  → s → wait"),
    ],
    ids=["signal", "message", "timer"],
)
def test_simulate__begins_by_an_event(simulate, drawn, beginning, words):
    waiting = element("intermediateCatchEvent", "wait", definitions.signal("over"))
    file = drawn(beginning, waiting, task("later", attrs={"camunda:asyncBefore": "true"}), end("e"), flows("s -> wait -> later -> e"))

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}, result.output
    assert words in result.output
    assert "the signal over is thrown  → later → e" in result.output


def test_simulate__variables_that_no_form_fills(simulate, drawn):
    file = drawn(
        start("s"),
        exclusive("how_much", default="free"),
        end("dear"),
        end("free"),
        flows("s -> how_much -> free", "how_much -> dear [${amount >= 1000}]"),
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}
    assert "begins: p amount = 1000" in result.output


def test_simulate__group_that_the_installation_does_not_know(simulate, drawn):
    file = drawn(start("s"), user("book", name="记账", form="work", groups="accounting"), end("e"), flows("s -> book -> e"))

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert "accounting       completes 记账" in result.output


def test_simulate__loop_without_end_ends(simulate, drawn):
    file = drawn(start("s"), user("again", form="work", groups="window"), exclusive("more", default="again"), end("never"),
                 flows("s -> again -> more -> again", "more -> never [${1 == 2}]"))  # fmt: skip

    result = simulate(file)

    assert result.exit_code == 0
    assert coverage(result)["p"] < 100


def test_simulate__what_a_program_leaves_and_a_form_asks_for_later(simulate, drawn):
    """A program looks first; only where it has found nothing a person is asked for the same."""
    file = drawn(
        start("s"),
        external("look", topic="registry", name="查询"),
        exclusive("found", default="ask"),
        user("ask", form="work", groups="window", name="人工核实"),
        exclusive("right", default="no"),
        end("yes"),
        end("no"),
        flows("s -> look -> found", "found -> yes [${licence == 'valid'}]", "found -> ask -> right"),
        flows("right -> yes [${licence == 'valid'}]", "right -> no"),
        fields=[option("licence", "valid", "void")],
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}
    assert "does 查询 licence=valid  → yes" in result.output
    assert "3 of 3 paths taken" in result.output
