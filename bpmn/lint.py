"""Lint: the checks of a deployment, over all its files at once.

Each file is checked by itself (`compiler`, `decisions`, `forms`); the rules here judge what the files say about one another, those of
`onething` what a bundle must show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import islice, pairwise

from bpmn import compiler, decisions, forms, onething, xml
from bpmn.decisions import Decision
from bpmn.definition import Definition, Element
from bpmn.errors import DocumentError, Finding

DIAGRAMS = (".bpmn", ".bpmn20.xml")
TABLES = (".dmn", ".dmn11.xml")
FORMS = (".form",)


@dataclass(kw_only=True)
class Bundle:
    """What was found in the files."""

    functions: frozenset[str] | None
    #: Keys of processes and decisions that are deployed already.
    known_processes: frozenset[str]
    known_decisions: frozenset[str]
    #: Name of the file and process, in order.
    processes: list[tuple[str, Definition]] = field(default_factory=list)
    decisions: list[tuple[str, Decision]] = field(default_factory=list)
    #: Name of the file and key of the form.
    forms: list[tuple[str, str]] = field(default_factory=list)
    #: Files that could not be read: what they hold is not known, so nothing is said to be missing from them.
    broken: list[str] = field(default_factory=list)

    def elements(self) -> Iterator[tuple[str, Element]]:
        """Yield every element, with the name of its file."""
        for resource, process in self.processes:
            for element in process.elements.values():
                yield resource, element

    def lacks(self, endings: tuple[str, ...]) -> bool:
        """Tell whether what is not found among files of a kind is nowhere."""
        return not any(name.endswith(endings) for name in self.broken)


@dataclass(frozen=True)
class Rule:
    """One thing that may be wrong between files."""

    name: str
    severity: str
    #: Yields findings without severity and rule.
    check: Callable[[Bundle], Iterator[Problem]]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a rule found."""

    resource: str
    message: str
    element: Element | None = None
    line: int = 0


def lint(
    resources: Mapping[str, bytes],
    *,
    functions: frozenset[str] | None = None,
    known_processes: frozenset[str] = frozenset(),
    known_decisions: frozenset[str] = frozenset(),
) -> list[Finding]:
    """Return errors and warnings of a set of files by name, in the order of files and lines.

    `functions` are the names that expressions may call (None: not checked).  Files of other kinds are let be.
    """
    bundle = Bundle(functions=functions, known_processes=known_processes, known_decisions=known_decisions)
    findings = [finding for name, content in resources.items() for finding in _read(bundle, name, content)]
    for rule in RULES:
        findings += [_finding(rule, problem) for problem in islice(rule.check(bundle), compiler.LIMIT)]
    for resource, process in bundle.processes:
        for shown in onething.RULES:
            found = islice(shown.check(process), compiler.LIMIT)
            findings += [_finding(shown, Problem(resource=resource, element=element, message=message)) for element, message in found]
    order = {name: number for number, name in enumerate(resources)}
    return sorted(findings, key=lambda finding: (order.get(finding.resource, 0), finding.line))


def _read(bundle: Bundle, name: str, content: bytes) -> list[Finding]:
    """Read one file into the bundle; returns what is wrong with it by itself."""
    findings: list[Finding] = []
    try:
        if name.endswith(DIAGRAMS):
            examination = compiler.examine(content, name, functions=bundle.functions)
            bundle.processes += [(name, process) for process in examination.definitions]
            findings += examination.findings
        elif name.endswith(TABLES):
            bundle.decisions += [(name, decision) for decision in decisions.parse(xml.parse(content, name), name).values()]
        elif name.endswith(FORMS):
            bundle.forms.append((name, forms.parse_form(content, name).key))
    except DocumentError as error:
        findings += error.findings
    if any(finding.severity == "error" for finding in findings):
        bundle.broken.append(name)
    return findings


def _finding(rule: Rule | onething.Rule, problem: Problem) -> Finding:
    element = problem.element
    return Finding(
        severity=rule.severity,
        rule=rule.name,
        message=problem.message,
        element=element.id if element else "",
        element_name=element.name if element else "",
        line=element.line if element else problem.line,
        resource=problem.resource,
    )


