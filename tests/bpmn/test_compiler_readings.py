"""What is written in events, activities and their parts is what the definition says."""

from __future__ import annotations

import pytest

from bpmn.compiler import reading
from bpmn.compiler.source import Source
from bpmn.definition import Binding, ElementType, EventDefinition, EventType, LoopType, TimerType
from bpmn.expressions import parse
from tests.bpmn.definitions import (
    CANCEL,
    again,
    association,
    compensate,
    conditional,
    definition,
    error,
    escalation,
    instances,
    link,
    message,
    parameters,
    signal,
)
from tests.bpmn.diagrams import (
    boundary,
    call,
    catch,
    decision,
    diagram,
    document,
    element,
    end,
    event_gateway,
    event_subprocess,
    external,
    flows,
    process,
    script,
    start,
    subprocess,
    tag,
    task,
    throw,
    timer,
    transaction,
    user,
)
from tests.bpmn.drawings import drawn, only


def test_read__signals():
    assert only(catch("x", signal("flood"))).event == EventDefinition(type=EventType.SIGNAL, signal=parse("flood"))
    assert only(catch("x", signal("flood-${hall}"))).event.signal.dialect == "juel"

    (passed,) = only(throw("x", signal("flood", "level"))).event.inputs

    assert (passed.source.source, passed.target, passed.by_name) == ("${level}", "level", True)


def test_read__conditions():
    event = only(catch("x", conditional("${a > 1}", variableName="a", variableEvents="create, update"))).event

    assert (event.type, event.condition.source) == (EventType.CONDITIONAL, "${a > 1}")
    assert (event.variable, event.changes) == ("a", {"create", "update"})
    assert only(catch("x", conditional("${a}"))).event.changes == frozenset()


def test_read__escalations_and_errors_with_variables():
    caught = drawn(
        start("s"),
        user("x"),
        boundary("b", escalation("E", escalationCodeVariable="code"), on="x", interrupting=False),
        boundary("c", error("F", errorCodeVariable="code", errorMessageVariable="why"), on="x"),
        boundary("d", escalation(), on="x"),
        end("e"),
        flows("s -> x -> e", "b -> e", "c -> e", "d -> e"),
    )
    events = {key: element.event for key, element in caught.elements.items()}

    assert events["b"] == EventDefinition(type=EventType.ESCALATION, name="E", code_variable="code")
    assert events["c"] == EventDefinition(type=EventType.ERROR, name="F", code_variable="code", message_variable="why")
    assert events["d"] == EventDefinition(type=EventType.ESCALATION)


def test_read__compensation():
    definition = drawn(
        start("s"),
        user("x"),
        boundary("b", compensate(), on="x"),
        task("undo", attrs={"isForCompensation": "true"}),
        association("b", "undo"),
        throw("all", compensate()),
        end("e", compensate("x")),
        flows("s -> x -> all -> e"),
    )

    assert (definition.elements["b"].handler, definition.elements["undo"].for_compensation) == ("undo", True)
    assert definition.elements["all"].event == EventDefinition(type=EventType.COMPENSATION)
    assert definition.elements["e"].event == EventDefinition(type=EventType.COMPENSATION, activity="x")


def test_read__an_association_of_another_event_is_drawing():
    definition = drawn(start("s"), user("x"), boundary("b", signal("a"), on="x"), association("b", "x"), end("e"), flows("s -> x -> e"))

    assert definition.elements["b"].handler is None


def test_read__transaction_and_cancel():
    definition = drawn(
        start("s"),
        transaction("x", start("is"), end("ie", CANCEL), flows("is -> ie")),
        boundary("b", CANCEL, on="x"),
        end("e"),
        flows("s -> x -> e", "b -> e"),
    )

    assert [definition.elements[key].type for key in ("x", "ie")] == [ElementType.TRANSACTION, ElementType.END_EVENT]
    assert [definition.elements[key].event.type for key in ("ie", "b")] == [EventType.CANCEL, EventType.CANCEL]
    assert definition.elements["is"].parent == "x"


