"""When corrections do not come, only what lacks something is returned; the others go on (补正不来)."""

from __future__ import annotations

from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import ways

#: The step of the engine that returns only what lacks something.
RETURN = "onething.return-lacking"


def check(bundle: Bundle) -> Problems:
    """When corrections do not come, only the items that lack something are returned, and the others go on (行政许可法 art. 32 (5))."""
    for matter in (matter for matter in bundle.matters if matter.is_bundle):
        calls = {call.element.id for call in matter.calls.values()}
        for element in shapes.of_kind(matter.process, "supplement"):
            expired = [timer.id for timer in shapes.deadlines(matter.process, element)]
            lacking = [] if RETURN in shapes.steps_after(matter.process, element) else [f"the step {RETURN} behind its timer"]
            if not lacking and not ways.reach(matter.process, expired, stop=frozenset({element.id})) & calls:
                lacking = ["a way from there to the items that lack nothing"]
            for what in lacking:
                message = f"Expected {element.label} to return only the items that lack something (补正不来), but it lacks {what}: draw it"
                yield Problem(resource=matter.resource, element=element, message=message)
