"""What is written on an element is what the definition says."""

from __future__ import annotations

from bpmn import compiler
from bpmn.definition import Element, ElementType, EventDefinition, EventType, TimerType
from tests.bpmn.diagrams import (
    boundary,
    call,
    decision,
    document,
    element,
    end,
    error_boundary,
    external,
    flow,
    flows,
    message_boundary,
    message_catch,
    milestone,
    parallel,
    process,
    receive,
    start,
    tag,
    task,
    timer_boundary,
    timer_catch,
    user,
)
from tests.bpmn.drawings import between, compiled


def only(content: str) -> Element:
    return between(content).elements["x"]


def test_compile__user_task():
    task = only(
        user(
            "x",
            tag("bpmn:documentation", "看一看"),
            groups="hall, ${window(hall, 'a')} ,fire",
            assignee="${clerk}",
            due="${workdays(5)}",
            priority="70",
            form="intake",
            properties={"onething.kind": "intake", "onething.empty": ""},
        )
    )

    assert [group.source for group in task.candidate_groups] == ["hall", "${window(hall, 'a')}", "fire"]
    assert (task.assignee.source, task.due_date.source, task.priority.source) == ("${clerk}", "${workdays(5)}", "70")
    assert (task.form_ref, task.documentation) == ("intake", "看一看")
    assert task.properties == {"onething.kind": "intake", "onething.empty": ""}


def test_compile__form_key_names_a_file():
    assert only(user("x", form_key="camunda-forms:deployment:intake.form")).form_ref == "intake.form"
    assert only(user("x", form_key="camunda-forms:app:intake.form")).form_ref == "intake.form"


def test_compile__generated_form():
    field = tag("camunda:formField", attrs={"id": "area", "label": "面积", "type": "long"})

    task = only(user("x", ext=tag("camunda:formData", field)))

    assert [(field.key, field.label, field.type.value) for field in task.form_data.fields] == [("area", "面积", "number")]


def test_compile__start_form():
    definition = compiled(start("s", attrs={"camunda:formRef": "intake"}), end("e"), flows("s -> e"))

    assert definition.elements["s"].form_ref == "intake"


def test_compile__operaton_is_camunda():
    attrs = {"operaton:candidateGroups": "fire", "operaton:formRef": "f"}
    extension = tag("operaton:properties", tag("operaton:property", attrs={"name": "onething.limit", "value": "5"}))

    task = only(user("x", attrs=attrs, ext=extension))

    assert ([group.source for group in task.candidate_groups], task.form_ref) == (["fire"], "f")
    assert task.properties == {"onething.limit": "5"}


def test_compile__properties_on_every_element():
    definition = compiled(
        start("s", properties={"n": "1"}),
        parallel("g", properties={"n": "2"}),
        end("e", properties={"n": "3"}),
        flow("s", "g"),
        flow("g", "e"),
    )

    assert [e.properties["n"] for e in definition.elements.values()] == ["1", "2", "3"]


def test_compile__tasks_that_pass_through():
    assert only(task("x")).type is ElementType.TASK
    assert only(element("manualTask", "x")).type is ElementType.TASK


def test_compile__milestone():
    assert only(milestone("x")).event == EventDefinition(type=EventType.NONE)


def test_compile__receive_task_and_message_events():
    message = EventDefinition(type=EventType.MESSAGE, name="材料补齐")

    assert only(receive("x", message="材料补齐")).event == message
    assert only(message_catch("x", message="材料补齐")).event == message
    assert compiled(start("s", message="材料补齐"), end("e"), flows("s -> e")).elements["s"].event == message


