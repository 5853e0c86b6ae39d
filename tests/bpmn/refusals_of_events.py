"""Diagrams that are refused or warned about for their events: starts, borders, links, compensation, transactions."""

from __future__ import annotations

from tests.bpmn.definitions import (
    CANCEL,
    association,
    compensate,
    conditional,
    definition,
    error,
    escalation,
    instances,
    link,
    message,
    signal,
)
from tests.bpmn.diagrams import (
    boundary,
    catch,
    diagram,
    document,
    element,
    end,
    error_boundary,
    event_gateway,
    event_subprocess,
    flows,
    message_catch,
    process,
    receive,
    start,
    subprocess,
    tag,
    task,
    throw,
    timer,
    timer_boundary,
    timer_catch,
    transaction,
    user,
)
from tests.bpmn.refusals import ENDS, INNER, around, with_end


def referring(kind: str, content: str, **attrs: str) -> bytes:
    """A diagram around an event that refers to an incomplete message, signal, error or escalation (`m`)."""
    return document(process("p", ENDS, content, flows("s -> x -> e")), declare=[element(kind, "m", attrs=attrs)])


def awaiting(kind: str, reference: str = "m") -> str:
    return catch("x", definition(kind, attrs={f"{kind}Ref": reference}))


def caught(*events: str) -> bytes:
    """A user task with two boundary events b and c."""
    return around(user("x"), *(boundary(key, event, on="x") for key, event in zip("bc", events, strict=True)), flows("b -> e", "c -> e"))


def beside(*content: str) -> bytes:
    """A process with an event subprocess in it."""
    return diagram(ENDS, flows("s -> e"), *content)


def event_process(*starts: str, key: str = "x") -> str:
    """An event subprocess with these start events, of which the first leads to the end."""
    return event_subprocess(key, *starts, end(f"{key}_end"), flows(f"{key}_start -> {key}_end"))


def linked(*content: str, flow: str = "s -> t", more: str = "c -> e") -> bytes:
    return diagram(start("s"), end("e"), *content, flows(flow, more))


def undone(*content: str, undo: str = task("undo", attrs={"isForCompensation": "true"})) -> bytes:
    """A task x with a compensation boundary event b, and a handler."""
    return around(user("x"), boundary("b", compensate(), on="x"), undo, *content)


def undoing(*content: str, inside: str = "") -> bytes:
    """A subprocess x that an event subprocess y in it undoes."""
    return around(subprocess("x", INNER, event_process(start("y_start", compensate()), key="y"), inside), *content)


def racing(*content: str) -> bytes:
    return diagram(start("s"), event_gateway("x"), *content, end("e"), flows("s -> x"))


CANCELED = transaction("x", start("is"), end("ie", CANCEL), flows("is -> ie"))
UNDO = association("b", "undo")

