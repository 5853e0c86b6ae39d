"""What a drawing leaves unsaid is said in the definition."""

from __future__ import annotations

import pytest

from bpmn import compiler
from bpmn.definition import Definition, ElementType, EventDefinition, EventType
from bpmn.errors import DocumentError
from tests.bpmn.diagrams import document, element, end, exclusive, flow, flows, parallel, process, start, tag, timer_boundary, user
from tests.bpmn.drawings import compiled


def arrows(definition: Definition) -> list[tuple[str, str, str | None]]:
    return [(f.source, f.target, f.condition and f.condition.source) for f in definition.flows.values()]


def consistent(definition: Definition) -> bool:
    """Elements know their flows, and flows their elements."""
    return all(
        element.outgoing == tuple(f.id for f in definition.flows.values() if f.source == element.id)
        and element.incoming == tuple(f.id for f in definition.flows.values() if f.target == element.id)
        for element in definition.elements.values()
    )


def test_rewrite__conditional_flows_out_of_a_task():
    """All that hold are taken, as out of an inclusive gateway."""
    definition = compiled(
        start("s"),
        user("a", default="e"),
        user("b"),
        user("c"),
        end("e"),
        flows("s -> a", "a -> b [${x}]", "a -> c [${y}]", "a -> e", "b -> e", "c -> e"),
    )

    split = definition.elements["a.split"]

    assert (split.type, split.drawn, split.default) == (ElementType.INCLUSIVE_GATEWAY, False, "a-e")
    assert (definition.elements["a"].outgoing, definition.elements["a"].default) == (("a.to.split",), None)
    assert split.outgoing == ("a-b", "a-c", "a-e")
    assert ("a.split", "b", "${x}") in arrows(definition)
    assert consistent(definition)


def test_rewrite__one_conditional_flow_out_of_a_task():
    definition = compiled(start("s"), user("a"), end("e"), flows("s -> a", "a -> e [${x}]"))

    assert definition.elements["a.split"].type is ElementType.INCLUSIVE_GATEWAY


def test_rewrite__conditional_and_plain_flows_out_of_a_task():
    """A flow without a condition is always taken."""
    definition = compiled(start("s"), user("a"), user("b"), end("e"), flows("s -> a", "a -> b [${x}]", "a -> e", "b -> e"))

    assert definition.elements["a.split"].type is ElementType.INCLUSIVE_GATEWAY
    assert definition.flows["a-e"].condition is None


@pytest.mark.parametrize("origin", ["s", "a", "t"])
def test_rewrite__implicit_fork(origin):
    """Several flows out of a start event, a task, a boundary event: all are taken."""
    more = {"s": "s -> b", "a": "a -> b", "t": "t -> b"}[origin]

    definition = compiled(
        start("s"),
        user("a"),
        timer_boundary("t", on="a", duration="P1D"),
        user("b"),
        end("e"),
        flows("s -> a -> e", "t -> e", "b -> e", more),
    )

    split = definition.elements[f"{origin}.split"]
    assert (split.type, len(split.outgoing), split.drawn) == (ElementType.PARALLEL_GATEWAY, 2, False)
    assert consistent(definition)


def test_rewrite__gateways_stay_as_they_are():
    content = [start("s"), parallel("f"), user("a"), user("b"), parallel("j"), end("e"), flows("s -> f -> a -> j -> e", "f -> b -> j")]

    definition = compiled(*content)

    assert [e.id for e in definition.elements.values()] == ["s", "f", "a", "b", "j", "e"]
    assert all(e.drawn for e in definition.elements.values())


def test_rewrite__implicit_merge_stays():
    """Every token that comes runs the task; nothing is inserted."""
    definition = compiled(start("s"), user("a"), user("b"), end("e"), flows("s -> a -> b -> e", "s -> b"))

    assert definition.elements["b"].incoming == ("a-b", "s-b")
    assert consistent(definition)


@pytest.mark.parametrize("loose", [user("x"), timer_boundary("x", on="a", duration="P1D"), parallel("x")])
def test_rewrite__loose_end(loose):
    leading = "" if "boundary" in loose else flows("a -> x")

    definition = compiled(start("s"), user("a"), loose, end("e"), flows("s -> a -> e"), leading)

    close = definition.elements["x.end"]
    assert (close.type, close.event, close.drawn) == (ElementType.END_EVENT, EventDefinition(type=EventType.NONE), False)
    assert definition.flows["x.to.end"].target == "x.end"
    assert consistent(definition)


