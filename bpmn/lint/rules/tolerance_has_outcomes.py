"""Tolerance ends in two ways: the material comes, or it does not."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: Steps of the engine that deal with a material that does not come.
EXPIRY = frozenset({"onething.tolerance-overdue", "onething.tolerance-return"})
#: The message that comes with a material.
SUPPLIED = "material_supplied"


def check(bundle: Bundle) -> Problems:
    """Tolerance ends in two ways: the material comes (补交), or it does not and the items concerned are given back (退件)."""
    for matter in bundle.matters:
        for element in shapes.of_kind(matter.process, "tolerance"):
            expires = bool(shapes.deadlines(matter.process, element))
            given_up = expires and bool(shapes.steps_after(matter.process, element) & EXPIRY)
            lacking = [] if element.outgoing else ["a flow for the material that comes"]
            awaited = element.event.name if element.event else SUPPLIED
            lacking += [] if awaited == SUPPLIED else [f"the message {SUPPLIED}, and waits for {awaited}"]
            lacking += ["a step onething.tolerance-return behind its timer"] if expires and not given_up else []
            for what in lacking:
                message = f"Expected {element.label} to have both outcomes (补交、退件), but it lacks {what}: draw it"
                yield Problem(resource=matter.resource, element=element, message=message)
