"""Lint: the checks of a deployment, over all its files at once.

Each file is checked by itself (`compiler`, `decisions`, `forms`); the rules here judge what the files say about one another, and whether a
matter is one that people are served by.

bundle       the files, read
expressions  what is asked at which element
rule         what a rule is
rules        one file for each
rulebook     every rule that a finding may name, and the index of their pages
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from bpmn import compiler, decisions, forms, xml
from bpmn.definition import BODY
from bpmn.errors import DocumentError, Finding, one_line
from bpmn.lint.bundle import DIAGRAMS, FORMS, TABLES, Bundle, Known, Words
from bpmn.lint.rule import Problem, Rule
from bpmn.lint.rules import RULES

__all__ = ["DIAGRAMS", "FORMS", "RULES", "TABLES", "Bundle", "Known", "Rule", "Words", "examine", "judge"]

NOTHING_KNOWN = Known()


def examine(resources: Mapping[str, bytes], known: Known = NOTHING_KNOWN) -> tuple[Bundle, list[Finding]]:
    """Read the files (`resources`: {name: content}); returns what they hold, and what is wrong with each by itself."""
    bundle = Bundle(known=known)
    return bundle, [finding for name, content in resources.items() for finding in _read(bundle, name, content)]


def judge(bundle: Bundle, findings: list[Finding], resources: Mapping[str, bytes]) -> list[Finding]:
    """Add what the rules find to the findings of the files; returns errors and warnings, in the order of files and lines."""
    found = findings + [_finding(rule, problem) for rule in RULES for problem in islice(rule.check(bundle), compiler.LIMIT)]
    order = {name: number for number, name in enumerate(resources)}
    return sorted(found, key=lambda finding: (order.get(finding.resource, 0), finding.line))


def _read(bundle: Bundle, name: str, content: bytes) -> list[Finding]:
    """Read one file into the bundle; returns what is wrong with it by itself."""
    findings: list[Finding] = []
    try:
        if name.endswith(DIAGRAMS):
            examination = compiler.examine(content, name, functions=bundle.known.functions)
            bundle.processes += [(name, process) for process in examination.definitions]
            bundle.sources.append(examination.source)
            findings += examination.findings
        elif name.endswith(TABLES):
            bundle.decisions += [(name, decision) for decision in decisions.parse(xml.parse(content, name), name).values()]
        elif name.endswith(FORMS):
            form = forms.parse_form(content, name)
            bundle.forms.append((name, form.key))
            bundle.contents[name] = content
            bundle.shown |= {name: form, form.key: form}
    except DocumentError as error:
        findings += error.findings
    if any(finding.refuses for finding in findings):
        bundle.broken.append(name)
    return findings


def _finding(rule: Rule, problem: Problem) -> Finding:
    key, name, line = _place(problem)
    return Finding(
        severity=rule.severity,
        rule=rule.name,
        message=problem.message,
        element=key,
        element_name=one_line(name),
        line=line,
        resource=problem.resource,
    )


def _place(problem: Problem) -> tuple[str, str, int]:
    """Return id, name and line of what a problem stands on."""
    if problem.element is not None:
        return problem.element.id.removesuffix(BODY), problem.element.name, problem.element.line
    if problem.process is not None:
        return problem.process.key, problem.process.name, problem.process.line
    return "", "", problem.line