REFUSED: list[tuple[str, str, str, bytes]] = [
    ("undone-by-nobody", "x_start", "补偿边界事件", beside(event_process(start("x_start", compensate())))),
    ("several-starts", "s2", "one start event", diagram(ENDS, start("s2"), flows("s -> e", "s2 -> e"))),
    ("several-starts", "i2", "one start event", around(subprocess("x", INNER, start("i2"), flows("i2 -> ie")))),
    ("several-starts", "x_2", "one start event", beside(event_process(start("x_start", signal("a")), start("x_2", signal("b"))))),
    ("no-start-event", "x", "开始事件", beside(event_subprocess("x", task("t")))),
    ("start-of-process", "x", "事件子流程", diagram(ENDS, start("x", error("E")), flows("s -> e", "x -> e"))),
    ("start-of-process", "x", "choose a message, which", diagram(ENDS, start("x", conditional("${a}")), flows("s -> e", "x -> e"))),
    ("start-of-process", "x", "applicant", diagram(start("x", signal("a")), end("e"), flows("x -> e"), properties={"onething.kind": "item"})),
    ("start-of-process", "x", "applicant", diagram(start("x", timer(duration="P1D")), end("e"), flows("x -> e"), properties={"onething.kind": "item"})),
    ("waiting-start-in-subprocess", "m", "中间捕获事件", around(subprocess("x", start("m", message="a"), end("ie"), flows("m -> ie")))),
    ("waiting-start-in-subprocess", "m", "waits", around(transaction("x", start("m", signal("a")), end("ie"), flows("m -> ie")))),
    ("plain-start-in-event-subprocess", "x_start", "starts", beside(event_process(start("x_start")))),
    ("flow-at-event-subprocess", "x", "starts by its event", around(event_process(start("x_start", signal("a"))))),
    ("same-start", "m", "shares 'a'", diagram(ENDS, start("m", message="a"), start("n", message="a"), flows("s -> e", "m -> e", "n -> e"))),
    ("same-start", "m", "shares 'a'", diagram(ENDS, start("m", signal("a")), start("n", signal("a")), flows("s -> e", "m -> e", "n -> e"))),
    ("same-start", "y_start", "shares 'a'", beside(event_process(start("x_start", signal("a"))), event_process(start("y_start", signal("a")), key="y"))),
    ("computed-start", "x", "name of its message", diagram(ENDS, start("x", message="m-${a}"), flows("s -> e", "x -> e"))),
    ("computed-start", "x", "name of its signal", diagram(ENDS, start("x", signal("${a}")), flows("s -> e", "x -> e"))),
    ("computed-start", "x", "reads day", diagram(ENDS, start("x", timer(date="${day}")), flows("s -> e", "x -> e"))),
    ("initiator-behind-job", "s", "After", diagram(start("s", attrs={"camunda:initiator": "who", "camunda:asyncBefore": "true"}), end("e"), flows("s -> e"))),
    ("error-without-interrupting", "b", "always ends", around(user("x"), error_boundary("b", on="x", interrupting=False), flows("b -> e"))),
    ("error-without-interrupting", "b", "cancellation", around(CANCELED, boundary("b", CANCEL, on="x", interrupting=False), flows("b -> e"))),
    ("error-without-interrupting", "x_start", "always ends", beside(event_process(start("x_start", error("E"), attrs={"isInterrupting": "false"})))),
    ("loose-boundary", "b", "stands on subprocess", beside(event_process(start("x_start", signal("a"))), timer_boundary("b", on="x", duration="P1D"), flows("b -> e"))),
    ("cancel-outside-transaction", "x", "in a transaction", with_end(end("x", CANCEL))),
    ("cancel-outside-transaction", "b", "border of a transaction", around(user("x"), boundary("b", CANCEL, on="x"), flows("b -> e"))),
    ("no-cancel-boundary", "ie", "取消边界事件", around(CANCELED)),
    ("several-cancel-boundaries", "c", "is another", around(CANCELED, boundary("b", CANCEL, on="x"), boundary("c", CANCEL, on="x"), flows("b -> e", "c -> e"))),
    ("missing-message", "x", "has none", around(catch("x", message()))),
    ("missing-message", "x", "has none", referring("message", awaiting("message"))),
    ("missing-signal", "x", "has none", around(catch("x", definition("signal")))),
    ("missing-signal", "x", "has none", referring("signal", awaiting("signal"))),
    ("computed-name", "x", "name of the error", with_end(end("x", error("E-${id}")))),
    ("computed-name", "x", "name of the escalation", around(throw("x", escalation("E-${id}")), flows("s -> x -> e"))),
    ("expression", "x", "the name of the message", referring("message", awaiting("message"), name="order-${id")),
    ("same-catch", "c", "others catch the message", caught(message("m-${id}"), message("m-${id}"))),
    ("missing-code", "x", "error code", with_end(end("x", error()))),
    ("missing-code", "x", "escalation code", with_end(end("x", escalation()))),
    ("missing-code", "x", "has none", around(throw("x", escalation()))),
    ("missing-code", "x", "has none", document(process("p", start("s"), end("x", definition("error", attrs={"errorRef": "m"})), flows("s -> x")), declare=[element("error", "m", name="E")])),
    ("missing-code", "x", "has none", referring("escalation", throw("x", definition("escalation", attrs={"escalationRef": "m"})))),
    ("dangling-reference", "x", "signalRef", around(awaiting("signal", "nothing"))),
    ("dangling-reference", "x", "escalationRef", around(throw("x", definition("escalation", attrs={"escalationRef": "nothing"})))),
    ("same-catch", "b", "error 'E1'", caught(error("E1"), error("E1"))),
    ("same-catch", "c", "every error", caught(error(), error())),
    ("same-catch", "b", "every escalation", caught(escalation(), escalation())),
    ("same-catch", "b", "by its code", caught(escalation(), escalation("E"))),
    ("same-catch", "c", "by its code", caught(escalation("E"), escalation())),
    ("same-catch", "y_start", "by its code", beside(event_process(start("x_start", escalation("E"))), event_process(start("y_start", escalation()), key="y"))),
    ("same-catch", "c", "message 'm'", caught(message("m"), message("m"))),
    ("same-catch", "y_start", "error 'E'", beside(event_process(start("x_start", error("E"))), event_process(start("y_start", error("E")), key="y"))),
    ("missing-condition", "x", "has none", around(catch("x", definition("conditional")))),
    ("missing-condition", "x", "'ready'", around(catch("x", conditional("ready")))),
    ("missing-condition", "x", r"write \$\{a and \(b > 1\)\}", around(catch("x", conditional("${a} and ${b > 1}")))),
    ("unknown-change", "x", "'change'", around(catch("x", conditional("${a}", variableEvents="create, change")))),
    ("several-variables", "x", "one name", around(catch("x", conditional("${a}", variableName="a, b")))),
    ("one-event", "x", "alone", racing(message_catch("a", message="m"), flows("x -> a -> e"))),
    ("same-event-behind", "b", "wait for 'm'", racing(message_catch("a", message="m"), message_catch("b", message="m"), flows("x -> a -> e", "x -> b -> e"))),
    ("same-event-behind", "b", "wait for 'm'", racing(catch("a", signal("m")), catch("b", signal("m")), flows("x -> a -> e", "x -> b -> e"))),
    ("gateway-leads-nowhere", "x", "flows out", racing()),
    ("no-event-behind", "x", "user task", racing(message_catch("a", message="m"), user("b"), flows("x -> a -> e", "x -> b -> e"))),
    ("no-event-behind", "x", "receive task", racing(message_catch("a", message="m"), receive("b", message="n"), flows("x -> a -> e", "x -> b -> e"))),
    ("no-event-behind", "a", "of its own", racing(message_catch("a", message="m"), timer_catch("b", duration="P1D"), task("t"), flows("x -> a -> e", "x -> b -> t -> a"))),
    ("condition-on-parallel-flow", "x-a", "no condition", racing(message_catch("a", message="m"), timer_catch("b", duration="P1D"), flows("x -> a [${y}]", "x -> b -> e", "a -> e"))),
    ("link-without-name", "t", "fill it in", linked(throw("t", link(None)), catch("c", link(None)))),
    ("link-without-end", "t", "链接中间捕获事件", linked(throw("t", link("a")), more="s -> e")),
    ("link-without-end", "c", "链接中间抛出事件", linked(catch("c", link("a")), flow="s -> e")),
    ("link-without-end", "t", "beside", linked(throw("t", link("a")), subprocess("sub", INNER, catch("c", link("a")), flows("c -> ie")), more="sub -> e")),
    ("same-link", "c", "one of several", linked(throw("t", link("a")), catch("c", link("a")), catch("d", link("a")), flows("d -> e"))),
    ("flow-at-link", "t", "out of", linked(throw("t", link("a")), catch("c", link("a")), flows("t -> e"))),
    ("flow-at-link", "c", "into", linked(throw("t", link("a")), catch("c", link("a")), flows("s -> c"))),
    ("no-handler", "b", "there is none", undone()),
    ("no-handler", "b", "there are 2", undone(UNDO, association("b", "x"))),
    ("no-handler", "b", "not marked", undone(UNDO, undo=task("undo") + flows("s -> undo"))),
    ("several-handlers", "c", "is another", undone(UNDO, boundary("c", compensate(), on="x"), association("c", "undo"))),
    ("several-handlers", "y_start", "is another", undoing(boundary("b", compensate(), on="x"), UNDO, task("undo", attrs={"isForCompensation": "true"}))),
    ("several-handlers", "z_start", "is another", undoing(inside=event_process(start("z_start", compensate()), key="z"))),
    ("flow-at-handler", "undo", "no part of the way", undone(UNDO, flows("undo -> e"))),
    ("flow-at-handler", "b", "no part of the way", undone(UNDO, flows("b -> e"))),
    ("unknown-activity", "t", "no activity 'y'", undone(UNDO, throw("t", compensate("y")), flows("s -> t -> e"))),
    ("unknown-activity", "t", "no activity 'is'", diagram(ENDS, subprocess("sub", INNER), throw("t", compensate("is")), flows("s -> sub -> t -> e"))),
    ("unknown-activity", "t", "补偿边界事件", around(user("x"), throw("t", compensate("x")), flows("s -> t -> e"))),
    ("loop-elsewhere", "x", "once for each event", beside(event_subprocess("x", instances(count="2"), start("x_start", signal("a")), end("ie"), flows("x_start -> ie")))),
    ("signal-takes-nothing", "x", "throws the signal", around(catch("x", signal("a", "v")))),
    ("bad-mapping", "x", "businessKey", around(throw("x", signal("a", "v").replace('source="v" target="v"', 'businessKey="k"')))),
    ("job-at-event-subprocess", "x", "first element inside", beside(event_process(start("x_start", signal("a"))).replace("triggered", 'camunda:asyncBefore="true" triggered'))),
    ("bad-timer", "x_start", "such as PT1H", beside(event_process(start("x_start", timer(duration="soon"))))),
]  # fmt: skip

