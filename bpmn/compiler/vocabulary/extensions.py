"""Elements of the `camunda:` namespace (and its alias `operaton:`) in extensionElements."""

from __future__ import annotations

from bpmn.compiler.vocabulary.elements import NODE_TAGS
from bpmn.compiler.vocabulary.fate import Fate, Word

LISTENER = "draw what it does as a task of its own, so that it is seen; the journal records every step anyway"
ANYWHERE: frozenset[str] = frozenset()
FORM_OWNERS = frozenset({"userTask", "startEvent"})
CALL = frozenset({"callActivity"})
PASSING = CALL | {"signalEventDefinition"}
WORKED = frozenset({"serviceTask", "sendTask", "businessRuleTask"})
REPEATED = NODE_TAGS | {"multiInstanceLoopCharacteristics"}
MAPPING = '`source` or `sourceExpression` with `target`, or `variables="all"`; `local="true"`: '

LOCAL_OUT = "a local variable of the call, for its output parameters; also when an error or escalation that it raises comes here"
PARAMETERS = (
    "input parameters are local variables; output parameters go to what is around: "
    "texts, expressions, lists, maps, scripts in `juel` or `feel`"
)


def _word(name: str, owners: frozenset[str], fate: Fate, note: str) -> tuple[str, Word]:
    return name, Word(name=name, owners=owners, fate=fate, note=note)


EXTENSIONS = dict(
    [
        _word("properties", ANYWHERE, Fate.RUNS, "names and values, read as `onething.…`"),
        _word("formData", FORM_OWNERS, Fate.RUNS, "fields, checked on the server"),
        _word("in", PASSING, Fate.RUNS, MAPPING + "only local variables (an expression sees all); `businessKey` of the called process"),
        _word("out", CALL, Fate.RUNS, MAPPING + LOCAL_OUT),
        _word(
            "inputOutput",
            NODE_TAGS,
            Fate.RUNS,
            PARAMETERS,
        ),
        _word(
            "errorEventDefinition",
            WORKED,
            Fate.RUNS,
            "of an external task: a failure for which its expression holds is the BPMN error",
        ),
        _word(
            "failedJobRetryTimeCycle",
            REPEATED,
            Fate.RUNS,
            "how often and at what interval a job is tried again: `R3/PT10M`, `PT10M,PT1H`, or an expression",
        ),
        _word("executionListener", ANYWHERE, Fate.REFUSED, LISTENER),
        _word("taskListener", ANYWHERE, Fate.REFUSED, LISTENER),
        _word("connector", ANYWHERE, Fate.REFUSED, "draw an external service task (服务任务) with a topic"),
        _word("field", ANYWHERE, Fate.REFUSED, "remove it: it injects values into Java classes"),
        _word("potentialStarter", ANYWHERE, Fate.WARNED, "who may start a case is decided by roles"),
    ]
)

#: Namespaces of other engines: what is written in them would silently not happen.
FOREIGN = {
    "http://camunda.org/schema/zeebe/1.0": "Camunda 8",
    "http://activiti.org/bpmn": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
    "http://www.jboss.org/drools": "jBPM",
    "http://spiffworkflow.org/bpmn/schema/1.0/core": "SpiffArena",
}

#: Where the extensions stand that do not stand anywhere.
PLACES = {
    FORM_OWNERS: "a user task or a start event",
    PASSING: "a call activity or a signal event",
    CALL: "a call activity",
    NODE_TAGS: "an activity or an event",
    WORKED: "an external task",
    REPEATED: "an activity, an event or a gateway",
}


def extension(name: str, owner: str) -> Word:
    """Look an extension up, as it stands on an element with the given tag."""
    known = EXTENSIONS.get(name)
    if known is None:
        return Word(name=name, fate=Fate.REFUSED, note="remove it: it is not known")
    if known.owners and owner not in known.owners:
        return Word(name=name, fate=Fate.REFUSED, note=f"remove it, or put it on {PLACES[known.owners]}")
    return known
