"""Rules about work: workers, expressions, scripts, decisions, called processes."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.compiler.particulars.work import BINDINGS, VERSIONS
from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.source import MODEL, Node, camunda, extensions, text_of
from bpmn.definition import Binding, Element, ElementType, EventType

MAPPINGS = ("singleEntry", "singleResult", "collectEntries", "resultList")
#: Refused by a rule of their own.
CLASSES = ("class", "delegateExpression")
LANGUAGES = frozenset({"juel", "feel"})


def no_implementation(drawing: Drawing) -> Problems:
    """A service task, a send task and an event that throws a message say how it is done."""
    for element, part in _work(drawing):
        kind = camunda(part, "type")
        others = ("expression", *CLASSES, *(("decisionRef",) if element.type is ElementType.BUSINESS_RULE_TASK else ()))
        if kind == "external" or any(camunda(part, name) for name in others):
            continue
        if element.type is ElementType.BUSINESS_RULE_TASK and not kind:
            message = f"Expected {drawing.label(element.id)} to name a decision, but it names none: choose “DMN” and fill in the decision"
        else:
            instead = f"its type is {kind!r}" if kind else "it says nothing about how it is done"
            message = f"Expected {drawing.label(element.id)} to be external, but {instead}: choose “External” and give it a topic"
        yield element.id, message


def several_implementations(drawing: Drawing) -> Problems:
    """Work is done in one way."""
    for element, part in _work(drawing):
        given = [name for name in ("expression", "decisionRef") if camunda(part, name) is not None]
        given += ["topic"] if camunda(part, "type") == "external" or camunda(part, "topic") is not None else []
        if len(given) > 1:
            yield element.id, f"Expected {drawing.label(element.id)} to be done in one way, but it has {' and '.join(given)}: keep one"


def missing_topic(drawing: Drawing) -> Problems:
    """A worker asks for a topic."""
    for element, part in _work(drawing):
        if camunda(part, "type") == "external" and not (camunda(part, "topic") or "").strip():
            yield element.id, f"Expected {drawing.label(element.id)} to have a topic, but it has none: no worker would find it"


def bad_worker_error(drawing: Drawing) -> Problems:
    """A failure of an external task is a BPMN error under a condition, and with a code."""
    for element, part in _work(drawing):
        rows = list(extensions(part, "errorEventDefinition"))
        if len(rows) > len(element.worker_errors):
            message = f"Expected every error of {drawing.label(element.id)} to have a code and an expression, but one lacks them"
            yield element.id, f"{message}: fill them in"
        elif rows and element.topic is None:
            message = f"Expected {drawing.label(element.id)} to be external, but it is not: remove its errors, only a worker reports them"
            yield element.id, message


def bad_script(drawing: Drawing) -> Problems:
    """A script is an expression, in a language that has no side effects."""
    for element in drawing.of_type(ElementType.SCRIPT_TASK):
        node = drawing.node(element.id)
        language = node.get("scriptFormat", "")
        script = node.find(f"{MODEL}script")
        if language.strip().lower() not in LANGUAGES:
            message = (
                f"Expected the script of {drawing.label(element.id)} to be juel or feel, but its format is {language[:60] or 'missing'!r}: "
                "write an expression, or draw a decision table (业务规则任务) or an external service task (服务任务)"
            )
            yield element.id, message
        elif script is None or not text_of(script):
            yield element.id, f"Expected {drawing.label(element.id)} to have a script, but it has none: write an expression"
        elif element.expression is not None and element.expression.dialect == "literal":
            written = element.expression.source[:60]
            yield element.id, f"Expected the script of {drawing.label(element.id)} to be ${{…}}, but it is {written!r}: write it so"


def missing_result_variable(drawing: Drawing) -> Problems:
    """A script has no effect but its result."""
    for element in drawing.of_type(ElementType.SCRIPT_TASK):
        if not element.result_variable:
            message = f"Expected {drawing.label(element.id)} to keep its result, but it names no result variable: fill it in"
            yield element.id, message


def missing_called_element(drawing: Drawing) -> Problems:
    """A call activity calls something."""
    for element in drawing.of_type(ElementType.CALL_ACTIVITY):
        node = drawing.node(element.id)
        if not node.get("calledElement", "").strip() and camunda(node, "caseRef") is None:
            yield element.id, f"Expected {drawing.label(element.id)} to call a process, but it names none: fill in “Called element”"


def bad_binding(drawing: Drawing) -> Problems:
    """The binding of a call is one of four; those that ask for a version have one."""
    for element in drawing.of_type(ElementType.CALL_ACTIVITY):
        node = drawing.node(element.id)
        binding = camunda(node, "calledElementBinding") or Binding.LATEST
        if binding not in BINDINGS:
            known = ", ".join(BINDINGS)
            yield element.id, f"Expected the binding of {drawing.label(element.id)} to be one of {known}, but it is {binding[:60]!r}"
            continue
        wanted = VERSIONS.get(BINDINGS[binding])
        if wanted and not (camunda(node, wanted) or "").strip():
            yield element.id, f"Expected {drawing.label(element.id)} to have a {wanted}, but it has none: the binding {binding} needs it"
        for name in set(VERSIONS.values()) - {wanted}:
            if camunda(node, name):
                message = f"Expected {drawing.label(element.id)} to have no {name}, but it has one: remove it, the binding is {binding}"
                yield element.id, message


def unknown_result_mapping(drawing: Drawing) -> Problems:
    """There are four ways to map the result of a decision."""
    for element in drawing.of_type(ElementType.BUSINESS_RULE_TASK):
        if element.map_decision_result not in MAPPINGS:
            message = (
                f"Expected mapDecisionResult of {drawing.label(element.id)} to be one of {', '.join(MAPPINGS)}, "
                f"but it is {element.map_decision_result[:60]!r}"
            )
            yield element.id, message


def result_not_kept(drawing: Drawing) -> Problems:
    """A decision whose result goes nowhere."""
    for element in drawing.of_type(ElementType.BUSINESS_RULE_TASK):
        if element.decision_ref and not element.result_variable:
            yield element.id, f"Expected {drawing.label(element.id)} to keep its result, but it names no result variable: fill it in"


def _work(drawing: Drawing) -> Iterator[tuple[Element, Node]]:
    """Yield what a worker or an expression may do, with the node that says so: the task, or the message of an event."""
    for element in drawing.of_type(ElementType.SERVICE_TASK, ElementType.SEND_TASK, ElementType.BUSINESS_RULE_TASK):
        yield element, drawing.node(element.id)
    for element in drawing.of_event(EventType.MESSAGE, ElementType.THROW_EVENT, ElementType.END_EVENT):
        message = drawing.node(element.id).find(f"{MODEL}messageEventDefinition")
        if message is not None:
            yield element, message