WARNED: list[tuple[str, str, str, bytes]] = [
    ("cycle-that-interrupts", "b", "once", around(user("x"), timer_boundary("b", on="x", cycle="R3/PT1H"), flows("b -> e"))),
    ("idle-job", "b", "association leads to", around(user("x"), boundary("b", compensate(), on="x", attrs={"camunda:asyncAfter": "true"}), UNDO, task("undo", attrs={"isForCompensation": "true"}))),
    ("idle-job", "x", "events behind it", racing(message_catch("a", message="m"), timer_catch("b", duration="P1D"), flows("x -> a -> e", "x -> b -> e")).replace(b"<bpmn:eventBasedGateway", b'<bpmn:eventBasedGateway camunda:asyncAfter="true"')),
    ("ignored-attribute", "t", "all the same", undone(UNDO, throw("t", compensate("x", wait=False)), flows("s -> t -> e"))),
    ("no-cancel-end", "b", "取消结束事件", around(transaction("x", INNER), boundary("b", CANCEL, on="x"), flows("b -> e"))),
    ("unreachable", "undo", "there is none", around(user("x"), task("undo", attrs={"isForCompensation": "true"}))),
    ("cycle-that-interrupts", "x_start", "once", beside(event_process(start("x_start", timer(cycle="R3/PT1H"))))),
]  # fmt: skip

