"""Rules about links: a throw event and the catch event of the same name, which stand for one sequence flow."""

from __future__ import annotations

from collections import Counter

from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.definition import Element, ElementType, EventType

THROW, CATCH = ElementType.THROW_EVENT, ElementType.CATCH_EVENT


def link_without_name(drawing: Drawing) -> Problems:
    """A link is found by its name."""
    for link in drawing.of_event(EventType.LINK, THROW, CATCH):
        if not _name(link):
            yield link.id, f"Expected the link of {drawing.label(link.id)} to have a name, but it has none: fill it in"


def link_without_end(drawing: Drawing) -> Problems:
    """A link leads from somewhere to somewhere, within one process or subprocess."""
    links = drawing.of_event(EventType.LINK, THROW, CATCH)
    known = {(link.type, link.parent, _name(link)) for link in links}
    for link in links:
        other, what = (CATCH, "catch event (链接中间捕获事件)") if link.type is THROW else (THROW, "throw event (链接中间抛出事件)")
        if _name(link) and (other, link.parent, _name(link)) not in known:
            message = (
                f"Expected a link {what} named {_name(link)!r} beside {drawing.label(link.id)}, but there is none: "
                "draw it, or connect the two places with a sequence flow"
            )
            yield link.id, message


def same_link(drawing: Drawing) -> Problems:
    """A link leads to one place."""
    catches = [link for link in drawing.of_event(EventType.LINK, CATCH) if _name(link)]
    count = Counter((link.parent, _name(link)) for link in catches)
    for link in catches:
        if count[link.parent, _name(link)] > 1:
            message = f"Expected one link catch event named {_name(link)!r}, but {drawing.label(link.id)} is one of several: rename it"
            yield link.id, message


def flow_at_link(drawing: Drawing) -> Problems:
    """The link itself is the flow out of its throw event and into its catch event."""
    for link in drawing.of_event(EventType.LINK, THROW, CATCH):
        if link.outgoing if link.type is THROW else link.incoming:
            way = "out of" if link.type is THROW else "into"
            message = f"Expected nothing but the link to lead {way} {drawing.label(link.id)}, but a flow does: remove the flow or the link"
            yield link.id, message


def _name(link: Element) -> str | None:
    return link.event.name if link.event else None
