"""A call activity calls a process that is there, and begins when it is called."""

from __future__ import annotations

from bpmn.definition import Binding
from bpmn.lint import spelling
from bpmn.lint.bundle import DIAGRAMS, Bundle
from bpmn.lint.rule import Problem, Problems

#: These call one of the same files, where there is one.
NEWEST = frozenset({Binding.LATEST, Binding.DEPLOYMENT})


def check(bundle: Bundle) -> Problems:
    """A call activity calls a process that is there, and begins when it is called."""
    own = {process.key: process for _, process in bundle.processes}
    keys = bundle.known.processes | own.keys()
    for resource, _process, element in bundle.elements():
        if element.called is None or element.called.dialect != "literal":
            continue
        key = element.called.source
        if key not in keys and bundle.lacks(DIAGRAMS):
            instead = spelling.advice(key, keys) or ": deploy it before this one, or together with it"
            message = f"Expected {element.label} to call a process that is deployed, but there is none with the key {key!r}{instead}"
            yield Problem(resource=resource, element=element, message=message)
        elif key in own and element.binding in NEWEST and not own[key].plain_starts():
            message = (
                f"Expected {element.label} to call a process that begins when it is called, but {key!r} waits for an event: "
                "draw a start event without a definition (开始事件) in it, beside the others"
            )
            yield Problem(resource=resource, element=element, message=message)
