"""What waits for a message and what sends it call it by one name."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import Element, ElementType, EventType
from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

SENDING = frozenset({ElementType.THROW_EVENT, ElementType.END_EVENT})


def check(bundle: Bundle) -> Problems:
    """A message that is waited for, and sent by nobody here, is not called almost as one that is sent and waited for by nobody."""
    sent, awaited = set(_names(bundle, sending=True)), set(_names(bundle, sending=False))
    ours = bundle.known.words.messages
    for resource, process in bundle.processes:
        applied_for = process.properties.get("onething.kind", "process") != "process"
        own = {name for element in process.elements.values() if (name := _name(element)) and element.type not in SENDING}
        # What others send is not known here: only a name that is left over on the other side can be the one that is meant.
        left_over = (sent - awaited) | (ours - own if applied_for else frozenset())
        for element in process.elements.values():
            name = _name(element)
            if name is None or element.type in SENDING or name in sent or name in ours:
                continue
            if (meant := next((each for each in sorted(left_over) if spelling.is_slip(name, each)), None)) is not None:
                message = (
                    f"Expected {element.label} to wait for a message that is sent, but it waits for {name[:60]!r}, and {meant[:60]!r} "
                    "is what is sent: call it so"
                )
                yield Problem(resource=resource, element=element, message=message)


def _names(bundle: Bundle, *, sending: bool) -> Iterator[str]:
    for _resource, _process, element in bundle.elements():
        if (element.type in SENDING) is sending and (name := _name(element)):
            yield name


def _name(element: Element) -> str | None:
    """Return the name of the message that an element waits for or sends, where it is written."""
    return element.event.name if element.event and element.event.type is EventType.MESSAGE else None