def test_read__links():
    assert only(throw("x", link("a"))).event == EventDefinition(type=EventType.LINK, name="a")


@pytest.mark.parametrize("interrupting", [True, False])
def test_read__event_subprocess(interrupting):
    attrs = {} if interrupting else {"isInterrupting": "false"}
    inner = event_subprocess("x", start("xs", signal("a"), attrs=attrs), end("xe"), flows("xs -> xe"))

    definition = drawn(start("s"), inner, end("e"), flows("s -> e"))

    assert definition.elements["x"].type is ElementType.EVENT_SUBPROCESS
    assert [(event.id, event.interrupting) for event in definition.event_starts()] == [("xs", interrupting)]


def test_read__starts_of_a_process():
    definition = drawn(start("s"), start("t", timer(cycle="R/P1D")), start("g", signal("a")), end("e"), flows("s -> e", "t -> e", "g -> e"))

    assert [event.event.type.value for event in definition.starts()] == ["none", "timer", "signal"]
    assert definition.elements["t"].event.timer is TimerType.CYCLE


def test_read__messages_that_are_thrown():
    posted = only(throw("x", message("m", type="external", topic="post", taskPriority="9")))
    computed = only(throw("x", message(expression="${a + 1}", resultVariable="b")))

    assert (posted.event, posted.topic.source) == (EventDefinition(type=EventType.MESSAGE, name="m"), "post")
    assert posted.priority.source == "9"
    assert (computed.event, computed.expression.source) == (EventDefinition(type=EventType.MESSAGE), "${a + 1}")
    assert computed.result_variable == "b"


@pytest.mark.parametrize("kind", ["serviceTask", "sendTask", "businessRuleTask"])
def test_read__work_by_expression(kind):
    activity = only(element(kind, "x", attrs={"camunda:expression": "${a + 1}", "camunda:resultVariable": "b"}))

    assert (activity.type.value, activity.expression.source, activity.result_variable) == (kind, "${a + 1}", "b")
    assert activity.topic is None


def test_read__scripts():
    assert only(script("x", "${a + 1}", result="b")).expression.source == "${a + 1}"
    assert only(script("x", "${a + 1}", result="b")).result_variable == "b"

    feel = only(script("x", "if a > 1 then b else c", language="feel")).expression

    assert (feel.dialect, feel.names) == ("feel", {"a", "b", "c"})
    assert only(script("x", "= a + 1", language="FEEL")).expression.source == "= a + 1"


def test_read__errors_of_workers():
    content = document(
        process(
            "p",
            start("s"),
            external(
                "x",
                topic="t",
                ext=tag("camunda:errorEventDefinition", attrs={"errorRef": "err", "expression": "${code == 5}"})
                + tag("camunda:errorEventDefinition", attrs={"errorRef": "E2", "expression": "${true}"}),
            ),
            end("e"),
            flows("s -> x -> e"),
        ),
        declare=[element("error", "err", attrs={"errorCode": "E1"})],
    )
    source = Source(content, "p.bpmn")

    activity = reading.read(source, source.processes[0]).elements["x"]

    assert [(code, condition.source) for code, condition in activity.worker_errors] == [("E1", "${code == 5}"), ("E2", "${true}")]


def test_read__priorities_of_a_process_are_those_of_its_elements():
    content = [start("s"), external("x", topic="t"), external("y", topic="t", attrs={"camunda:taskPriority": "7"}), end("e")]

    definition = drawn(*content, flows("s -> x -> y -> e"), attrs={"camunda:taskPriority": "3", "camunda:jobPriority": "${a}"})

    assert [definition.elements[key].priority.source for key in "xy"] == ["3", "7"]
    assert {element.job_priority.source for element in definition.elements.values()} == {"${a}"}


