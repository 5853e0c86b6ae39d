"""A task has its own deadline."""

from __future__ import annotations

from bpmn.definition import BODY, Element
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: Kinds of tasks for which the engine computes a deadline, by the function that gives it.
_KINDS = {
    "acceptance_due": frozenset({"intake", "follow-on"}),
    "supplement_due": frozenset({"supplement"}),
    "issuance_due": frozenset({"issuance"}),
}
#: By kind, what to write.
_MEANT = {kind: function for function, kinds in _KINDS.items() for kind in kinds}


def check(bundle: Bundle) -> Problems:
    """The intake, the corrections and the issuance each have a function of their own that says when they are due."""
    for resource, process, element in bundle.elements():
        bearer = process.elements.get((element.attached_to or element.id).removesuffix(BODY), element)
        kind = bearer.properties.get("onething.kind", "")
        for called in sorted(_called(element) & _KINDS.keys()):
            if kind in _MEANT and kind not in _KINDS[called]:
                message = (
                    f"Expected {element.label} to go by the deadline of {bearer.label}, which is {_MEANT[kind]}(), "
                    f"but it calls {called}(), which is that of another task: write ${{{_MEANT[kind]}()}}"
                )
                yield Problem(resource=resource, element=element, message=message)


def _called(element: Element) -> frozenset[str]:
    """Return the functions that the times on an element call."""
    times = (element.due_date, element.follow_up_date, element.event.when if element.event else None)
    return frozenset(name for time in times if time for name in time.calls)
