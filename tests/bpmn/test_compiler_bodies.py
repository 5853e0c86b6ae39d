"""Link events become flows; an activity that runs several times gets a body."""

from __future__ import annotations

import pytest

from bpmn.definition import BODY, ElementType, EventDefinition, EventType, LoopType
from tests.bpmn.definitions import again, association, compensate, instances, link
from tests.bpmn.diagrams import (
    boundary,
    catch,
    end,
    event_gateway,
    event_subprocess,
    flows,
    message_catch,
    start,
    subprocess,
    tag,
    task,
    throw,
    timer_boundary,
    timer_catch,
    user,
)
from tests.bpmn.drawings import consistent, drawn, rewritten

TWICE = instances(count="2", asyncBefore="true")
HANDLER = {"isForCompensation": "true"}


def test_rewrite__link():
    definition = rewritten(
        start("s"), user("a"), throw("t", link("l")), throw("u", link("l")), catch("c", link("l")), end("e"), flows("s -> a -> t", "c -> e")
    )

    catcher = definition.elements["c"]
    assert [definition.flows[key].source for key in catcher.incoming] == ["t", "u"]
    assert {definition.elements[key].event for key in "tuc"} == {EventDefinition(type=EventType.NONE)}
    assert {definition.elements[key].type for key in "tuc"} == {ElementType.THROW_EVENT}
    assert all(definition.elements[key].drawn for key in "tuc")
    assert consistent(definition)


def test_rewrite__links_of_one_name_in_several_scopes():
    inner = [start("is"), throw("it", link("l")), catch("ic", link("l")), end("ie"), flows("is -> it", "ic -> ie")]

    definition = rewritten(
        start("s"), subprocess("sub", *inner), throw("t", link("l")), catch("c", link("l")), end("e"), flows("s -> sub -> t", "c -> e")
    )

    assert [definition.flows[key].source for key in definition.elements["ic"].incoming] == ["it"]
    assert [definition.flows[key].source for key in definition.elements["c"].incoming] == ["t"]
    assert consistent(definition)


@pytest.mark.parametrize(("marker", "kind"), [(TWICE, LoopType.PARALLEL), (again("${a}"), LoopType.STANDARD)])
def test_rewrite__body(marker, kind):
    retries = tag("camunda:failedJobRetryTimeCycle", "R5/PT1M")
    attrs = {"camunda:asyncAfter": "true", "camunda:jobPriority": "7", "startQuantity": "2"}

    definition = rewritten(start("s"), user("x", marker, name="会签", attrs=attrs, ext=retries), end("e"), flows("s -> x -> e"))

    body, inner = definition.elements["x" + BODY], definition.elements["x"]
    assert (body.type, body.name, body.parent, body.drawn) == (ElementType.MULTI_INSTANCE_BODY, "会签", None, False)
    assert (body.incoming, body.outgoing, body.loop.type) == (("s-x",), ("x-e",), kind)
    assert (body.async_before, body.async_after, body.retry_cycle.source, body.job_priority.source) == (False, True, "R5/PT1M", "7")
    assert (body.start_quantity, inner.start_quantity) == (2, 1)
    assert (inner.type, inner.parent, inner.incoming, inner.outgoing, inner.loop) == (ElementType.USER_TASK, "x" + BODY, (), (), None)
    assert (inner.async_before, inner.async_after, inner.retry_cycle) == (kind is LoopType.PARALLEL, False, None)
    assert inner.drawn
    assert consistent(definition)


def test_rewrite__boundary_events_stand_on_the_body():
    definition = rewritten(
        start("s"),
        user("x", TWICE),
        timer_boundary("b", on="x", duration="P1D"),
        boundary("c", compensate(), on="x"),
        task("undo", again("${a}"), attrs=HANDLER),
        association("c", "undo"),
        end("e"),
        flows("s -> x -> e", "b -> e"),
    )

    assert definition.elements["b"].attached_to == "x" + BODY
    assert (definition.elements["c"].attached_to, definition.elements["c"].handler) == ("x", "undo" + BODY)
    assert (definition.elements["undo" + BODY].for_compensation, definition.elements["undo"].for_compensation) == (True, False)
    assert consistent(definition)


def test_rewrite__body_forks_and_ends():
    definition = rewritten(
        start("s"),
        user("x", TWICE, default="z"),
        user("y", TWICE),
        user("z"),
        end("e"),
        flows("s -> x -> z -> e", "x -> y [${a}]"),
    )

    split = definition.elements[f"x{BODY}.split"]
    assert (split.type, split.outgoing, split.default) == (ElementType.INCLUSIVE_GATEWAY, ("x-z", "x-y"), "x-z")
    assert definition.elements[f"y{BODY}.end"].type is ElementType.END_EVENT
    assert "x.end" not in definition.elements
    assert consistent(definition)


def test_rewrite__bodies_in_bodies():
    inner = subprocess("sub", TWICE, start("is"), user("x", TWICE), end("ie"), flows("is -> x -> ie"))

    definition = rewritten(start("s"), inner, end("e"), flows("s -> sub -> e"))

    parents = {key: element.parent for key, element in definition.elements.items()}
    assert parents == {
        "s": None,
        "sub" + BODY: None,
        "sub": "sub" + BODY,
        "is": "sub",
        "x" + BODY: "sub",
        "x": "x" + BODY,
        "ie": "sub",
        "e": None,
    }
    assert consistent(definition)


def test_rewrite__flow_from_a_body_to_itself():
    definition = rewritten(start("s"), user("x", TWICE), end("e"), flows("s -> x -> e", "x -> x [${a}]"))

    assert (definition.flows["x-x"].source, definition.flows["x-x"].target) == (f"x{BODY}.split", "x" + BODY)
    assert consistent(definition)


def test_rewrite__what_no_token_leaves_is_not_closed():
    content = [
        start("s"),
        user("x"),
        boundary("b", compensate(), on="x"),
        user("undo", attrs=HANDLER),
        association("b", "undo"),
        event_subprocess("es", start("ess", attrs={"isInterrupting": "false"}), end("ese"), flows("ess -> ese")),
        end("e"),
        flows("s -> x -> e"),
    ]

    assert rewritten(*content) == drawn(*content)


def test_rewrite__event_gateway_stays():
    content = [
        start("s"),
        event_gateway("x"),
        message_catch("a", message="m"),
        timer_catch("b", duration="P1D"),
        end("e"),
        flows("s -> x -> a -> e", "x -> b -> e"),
    ]

    assert rewritten(*content) == drawn(*content)


def test_rewrite__retries_of_each_instance_are_those_of_the_marker():
    """As in Camunda 7: those of the activity are the body's."""
    retries = tag("camunda:failedJobRetryTimeCycle", "R5/PT1M")
    marker = TWICE.replace("><", f">{tag('bpmn:extensionElements', retries.replace('R5', 'R2'))}<", 1)

    definition = rewritten(start("s"), user("x", marker, ext=retries), end("e"), flows("s -> x -> e"))

    assert definition.elements["x" + BODY].retry_cycle.source == "R5/PT1M"
    assert definition.elements["x"].retry_cycle.source == "R2/PT1M"
