"""Work that is an expression gives a result."""

from __future__ import annotations

from bpmn.definition import WORK
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A service task with an expression keeps its result in a variable: expressions do nothing else (表达式没有副作用)."""
    for resource, _process, element in bundle.elements():
        if element.type in WORK and element.expression and not element.result_variable and not element.output_parameters:
            computed = element.expression.source.strip()[:60]
            message = (
                f"Expected {element.label} to do something, but its expression {computed} computes a value that nobody keeps: "
                "fill in the result variable, or choose the implementation external, with a topic for the worker"
            )
            yield Problem(resource=resource, element=element, message=message)
