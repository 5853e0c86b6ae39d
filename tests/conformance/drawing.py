"""From the lines of a case to BPMN XML."""

from __future__ import annotations

import itertools
import re
from xml.sax.saxutils import escape

from tests.bpmn.diagrams import diagram, element, flow, tag
from tests.conformance.reading import parts

KINDS = {
    "start": "startEvent",
    "end": "endEvent",
    "catch": "intermediateCatchEvent",
    "throw": "intermediateThrowEvent",
    "boundary": "boundaryEvent",
    "task": "task",
    "manual": "manualTask",
    "user": "userTask",
    "receive": "receiveTask",
    "service": "serviceTask",
    "send": "sendTask",
    "script": "scriptTask",
    "rule": "businessRuleTask",
    "call": "callActivity",
    "subprocess": "subProcess",
    "event-subprocess": "subProcess",
    "transaction": "transaction",
    "exclusive": "exclusiveGateway",
    "parallel": "parallelGateway",
    "inclusive": "inclusiveGateway",
    "event-gateway": "eventBasedGateway",
}
EVENTS = ("start", "end", "catch", "throw", "boundary")
#: Options that are attributes of the element.
ATTRIBUTES = {
    "name": "name",
    "on": "attachedToRef",
    "topic": "camunda:topic",
    "expression": "camunda:expression",
    "result": "camunda:resultVariable",
    "decision": "camunda:decisionRef",
    "mapped": "camunda:mapDecisionResult",
    "of": "calledElement",
    "groups": "camunda:candidateGroups",
    "takes": "startQuantity",
    "gives": "completionQuantity",
}
#: Words that are attributes of the element.
FLAGS = {
    "undoes": ("isForCompensation", "true"),
    "async-before": ("camunda:asyncBefore", "true"),
    "async-after": ("camunda:asyncAfter", "true"),
}
#: Elements that are declared beside the process, by the option that names them: their tag, and the attribute that has the name.
DECLARED = {
    "message": ("message", "name"),
    "signal": ("signal", "name"),
    "error": ("error", "errorCode"),
    "escalation": ("escalation", "escalationCode"),
}


def draw(lines, key="process"):
    """Draw the lines of a case."""
    declared = {}
    content = _scope(list(lines), declared)
    rows = [element(tag_, id_, attrs=_declared(attribute, name)) for (tag_, attribute, name), id_ in declared.items()]
    return diagram(content, key=key).replace(b"<bpmn:process", "".join(rows).encode() + b"<bpmn:process", 1)


def _declared(attribute, name):
    """`CODE/message` declares an error with a message."""
    code, _, said = name.partition("/") if attribute == "errorCode" else (name, "", "")
    return {attribute: code, "camunda:errorMessage": said or None}


def _scope(lines, declared):
    drawn = []
    while lines:
        line = lines.pop(0)
        inside = [deeper[4:] for deeper in itertools.takewhile(lambda other: other.startswith("    "), lines)]
        del lines[: len(inside)]
        drawn.append(_line(line, inside, declared))
    return "".join(drawn)


def _line(line, inside, declared):
    if line.startswith("<"):
        return line
    if "~>" in line:
        source, target = (end.strip() for end in line.split("~>"))
        return element("association", f"{source}-{target}", attrs={"sourceRef": source, "targetRef": target})
    if "->" in line:
        return _arrows(line)
    (kind, *words), options = parts(line)
    ids = [word for word in words if word not in FLAGS and word not in WORDS]
    flags = set(words) - set(ids)
    return "".join(_element(kind, id_, options, flags, inside, declared) for id_ in ids or [None])


def _arrows(line):
    path, _, condition = line.partition("[")
    nodes = [[node.strip() for node in place.split(",")] for place in path.split("->")]
    drawn = []
    for number, (sources, targets) in enumerate(itertools.pairwise(nodes)):
        when = condition.strip().removesuffix("]") if condition and number == 0 else None
        drawn += [flow(source, target, when=when) for source in sources for target in targets]
    return "".join(drawn)


def _element(kind, id_, options, flags, inside, declared):
    attrs = {ATTRIBUTES[key]: value for key, value in options.items() if key in ATTRIBUTES}
    attrs |= dict(FLAGS[flag] for flag in flags if flag in FLAGS)
    if "default" in options:
        attrs["default"] = f"{id_}-{options['default']}"
    if kind == "event-subprocess":
        attrs["triggeredByEvent"] = "true"
    if "beside" in flags:
        attrs["isInterrupting" if kind == "start" else "cancelActivity"] = "false"
    content = []
    if kind in EVENTS:
        for name in ("topic", "expression", "result"):
            attrs.pop(ATTRIBUTES[name], None)
        content += _event(options, flags, declared)
    elif "topic" in options:
        attrs["camunda:type"] = "external"
    if kind == "receive":
        attrs["messageRef"] = _reference("message", options["message"], declared)
    if kind == "script":
        attrs["scriptFormat"] = "juel"
        content.append(tag("bpmn:script", escape(options["script"])))
    content += _loop(options, flags)
    if inside:
        content.append(_scope(list(inside), declared))
    return element(KINDS[kind], id_, *content, ext=_extensions(options), attrs=attrs)


