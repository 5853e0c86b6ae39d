"""Version of the API, and where the pages are: what Modeler asks besides."""

from __future__ import annotations

from flask import Blueprint, Response, request

from api import auth
from api.camunda import answers

#: The version of Camunda 7 whose clients are served.
VERSION = "7.24.0"
bp = Blueprint("version", __name__)
well_known = Blueprint("well-known", __name__)


@bp.get("/version")
def show_version() -> Response:
    """Say which API this is."""
    return answers.json({"version": VERSION})


@well_known.get("/.well-known/camunda-automation-platform/webapps")
@auth.public
def show_pages() -> Response:
    """Say where our own pages are: Modeler opens `{cockpitUrl}process-instance/{id}` and `{cockpitUrl}repository?…`."""
    root = request.url_root
    return answers.json({"adminUrl": root, "cockpitUrl": f"{root}monitor/", "tasklistUrl": root})
