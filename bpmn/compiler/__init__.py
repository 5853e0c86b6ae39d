"""From BPMN XML to executable definitions: read, judge, rewrite.

source     the tree, with every id in place
reading    the tree as a Definition, exactly as drawn
rewriting  what the drawing leaves unsaid is said
"""

from __future__ import annotations

from dataclasses import dataclass

from bpmn.compiler import reading, rewriting
from bpmn.compiler.source import Source
from bpmn.definition import Definition
from bpmn.errors import DocumentError, Finding


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What became of one file."""

    #: Every executable process; empty when there is an error.
    definitions: tuple[Definition, ...]
    #: Errors and warnings, by line.
    findings: tuple[Finding, ...]


def compile(content: bytes, resource: str, *, functions: frozenset[str] | None = None) -> list[Definition]:  # noqa: A001 - it is what it does
    """Every executable process of a file; raises DocumentError with all that is wrong."""
    examination = examine(content, resource, functions=functions)
    errors = [finding for finding in examination.findings if finding.severity == "error"]
    if errors:
        raise DocumentError(errors)
    return list(examination.definitions)


def examine(content: bytes, resource: str, *, functions: frozenset[str] | None = None) -> Examination:
    """Like `compile`, but tells errors and warnings instead of raising (save for what is no XML or no diagram)."""
    source = Source(content, resource, functions)
    drawn = [reading.read(source, process) for process in source.processes]
    findings = tuple(sorted(source.findings, key=lambda finding: finding.line))
    refused = any(finding.severity == "error" for finding in findings)
    return Examination(definitions=() if refused else tuple(map(rewriting.rewrite, drawn)), findings=findings)
