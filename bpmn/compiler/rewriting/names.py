"""Ids for what is inserted."""

from __future__ import annotations

from bpmn.definition import Element, Flow


def fresh(wanted: str, elements: dict[str, Element], flows: dict[str, Flow]) -> str:
    """Return an id that nothing has yet."""
    while wanted in elements or wanted in flows:
        wanted += "_"
    return wanted
