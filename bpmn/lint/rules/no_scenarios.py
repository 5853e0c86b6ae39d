"""A matter has scenarios that show how it runs."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A matter has scenarios (scenarios/*.yaml) that show how it runs; without, nobody knows whether it does."""
    for matter in bundle.matters:
        if bundle.known.scenarios is not None and not bundle.known.scenarios:
            message = f"Expected the matter {matter.process.key} to have scenarios, but there is no scenarios/*.yaml beside it: write one"
            yield Problem(resource=matter.resource, process=matter.process, message=message)
