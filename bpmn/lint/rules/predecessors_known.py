"""A predecessor (前置) is an item of the same bundle."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts


def check(bundle: Bundle) -> Problems:
    """A predecessor (前置) is an item of the same bundle, and says what kind of dependency it is."""
    for matter in bundle.matters:
        for call in matter.calls.values():
            for code, kind in call.predecessors:
                kinds = "|".join(sorted(facts.KINDS))
                if kind not in facts.KINDS:
                    message = f"Expected a predecessor of {call.element.label} to read item:{kinds}, but it is {code}:{kind}"
                    yield Problem(resource=matter.resource, element=call.element, message=message)
                elif code not in matter.calls:
                    message = f"Expected the predecessors of {call.element.label} to be items of this bundle, but {code} is none"
                    yield Problem(resource=matter.resource, element=call.element, message=message)
