"""Diagrams that are refused or warned about for what is done in them: workers, scripts, calls, loops, parameters, jobs."""

from __future__ import annotations

from tests.bpmn.definitions import again, instances, message, parameters
from tests.bpmn.diagrams import (
    call,
    decision,
    diagram,
    element,
    end,
    exclusive,
    external,
    flows,
    receive,
    script,
    start,
    tag,
    throw,
    timer_boundary,
    user,
)
from tests.bpmn.refusals import around, deciding, mapping, with_attribute, with_extension


def given(*rows: str) -> bytes:
    """A diagram around a task with one input parameter that holds this."""
    return around(user("x", ext=parameters(inputs={"a": "".join(rows)})))


def listing(*content: str) -> str:
    return tag("camunda:list", *content)


def repeated(marker: str) -> bytes:
    return around(user("x", marker))


def worker_error(**attrs: str) -> str:
    return tag("camunda:errorEventDefinition", attrs={"id": "we", **attrs})


def performer(*names: str) -> str:
    expressions = (tag("bpmn:resourceAssignmentExpression", tag("bpmn:formalExpression", name)) for name in names)
    return "".join(tag("bpmn:humanPerformer", expression) for expression in expressions)


OFTEN = tag("camunda:failedJobRetryTimeCycle", "often")
KEYED = tag("camunda:in", attrs={"businessKey": "${k}"})
GIVEN = parameters(inputs={"a": "1"})
GIVING = parameters(outputs={"a": "1"})

REFUSED: list[tuple[str, str, str, bytes]] = [
    ("no-implementation", "x", "says nothing", around(element("serviceTask", "x"))),
    ("no-implementation", "x", "'mail'", with_attribute(element("serviceTask", "x"), "camunda:type", "mail")),
    ("no-implementation", "x", "says nothing", around(element("sendTask", "x"))),
    ("no-implementation", "x", "says nothing", around(throw("x", message("m")))),
    ("no-implementation", "x", "DMN", around(decision("x", ref=None))),
    ("several-implementations", "x", "expression and topic", with_attribute(external("x", topic="t"), "camunda:expression", "${a}")),
    ("several-implementations", "x", "expression and decisionRef", with_attribute(decision("x", ref="d"), "camunda:expression", "${a}")),
    ("missing-topic", "x", "no worker", around(external("x", topic=""))),
    ("missing-topic", "x", "no worker", around(throw("x", message("m", type="external")))),
    ("bad-worker-error", "x", "fill them in", around(external("x", topic="t", ext=worker_error(errorRef="E")))),
    ("bad-worker-error", "x", "fill them in", around(external("x", topic="t", ext=worker_error(expression="${true}")))),
    ("bad-worker-error", "x", "only a worker", with_attribute(element("serviceTask", "x", ext=worker_error(errorRef="E", expression="${true}")), "camunda:expression", "${a}")),
    ("bad-script", "x", "'python'", around(script("x", "1", language="python"))),
    ("bad-script", "x", "'missing'", around(script("x", "1", language=None))),
    ("bad-script", "x", "has none", around(script("x", ""))),
    ("bad-script", "x", r"\$\{…\}", around(script("x", "a + 1"))),
    ("expression", "x", "the script", around(script("x", "a +", language="feel"))),
    ("missing-result-variable", "x", "no result variable", around(script("x", "${1}", result=None))),
    ("missing-called-element", "x", "Called element", around(call("x", of=None))),
    ("bad-binding", "x", "one of latest", with_attribute(call("x", of="q"), "camunda:calledElementBinding", "newest")),
    ("bad-binding", "x", "have a calledElementVersion,", with_attribute(call("x", of="q"), "camunda:calledElementBinding", "version")),
    ("bad-binding", "x", "have a calledElementVersionTag", with_attribute(call("x", of="q"), "camunda:calledElementBinding", "versionTag")),
    ("bad-binding", "x", "the binding is latest", with_attribute(call("x", of="q"), "camunda:calledElementVersion", "2")),
    ("unknown-result-mapping", "x", "singleEntry, ", around(decision("x", ref="d", result="r", mapping="first"))),
    ("bad-priority", "x", "whole number", around(user("x", priority="high"))),
    ("bad-priority", "x", "whole number", with_attribute(external("x", topic="t"), "camunda:taskPriority", "high")),
    ("bad-priority", "x", "job priority", with_attribute(user("x"), "camunda:jobPriority", "high")),
    ("bad-due-date", "x", "follow-up", with_attribute(user("x"), "camunda:followUpDate", "tomorrow")),
    ("several-assignees", "x", "one assignee", around(user("x", performer("li"), assignee="wu"))),
    ("several-assignees", "x", "one assignee", around(user("x", performer("li", "wu")))),
    ("bad-mapping", "x", "fill them in", mapping(source="a")),
    ("bad-mapping", "x", "fill them in", mapping(target="a")),
    ("bad-mapping", "x", "fill them in", mapping(source="a", sourceExpression="${a}", target="b")),
    ("bad-mapping", "x", "alone", mapping(variables="some")),
    ("bad-mapping", "x", "scope", mapping(source="a", target="b", scope="all")),
    ("computed-source", "x", "source expression", mapping(source="a + 1", target="b")),
    ("computed-source", "x", "source expression", mapping(source="f()", target="b")),
    ("loop-without-number", "x", "neither", repeated(instances())),
    ("computed-collection", "x", "write an expression", repeated(instances(collection="items.all"))),
    ("bad-element-variable", "x", "write a name", repeated(instances(collection="items", elementVariable="a b"))),
    ("bad-element-variable", "x", "have a collection", repeated(instances(count="3", elementVariable="item"))),
    ("loop-without-condition", "x", "排他网关", repeated(again(None))),
    ("literal-loop-condition", "x", "'more'", repeated(again("more"))),
    ("literal-loop-condition", "x", "'true'", repeated(instances(count="3", until="true"))),
    ("literal-loop-condition", "x", r"write \$\{a \|\| b\.size\(\)\}", repeated(instances(count="3", until="${a} || ${b.size()}"))),
    ("bad-loop-number", "x", "'three'", repeated(instances(count="three"))),
    ("bad-loop-number", "x", "'-1'", repeated(again("${a}", most=-1))),
    ("loop-elsewhere", "x", "it has 2", repeated(instances(count="3") + again("${a}"))),
    ("unsupported-attribute", "x", "each instance counts", repeated(instances(count="3").replace("Characteristics>", 'Characteristics behavior="None">', 1))),
    ("parameters-elsewhere", "x", "activity", deciding(exclusive("x", default="a", ext=GIVEN), "x -> a", "x -> b [${y}]")),
    ("parameters-elsewhere", "x", "activity", diagram(start("x", ext=GIVEN), end("e"), flows("x -> e"))),
    ("parameters-elsewhere", "b", "activity", around(user("x"), timer_boundary("b", on="x", duration="P1D", ext=GIVEN), flows("b -> e"))),
    ("parameters-elsewhere", "x", "after an end", diagram(start("s"), end("x", ext=GIVING), flows("s -> x"))),
    ("parameters-elsewhere", "x", "overwrite", around(user("x", instances(count="3"), ext=GIVING))),
    ("bad-parameter", "x", "no name", around(user("x", ext=parameters(inputs={"": "1"})))),
    ("bad-parameter", "x", "twice", around(user("x", ext=GIVEN.replace("</camunda:inputOutput>", '<camunda:inputParameter name="a"/></camunda:inputOutput>')))),
    ("bad-parameter", "x", "2 things", given(listing(), listing())),
    ("bad-parameter", "x", "holds a value", given(tag("camunda:value", "1"))),
    ("bad-parameter", "x", "list holds a entry", given(listing(tag("camunda:entry", "1")))),
    ("bad-parameter", "x", "plain key", given(tag("camunda:map", tag("camunda:entry", "1")))),
    ("bad-parameter", "x", "plain key", given(tag("camunda:map", tag("camunda:entry", "1", attrs={"key": "${k}"})))),
    ("bad-parameter", "x", "javascript", given(tag("camunda:script", "1", attrs={"scriptFormat": "javascript"}))),
    ("bad-parameter", "x", "javascript", given(listing(tag("camunda:script", "1", attrs={"scriptFormat": "javascript"})))),
    ("bad-parameter", "x", "empty", given(tag("camunda:map", tag("camunda:entry", tag("camunda:script", attrs={"scriptFormat": "feel"}), attrs={"key": "k"})))),
    ("bad-time-to-live", "p", "P6M", diagram(start("s"), end("e"), flows("s -> e"), attrs={"camunda:historyTimeToLive": "for ever"})),
    ("bad-retries", "x", "R3/PT10M", around(user("x", ext=OFTEN))),
    ("bad-retries", "x", "PT10M,PT1H", repeated(instances(count="3").replace("><", f">{tag('bpmn:extensionElements', OFTEN)}<", 1))),
    ("bad-quantity", "x", "'0'", with_attribute(user("x"), "startQuantity", "0")),
    ("bad-quantity", "x", "'many'", with_attribute(user("x"), "completionQuantity", "many")),
    ("unsupported-extension", "x", "an activity, an event or a gateway", diagram(start("s"), end("e"), flows("s -> e"), ext=tag("camunda:failedJobRetryTimeCycle"), key="x")),
    ("unsupported-extension", "x", "an external task", with_extension("errorEventDefinition")),
]  # fmt: skip

