"""The result of a decision is read as what it is."""

from __future__ import annotations

import re
from collections import Counter

from bpmn.lint import expressions
from bpmn.lint.bundle import Bundle
from bpmn.lint.results import SINGLE
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import variable_never_written as variables

#: What follows a variable where it is compared with a text, a number, true or false.
_COMPARED = r"(?<![\w.])({})\s*(?:==?|!=|[<>]=?|\b(?:eq|ne|lt|gt|le|ge)\b)\s*(?:['\"\d]|true\b|false\b)"
_KINDS = {"resultList": "a list of rows", "collectEntries": "a list of values", "singleResult": "a row with its columns"}


def check(bundle: Bundle) -> Problems:
    """A result that is compared with one value is mapped as a single entry: a list of rows (Modeler's choice) equals none."""
    passed_in = variables.passed_in(bundle)
    for resource, process in bundle.processes:
        writers = Counter(name for element in process.elements.values() for name in variables.written_at(element))
        others = variables.asked(bundle, process) | passed_in[process.key]
        for task in process.elements.values():
            name = task.result_variable
            if task.decision_ref is None or task.map_decision_result == SINGLE or not name or writers[name] > 1 or name in others:
                continue
            compared = re.compile(_COMPARED.format(re.escape(name)))
            asked = (e for element in process.elements.values() for e in expressions.asked(process, element))
            if (read := next((each.source.strip() for each in asked if compared.search(each.source)), None)) is not None:
                message = (
                    f"Expected the result of {task.label} to be one value, since {read[:80]} compares it, but its mapping is "
                    f"{task.map_decision_result}, which gives {_KINDS.get(task.map_decision_result, 'something else')}: "
                    f"choose {SINGLE} as “Map decision result”"
                )
                yield Problem(resource=resource, element=task, message=message)
