"""What waits for a message and what sends it call it by one name."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import Definition, Element, ElementType, EventType
from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

SENDING = frozenset({ElementType.THROW_EVENT, ElementType.END_EVENT})


def check(bundle: Bundle) -> Problems:
    """A message that nobody here sends is not called almost like one that nobody here waits for: one of the two names is a slip."""
    sent, ours, nobodys = set(_names(bundle, sending=True)), bundle.known.words.messages, unheard(bundle)
    for resource, process in bundle.processes:
        others = nobodys | left_over(bundle, process)
        for element in process.elements.values():
            name = awaited(element)
            if name is None or name in sent or name in ours:
                continue
            if (meant := next((each for each in sorted(others) if spelling.is_slip(name, each)), None)) is not None:
                message = (
                    f"Expected {element.label} to wait for a message that is sent, but it waits for {name[:60]!r}, and {meant[:60]!r} "
                    "is what is sent: call it so"
                )
                yield Problem(resource=resource, element=element, message=message)


def unheard(bundle: Bundle) -> set[str]:
    """Return the messages that these diagrams send, and that nothing waits for: what others send is not known here."""
    return set(_names(bundle, sending=True)) - set(_names(bundle, sending=False))


def left_over(bundle: Bundle, process: Definition) -> frozenset[str]:
    """Return the messages that the engine sends to a process which does not wait for them: one of these may be meant."""
    own = {awaited(element) for element in process.elements.values()}
    return bundle.known.words.messages - own if is_applied_for(process) else frozenset()


def is_applied_for(process: Definition) -> bool:
    """Tell whether a process is one that somebody applies for: what is sent to it the engine sends."""
    return process.properties.get("onething.kind", "process") != "process"


def awaited(element: Element) -> str | None:
    """Return the name of the message that an element waits for, where it is written."""
    return None if element.type in SENDING else _name(element)


def _names(bundle: Bundle, *, sending: bool) -> Iterator[str]:
    for _resource, _process, element in bundle.elements():
        if (element.type in SENDING) is sending and (name := _name(element)):
            yield name


def _name(element: Element) -> str | None:
    """Return the name of the message that an element waits for or sends, where it is written."""
    return element.event.name if element.event and element.event.type is EventType.MESSAGE else None
