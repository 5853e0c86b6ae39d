"""Elements of the `camunda:` namespace (and its alias `operaton:`) in extensionElements."""

from __future__ import annotations

from bpmn.compiler.vocabulary.fate import Fate, Word

LISTENER = "draw what it does as a task of its own, so that it is seen; the journal records every step anyway"
FORM_OWNERS = frozenset({"userTask", "startEvent"})
CALL = frozenset({"callActivity"})


def _word(name: str, owners: frozenset[str], fate: Fate, note: str) -> tuple[str, Word]:
    return name, Word(name=name, owners=owners, fate=fate, note=note)


EXTENSIONS = dict(
    [
        _word("properties", frozenset(), Fate.RUNS, "names and values, read as `onething.…`"),
        _word("formData", FORM_OWNERS, Fate.RUNS, "fields, checked on the server"),
        _word(
            "in",
            CALL,
            Fate.RUNS,
            '`source` or `sourceExpression` with `target`, or `variables="all"`; `businessKey` is ignored with a warning',
        ),
        _word("out", CALL, Fate.RUNS, '`source` or `sourceExpression` with `target`, or `variables="all"`'),
        _word("executionListener", frozenset(), Fate.REFUSED, LISTENER),
        _word("taskListener", frozenset(), Fate.REFUSED, LISTENER),
        _word("inputOutput", frozenset(), Fate.REFUSED, "use the variables as they are, or write the expression where the value is needed"),
        _word("connector", frozenset(), Fate.REFUSED, "draw an external service task (服务任务) with a topic"),
        _word("field", frozenset(), Fate.REFUSED, "remove it: it injects values into Java classes"),
        _word("errorEventDefinition", frozenset(), Fate.REFUSED, "let the worker report the error code of an error boundary event"),
        _word("failedJobRetryTimeCycle", frozenset(), Fate.WARNED, "retries are set by the worker of the task"),
        _word("potentialStarter", frozenset(), Fate.WARNED, "who may start a case is decided by roles"),
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


def extension(name: str, owner: str) -> Word:
    """Look an extension up, as it stands on an element with the given tag."""
    known = EXTENSIONS.get(name)
    if known is None:
        return Word(name=name, fate=Fate.REFUSED, note="remove it: it is not known")
    if known.owners and owner not in known.owners and known.fate is not Fate.REFUSED:
        where = "a call activity" if known.owners == CALL else "a user task or a start event"
        return Word(name=name, fate=Fate.REFUSED, note=f"remove it, or put it on {where}")
    return known