# Events ---------------------------------------------------------------------------------------------------------------------------------

TIMERS = {"duration": "timeDuration", "date": "timeDate", "cycle": "timeCycle"}
#: Words that say what an event is, or how an activity runs.
WORDS = frozenset(
    {"beside", "error", "escalation", "compensation", "terminate", "cancel", "nowait", "one-by-one", "test-first"}
    | {"async-before-each", "async-after-each"}
)


def _event(options, flags, declared):
    for option in DECLARED:
        if option in options or option in flags:
            return [_raised(option, options, declared)]
    for option, form in TIMERS.items():
        if option in options:
            return [tag("bpmn:timerEventDefinition", tag(f"bpmn:{form}", escape(options[option]), attrs=FORMAL))]
    if "condition" in options:
        changes = {"camunda:variableName": options.get("variable"), "camunda:variableEvents": options.get("changes")}
        return [tag("bpmn:conditionalEventDefinition", tag("bpmn:condition", escape(options["condition"]), attrs=FORMAL), attrs=changes)]
    if "link" in options:
        return [tag("bpmn:linkEventDefinition", attrs={"name": options["link"]})]
    if "compensation" in options or "compensation" in flags:
        attrs = {"activityRef": options.get("compensation"), "waitForCompletion": "false" if "nowait" in flags else None}
        return [tag("bpmn:compensateEventDefinition", attrs=attrs)]
    return [tag(f"bpmn:{word}EventDefinition") for word in ("terminate", "cancel") if word in flags]


FORMAL = {"xsi:type": "bpmn:tFormalExpression"}


def _raised(option, options, declared):
    """A message, signal, error or escalation; a message may be thrown by a worker or by an expression."""
    reference = _reference(option, options[option], declared) if option in options else None
    attrs = {f"{option}Ref": reference}
    if option in {"error", "escalation"}:
        attrs |= {f"camunda:{option}CodeVariable": options.get("code"), "camunda:errorMessageVariable": options.get("text")}
    if option == "message":
        attrs |= {ATTRIBUTES[key]: options[key] for key in ("topic", "expression", "result") if key in options}
        attrs |= {"camunda:type": "external"} if "topic" in options else {}
    inputs = tag("bpmn:extensionElements", _mapping("in", options["in"])) if option == "signal" and "in" in options else ""
    return tag(f"bpmn:{option}EventDefinition", *([inputs] if inputs else []), attrs=attrs)


def _reference(option, name, declared):
    key = (*DECLARED[option], name)
    return declared.setdefault(key, f"{option}_{len(declared)}")


# Activities -----------------------------------------------------------------------------------------------------------------------------


def _loop(options, flags):
    if "times" in options or "items" in options:
        attrs = {
            "isSequential": "true" if "one-by-one" in flags else None,
            "camunda:collection": options.get("items"),
            "camunda:elementVariable": options.get("item"),
            "camunda:asyncBefore": "true" if "async-before-each" in flags else None,
            "camunda:asyncAfter": "true" if "async-after-each" in flags else None,
        }
        rows = [("loopCardinality", options.get("times")), ("completionCondition", options.get("until"))]
        return [tag("bpmn:multiInstanceLoopCharacteristics", *_expressions(rows), attrs=attrs)]
    if "while" in options or "most" in options:
        attrs = {"loopMaximum": options.get("most"), "testBefore": "true" if "test-first" in flags else None}
        return [tag("bpmn:standardLoopCharacteristics", *_expressions([("loopCondition", options.get("while"))]), attrs=attrs)]
    return []


def _expressions(rows):
    return [tag(f"bpmn:{name}", escape(text), attrs=FORMAL) for name, text in rows if text is not None]


def _extensions(options):
    rows = [
        tag(f"camunda:{way}putParameter", escape(value), attrs={"name": key.partition(".")[2]})
        for way in ("in", "out")
        for key, value in options.items()
        if key.startswith(f"{way}put.")
    ]
    mapped = [_mapping(way, options[way]) for way in ("in", "out") if way in options and "signal" not in options]
    return "".join([tag("camunda:inputOutput", *rows)] if rows else []) + "".join(mapped)


def _mapping(way, text):
    """`all`, or `source>target` with commas between."""
    if text == "all":
        return tag(f"camunda:{way}", attrs={"variables": "all"})
    rows = (re.fullmatch(r"(?P<source>.+?)(?:>(?P<target>\w+))?", part) for part in text.split(","))
    return "".join(tag(f"camunda:{way}", attrs={"source": row["source"], "target": row["target"] or row["source"]}) for row in rows)
