"""Diagrams that are refused or warned about: at least one for every rule of the compiler."""

from __future__ import annotations

from tests.bpmn.diagrams import (
    boundary,
    call,
    diagram,
    document,
    element,
    end,
    exclusive,
    flow,
    flows,
    inclusive,
    message_catch,
    parallel,
    process,
    receive,
    start,
    subprocess,
    tag,
    task,
    timer_boundary,
    timer_catch,
    user,
)

ENDS = start("s") + end("e")
INNER = start("is") + end("ie") + flows("is -> ie")


def around(*content: str) -> bytes:
    """A diagram `s -> x -> e` around the element x."""
    return diagram(start("s"), *content, end("e"), flows("s -> x -> e"))


def event(kind: str, definition: str, **attrs: str) -> str:
    return element(kind, "x", tag(f"bpmn:{definition}EventDefinition", attrs=attrs))


def with_attribute(content: str, name: str, value: str = "1") -> bytes:
    """A diagram around one element that has one attribute more."""
    return around(content.replace(' id="x"', f' id="x" {name}="{value}"', 1))


def with_extension(name: str) -> bytes:
    return around(user("x", ext=tag(f"camunda:{name}")))


def with_start(start_event: str) -> bytes:
    return diagram(start("s"), start_event, end("e"), flows("s -> e", "x -> e"))


def with_end(end_event: str) -> bytes:
    return diagram(start("s"), end_event, flows("s -> x"))


def deciding(gateway: str, *paths: str) -> bytes:
    return diagram(start("s"), gateway, user("a"), user("b"), end("e"), flows("s -> x", "a -> e", "b -> e", *paths))


def message(name: str | None) -> bytes:
    definition = tag("bpmn:messageEventDefinition", attrs={"messageRef": "m"})
    return document(
        process("p", ENDS, element("intermediateCatchEvent", "x", definition), flows("s -> x -> e")),
        declare=[element("message", "m", name=name)],
    )


def mapping(**attrs: str) -> bytes:
    return around(call("x", of="q", ext=tag("camunda:in", attrs=attrs)))


