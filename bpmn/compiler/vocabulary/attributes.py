"""Attributes of BPMN elements: plain ones, and those of the `camunda:` namespace (and its alias `operaton:`)."""

from __future__ import annotations

from dataclasses import replace

from bpmn.compiler.vocabulary.elements import ACTIVITY_TAGS, GATEWAY_TAGS, NODE_TAGS
from bpmn.compiler.vocabulary.fate import Fate, Word


def _tags(*names: str) -> frozenset[str]:
    return frozenset(names)


ANY: frozenset[str] = frozenset()
PROCESS, FLOW, START, BOUNDARY = _tags("process"), _tags("sequenceFlow"), _tags("startEvent"), _tags("boundaryEvent")
USER, CALL, RECEIVE, SCRIPT, RULE = (
    _tags("userTask"),
    _tags("callActivity"),
    _tags("receiveTask"),
    _tags("scriptTask"),
    _tags("businessRuleTask"),
)
SERVICE = _tags("serviceTask", "sendTask")
MESSAGE, SIGNAL, ERROR = _tags("messageEventDefinition"), _tags("signalEventDefinition"), _tags("errorEventDefinition")
ESCALATION, COMPENSATION = _tags("escalationEventDefinition"), _tags("compensateEventDefinition")
CONDITIONAL, LINK = _tags("conditionalEventDefinition"), _tags("linkEventDefinition")
#: What a worker or an expression does.
WORKED = SERVICE | RULE | MESSAGE
SUBPROCESS, EVENT_GATEWAY = _tags("subProcess"), _tags("eventBasedGateway")
MULTI_INSTANCE, STANDARD_LOOP = _tags("multiInstanceLoopCharacteristics"), _tags("standardLoopCharacteristics")
WRITTEN = _tags("conditionExpression", "condition", "timeDate", "timeDuration", "timeCycle")
FORMULAS = WRITTEN | {"loopCardinality", "completionCondition", "loopCondition", "formalExpression"}
CATCHING = START | BOUNDARY | {"intermediateCatchEvent"}

FALSE, TRUE, ONCE, LATEST = _tags("false", "0"), _tags("true", "1"), _tags("1"), _tags("latest")
BINDINGS = _tags("latest", "deployment")

JAVA = "choose “External” as implementation and give it a topic, or write an expression: no class runs inside the engine"
SCRIPTS = "write a `${…}` or `=…` expression: scripts are not run"
REPEATED_BY = "remove it: each instance counts, and a completion condition says when it is enough"


def _words(fate: Fate, owners: frozenset[str], note: str, *names: str, harmless: frozenset[str] = frozenset()) -> list[Word]:
    return [Word(name=name, owners=owners, fate=fate, note=note, harmless=harmless) for name in names]


