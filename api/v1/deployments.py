"""Deployments (部署): diagrams, tables and forms, checked and put to work together; for designers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field

from api import auth
from api.contract import answer, contract
from api.shapes import Body, Line, Shape
from api.transactions import reading, transaction
from api.v1 import present
from engine import deployments
from engine.actors import Role

bp = Blueprint("deployments", __name__, url_prefix="/deployments")


class File(Body):
    """One file as Camunda Modeler saves it."""

    #: With its suffix: .bpmn, .dmn or .form.
    name: Line
    #: The file as text.
    content: Annotated[str, Field(max_length=5_000_000)]


class Files(Body):
    """What is deployed together."""

    #: Names the deployment; the same files under the same name are deployed once.
    name: Line
    #: All that belongs to it: diagrams, decision tables, forms.
    files: Annotated[list[File], Field(min_length=1, max_length=200)]


class DefinitionShown(Shape):
    """One version of one process."""

    key: str
    version: int
    name: str
    #: matter, item or process.
    kind: str
    resource: str


class FindingShown(Shape):
    """One thing that is wrong, or may be."""

    #: error: refuses the deployment; warning: does not.
    severity: str
    rule: str
    message: str
    element: str
    element_name: str
    resource: str
    line: int
    column: int


class DeploymentShown(Shape):
    """A deployment."""

    id: UUID
    name: str
    deployed_at: datetime
    deployed_by: str
    definitions: list[DefinitionShown]
    #: What does not refuse it, but should be looked at.
    warnings: list[FindingShown]


class Findings(Shape):
    """Everything that is wrong, at once."""

    data: list[FindingShown]


@bp.post("")
@contract(summary="部署流程 · Deploy diagrams", body=Files, answer=DeploymentShown, status=201)
def deploy(body: Files) -> Response:
    """Check a set of files and put it to work; running cases keep what they run on."""
    with transaction() as session:
        warnings: list[Any] = []
        row = deployments.deploy(session, body.name, _resources(body), actor=auth.actor(), warn=warnings.append)
        made = [present.fields(found, *DefinitionShown.model_fields) for found in deployments.definitions_of(session, row)]
        return answer(present.fields(row, "id name deployed_at deployed_by") | {"definitions": made, "warnings": _shown(warnings)})


@bp.post("/check")
@contract(summary="检查流程 · Check diagrams", body=Files, answer=Findings)
def check(body: Files) -> Response:
    """Say what a deployment would say, and warn of more; nothing is kept."""
    auth.actor().require(Role.DESIGNER, Role.ADMIN, to="check a diagram")
    with reading() as session:
        found = deployments.check(session, _resources(body))
        return answer({"data": _shown(found)})


def _shown(findings: list[Any]) -> list[dict[str, Any]]:
    return [present.fields(one, *FindingShown.model_fields) for one in findings]


def _resources(body: Files) -> dict[str, bytes]:
    return {file.name: file.content.encode() for file in body.files}