#: (rule, element, words of the message, diagram)
REFUSED: list[tuple[str, str, str, bytes]] = [
    ("unsupported-element", "x", "特设子流程", around(element("adHocSubProcess", "x", task("t")))),
    ("unsupported-element", "x", "复杂网关", around(element("complexGateway", "x"))),
    ("unsupported-element", "x", "docs/reference", around(user("x", tag("bpmn:nonsense")))),
    ("unsupported-event", "x", "no such event", with_start(event("startEvent", "terminate"))),
    ("unsupported-event", "x", "without a definition", around(element("intermediateCatchEvent", "x"))),
    ("unsupported-event", "b", "without a definition", around(user("x"), boundary("b", on="x"))),
    ("unsupported-event", "x", "has 2", around(message_catch("x", message="m").replace("</bpmn:inter", "<bpmn:timerEventDefinition/></bpmn:inter"))),
    ("unsupported-attribute", "x", "class", with_attribute(element("serviceTask", "x"), "camunda:class", "org.Evil")),
    ("unsupported-attribute", "x", "delegateExpression", with_attribute(element("serviceTask", "x"), "camunda:delegateExpression", "${x}")),
    ("unsupported-attribute", "x", "class", with_attribute(element("businessRuleTask", "x"), "camunda:class", "org.Evil")),
    ("unsupported-attribute", "x", "instantiate", with_attribute(receive("x", message="m"), "instantiate", "true")),
    ("unsupported-attribute", "x", "CMMN", with_attribute(element("callActivity", "x"), "camunda:caseRef", "c")),
    ("unsupported-attribute", "x", "not known there", with_attribute(user("x"), "camunda:assigne", "li")),
    ("unsupported-attribute", "x", "not known there", with_attribute(user("x"), "calledElement", "q")),
    ("unsupported-attribute", "s-e", "language", diagram(ENDS, flow("s", "e", when="${x}").replace("xsi:type=", 'language="groovy" xsi:type='))),
    ("unsupported-extension", "x", "executionListener.*task of its own", with_extension("executionListener")),
    ("unsupported-extension", "x", "taskListener", with_extension("taskListener")),
    ("unsupported-extension", "x", "connector", with_extension("connector")),
    ("unsupported-extension", "x", "call activity", with_extension("in")),
    ("unsupported-extension", "x", "not known", with_extension("nonsense")),
    ("foreign-engine", "x", "Camunda 8", with_attribute(user("x"), 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" zeebe:assignee', "li")),
    ("foreign-engine", "x", "Flowable", around(user("x", ext=tag("f:x", attrs={"xmlns:f": "http://flowable.org/bpmn"})))),
    ("foreign-engine", "Definitions_1", "Camunda 8", document(process("p", ENDS, flows("s -> e")), attrs={"xmlns:modeler": "http://camunda.org/schema/modeler/1.0", "modeler:executionPlatform": "Camunda Cloud"})),
    ("no-executable-process", "Definitions_1", "Executable", document(process("p", ENDS, flows("s -> e"), executable=False))),
    ("no-executable-process", "Definitions_1", "Executable", document()),
    ("missing-key", "", "id", document(tag("bpmn:process", ENDS, flows("s -> e"), attrs={"isExecutable": "true"}))),
    ("duplicate-id", "x", "both user task", around(user("x"), receive("x", message="m"))),
    ("illegal-id", "a b", "begin with a letter", diagram(ENDS, user("a b"), flow("s", "a b", key="f1"), flow("a b", "e", key="f2"))),
    ("dangling-reference", "s-x", "targetRef", diagram(ENDS, flows("s -> e", "s -> x"))),
    ("dangling-reference", "x-e", "sourceRef", diagram(ENDS, flows("s -> e", "x -> e"))),
    ("dangling-reference", "f", "connect both", diagram(ENDS, flows("s -> e"), element("sequenceFlow", "f", attrs={"sourceRef": "s"}))),
    ("dangling-reference", "s-p", "process", diagram(ENDS, flows("s -> e", "s -> p"))),
    ("dangling-reference", "x", "messageRef", around(element("receiveTask", "x", attrs={"messageRef": "nothing"}))),
    ("crossing-flow", "s-t", "crosses a border", diagram(ENDS, subprocess("x", INNER, task("t")), flows("s -> x -> e", "s -> t"))),
    ("crossing-flow", "a-d", "other process", document(process("p", start("a"), end("b"), flows("a -> b", "a -> d")), process("q", start("c"), end("d"), flows("c -> d")))),
    ("expression", "s-e", "condition", diagram(ENDS, flow("s", "e", when="${a >"))),
    ("expression", "x", "assignee", around(user("x", assignee="${"))),
    ("unknown-function", "x", "calls open", around(user("x", assignee="${open('/etc/passwd')}"))),
    ("no-start-event", "p", "开始事件", diagram(task("x"))),
    ("no-start-event", "x", "开始事件", around(subprocess("x", task("t")))),
    ("no-start-event", "x", "开始事件", around(subprocess("x"))),
    ("flow-into-start", "s", "lead into", diagram(ENDS, task("x"), flows("s -> x -> e", "x -> s"))),
    ("flow-into-start", "b", "lead into", around(user("x"), timer_boundary("b", on="x", duration="P1D"), flows("b -> e", "x -> b"))),
    ("flow-out-of-end", "e", "lead out", diagram(ENDS, task("x"), flows("s -> e -> x"))),
    ("loose-boundary", "b", "nothing", around(user("x"), timer_boundary("b", on="nowhere", duration="P1D"), flows("b -> e"))),
    ("loose-boundary", "b", "nothing", around(user("x"), timer_boundary("b", on=None, duration="P1D"), flows("b -> e"))),
    ("loose-boundary", "b", "exclusive gateway", around(exclusive("x"), timer_boundary("b", on="x", duration="P1D"), flows("b -> e"))),
    ("loose-boundary", "b", "stands on task", around(subprocess("x", INNER, task("t")), timer_boundary("b", on="t", duration="P1D"), flows("b -> e"))),
    ("gateway-leads-nowhere", "x", "flows out", diagram(start("s"), exclusive("x"), flows("s -> x"))),
    ("flow-without-condition", "x-b", "默认流", deciding(exclusive("x"), "x -> a [${x}]", "x -> b")),
    ("condition-on-only-flow", "x-a", "other way", deciding(exclusive("x"), "x -> a [${x}]")),
    ("condition-on-default", "x-b", "default", deciding(exclusive("x", default="b"), "x -> a [${x}]", "x -> b [${y}]")),
    ("condition-on-default", "x-b", "default", deciding(user("x", default="b"), "x -> a [${x}]", "x -> b [${y}]")),
    ("condition-on-parallel-flow", "x-a", "包容网关", deciding(parallel("x"), "x -> a [${x}]", "x -> b")),
    ("literal-condition", "x-a", "amount > 3", deciding(exclusive("x", default="b"), "x -> a [amount > 3]", "x -> b")),
    ("literal-condition", "x-a", r"write \$\{a && b\}", deciding(exclusive("x", default="b"), "x -> a [${a} && ${b}]", "x -> b")),
    ("literal-condition", "x-a", r"write \$\{!\(a == 1\) \|\| \(b > c\)\}", deciding(exclusive("x", default="b"), "x -> a [!${a == 1} || ${ b > c }]", "x -> b")),
    ("literal-condition", "x-a", "around the whole", deciding(exclusive("x", default="b"), "x -> a [it is ${a}]", "x -> b")),
    ("literal-condition", "x-a", "empty", deciding(exclusive("x", default="b"), "x -> a [ ]", "x -> b")),
    ("default-elsewhere", "x", "lead out of it", deciding(exclusive("x", attrs={"default": "a-e"}), "x -> a [${x}]", "x -> b [${y}]")),
    ("default-elsewhere", "x", "every flow", deciding(parallel("x", attrs={"default": "x-a"}), "x -> a", "x -> b")),
    ("unknown-form", "x", "Camunda Form", around(user("x", form_key="embedded:app:forms/x.html"))),
    ("unknown-form", "x", "several", around(user("x", form="f", form_key="camunda-forms:deployment:f.form"))),
    ("unsupported-component", "x", "in the form of user task", around(user("x", ext=tag("camunda:formData", tag("camunda:formField", attrs={"id": "f", "type": "org.Evil"}))))),
    ("bad-timer", "x", "has none", around(timer_catch("x"))),
    ("bad-timer", "x", "timeDate and timeDuration", around(timer_catch("x", date="2026-11-25T08:30:00Z", duration="P1D"))),
    ("bad-timer", "x", "has none", around(timer_catch("x", duration=" "))),
    ("bad-timer", "x", "such as PT1H", around(timer_catch("x", duration="3 days"))),
    ("bad-timer", "x", "such as PT1H", around(timer_catch("x", duration='"PT1H"'))),
    ("bad-timer", "x", "9999", around(timer_catch("x", duration="P99999999Y"))),
    ("bad-timer", "x", "such as PT1H", around(timer_catch("x", duration="P1000000000M"))),
    ("bad-timer", "x", "offset", around(timer_catch("x", date="2026-11-25"))),
    ("bad-timer", "x", "ISO", around(timer_catch("x", date="2026-02-30T00:00:00Z"))),
    ("bad-timer", "b", "between its occurrences", around(user("x"), timer_boundary("b", on="x", cycle="R/PT0S", interrupting=False), flows("b -> e"))),
    ("bad-timer", "b", "such as R3", around(user("x"), timer_boundary("b", on="x", cycle="P1D", interrupting=False), flows("b -> e"))),
    ("bad-timer", "b", "for each day at nine write R/2026-01-05T09:00:00", around(user("x"), timer_boundary("b", on="x", cycle="0 0 9 * * ?", interrupting=False), flows("b -> e"))),
    ("bad-due-date", "x", "ISO 8601", around(user("x", due="tomorrow"))),
    ("bad-property", "x", "have a name", around(user("x", properties={"": "1"}))),
    ("bad-property", "p", "2 times", diagram(ENDS, flows("s -> e"), ext=tag("camunda:properties", *[tag("camunda:property", attrs={"name": "n", "value": "1"})] * 2))),
]  # fmt: skip

WARNED: list[tuple[str, str, str, bytes]] = [
    ("ignored-attribute", "p", "roles", diagram(ENDS, flows("s -> e"), attrs={"camunda:candidateStarterGroups": "a"})),
    ("not-marked-executable", "p", "Executable", document(process("p", ENDS, flows("s -> e"), executable=None))),
    ("unreachable", "x", "there is none", diagram(ENDS, user("x"), flows("s -> e", "x -> e"))),
    ("no-way-to-an-end", "x", "circle", diagram(start("s"), user("x"), user("y"), flows("s -> x -> y -> x"))),
    ("loose-end", "x", "结束事件", diagram(start("s"), user("x"), flows("s -> x"))),
    ("no-default", "x", "incident", deciding(exclusive("x"), "x -> a [${x}]", "x -> b [${y}]")),
    ("no-default", "x", "incident", deciding(inclusive("x"), "x -> a [${x}]", "x -> b [${y}]")),
    ("no-default", "x", "incident", deciding(user("x"), "x -> a [${x}]", "x -> b [${y}]")),
    ("cycle-that-interrupts", "b", "once", around(user("x"), timer_boundary("b", on="x", cycle="R3/PT1H"), flows("b -> e"))),
]  # fmt: skip
