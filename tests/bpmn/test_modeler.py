"""Opening a diagram in Camunda Modeler and saving it changes nothing in its meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bpmn import compiler
from bpmn.definition import Definition
from tests.bpmn import modeler
from tests.bpmn.diagrams import (
    call,
    decision,
    diagram,
    end,
    error_boundary,
    exclusive,
    external,
    flows,
    inclusive,
    message_boundary,
    message_catch,
    milestone,
    parallel,
    receive,
    start,
    subprocess,
    tag,
    task,
    timer_boundary,
    timer_catch,
    user,
)

WORKFLOWS = Path(__file__).parents[2] / "workflows"
SHIPPED = {str(path.relative_to(WORKFLOWS)): path.read_text(encoding="utf-8") for path in sorted(WORKFLOWS.glob("**/*.bpmn"))}

#: Everything that the compiler reads, in one diagram.
EVERYTHING = diagram(
    start("s", attrs={"camunda:formRef": "apply"}),
    start("m", message="接续受理"),
    user(
        "intake",
        tag("bpmn:documentation", "一窗受理 &lt;b> &amp; “more”"),
        name="一窗受理\n与登记",
        groups="hall,${window(hall, 'a')}",
        assignee="${clerk}",
        due="P3D",
        priority="70",
        form="intake",
        properties={"onething.kind": "intake", "onething.note": "a < b & c"},
        default="split",
    ),
    user("by_fields", ext=tag("camunda:formData", tag("camunda:formField", attrs={"id": "area", "label": "面积", "type": "long"}))),
    timer_boundary("late", on="intake", duration="${workdays(5)}", interrupting=False),
    message_boundary("withdrawn", on="intake", message="撤回"),
    parallel("split"),
    external("system", topic="fire-${hall}"),
    decision("list", ref="checklist", result="items", mapping="collectEntries"),
    call("item", of="${item}", inputs=["all", "a", "${b + 1} -> c"], outputs=["result -> 结果"]),
    error_boundary("refused", on="item", error="E1"),
    error_boundary("failed", on="item"),
    parallel("join"),
    subprocess(
        "joint",
        start("js"),
        inclusive("dispatch", default="done"),
        task("ready"),
        receive("plan", message="材料补齐"),
        timer_catch("date", date="2026-11-25T08:30:00+08:00"),
        end("stop", terminate=True),
        exclusive("done", default="stop"),
        end("bad", error="E1"),
        flows("js -> dispatch", "dispatch -> ready [${a > 1 && b < 2}]", "dispatch -> plan [= c > 1]", "dispatch -> done"),
        flows("ready -> done", "plan -> date -> done", "done -> bad [${failed}]", "done -> stop"),
    ),
    message_catch("wait", message="撤回"),
    timer_boundary("cycle", on="joint", cycle="R3/PT1H", interrupting=False),
    milestone("told"),
    end("e"),
    flows("s -> intake", "m -> by_fields -> intake", "intake -> told [${again}]", "intake -> split", "told -> wait -> intake"),
    flows("late -> e", "withdrawn -> e", "refused -> e", "failed -> e", "cycle -> e"),
    flows("split -> system -> join", "split -> list -> join", "split -> item -> join", "join -> joint -> e"),
    tag("bpmn:sequenceFlow", attrs={"sourceRef": "by_fields", "targetRef": "e"}),
    tag("bpmn:textAnnotation", tag("bpmn:text", "注意"), attrs={"id": "note"}),
    key="everything",
    name="一件事",
    attrs={"camunda:versionTag": "1", "camunda:historyTimeToLive": "P180D"},
    properties={"onething.promised": "10"},
).decode()
DIAGRAMS = {**SHIPPED, "everything": EVERYTHING}


def meaning(xml: str) -> list[Definition]:
    """What a diagram says, without the lines on which it says so."""
    return [
        replace(definition, elements={key: replace(element, line=0) for key, element in definition.elements.items()})
        for definition in compiler.compile(xml.encode(), "x.bpmn")
    ]


@pytest.fixture(scope="module")
def saved() -> dict[str, modeler.Saved]:
    """All diagrams, opened and saved."""
    return modeler.save(DIAGRAMS)


def test_save__workflows_are_there():
    assert SHIPPED


@pytest.mark.parametrize("name", DIAGRAMS)
def test_save__changes_nothing_in_meaning(name: str, saved: dict[str, modeler.Saved]):
    assert meaning(saved[name]["xml"]) == meaning(DIAGRAMS[name])
    assert saved[name]["warnings"] == []


def test_save__a_change_would_be_seen(saved: dict[str, modeler.Saved]):
    changed = saved["everything"]["xml"].replace("R3/PT1H", "R3/PT2H")

    assert meaning(changed) != meaning(EVERYTHING)
