"""Tables call functions that are there."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Tables call functions that are there."""
    functions = bundle.known.functions
    for resource, decision in bundle.decisions:
        for name in sorted(decision.calls - functions) if functions is not None else ():
            message = f"Expected the decision “{decision.name}” ({decision.id}) to call known functions, but {name} is none"
            yield Problem(resource=resource, line=decision.line, message=message)
