"""When corrections do not come, only what lacks something is returned; the others go on (补正不来).  What came in is accepted."""

from __future__ import annotations

from bpmn import closure
from bpmn.definition import Definition, Element, ElementType, Flow
from bpmn.errors import ExpressionError
from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import ways

#: The step of the engine that returns only what lacks something.
RETURN = "onething.return-lacking"
#: What the task leaves: false when the window says that corrections which came in are not good.
ANSWERED = "answered"
#: Kinds of tasks by which items are accepted.
_ACCEPTING = ("intake", "follow-on")


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
            # Where there is no intake to lead back to, that is told.
            if shapes.of_kind(matter.process, "intake") and _unaccepted(matter.process, element) & calls:
                message = (
                    f"Expected {element.label} to lead back to the intake when everything came in, since only there it is accepted, "
                    "but a way leads to the items straight away, which nobody would ever begin: lead the flow to the intake (一窗受理)"
                )
                yield Problem(resource=matter.resource, element=element, message=message)


def _unaccepted(process: Definition, element: Element) -> set[str]:
    """Return what a token gets to behind corrections that came in, before anybody accepts."""
    following = ways.followers(process)
    accepting = {each.id for kind in _ACCEPTING for each in shapes.of_kind(process, kind)}

    def going_on(key: str) -> list[str]:
        if key in accepting:
            return []
        gateway = process.elements[key]
        return _answered(process, gateway) if gateway.type is ElementType.EXCLUSIVE_GATEWAY else following(key)

    return closure.of(following(element.id), going_on)


def _answered(process: Definition, gateway: Element) -> list[str]:
    """Return where a gateway leads when the corrections came in: all that may be, where it asks for something else."""
    flows = [process.flows[key] for key in gateway.outgoing]
    asking = [flow for flow in flows if flow.condition and flow.condition.names == {ANSWERED} and not flow.condition.calls]
    taken = [flow for flow in asking if _holds(flow)]
    return [flow.target for flow in taken or flows if flow in taken or flow not in asking]


def _holds(flow: Flow) -> bool:
    try:
        return bool(flow.condition and flow.condition.test({ANSWERED: True}))
    except ExpressionError:
        return False
