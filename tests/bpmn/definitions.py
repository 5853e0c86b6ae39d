"""What stands in an element, in a few words: event definitions, loops, parameters; beside it, associations.

throw("x", signal("flood")), boundary("b", compensate(), on="x"), association("b", "undo"), user("x", instances(collection="items"))
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from tests.bpmn.diagrams import declared, element, tag

FORMAL = {"xsi:type": "bpmn:tFormalExpression"}
CANCEL = tag("bpmn:cancelEventDefinition")


def definition(kind: str, *content: str, attrs: Mapping[str, str | None] | None = None) -> str:
    """Any event definition."""
    return tag(f"bpmn:{kind}EventDefinition", *content, attrs=attrs)


def message(name: str | None = None, **camunda: str) -> str:
    """A message; thrown by a worker (`type="external", topic="post"`) or an expression."""
    return definition("message", attrs={"messageRef": name and declared("Message", name), **prefixed(camunda)})


def signal(name: str, *passed: str) -> str:
    """A signal, with the variables that go with it."""
    rows = (tag("camunda:in", attrs={"source": source, "target": source}) for source in passed)
    extension = [tag("bpmn:extensionElements", *rows)] if passed else []
    return definition("signal", *extension, attrs={"signalRef": declared("Signal", name)})


def error(code: str | None = None, **camunda: str) -> str:
    return definition("error", attrs={"errorRef": code and declared("Error", code), **prefixed(camunda)})


def escalation(code: str | None = None, **camunda: str) -> str:
    return definition("escalation", attrs={"escalationRef": code and declared("Escalation", code), **prefixed(camunda)})


def conditional(condition: str, **camunda: str) -> str:
    return definition("conditional", tag("bpmn:condition", escape(condition), attrs=FORMAL), attrs=prefixed(camunda))


def compensate(activity: str | None = None, *, wait: bool = True) -> str:
    return definition("compensate", attrs={"activityRef": activity, "waitForCompletion": None if wait else "false"})


def link(name: str | None) -> str:
    return definition("link", attrs={"name": name})


def instances(*, count: str | None = None, until: str | None = None, sequential: bool = False, **camunda: str) -> str:
    """A multi-instance marker: `count` is the cardinality, `until` the completion condition."""
    parts = {"loopCardinality": count, "completionCondition": until}
    rows = (tag(f"bpmn:{key}", escape(text), attrs=FORMAL) for key, text in parts.items() if text is not None)
    attrs = {"isSequential": "true" if sequential else None, **prefixed(camunda)}
    return tag("bpmn:multiInstanceLoopCharacteristics", *rows, attrs=attrs)


def again(condition: str | None, *, before: bool = False, most: int | None = None) -> str:
    """A loop marker: once more while the condition holds."""
    rows = [tag("bpmn:loopCondition", escape(condition), attrs=FORMAL)] if condition is not None else []
    attrs = {"testBefore": "true" if before else None, "loopMaximum": None if most is None else str(most)}
    return tag("bpmn:standardLoopCharacteristics", *rows, attrs=attrs)


def association(source: str, target: str) -> str:
    return element("association", f"{source}_to_{target}", attrs={"sourceRef": source, "targetRef": target})


def parameters(*, inputs: Mapping[str, str] | None = None, outputs: Mapping[str, str] | None = None) -> str:
    """`camunda:inputOutput` for `ext=`; a value that is no XML is a text or an expression."""
    rows = [_parameter("inputParameter", name, value) for name, value in (inputs or {}).items()]
    rows += [_parameter("outputParameter", name, value) for name, value in (outputs or {}).items()]
    return tag("camunda:inputOutput", *rows)


def _parameter(kind: str, name: str, value: str) -> str:
    return tag(f"camunda:{kind}", value if value.startswith("<") else escape(value), attrs={"name": name})


def prefixed(camunda: Mapping[str, str]) -> dict[str, str]:
    return {f"camunda:{key}": value for key, value in camunda.items()}