PLAIN = [
    *_words(Fate.RUNS, ANY, "identifies the element; given by the compiler where it is missing", "id"),
    *_words(Fate.RUNS, ANY, "what people call the element; a user task may compute it: `审核 ${office}`", "name"),
    *_words(Fate.RUNS, PROCESS, "false: not deployed; where no process of a file has it, all are executable", "isExecutable"),
    *_words(Fate.IGNORED, PROCESS, "no effect on a run", "isClosed", "processType", "definitionalCollaborationRef"),
    *_words(Fate.RUNS, FLOW | {"association"}, "the two ends", "sourceRef", "targetRef"),
    *_words(Fate.IGNORED, _tags("association"), "no effect on a run", "associationDirection"),
    *_words(Fate.IGNORED, FLOW, "no effect on a run", "isImmediate"),
    *_words(Fate.REFUSED, FORMULAS, SCRIPTS, "language"),
    *_words(Fate.IGNORED, FORMULAS, "no effect on a run", "evaluatesToTypeRef"),
    *_words(Fate.RUNS, ACTIVITY_TAGS | GATEWAY_TAGS - EVENT_GATEWAY, "the flow that is taken when no condition holds", "default"),
    *_words(Fate.RUNS, ACTIVITY_TAGS, "how many tokens start it", "startQuantity", harmless=ONCE),
    *_words(Fate.RUNS, ACTIVITY_TAGS, "how many tokens leave by each flow", "completionQuantity", harmless=ONCE),
    *_words(
        Fate.RUNS,
        ACTIVITY_TAGS,
        "runs when the activity is compensated whose boundary event leads here",
        "isForCompensation",
        harmless=FALSE,
    ),
    *_words(
        Fate.RUNS,
        SUBPROCESS,
        "an event subprocess (事件子流程): its start event says when it starts",
        "triggeredByEvent",
        harmless=FALSE,
    ),
    *_words(Fate.IGNORED, _tags("transaction"), "a transaction is always compensated", "method"),
    *_words(Fate.RUNS, CALL, "key of the process, or `${…}`", "calledElement"),
    *_words(Fate.RUNS, RECEIVE | MESSAGE, "the message; what waits for it may compute its name, save the start of a process", "messageRef"),
    *_words(Fate.IGNORED, _tags("sendTask"), "no effect on a run: the worker sends it", "messageRef"),
    *_words(Fate.REFUSED, RECEIVE, "draw a message start event (消息开始事件)", "instantiate", harmless=FALSE),
    *_words(Fate.REFUSED, EVENT_GATEWAY, "draw a message start event (消息开始事件) for each", "instantiate", harmless=FALSE),
    *_words(Fate.REFUSED, EVENT_GATEWAY, "draw a parallel gateway (并行网关)", "eventGatewayType", harmless=_tags("Exclusive")),
    *_words(Fate.RUNS, SIGNAL, "the signal; its name may be an expression", "signalRef"),
    *_words(Fate.RUNS, ERROR, "the error; the code itself where it refers to nothing", "errorRef"),
    *_words(Fate.RUNS, ESCALATION, "the escalation; without it, every one is caught", "escalationRef"),
    *_words(Fate.RUNS, COMPENSATION, "the activity that is compensated; without it, all that has completed", "activityRef"),
    *_words(
        Fate.WARNED,
        COMPENSATION,
        "the token waits for the handlers all the same, as in Camunda 7",
        "waitForCompletion",
        harmless=TRUE,
    ),
    *_words(Fate.RUNS, BOUNDARY, "the activity that it stands on, and whether it interrupts it", "attachedToRef", "cancelActivity"),
    *_words(Fate.REFUSED, CATCHING, "draw one event for each definition", "parallelMultiple", harmless=FALSE),
    *_words(Fate.RUNS, START, "in an event subprocess: whether it interrupts what is around it", "isInterrupting"),
    *_words(Fate.IGNORED, GATEWAY_TAGS, "the flows say it", "gatewayDirection"),
    *_words(Fate.IGNORED, USER | SERVICE | RULE | RECEIVE, "no effect on a run", "implementation"),
    *_words(Fate.IGNORED, SERVICE | RECEIVE | MESSAGE, "no effect on a run", "operationRef"),
    *_words(Fate.RUNS, SCRIPT, "`juel` or `feel`", "scriptFormat"),
    *_words(Fate.RUNS, MULTI_INSTANCE, "one after the other", "isSequential"),
    *_words(Fate.REFUSED, MULTI_INSTANCE, REPEATED_BY, "behavior", harmless=_tags("All")),
    *_words(Fate.REFUSED, MULTI_INSTANCE, REPEATED_BY, "oneBehaviorEventRef", "noneBehaviorEventRef"),
    *_words(Fate.RUNS, STANDARD_LOOP, "put the condition before the first round too; rounds at most", "testBefore", "loopMaximum"),
    *_words(Fate.IGNORED, _tags("inputDataItem"), "no effect on a run", "itemSubjectRef", "isCollection"),
]