def test_compile__prefixed_references():
    """`messageRef="tns:order"` is legal BPMN."""
    event = tag("bpmn:messageEventDefinition", attrs={"messageRef": "tns:m"})
    error = tag("bpmn:errorEventDefinition", attrs={"errorRef": "tns:err"})
    content = document(
        process("p", start("s"), element("intermediateCatchEvent", "x", event), element("endEvent", "e", error), flows("s -> x -> e")),
        declare=[element("message", "m", name="order"), element("error", "err", attrs={"errorCode": "E1"})],
        attrs={"xmlns:tns": "http://bpmn.io/schema/bpmn"},
    )

    (definition,) = compiler.compile(content, "p.bpmn")

    assert definition.elements["x"].event.name == "order"
    assert definition.elements["e"].event.name == "E1"


def test_compile__several_start_messages():
    definition = compiled(
        start("s"), start("m", message="a"), start("n", message="b"), user("x"), end("e"), flows("s -> x -> e", "m -> x", "n -> x")
    )

    assert [(e.id, e.event.name) for e in definition.starts()] == [("s", None), ("m", "a"), ("n", "b")]


def test_compile__timers():
    date, duration, cycle = "2026-11-25T08:30:00+08:00", "P3DT4H", "R3/PT1H"

    def timer(**when):
        event = only(timer_catch("x", **when)).event
        return event.type, event.timer, event.when.source

    assert timer(date=date) == (EventType.TIMER, TimerType.DATE, date)
    assert timer(duration=f" {duration}\n") == (EventType.TIMER, TimerType.DURATION, duration)
    assert timer(cycle=cycle) == (EventType.TIMER, TimerType.CYCLE, cycle)
    assert timer(duration="${deadline('promised')}") == (EventType.TIMER, TimerType.DURATION, "${deadline('promised')}")


def test_compile__boundary_events():
    definition = between(
        user("x"),
        timer_boundary("t", on="x", duration="P1D", interrupting=False),
        message_boundary("m", on="x", message="撤回"),
        error_boundary("c", on="x", error="E1"),
        error_boundary("all", on="x"),
        boundary("literal", tag("bpmn:errorEventDefinition", attrs={"errorRef": "no-such-error"}), on="x"),
        flows("t -> e", "m -> e", "c -> e", "all -> e", "literal -> e"),
    )

    found = [(e.id, e.event.type.value, e.event.name, e.interrupting) for e in definition.boundaries("x")]

    assert found == [
        ("t", "timer", None, False),
        ("m", "message", "撤回", True),
        ("c", "error", "E1", True),
        ("all", "error", None, True),
        ("literal", "error", "no-such-error", True),
    ]


def test_compile__error_and_terminate_ends():
    definition = compiled(start("s"), parallel("g"), end("a", error="E1"), end("b", terminate=True), flows("s -> g -> a", "g -> b"))

    assert definition.elements["a"].event == EventDefinition(type=EventType.ERROR, name="E1")
    assert definition.elements["b"].event == EventDefinition(type=EventType.TERMINATE)


def test_compile__call_activity():
    activity = only(call("x", of="${item.process}", inputs=["all", "applicant", "${a + 1} -> b"], outputs=["result -> 结果"]))

    assert activity.called.source == "${item.process}"
    assert [(m.source and m.source.source, m.target, m.by_name) for m in activity.inputs] == [
        (None, None, False),
        ("${applicant}", "applicant", True),
        ("${a + 1}", "b", False),
    ]
    assert [(m.source.source, m.target) for m in activity.outputs] == [("${result}", "结果")]


def test_compile__call_activity_without_mappings():
    activity = only(call("x", of="food-permit"))

    assert (activity.called.source, activity.called.dialect) == ("food-permit", "literal")
    assert (activity.inputs, activity.outputs) == ((), ())


def test_compile__external_task():
    assert only(external("x", topic="fire-${hall}")).topic.source == "fire-${hall}"


def test_compile__business_rule_task():
    task = only(decision("x", ref="checklist", result="items", mapping="collectEntries"))

    assert (task.decision_ref.source, task.result_variable, task.map_decision_result) == ("checklist", "items", "collectEntries")
    assert only(decision("x", ref="d", result="r")).map_decision_result == "resultList"