def unknown_process(bundle: Bundle) -> Iterator[Problem]:
    """A call activity calls a process that is there."""
    keys = bundle.known_processes | {process.key for _, process in bundle.processes}
    for resource, element in bundle.elements():
        if element.called and element.called.dialect == "literal" and element.called.source not in keys and bundle.lacks(DIAGRAMS):
            message = (
                f"Expected {element.label} to call a process that is deployed, but there is none with the key {element.called.source!r}"
            )
            yield Problem(resource=resource, element=element, message=message)


def unknown_decision(bundle: Bundle) -> Iterator[Problem]:
    """A business rule task asks a table that is there."""
    keys = bundle.known_decisions | {decision.id for _, decision in bundle.decisions}
    for resource, element in bundle.elements():
        ref = element.decision_ref
        if ref and ref.dialect == "literal" and ref.source not in keys and bundle.lacks(TABLES):
            message = f"Expected {element.label} to ask a decision that is deployed, but there is none with the id {ref.source!r}"
            yield Problem(resource=resource, element=element, message=message)


def unknown_form(bundle: Bundle) -> Iterator[Problem]:
    """A task shows a form of the same deployment."""
    keys = {name for entry in bundle.forms for name in entry}
    for resource, element in bundle.elements():
        if element.form_ref and element.form_ref not in keys and bundle.lacks(FORMS):
            message = (
                f"Expected {element.label} to show a form that is deployed with it, but there is none with the id {element.form_ref!r}"
            )
            yield Problem(resource=resource, element=element, message=message)


def duplicate_key(bundle: Bundle) -> Iterator[Problem]:
    """Within a deployment, every process, decision and form has a key of its own."""
    entries = [
        *(("process", process.key, resource, 0) for resource, process in bundle.processes),
        *(("decision", decision.id, resource, decision.line) for resource, decision in bundle.decisions),
        *(("form", key, resource, 0) for resource, key in bundle.forms),
    ]
    first: dict[tuple[str, str], str] = {}
    for kind, key, resource, line in entries:
        if (kind, key) in first:
            message = f"Expected the {kind} {key!r} once, but both {first[kind, key]} and {resource} have it: rename one of them"
            yield Problem(resource=resource, line=line, message=message)
        first.setdefault((kind, key), resource)


def unknown_function_in_decision(bundle: Bundle) -> Iterator[Problem]:
    """Tables call functions that are there."""
    for resource, decision in bundle.decisions:
        for name in sorted(decision.calls - bundle.functions) if bundle.functions is not None else ():
            message = f"Expected the decision “{decision.name}” ({decision.id}) to call known functions, but {name} is none"
            yield Problem(resource=resource, line=decision.line, message=message)


def call_cycle(bundle: Bundle) -> Iterator[Problem]:
    """A process that calls itself, by way of others or not, would never end."""
    processes = {process.key: (resource, process) for resource, process in bundle.processes}
    calls = {key: {e.called.source for e in process.elements.values() if e.called} for key, (_, process) in processes.items()}
    while circle := _circle(calls):
        for key, called in pairwise(circle):
            resource, process = processes[key]
            for element in process.elements.values():
                if element.called and element.called.source == called:
                    message = f"Expected {element.label} to call a process that ends, but the calls go round: {' → '.join(circle)}"
                    yield Problem(resource=resource, element=element, message=message)
        calls = {key: called for key, called in calls.items() if key not in circle}


def _circle(calls: Mapping[str, set[str]]) -> list[str]:
    """Find keys of which each calls the next, and the last is the first; empty when there are none."""
    try:
        TopologicalSorter(calls).prepare()
    except CycleError as error:
        return [*reversed(error.args[1])]
    return []


#: To add a rule: write its function, add its line.
RULES = (
    Rule("unknown-process", "error", unknown_process),
    Rule("unknown-decision", "error", unknown_decision),
    Rule("unknown-form", "error", unknown_form),
    Rule("duplicate-key", "error", duplicate_key),
    Rule("unknown-function", "error", unknown_function_in_decision),
    Rule("call-cycle", "error", call_cycle),
)
