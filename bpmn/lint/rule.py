"""A rule: one thing that may be wrong with the files of a deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bpmn.definition import Definition, Element
from bpmn.lint.bundle import Bundle

ERROR = "error"
WARNING = "warning"
#: What to do where a file of a kind is missing.
ADD = "add its {} file to the deployment (in Camunda Modeler: “Include additional files”)"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a rule found."""

    resource: str
    #: “Expected to X, but Y”, and what to do.
    message: str
    #: What it stands on: an element, a whole process, or a line of a table.
    element: Element | None = None
    process: Definition | None = None
    line: int = 0


Problems = Iterator[Problem]


@dataclass(frozen=True)
class Rule:
    """A name, which is that of its file and of its page in `docs/rules/`; how grave it is; and the function that finds problems."""

    name: str
    #: ERROR: it would not run, so it is not deployed.
    severity: str
    check: Callable[[Bundle], Problems]