@pytest.mark.parametrize(
    ("attrs", "before", "after"),
    [
        ({"camunda:asyncBefore": "true"}, True, False),
        ({"camunda:async": "true"}, True, False),
        ({"camunda:asyncAfter": "true"}, False, True),
        ({"operaton:asyncAfter": "true", "camunda:exclusive": "false"}, False, True),
        ({"camunda:asyncBefore": "false"}, False, False),
    ],
)
def test_read__jobs(attrs, before, after):
    activity = only(user("x", attrs=attrs, ext=tag("camunda:failedJobRetryTimeCycle", " R3/PT10M ")))

    assert (activity.async_before, activity.async_after, activity.retry_cycle.source) == (before, after, "R3/PT10M")


def test_read__multi_instance():
    attrs = {"collection": "items", "elementVariable": "item", "asyncBefore": "true", "asyncAfter": "true"}

    loop = only(user("x", instances(until="${done > 1}", **attrs))).loop

    assert (loop.type, loop.collection.source, loop.element_variable) == (LoopType.PARALLEL, "${items}", "item")
    assert (loop.condition.source, loop.cardinality, loop.async_before, loop.async_after) == ("${done > 1}", None, True, True)
    assert only(user("x", instances(collection="${items.all}"))).loop.collection.source == "${items.all}"
    assert only(user("x", instances(collection="=items[1]"))).loop.collection.dialect == "feel"
    assert only(user("x", instances(count="3", sequential=True))).loop.type is LoopType.SEQUENTIAL
    assert only(user("x", instances(count="3"))).loop.cardinality.source == "3"


def test_read__multi_instance_as_bpmn_writes_it():
    marker = tag(
        "bpmn:multiInstanceLoopCharacteristics",
        tag("bpmn:loopDataInputRef", "items"),
        tag("bpmn:inputDataItem", attrs={"id": "i", "name": "item"}),
    )

    loop = only(user("x", marker)).loop

    assert (loop.collection.source, loop.element_variable) == ("${items}", "item")


def test_read__standard_loop():
    loop = only(user("x", again("${more}", before=True, most=5))).loop

    assert (loop.type, loop.condition.source, loop.test_before, loop.maximum) == (LoopType.STANDARD, "${more}", True, 5)
    assert only(user("x", again("${more}"))).loop.maximum is None


def test_read__parameters():
    listing = tag("camunda:list", tag("camunda:value", "${a}"), tag("camunda:value"), tag("camunda:list", tag("camunda:value", "b")))
    entries = [
        tag("camunda:entry", "1", attrs={"key": "k"}),
        tag("camunda:entry", tag("camunda:script", "a + 1", attrs={"scriptFormat": "feel"}), attrs={"key": "l"}),
    ]
    given = {"text": " a ", "nothing": "", "list": listing, "map": tag("camunda:map", *entries)}

    activity = only(user("x", ext=parameters(inputs=given, outputs={"back": "${b}"})))

    values = {parameter.name: parameter.value for parameter in activity.input_parameters}
    assert (values["text"], values["nothing"]) == (parse("a"), None)
    assert values["list"] == (parse("${a}"), None, (parse("b"),))
    assert values["map"] == {"k": parse("1"), "l": parse("=a + 1")}
    assert [(parameter.name, parameter.value.source) for parameter in activity.output_parameters] == [("back", "${b}")]


@pytest.mark.parametrize(
    ("attrs", "binding", "version"),
    [
        ({}, Binding.LATEST, None),
        ({"camunda:calledElementBinding": "latest"}, Binding.LATEST, None),
        ({"camunda:calledElementBinding": "deployment"}, Binding.DEPLOYMENT, None),
        ({"camunda:calledElementBinding": "version", "camunda:calledElementVersion": "2"}, Binding.VERSION, parse("2")),
        ({"camunda:calledElementBinding": "versionTag", "camunda:calledElementVersionTag": "${t}"}, Binding.VERSION_TAG, parse("${t}")),
    ],
)
def test_read__bindings_of_calls(attrs, binding, version):
    activity = only(call("x", of="q", attrs=attrs))

    assert (activity.binding, activity.called_version) == (binding, version)


