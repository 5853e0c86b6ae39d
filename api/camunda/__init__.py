"""`/engine-rest`: the subset of Camunda 7's REST API that Camunda Modeler and external-task workers use.  One module per noun.

The clients are unmodified: where they and our taste differ, they win (docs/reference/engine-rest.md).
"""

from __future__ import annotations

from flask import Blueprint, Flask

from api import auth
from api.camunda import (
    activity_instances,
    activity_tree,
    deployments,
    errors,
    executions,
    external_tasks,
    face,
    history,
    incidents,
    jobs,
    messages,
    modifications,
    monitor,
    origins,
    process_definitions,
    process_instances,
    retries,
    start_forms,
    statistics,
    task_forms,
    task_people,
    tasks,
    variables,
    version,
)

PREFIX = "/engine-rest"
#: `errors` comes last: it answers whatever has no route of its own.
_NOUNS = (
    version,
    deployments,
    process_definitions,
    statistics,
    start_forms,
    process_instances,
    variables,
    activity_tree,
    activity_instances,
    modifications,
    executions,
    external_tasks,
    retries,
    tasks,
    task_forms,
    task_people,
    messages,
    jobs,
    incidents,
    history,
    errors,
)


def register(app: Flask) -> None:
    """Add all routes, and what surrounds them."""
    bp = Blueprint(auth.PROGRAMS, __name__, url_prefix=PREFIX)
    bp.before_request(origins.refuse_forgery)
    bp.before_request(_ask)
    errors.register(bp)
    for noun in _NOUNS:
        bp.register_blueprint(noun.bp)
    app.register_blueprint(bp)
    app.register_blueprint(version.well_known)
    app.register_blueprint(monitor.bp)
    app.wsgi_app = face.Face(app.wsgi_app)  # type: ignore[method-assign]


def _ask() -> None:
    auth.by_credentials()
