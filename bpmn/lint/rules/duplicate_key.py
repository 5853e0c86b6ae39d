"""Within a deployment, every process, decision and form has a key of its own."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Within a deployment, every process, decision and form has a key of its own."""
    entries = [
        *(("process", process.key, resource, process.line) for resource, process in bundle.processes),
        *(("decision", decision.id, resource, decision.line) for resource, decision in bundle.decisions),
        *(("form", key, resource, bundle.line(resource, key)) for resource, key in bundle.forms),
    ]
    first: dict[tuple[str, str], str] = {}
    for kind, key, resource, line in entries:
        if (kind, key) in first:
            message = f"Expected the {kind} {key!r} once, but both {first[kind, key]} and {resource} have it: rename one of them"
            yield Problem(resource=resource, line=line, message=message)
        first.setdefault((kind, key), resource)