CAMUNDA = [
    *_words(Fate.IGNORED, ANY, "which element template was used", "modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon"),
    *_words(Fate.RUNS, PROCESS, "kept with the definition", "versionTag", "isStartableInTasklist"),
    *_words(Fate.RUNS, PROCESS, "days or a duration: when the history of what has ended is deleted; its case stays", "historyTimeToLive"),
    *_words(Fate.WARNED, PROCESS, "who may start a case is decided by roles", "candidateStarterGroups", "candidateStarterUsers"),
    *_words(Fate.RUNS, PROCESS | NODE_TAGS, "which jobs come first; of a process: for all of its elements", "jobPriority"),
    *_words(Fate.RUNS, PROCESS | WORKED, "which external tasks come first; of a process: for all of its elements", "taskPriority"),
    *_words(Fate.RUNS, NODE_TAGS | MULTI_INSTANCE, "a job enters the element", "asyncBefore", "async", harmless=FALSE),
    *_words(Fate.RUNS, NODE_TAGS | MULTI_INSTANCE, "a job leaves the element", "asyncAfter", harmless=FALSE),
    *_words(Fate.IGNORED, NODE_TAGS | MULTI_INSTANCE, "a case is always worked on by one at a time", "exclusive"),
    *_words(Fate.RUNS, START, "variable that takes the name of who starts the process; null when nobody is logged in", "initiator"),
    *_words(Fate.RUNS, USER | START, "key of the form", "formRef"),
    *_words(Fate.RUNS, USER | START, "`camunda-forms:deployment:<file>.form`", "formKey"),
    *_words(
        Fate.REFUSED,
        USER | START,
        "choose the binding “deployment” (the form deployed with the diagram) or “latest” (the newest one deployed)",
        "formRefBinding",
        harmless=BINDINGS,
    ),
    *_words(Fate.REFUSED, USER | START, "choose the binding “deployment”, and deploy that form with the diagram", "formRefVersion"),
    *_words(Fate.REFUSED, USER | START, "remove it: it is a Java class", "formHandlerClass"),
    *_words(Fate.RUNS, USER, "texts or expressions, parted by commas", "candidateGroups"),
    *_words(Fate.RUNS, USER, "texts or expressions, parted by commas", "candidateUsers"),
    *_words(Fate.RUNS, USER, "a text or an expression", "assignee"),
    *_words(Fate.RUNS, USER, "a duration from now, a date and time, or an expression; no effect by itself", "dueDate"),
    *_words(Fate.RUNS, USER, "as the due date: when somebody should look at it", "followUpDate"),
    *_words(Fate.RUNS, USER, "an integer or an expression; 50 when missing", "priority"),
    *_words(Fate.RUNS, SERVICE, "`external`, with a topic: a text or an expression", "type", "topic"),
    *_words(Fate.RUNS, RULE | MESSAGE, "`external`, with a topic: a text or an expression", "type", "topic"),
    *_words(Fate.RUNS, WORKED, "computes a value, without side effects", "expression"),
    *_words(Fate.REFUSED, WORKED, JAVA, "class", "delegateExpression"),
    *_words(Fate.RUNS, WORKED | SCRIPT, "variable that takes the result of the expression or the decision", "resultVariable"),
    *_words(Fate.REFUSED, SCRIPT | WRITTEN, SCRIPTS, "resource"),
    *_words(Fate.RUNS, RULE, "key of the decision, or `${…}`", "decisionRef"),
    *_words(Fate.RUNS, RULE, "singleEntry, singleResult, collectEntries or resultList", "mapDecisionResult"),
    *_words(Fate.REFUSED, RULE, "choose the binding “deployment” or “latest”", "decisionRefBinding", harmless=BINDINGS),
    *_words(Fate.REFUSED, RULE, "remove it", "decisionRefVersion", "decisionRefVersionTag", "decisionRefTenantId"),
    *_words(Fate.RUNS, CALL, "latest, deployment, version or versionTag", "calledElementBinding", harmless=LATEST),
    *_words(Fate.RUNS, CALL, "the version, or its tag, for these bindings", "calledElementVersion", "calledElementVersionTag"),
    *_words(Fate.REFUSED, CALL, "remove it: there are no tenants", "calledElementTenantId"),
    *_words(Fate.REFUSED, CALL, "call a process: cases of CMMN do not run", "caseRef", "caseBinding", "caseVersion", "caseTenantId"),
    *_words(
        Fate.REFUSED,
        CALL,
        "list the variables in “In mappings” and “Out mappings”",
        "variableMappingClass",
        "variableMappingDelegateExpression",
    ),
    *_words(
        Fate.RUNS,
        ERROR,
        "variables that take the code and the message of what is caught",
        "errorCodeVariable",
        "errorMessageVariable",
    ),
    *_words(Fate.RUNS, ESCALATION, "variable that takes the code of what is caught", "escalationCodeVariable"),
    *_words(Fate.RUNS, CONDITIONAL, "put the condition only when this variable changes", "variableName"),
    *_words(Fate.RUNS, CONDITIONAL, "put the condition only when a variable is changed so: create, update, delete", "variableEvents"),
    *_words(Fate.IGNORED, SIGNAL, "a signal always reaches other cases by jobs of their own", "async"),
    *_words(Fate.RUNS, MULTI_INSTANCE, "the variable, or the expression, that gives one entry for each instance", "collection"),
    *_words(Fate.RUNS, MULTI_INSTANCE, "local variable of each instance that takes its entry", "elementVariable"),
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
