"""Attributes of BPMN elements: plain ones, and those of the `camunda:` namespace (and its alias `operaton:`)."""

from __future__ import annotations

from dataclasses import replace

from bpmn.compiler.vocabulary.elements import ACTIVITY_TAGS, GATEWAY_TAGS, NODE_TAGS
from bpmn.compiler.vocabulary.fate import Fate, Word

ANY: frozenset[str] = frozenset()
PROCESS = frozenset({"process"})
FLOW = frozenset({"sequenceFlow"})
START = frozenset({"startEvent"})
USER = frozenset({"userTask"})
SERVICE = frozenset({"serviceTask"})
RULE = frozenset({"businessRuleTask"})
CALL = frozenset({"callActivity"})
RECEIVE = frozenset({"receiveTask"})
CONDITION = frozenset({"conditionExpression", "timeDate", "timeDuration", "timeCycle"})
CATCHING = frozenset({"startEvent", "intermediateCatchEvent", "boundaryEvent"})
FALSE = frozenset({"false", "0"})
ONCE = frozenset({"1"})
BINDINGS = frozenset({"latest", "deployment"})

EXTERNAL = "choose “External” as implementation and give it a topic: nothing of a diagram runs inside the engine"
DECISION = "choose “DMN” as implementation and give it a decision: nothing of a diagram runs inside the engine"
ASYNCHRONOUS = "clear it: a case is stored wherever it waits, and work that may fail belongs in an external service task (服务任务)"
LATEST = "choose the binding “latest”, and remove version and tag"


def _words(fate: Fate, owners: frozenset[str], note: str, *names: str, harmless: frozenset[str] = frozenset()) -> list[Word]:
    return [Word(name=name, owners=owners, fate=fate, note=note, harmless=harmless) for name in names]


PLAIN = [
    *_words(Fate.RUNS, ANY, "identifies the element; given by the compiler where it is missing", "id"),
    *_words(Fate.RUNS, ANY, "what people call the element", "name"),
    *_words(Fate.RUNS, PROCESS, "false: not deployed; where no process of a file has it, all are executable", "isExecutable"),
    *_words(Fate.IGNORED, PROCESS, "no effect on a run", "isClosed", "processType", "definitionalCollaborationRef"),
    *_words(Fate.RUNS, FLOW, "the two ends", "sourceRef", "targetRef"),
    *_words(Fate.IGNORED, FLOW, "no effect on a run", "isImmediate"),
    *_words(Fate.REFUSED, CONDITION, "write a `${…}` or `=…` expression: scripts are not run", "language"),
    *_words(Fate.IGNORED, CONDITION, "no effect on a run", "evaluatesToTypeRef"),
    *_words(Fate.RUNS, ACTIVITY_TAGS | GATEWAY_TAGS, "the flow that is taken when no condition holds", "default"),
    *_words(
        Fate.REFUSED,
        ACTIVITY_TAGS,
        "remove it: one token starts and ends an activity",
        "startQuantity",
        "completionQuantity",
        harmless=ONCE,
    ),
    *_words(Fate.REFUSED, ACTIVITY_TAGS, "draw the tasks that undo the work", "isForCompensation", harmless=FALSE),
    *_words(
        Fate.REFUSED,
        frozenset({"subProcess"}),
        "draw boundary events on an embedded subprocess (子流程) instead of an event subprocess (事件子流程)",
        "triggeredByEvent",
        harmless=FALSE,
    ),
    *_words(Fate.RUNS, CALL, "key of the process, or `${…}`", "calledElement"),
    *_words(Fate.RUNS, RECEIVE | {"messageEventDefinition"}, "the message", "messageRef"),
    *_words(Fate.REFUSED, RECEIVE, "draw a message start event (消息开始事件)", "instantiate", harmless=FALSE),
    *_words(Fate.RUNS, frozenset({"errorEventDefinition"}), "the error; the code itself where it refers to nothing", "errorRef"),
    *_words(
        Fate.RUNS,
        frozenset({"boundaryEvent"}),
        "the activity that it stands on, and whether it interrupts it",
        "attachedToRef",
        "cancelActivity",
    ),
    *_words(Fate.REFUSED, CATCHING, "draw one event for each definition", "parallelMultiple", harmless=FALSE),
    *_words(Fate.IGNORED, START, "no effect outside an event subprocess", "isInterrupting"),
    *_words(Fate.IGNORED, GATEWAY_TAGS, "the flows say it", "gatewayDirection"),
    *_words(Fate.IGNORED, USER | SERVICE | RULE | RECEIVE, "no effect on a run", "implementation"),
    *_words(Fate.IGNORED, SERVICE | RECEIVE, "no effect on a run", "operationRef"),
]

