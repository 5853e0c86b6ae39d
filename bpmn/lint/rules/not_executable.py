"""What says that it is a matter or an item runs."""

from __future__ import annotations

from bpmn.compiler.source import CAMUNDA, MODEL, extensions, label, line
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A process that says what it is (`onething.kind`) is executable: beside another one that is, it would be left out in silence."""
    for source in bundle.sources:
        for node in source.root.iterchildren(f"{MODEL}process"):
            rows = [row for part in extensions(node, "properties") for row in part.iterchildren(f"{CAMUNDA}property")]
            kind = next((row.get("value") for row in rows if row.get("name") == "onething.kind"), None)
            if kind and node not in source.processes and source.processes:
                message = (
                    f"Expected {label(node)} to be executable, since its onething.kind is {kind[:60]}, but it is not, so that it is not "
                    "deployed: tick “Executable” (可执行) in its properties"
                )
                yield Problem(resource=source.resource, line=line(node), message=message)
