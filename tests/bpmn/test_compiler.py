"""What is drawn is what the definition says: processes, flows, scopes."""

from __future__ import annotations

from bpmn import compiler
from tests.bpmn.diagrams import (
    diagram,
    document,
    element,
    end,
    exclusive,
    flows,
    inclusive,
    process,
    start,
    subprocess,
    tag,
    timer_boundary,
    user,
)
from tests.bpmn.drawings import between, compiled


def test_compile__process():
    definition = compiled(
        start("s"),
        end("e"),
        flows("s -> e"),
        tag("bpmn:documentation", "一件事"),
        key="open-restaurant",
        name="开办餐饮店",
        attrs={"camunda:versionTag": "2026-11", "camunda:historyTimeToLive": "P180D"},
        properties={"onething.promised": "10"},
    )

    assert (definition.key, definition.name, definition.documentation) == ("open-restaurant", "开办餐饮店", "一件事")
    assert (definition.version_tag, definition.history_time_to_live) == ("2026-11", "P180D")
    assert definition.properties == {"onething.promised": "10"}


def test_compile__elements_and_flows_in_document_order():
    definition = compiled(start("s"), user("a", name="受理"), end("e"), flows("s -> a", "a -> e"))

    assert [(e.id, e.type.value, e.incoming, e.outgoing) for e in definition.elements.values()] == [
        ("s", "startEvent", (), ("s-a",)),
        ("a", "userTask", ("s-a",), ("a-e",)),
        ("e", "endEvent", ("a-e",), ()),
    ]
    assert [(f.source, f.target, f.condition) for f in definition.flows.values()] == [("s", "a", None), ("a", "e", None)]
    assert definition.elements["a"].name == "受理"
    assert [e.id for e in definition.starts()] == ["s"]


def test_compile__gateways():
    definition = compiled(
        start("s"),
        exclusive("x", default="o"),
        inclusive("o", default="e"),
        user("a"),
        end("e"),
        flows("s -> x", "x -> a [${a > 1}]", "x -> o", "o -> a [= b < 2]", "o -> e", "a -> e"),
    )

    assert (definition.elements["x"].default, definition.elements["o"].default) == ("x-o", "o-e")
    assert definition.flows["x-a"].condition.source == "${a > 1}"
    assert definition.flows["o-a"].condition.source == "= b < 2"


def test_compile__nested_subprocesses():
    definition = compiled(
        start("s"),
        subprocess(
            "outer",
            start("os"),
            subprocess("inner", start("is"), user("x"), end("ie"), flows("is -> x -> ie")),
            timer_boundary("late", on="inner", duration="P1D"),
            end("oe"),
            flows("os -> inner -> oe", "late -> oe"),
        ),
        end("e"),
        flows("s -> outer -> e"),
    )

    assert {e.id: e.parent for e in definition.elements.values()} == {
        "s": None,
        "outer": None,
        "os": "outer",
        "inner": "outer",
        "is": "inner",
        "x": "inner",
        "ie": "inner",
        "late": "outer",
        "oe": "outer",
        "e": None,
    }
    assert [e.id for e in definition.starts("inner")] == ["is"]


def test_compile__several_processes():
    content = document(
        process("a", start("s1"), end("e1"), flows("s1 -> e1")),
        process("drawing", user("nothing"), executable=False),
        process("b", start("s2"), end("e2"), flows("s2 -> e2")),
    )

    assert [definition.key for definition in compiler.compile(content, "p.bpmn")] == ["a", "b"]


def test_compile__pool_names_its_process():
    pool = element("participant", "pool", name="新生儿出生", attrs={"processRef": "p"})
    content = document(element("collaboration", "c", pool), process("p", start("s"), end("e"), flows("s -> e")))

    (definition,) = compiler.compile(content, "p.bpmn")

    assert (definition.key, definition.name) == ("p", "新生儿出生")


def test_compile__drawing_is_ignored():
    lanes = tag("bpmn:laneSet", element("lane", "l", tag("bpmn:flowNodeRef", "x"), name="窗口"), attrs={"id": "ls"})
    note = element("textAnnotation", "note", tag("bpmn:text", "注意"))
    arrow = element("association", "a", attrs={"sourceRef": "x", "targetRef": "note"})
    data = (
        element("dataObject", "do")
        + element("dataObjectReference", "dor", attrs={"dataObjectRef": "do"})
        + element("dataStoreReference", "ds")
    )
    written = element("dataOutputAssociation", "da", tag("bpmn:targetRef", "dor"))
    frame = element("group", "g")

    definition = between(lanes, user("x", written), note, arrow, data, frame)

    assert list(definition.elements) == ["s", "x", "e"]


def test_compile__examine_gives_the_same_definitions():
    content = diagram(start("s"), user("x"), end("e"), flows("s -> x -> e"))

    examination = compiler.examine(content, "p.bpmn")

    assert list(examination.definitions) == compiler.compile(content, "p.bpmn")
    assert examination.findings == ()