WARNED: list[tuple[str, str, str, bytes]] = [
    ("receive-without-message", "x", "brings it on", around(element("receiveTask", "x"))),
    ("result-not-kept", "x", "result variable", around(decision("x", ref="d"))),
    ("ignored-business-key", "x", "its own number", diagram(start("s"), call("x", of="q", ext=KEYED), end("e"), flows("s -> x -> e"), properties={"onething.kind": "matter"})),
    ("ignored-extension", "p", "roles", diagram(start("s"), end("e"), flows("s -> e"), ext=tag("camunda:potentialStarter"))),
    ("loose-end", "x", "结束事件", diagram(start("s"), receive("x", message="m"), flows("s -> x"))),
]  # fmt: skip

#: What is none of a rule's business.
ACCEPTED: list[tuple[str, bytes]] = [
    ("ignored-business-key", around(call("x", of="q", ext=KEYED))),
    ("missing-message", around(element("receiveTask", "x"))),
    ("bad-time-to-live", diagram(start("s"), end("e"), flows("s -> e"), attrs={"camunda:historyTimeToLive": "180"})),
    ("bad-time-to-live", diagram(start("s"), end("e"), flows("s -> e"), attrs={"camunda:historyTimeToLive": "P1Y"})),
    ("bad-retries", around(user("x", ext=tag("camunda:failedJobRetryTimeCycle", "PT10M, PT1H")))),
    ("no-implementation", with_attribute(element("businessRuleTask", "x"), "camunda:expression", "${a}")),
    ("result-not-kept", with_attribute(element("businessRuleTask", "x"), "camunda:expression", "${a}")),
    ("parameters-elsewhere", around(user("x", again("${a}"), ext=GIVING))),
    ("bad-mapping", mapping(variables="all", local="true")),
]
