"""The pages that Modeler's links lead to: what is deployed, and where an instance stands."""

from __future__ import annotations

import re
from uuid import UUID

from flask import Blueprint, render_template, request

from api import auth, words
from api.transactions import reading
from engine import monitoring, versions
from engine.actors import Role

bp = Blueprint("monitor", __name__, url_prefix="/monitor")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@bp.get("/")
@bp.get("/repository", endpoint="show_repository")
def show_definitions() -> str:
    """List what is deployed; Modeler's query names one deployment."""
    auth.actor().require(Role.DESIGNER, Role.ADMIN, to="look at what is deployed")
    named = _ID.search(request.args.get("deploymentsQuery", ""))
    with reading() as session:
        found = versions.of_deployment(UUID(named[0])) if named else versions.latest()
        rows = [row.Definition for row in found.rows(session)]
        return render_template("monitor.html", definitions=rows, view=None, words=words)


@bp.get("/process-instance/<uuid:instance_id>")
def show_instance(instance_id: UUID) -> str:
    """Show one instance."""
    with reading() as session:
        view = monitoring.look(session, instance_id, actor=auth.actor())
        return render_template("monitor.html", definitions=[], view=view, words=words)