CAMUNDA = [
    *_words(Fate.IGNORED, ANY, "which element template was used", "modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon"),
    *_words(Fate.RUNS, PROCESS, "kept with the definition", "versionTag", "historyTimeToLive"),
    *_words(Fate.IGNORED, PROCESS, "no effect on a run", "isStartableInTasklist"),
    *_words(Fate.WARNED, PROCESS, "who may start a case is decided by roles", "candidateStarterGroups", "candidateStarterUsers"),
    *_words(Fate.WARNED, PROCESS | NODE_TAGS, "due work is done in the order it falls due", "jobPriority", "taskPriority"),
    *_words(Fate.REFUSED, NODE_TAGS, ASYNCHRONOUS, "asyncBefore", "asyncAfter", "async", harmless=FALSE),
    *_words(Fate.IGNORED, NODE_TAGS, "a case is always worked on by one at a time", "exclusive"),
    *_words(Fate.REFUSED, START, "pass the variable when the case is started", "initiator"),
    *_words(Fate.RUNS, USER | START, "key of the form", "formRef"),
    *_words(Fate.RUNS, USER | START, "`camunda-forms:deployment:<file>.form`", "formKey"),
    *_words(Fate.REFUSED, USER | START, "choose the binding “deployment” or “latest”", "formRefBinding", harmless=BINDINGS),
    *_words(Fate.REFUSED, USER | START, "choose the binding “deployment”", "formRefVersion"),
    *_words(Fate.REFUSED, USER | START, "remove it: it is a Java class", "formHandlerClass"),
    *_words(Fate.RUNS, USER, "texts or expressions, parted by commas", "candidateGroups"),
    *_words(Fate.RUNS, USER, "a text or an expression", "assignee"),
    *_words(Fate.RUNS, USER, "a duration from now, a date and time, or an expression; no effect by itself", "dueDate"),
    *_words(Fate.RUNS, USER, "an integer or an expression; 50 when missing", "priority"),
    *_words(Fate.REFUSED, USER, "name a group in “Candidate groups”, or the person in “Assignee”", "candidateUsers"),
    *_words(Fate.WARNED, USER, "the due date orders the work", "followUpDate"),
    *_words(Fate.RUNS, SERVICE, "must be external; the topic is a text or an expression", "type", "topic"),
    *_words(Fate.REFUSED, SERVICE, EXTERNAL, "class", "delegateExpression", "expression"),
    *_words(Fate.REFUSED, SERVICE, "let the worker set the variable", "resultVariable"),
    *_words(Fate.RUNS, RULE, "key of the decision, or `${…}`", "decisionRef"),
    *_words(Fate.RUNS, RULE, "variable that takes the result", "resultVariable"),
    *_words(Fate.RUNS, RULE, "singleEntry, singleResult, collectEntries or resultList", "mapDecisionResult"),
    *_words(Fate.REFUSED, RULE, "choose the binding “deployment” or “latest”", "decisionRefBinding", harmless=BINDINGS),
    *_words(Fate.REFUSED, RULE, "remove it", "decisionRefVersion", "decisionRefVersionTag", "decisionRefTenantId"),
    *_words(Fate.REFUSED, RULE, DECISION, "class", "delegateExpression", "expression", "type", "topic"),
    *_words(Fate.REFUSED, CALL, LATEST, "calledElementBinding", harmless=frozenset({"latest"})),
    *_words(Fate.REFUSED, CALL, LATEST, "calledElementVersion", "calledElementVersionTag", "calledElementTenantId"),
    *_words(Fate.REFUSED, CALL, "call a process: cases of CMMN do not run", "caseRef", "caseBinding", "caseVersion", "caseTenantId"),
    *_words(
        Fate.REFUSED,
        CALL,
        "list the variables in “In mappings” and “Out mappings”",
        "variableMappingClass",
        "variableMappingDelegateExpression",
    ),
    *_words(
        Fate.REFUSED,
        frozenset({"errorEventDefinition"}),
        "remove it: the error code says what happened",
        "errorCodeVariable",
        "errorMessageVariable",
    ),
    *_words(Fate.REFUSED, CONDITION, "write a `${…}` or `=…` expression: scripts are not run", "resource"),
]

#: All of them, `camunda:` ones with their prefix.
ATTRIBUTES = [*PLAIN, *(replace(word, name=f"camunda:{word.name}") for word in CAMUNDA)]
#: By owner and name, for the rules.
_PLACED = {(owner, word.name): word for word in ATTRIBUTES for owner in word.owners}
_ANYWHERE = {word.name: word for word in ATTRIBUTES if not word.owners}


def attribute(name: str, owner: str) -> Word:
    """Look an attribute up, as it stands on an element with the given tag."""
    known = _PLACED.get((owner, name)) or _ANYWHERE.get(name)
    return known or Word(name=name, fate=Fate.REFUSED, note="remove it: it is not known there")
