"""A matter and an item have a key that somebody has chosen."""

from __future__ import annotations

import re

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: What Camunda Modeler calls a process that it makes.
_MODELERS = re.compile(r"Process_(?:1|[01][0-9a-z]{6})")


def check(bundle: Bundle) -> Problems:
    """The id of a matter or an item is its key, in every case and for ever: what Modeler gives a new process (Process_0abc123) is none."""
    for resource, process in bundle.processes:
        if process.properties.get("onething.kind") in {"matter", "item"} and _MODELERS.fullmatch(process.key):
            message = (
                f"Expected the process {process.key} to have an id that says what it is, but it has the one that Camunda Modeler gave it, "
                "and cases, calls and tables name it by its id for ever: write one such as open_pharmacy, before it is first deployed"
            )
            yield Problem(resource=resource, process=process, message=message)