#: What is none of a rule's business.
ACCEPTED: list[tuple[str, bytes]] = [
    ("same-start", beside(event_process(start("x_start", signal("a"))), event_process(start("y_start", signal("b")), key="y"))),
    ("same-catch", caught(error("E1"), error())),
    ("same-catch", caught(escalation("E1"), escalation("E2"))),
    ("same-catch", caught(signal("g"), signal("g"))),
    ("flow-at-handler", undone(UNDO)),
    ("no-handler", undone(UNDO)),
    ("loose-end", undone(UNDO)),
    ("unreachable", undone(UNDO)),
    ("unknown-activity", undone(UNDO, throw("t", compensate("x")), flows("s -> t -> e"))),
    ("unknown-activity", diagram(ENDS, subprocess("sub", INNER, user("x"), boundary("b", compensate(), on="x"), task("undo", attrs={"isForCompensation": "true"}), UNDO, flows("is -> x -> ie")), throw("t", compensate("sub")), flows("s -> sub -> t -> e"))),
    ("unknown-activity", undoing(throw("t", compensate("x")), flows("x -> t -> e"))),
    ("ignored-attribute", undone(UNDO, throw("t", compensate("x")).replace("activityRef", 'waitForCompletion="true" activityRef'), flows("s -> t -> e"))),
    ("unknown-activity", undone(UNDO, event_subprocess("y", start("ys", error("E")), end("ye", compensate("x")), flows("ys -> ye")))),
    ("unreachable", linked(throw("t", link("a")), catch("c", link("a")))),
    ("loose-end", linked(throw("t", link("a")), catch("c", link("a")))),
    ("no-way-to-an-end", diagram(ENDS, user("x"), throw("t", link("a")), catch("c", link("a")), flows("s -> x -> t", "c -> e"))),
    ("unreachable", beside(event_process(start("x_start", signal("a"))))),
    ("loose-end", beside(event_process(start("x_start", signal("a"))))),
    ("no-event-behind", racing(message_catch("a", message="m"), timer_catch("b", duration="P1D"), flows("x -> a -> e", "x -> b -> e"))),
    ("computed-start", diagram(ENDS, start("x", timer(cycle="R/P1D")), flows("s -> e", "x -> e"))),
    ("cycle-that-interrupts", diagram(ENDS, start("x", timer(cycle="R/P1D")), flows("s -> e", "x -> e"))),
    ("same-event-behind", racing(message_catch("a", message="m"), catch("b", signal("m")), timer_catch("c", duration="P1D"), flows("x -> a -> e", "x -> b -> e", "x -> c -> e"))),
    ("cancel-outside-transaction", around(CANCELED, boundary("b", CANCEL, on="x"), flows("b -> e"))),
    ("no-cancel-boundary", around(CANCELED, boundary("b", CANCEL, on="x"), flows("b -> e"))),
    ("dangling-reference", around(user("x"), tag("bpmn:association", attrs={"sourceRef": "x", "targetRef": "nothing"}))),
]  # fmt: skip