def test_read__business_key_and_local_variables_of_calls():
    rows = tag("camunda:in", attrs={"businessKey": "#{a}"}) + tag("camunda:in", attrs={"variables": "all", "local": "true"})

    activity = only(call("x", of="q", inputs=["b"], ext=rows))

    assert activity.business_key.source == "#{a}"
    assert [(mapping.target, mapping.local) for mapping in activity.inputs] == [(None, True), ("b", False)]


def test_read__people():
    owners = tag(
        "bpmn:potentialOwner", tag("bpmn:resourceAssignmentExpression", tag("bpmn:formalExpression", "user(li), group(fire), hall"))
    )
    performer = tag("bpmn:humanPerformer", tag("bpmn:resourceAssignmentExpression", tag("bpmn:formalExpression", "wu")))
    attrs = {"camunda:candidateUsers": "${lead}, chen", "camunda:followUpDate": "P1D"}

    activity = only(user("x", owners, performer, groups="window", attrs=attrs))

    assert [expression.source for expression in activity.candidate_users] == ["${lead}", "chen", "li"]
    assert [expression.source for expression in activity.candidate_groups] == ["window", "fire", "hall"]
    assert (activity.assignee.source, activity.follow_up_date.source) == ("wu", "P1D")


def test_read__quantities():
    activity = only(task("x", attrs={"startQuantity": "3", "completionQuantity": "2"}))

    assert (activity.start_quantity, activity.completion_quantity) == (3, 2)


def test_read__event_gateway():
    definition = drawn(start("s"), event_gateway("x"), catch("a", signal("a")), end("e"), flows("s -> x -> a -> e"))

    assert definition.elements["x"].type is ElementType.EVENT_BASED_GATEWAY


@pytest.mark.parametrize("kind", ["eventSubProcess", "multiInstanceBody"])
def test_read__what_bpmn_has_not_is_no_element(kind):
    assert "x" not in drawn(start("s"), element(kind, "x"), end("e"), flows("s -> e")).elements


def test_read__refused_definitions_are_none():
    assert only(catch("x", definition("nonsense"))).event == EventDefinition(type=EventType.NONE)


def test_read__decision_by_a_worker():
    activity = only(decision("x", ref=None, attrs={"camunda:type": "external", "camunda:topic": "decide"}))

    assert (activity.topic.source, activity.decision_ref) == ("decide", None)


def test_read__errors_of_workers_may_ask_for_the_task():
    """Nothing else may: nobody supplies it there."""
    asking = "${externalTask.getErrorMessage().contains('E') && externalTask.errorDetails != null}"
    row = tag("camunda:errorEventDefinition", attrs={"errorRef": "E", "expression": asking})
    content = diagram(start("s"), external("x", topic=asking, ext=row), end("e"), flows("s -> x -> e"))

    source = Source(content, "p.bpmn", frozenset())
    activity = reading.read(source, source.processes[0]).elements["x"]

    assert [condition.calls for _, condition in activity.worker_errors] == [{"externalTask"}]
    assert [(finding.rule, finding.element) for finding in source.findings] == [("unknown-function", "x")]


def test_read__receive_task_without_a_message():
    assert only(element("receiveTask", "x")).event == EventDefinition(type=EventType.MESSAGE)


def test_read__initiator():
    """One start event says it for all, as in Camunda 7."""
    inner = start("is"), end("ie"), flows("is -> ie")
    content = [start("s"), start("m", message("a"), attrs={"camunda:initiator": "who"}), subprocess("x", *inner), end("e")]

    definition = drawn(*content, flows("s -> x -> e", "m -> x"))

    assert [definition.elements[key].result_variable for key in ("s", "m", "is")] == ["who", "who", None]
    assert definition.elements["s"].expression.calls == {"authenticatedUserId"}
