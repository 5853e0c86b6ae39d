"""Deployments (部署): what the Deploy button sends, and what it gets back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from api import auth
from api.camunda import answers, asked, lists, tenants
from api.camunda.errors import Unparsable
from api.camunda.shown import definition
from api.transactions import database, reading
from engine import deployments
from engine.database import Session
from engine.deployments import Again
from engine.errors import InvalidInput
from engine.filters import Listing
from engine.models import Deployment

bp = Blueprint("deployments", __name__, url_prefix="/deployment")


@bp.post("/create")
def create() -> Response:
    """Check the files and put them to work; files that have not changed give the deployment that is there, with its definitions."""
    fields = request.form.to_dict()
    tenants.require(fields.get("tenant-id"))
    files = _files()
    name = asked.field(fields, "deployment-name", str) or next(iter(files))
    if fields.get("deployment-activation-time"):
        raise InvalidInput("Expected a deployment that counts at once, but deployment-activation-time is given")
    if fields.get("deploy-changed-only", "false") == "true":
        again = Again.CHANGED
    else:
        again = Again.NOTHING if fields.get("enable-duplicate-filtering", "false") == "true" else Again.EVERYTHING
    source = asked.field(fields, "deployment-source", str) or "engine-rest"
    with database().transaction() as session:
        try:
            row = deployments.deploy(session, name, files, actor=auth.actor(), source=source, again=again)
        except InvalidInput as error:
            if "errors" not in error.details:
                raise
            raise Unparsable(error.details["errors"]) from error
        defined = [definition(found) for found in deployments.definitions_of(session, row)]
        return answers.json(
            _shown(row)
            | {
                "deployedProcessDefinitions": {one["id"]: one for one in defined} or None,
                "deployedCaseDefinitions": None,
                "deployedDecisionDefinitions": None,
                "deployedDecisionRequirementsDefinitions": None,
            }
        )


def _files() -> dict[str, bytes]:
    """What is to be deployed, by name."""
    files = {part.filename or name: part.read() for name, part in request.files.items(multi=True)}
    if not files:
        raise InvalidInput("Expected files to deploy, but there are none")
    if wrong := [file for file in files if "\0" in file or len(file) > asked.LONGEST]:
        raise InvalidInput(f"Expected names of files of at most {asked.LONGEST} characters, none of them NUL, but one is {wrong[0]!r:.80}")
    return files


@bp.get("/<deployment_id>")
def show(deployment_id: str) -> Response:
    """Show one deployment."""
    with reading() as session:
        return answers.json(_shown(deployments.get(session, asked.uuid(deployment_id, "Deployment"))))


@bp.get("/<deployment_id>/resources")
def list_resources(deployment_id: str) -> Response:
    """List the files of a deployment; a file's id is its name."""
    with reading() as session:
        row = deployments.get(session, asked.uuid(deployment_id, "Deployment"))
        names = deployments.resources_of(session, row)
        return answers.json([{"id": name, "name": name, "deploymentId": str(row.id)} for name in sorted(names)])


@bp.get("/<deployment_id>/resources/<path:resource>/data")
def read_resource(deployment_id: str, resource: str) -> Response:
    """Give one file as it was deployed."""
    with reading() as session:
        row = deployments.get(session, asked.uuid(deployment_id, "Deployment"))
        content = deployments.content_of(session, row, resource)
    return Response(content, content_type="application/octet-stream", headers={"Content-Disposition": "attachment"})


@bp.delete("/<deployment_id>")
def delete(deployment_id: str) -> Response:
    """Delete a deployment on which nothing has ever run; with `cascade` the processes without a matter that ran on it go, too."""
    cascade = request.args.get("cascade") == "true"
    with database().transaction() as session:
        deployments.delete(session, asked.uuid(deployment_id, "Deployment"), actor=auth.actor(), cascade=cascade)
    return answers.nothing()


def _find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find deployments, the newest first."""
    return deployments.search(*lists.conditions(given, deployments.FILTERS), order=lists.order(given, deployments.SORTABLE))


lists.serve(bp, _find, lambda _session, row: _shown(row.Deployment), methods=("GET",))


def _shown(row: Deployment) -> dict[str, Any]:
    return {
        "links": [],
        "id": str(row.id),
        "name": row.name,
        "source": row.source,
        "deploymentTime": answers.moment(row.deployed_at),
        "tenantId": None,
    }