def test_rewrite__inserted_ids_are_new():
    definition = compiled(
        start("s"), user("a"), user("a.split"), user("a.to.split"), end("e"), flows("s -> a -> a.split -> e", "a -> a.to.split -> e")
    )

    assert definition.elements["a"].outgoing == ("a.to.split_",)
    assert definition.elements["a.split_"].type is ElementType.PARALLEL_GATEWAY
    assert definition.elements["a.split"].type is ElementType.USER_TASK


def test_rewrite__inserted_gateway_stands_in_the_same_subprocess():
    inner = [start("s2"), user("a"), user("b"), end("e2"), flows("s2 -> a -> b -> e2", "a -> e2")]

    definition = compiled(start("s"), element("subProcess", "sub", *inner), end("e"), flows("s -> sub -> e"))

    assert definition.elements["a.split"].parent == "sub"


def test_rewrite__flows_without_ids():
    """31 % of Camunda's own test models have them."""
    bare = [tag("bpmn:sequenceFlow", attrs={"sourceRef": a, "targetRef": b}) for a, b in ("sa", "ae")]

    definition = compiled(start("s"), user("a"), end("e"), *bare)

    assert arrows(definition) == [("s", "a", None), ("a", "e", None)]
    assert len(set(definition.flows)) == 2


def test_rewrite__given_ids_are_new():
    bare = tag("bpmn:sequenceFlow", attrs={"sourceRef": "s", "targetRef": "sequenceFlow_1"})

    definition = compiled(start("s"), user("sequenceFlow_1"), end("e"), bare, flow("sequenceFlow_1", "e"))

    assert arrows(definition) == [("s", "sequenceFlow_1", None), ("sequenceFlow_1", "e", None)]


@pytest.mark.parametrize("ids", [("Start", "Root", "End"), ("p.EndJoin", "p", "End"), ("开始", "受理", "结束"), ("_1", "a-b.c", "A")])
def test_compile__any_legal_id(ids):
    first, middle, last = ids

    definition = compiled(
        start(first), user(middle), end(last), flows(f"{first} -> {middle} -> {last}"), key="p" if "p" not in ids else "q"
    )

    assert tuple(definition.elements) == ids


def test_compile__executable_where_nobody_says():
    content = document(process("a", start("s"), end("e"), flows("s -> e"), executable=None))

    examination = compiler.examine(content, "p.bpmn")

    assert [definition.key for definition in examination.definitions] == ["a"]
    assert [finding.rule for finding in examination.findings] == ["not-marked-executable"]


def test_compile__executable_where_another_says():
    """A pool that is only drawn is no process that runs."""
    content = document(
        process("a", start("s"), end("e"), flows("s -> e")), process("pool", executable=None), process("c", executable=False)
    )

    assert [definition.key for definition in compiler.compile(content, "p.bpmn")] == ["a"]


def test_rewrite__default_flow_that_is_the_only_one():
    definition = compiled(start("s"), user("a", default="e"), end("e"), flows("s -> a -> e"))

    assert (definition.elements["a"].default, definition.elements["a"].outgoing) == (None, ("a-e",))


def test_rewrite__default_flow_of_a_gateway_stays():
    definition = compiled(
        start("s"), exclusive("g", default="e"), user("a"), end("e"), flows("s -> g", "g -> a [${x}]", "g -> e", "a -> e")
    )

    assert definition.elements["g"].default == "g-e"


def test_rewrite__given_ids_do_not_depend_on_drawing():
    """A note more in the diagram moves no id."""
    bare = [tag("bpmn:sequenceFlow", attrs={"sourceRef": a, "targetRef": b}) for a, b in ("sa", "ae")]
    content = [start("s"), user("a"), end("e"), *bare]

    plain = compiled(*content)
    noted = compiled(tag("bpmn:documentation", "x"), tag("bpmn:textAnnotation", tag("bpmn:text", "x")), *content)

    assert list(plain.flows) == list(noted.flows)


def test_compile__refused_element_without_an_id():
    with pytest.raises(DocumentError, match="script task"):
        compiled(start("s"), element("scriptTask", None), element("scriptTask", None), end("e"), flows("s -> e"))
