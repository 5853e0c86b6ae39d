"""From BPMN XML to executable definitions: read, judge, rewrite.

source      the tree, with every id in place
vocabulary  every word that BPMN and Camunda have, and what becomes of it
reading     the tree as a Definition, exactly as drawn
rules       what is wrong with it
rewriting   what the drawing implies is made explicit
"""

from __future__ import annotations

from dataclasses import dataclass

from bpmn.compiler import reading, rewriting, rules
from bpmn.compiler.rules.rule import Drawing
from bpmn.compiler.source import Source
from bpmn.definition import Definition
from bpmn.errors import DocumentError, Finding

#: At most so many findings are reported: nobody reads more.
LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What became of one file."""

    #: Every executable process; empty when there is an error.
    definitions: tuple[Definition, ...]
    #: The same exactly as drawn, before anything was rewritten; there also when there are errors.
    drawn: tuple[Definition, ...]
    #: Errors and warnings, by line.
    findings: tuple[Finding, ...]
    #: The tree that all of it was read from.
    source: Source


def compile(content: bytes, resource: str, *, functions: frozenset[str] | None = None) -> list[Definition]:  # noqa: A001 - it is what it does
    """Return every executable process of a file; raises DocumentError with all that is wrong.

    `functions` are the names that expressions may call; None leaves that unchecked.
    """
    examination = examine(content, resource, functions=functions)
    errors = [finding for finding in examination.findings if finding.refuses]
    if errors:
        raise DocumentError(errors)
    return list(examination.definitions)


def examine(content: bytes, resource: str, *, functions: frozenset[str] | None = None) -> Examination:
    """Like `compile`, but tells errors and warnings instead of raising (save for what is no XML or no diagram)."""
    source = Source(content, resource, functions)
    drawings = [Drawing(source, process, reading.read(source, process)) for process in source.processes]
    rules.judge(source, drawings)
    findings = _worth_reading(source.findings)
    refused = any(finding.refuses for finding in findings)
    definitions = () if refused else tuple(rewriting.rewrite(drawing.definition) for drawing in drawings)
    drawn = tuple(drawing.definition for drawing in drawings)
    return Examination(definitions=definitions, drawn=drawn, findings=findings, source=source)


def _worth_reading(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the findings in the order of their lines; of too many, the errors.  No warnings about an element that is refused anyway."""
    errors = [finding for finding in findings if finding.refuses]
    refused = {finding.element for finding in errors}
    warnings = [finding for finding in findings if not finding.refuses and finding.element not in refused]
    return tuple(sorted([*errors, *warnings][:LIMIT], key=lambda finding: finding.line))
