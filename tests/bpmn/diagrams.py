"""BPMN XML in a few words: one function per element, `flows` for the arrows, `diagram` for the file.

    diagram(
        start("s"),
        user("review", groups="clerks"),
        exclusive("ok", default="refuse"),
        user("issue"), user("refuse"), end("e"),
        timer_boundary("late", on="review", duration="P3D", interrupting=False), end("reminded"),
        flows("s -> review -> ok", "ok -> issue [${granted}]", "ok -> refuse", "issue -> e", "refuse -> e", "late -> reminded"),
    )

Every element takes `name=`, `properties={"onething.x": "1"}`, `attrs={"camunda:asyncBefore": "true"}`, and raw XML as further arguments
(`ext=` goes into its extensionElements).  The id of a flow is `source-target`.  Messages, signals, errors and escalations
that are named are declared by `diagram`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

NAMESPACES = {
    "xmlns:bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "xmlns:camunda": "http://camunda.org/schema/1.0/bpmn",
    "xmlns:operaton": "http://operaton.org/schema/1.0/bpmn",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
FLOW = re.compile(r"\s*(?P<path>[^\[\]]+?)\s*(?:\[(?P<condition>.*)\])?\s*", re.DOTALL)


def tag(name: str, *content: str, attrs: Mapping[str, str | None] | None = None) -> str:
    """One XML element; attributes that are None are left out."""
    written = "".join(f" {key}={quoteattr(value)}" for key, value in (attrs or {}).items() if value is not None)
    return f"<{name}{written}>{''.join(content)}</{name}>" if content else f"<{name}{written}/>"


def element(
    kind: str,
    id_: str | None,
    *content: str,
    name: str | None = None,
    properties: Mapping[str, str] | None = None,
    ext: str = "",
    attrs: Mapping[str, str | None] | None = None,
) -> str:
    """Any BPMN element with an id, a name, `camunda:properties` and further extensions."""
    if properties:
        rows = (tag("camunda:property", attrs={"name": key, "value": value}) for key, value in properties.items())
        ext += tag("camunda:properties", *rows)
    extension = [tag("bpmn:extensionElements", ext)] if ext else []
    return tag(f"bpmn:{kind}", *extension, *content, attrs={"id": id_, "name": name, **(attrs or {})})


# Tasks ----------------------------------------------------------------------------------------------------------------------------------


def task(id_, *content, **more):
    return element("task", id_, *content, **more)


def user(id_, *content, groups=None, assignee=None, due=None, priority=None, form=None, form_key=None, default=None, attrs=None, **more):
    """A user task; `default` names the target of its default flow."""
    camunda = {
        "camunda:candidateGroups": groups,
        "camunda:assignee": assignee,
        "camunda:dueDate": due,
        "camunda:priority": priority,
        "camunda:formRef": form,
        "camunda:formKey": form_key,
    }
    return element("userTask", id_, *content, attrs={"default": default and f"{id_}-{default}", **camunda, **(attrs or {})}, **more)


def receive(id_, *content, message, attrs=None, **more):
    return element("receiveTask", id_, *content, attrs={"messageRef": declared("Message", message), **(attrs or {})}, **more)


def external(id_, *content, topic, attrs=None, **more):
    """A service task that a worker does."""
    return element("serviceTask", id_, *content, attrs={"camunda:type": "external", "camunda:topic": topic, **(attrs or {})}, **more)


def decision(id_, *content, ref, result=None, mapping=None, attrs=None, **more):
    """A business rule task with a decision table."""
    camunda = {"camunda:decisionRef": ref, "camunda:resultVariable": result, "camunda:mapDecisionResult": mapping}
    return element("businessRuleTask", id_, *content, attrs={**camunda, **(attrs or {})}, **more)


def call(id_, *content, of, inputs=(), outputs=(), attrs=None, ext="", **more):
    """A call activity; a mapping is `"all"`, `"a"`, `"a -> b"` or `"${a + 1} -> b"`."""
    mappings = [_mapping("camunda:in", text) for text in inputs] + [_mapping("camunda:out", text) for text in outputs]
    return element("callActivity", id_, *content, attrs={"calledElement": of, **(attrs or {})}, ext=ext + "".join(mappings), **more)


def _mapping(kind: str, text: str) -> str:
    if text == "all":
        return tag(kind, attrs={"variables": "all"})
    source, _, target = text.partition(" -> ")
    key = "sourceExpression" if source.startswith(("$", "=")) else "source"
    return tag(kind, attrs={key: source, "target": target or source})


def subprocess(id_, *content, **more):
    return element("subProcess", id_, *content, **more)


def event_subprocess(id_, *content, attrs=None, **more):
    return element("subProcess", id_, *content, attrs={"triggeredByEvent": "true", **(attrs or {})}, **more)


def transaction(id_, *content, **more):
    return element("transaction", id_, *content, **more)


def script(id_, body, *, language="juel", result="result", attrs=None, **more):
    """A script task."""
    camunda = {"scriptFormat": language, "camunda:resultVariable": result}
    return element("scriptTask", id_, tag("bpmn:script", escape(body)), attrs={**camunda, **(attrs or {})}, **more)


# Gateways -------------------------------------------------------------------------------------------------------------------------------


def exclusive(id_, *, default=None, attrs=None, **more):
    """An exclusive gateway; `default` names the target of its default flow."""
    return element("exclusiveGateway", id_, attrs={"default": default and f"{id_}-{default}", **(attrs or {})}, **more)


def inclusive(id_, *, default=None, attrs=None, **more):
    return element("inclusiveGateway", id_, attrs={"default": default and f"{id_}-{default}", **(attrs or {})}, **more)


def parallel(id_, **more):
    return element("parallelGateway", id_, **more)


def event_gateway(id_, **more):
    return element("eventBasedGateway", id_, **more)


# Events ---------------------------------------------------------------------------------------------------------------------------------


def start(id_, *content, message=None, **more):
    return element("startEvent", id_, *content, *_message(message), **more)


def end(id_, *content, error=None, terminate=False, **more):
    """An end event: none, error (by code) or terminate."""
    definition = [tag("bpmn:errorEventDefinition", attrs={"errorRef": declared("Error", error)})] if error else []
    definition += [tag("bpmn:terminateEventDefinition")] if terminate else []
    return element("endEvent", id_, *content, *definition, **more)


def milestone(id_, **more):
    """An intermediate throw event without a definition."""
    return element("intermediateThrowEvent", id_, **more)


def throw(id_, *content, **more):
    """An intermediate throw event; the content is its event definition (`tests.bpmn.definitions`)."""
    return element("intermediateThrowEvent", id_, *content, **more)


def catch(id_, *content, **more):
    """An intermediate catch event; the content is its event definition."""
    return element("intermediateCatchEvent", id_, *content, **more)


def message_catch(id_, *, message, **more):
    return element("intermediateCatchEvent", id_, *_message(message), **more)


def timer_catch(id_, *, date=None, duration=None, cycle=None, **more):
    return element("intermediateCatchEvent", id_, timer(date=date, duration=duration, cycle=cycle), **more)


def boundary(id_, *content, on, interrupting=True, attrs=None, **more):
    """A boundary event; the content is its event definition."""
    standing = {"attachedToRef": on, "cancelActivity": None if interrupting else "false"}
    return element("boundaryEvent", id_, *content, attrs={**standing, **(attrs or {})}, **more)


def timer_boundary(id_, *, on, interrupting=True, date=None, duration=None, cycle=None, **more):
    return boundary(id_, timer(date=date, duration=duration, cycle=cycle), on=on, interrupting=interrupting, **more)


def message_boundary(id_, *, on, message, interrupting=True, **more):
    return boundary(id_, *_message(message), on=on, interrupting=interrupting, **more)


def error_boundary(id_, *, on, error=None, **more):
    """An error boundary; without a code it catches every error."""
    definition = tag("bpmn:errorEventDefinition", attrs={"errorRef": error and declared("Error", error)})
    return boundary(id_, definition, on=on, **more)


def timer(*, date=None, duration=None, cycle=None) -> str:
    """A timer event definition."""
    forms = {"timeDate": date, "timeDuration": duration, "timeCycle": cycle}
    rows = [
        tag(f"bpmn:{key}", escape(text), attrs={"xsi:type": "bpmn:tFormalExpression"}) for key, text in forms.items() if text is not None
    ]
    return tag("bpmn:timerEventDefinition", *rows)


def _message(name: str | None) -> list[str]:
    return [tag("bpmn:messageEventDefinition", attrs={"messageRef": declared("Message", name)})] if name else []


def declared(kind: str, name: str) -> str:
    """The id of a message, a signal, an error or an escalation, made from its name: Camunda Modeler opens files with ASCII ids only."""
    return f"{kind}_{re.sub('[^A-Za-z0-9-]', lambda found: f'_{ord(found[0]):x}_', name)}"


def _names(kind: str, body: str) -> list[str]:
    ids = dict.fromkeys(re.findall(rf'Ref="{kind}_([^"]*)"', body))
    return [re.sub("_([0-9a-f]+)_", lambda found: chr(int(found[1], 16)), key) for key in ids]


# Arrows and files -----------------------------------------------------------------------------------------------------------------------


def flow(source, target, *, when=None, key=None, name=None, attrs=None) -> str:
    """One sequence flow; its id is `source-target` unless told."""
    condition = [tag("bpmn:conditionExpression", escape(when), attrs={"xsi:type": "bpmn:tFormalExpression"})] if when is not None else []
    ends = {"sourceRef": source, "targetRef": target, **(attrs or {})}
    return element("sequenceFlow", key or f"{source}-{target}", *condition, name=name, attrs=ends)


def flows(*paths: str) -> str:
    """Sequence flows: `"a -> b -> c"`, `"a -> b [${x > 1}]"` (the condition holds for every arrow of its path)."""
    arrows = []
    for text in paths:
        match = FLOW.fullmatch(text)
        assert match, f"not a path: {text!r}"
        nodes = [node.strip() for node in match["path"].split("->")]
        arrows += [flow(source, target, when=match["condition"]) for source, target in itertools.pairwise(nodes)]
    return "".join(arrows)


def process(key: str, *content: str, executable: bool | None = True, attrs=None, **more) -> str:
    """One process, for files with several; `executable=None` leaves the attribute out."""
    flag = None if executable is None else str(executable).lower()
    return element("process", key, *content, attrs={"isExecutable": flag, **(attrs or {})}, **more)


def document(*content: str, declare: Iterable[str] = (), attrs: Mapping[str, str] | None = None) -> bytes:
    """The whole file: processes and whatever else stands at the top.  Declares messages, signals, errors and escalations that are named."""
    body = "".join(content)
    declarations = [element(kind.lower(), declared(kind, name), name=name) for kind in ("Message", "Signal") for name in _names(kind, body)]
    for kind in ("Error", "Escalation"):
        codes = _names(kind, body)
        declarations += [element(kind.lower(), declared(kind, code), attrs={f"{kind.lower()}Code": code}) for code in codes]
    namespaces = {**NAMESPACES, "targetNamespace": "http://bpmn.io/schema/bpmn", "id": "Definitions_1"}
    text = tag("bpmn:definitions", *declarations, *declare, body, attrs={**namespaces, **(attrs or {})})
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def diagram(*content: str, key: str = "p", name: str | None = None, **more) -> bytes:
    """A file with one executable process."""
    return document(process(key, *content, name=name, **more))
