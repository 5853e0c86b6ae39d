"""Every item that the table `items` can choose is called in the diagram."""

from __future__ import annotations

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """Every item that the table `items` can choose is called in the diagram: it would be accepted, and nobody would handle it."""
    for matter in bundle.matters:
        told: set[str] = set()
        for rule, row in matter.rows("items") if matter.is_bundle else ():
            code = row.get("item")
            if code is not None and row.get("action") == "include" and code not in matter.named and code not in told:
                told.add(str(code))
                message = (
                    f"Expected the diagram of {matter.process.key} to call the item {code}, which {rule} of the table items includes, "
                    "but no call activity does: draw one behind the dispatcher"
                )
                yield Problem(resource=bundle.place("items"), line=rule.line, message=message)
