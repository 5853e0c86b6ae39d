"""What can go wrong with a document or in a running instance."""

from __future__ import annotations

from dataclasses import dataclass


def one_line(name: str) -> str:
    """Write a name as messages do: in drawings, many are broken into lines so that they fit."""
    return " ".join(name.split())


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with a document, for the person who drew it."""

    #: `error` refuses the deployment; `warning` does not.
    severity: str
    #: Name of the rule, kebab-case, e.g. `unsupported-element`.
    rule: str
    #: “Expected to X, but Y”, and what to draw instead.
    message: str
    #: Id and name of the element (empty when the whole file is meant).
    element: str = ""
    element_name: str = ""
    line: int = 0
    column: int = 0
    #: Name of the file in the deployment.
    resource: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the deployment is refused for it."""
        return self.severity == "error"


class BpmnError(Exception):
    """Base of everything that `bpmn` raises."""


class DocumentError(BpmnError):
    """The document cannot be deployed; `findings` says why, all of it at once."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(f.message for f in findings))
        self.findings = findings


class ExpressionError(BpmnError):
    """The expression cannot be parsed or evaluated."""


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One value that a form does not take."""

    #: Key of the field; within lists with the position, from 1: `children[2].name`.
    field: str
    #: “Expected X to …, but …”.
    message: str


class FormError(BpmnError):
    """The data does not fit the form; `errors` says why, all of it at once."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(e.message for e in errors))
        self.errors = errors


class InstanceError(BpmnError):
    """The command does not fit what the instance is waiting for."""
