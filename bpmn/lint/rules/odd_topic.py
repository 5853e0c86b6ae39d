"""A worker asks for a topic by its very letters."""

from __future__ import annotations

import re

from bpmn.expressions.lexer import narrow
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A topic has no blanks and no letters of full width: a worker that asks for one that looks like it is never given the task."""
    for resource, _process, element in bundle.elements():
        topic = element.topic.source if element.topic and element.topic.dialect == "literal" else ""
        plain = re.sub(r"\s+", "-", narrow(topic).strip())
        if topic != plain:
            message = (
                f"Expected the topic of {element.label} to be a word without blanks, in letters of the usual width, "
                f"but it is {topic[:60]!r}: write {plain[:60]!r}, and let the worker ask for that"
            )
            yield Problem(resource=resource, element=element, message=message)
