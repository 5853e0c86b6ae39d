"""Tokens (令牌): whether a drawing ever lets several things go on at once, so that there is more to it than the ways one token can take."""

from __future__ import annotations

from bpmn.definition import Definition, Element, ElementType

_ONE_OF = frozenset({ElementType.EXCLUSIVE_GATEWAY, ElementType.EVENT_BASED_GATEWAY})


def is_single(process: Definition) -> bool:
    """Tell whether never more than one token is under way: then what can happen is a list of ways, and can be counted off."""
    return not any(_multiplies(element) for element in process.elements.values())


def _multiplies(element: Element) -> bool:
    """Tell whether an element can make several tokens of one: by forking, by several instances, or beside what goes on."""
    forks = len(element.outgoing) > 1 and element.type not in _ONE_OF
    return forks or element.loop is not None or not element.interrupting or element.completion_quantity > 1
