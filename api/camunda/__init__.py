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
    forms,
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
    statistics,
    task_people,
    tasks,
    variables,
    version,
)

PREFIX = "/engine-rest"
#: `errors` comes last: it answers whatever has no route of its own.
_NOUNS = (
    version.bp,
    deployments.bp,
    process_definitions.bp,
    statistics.bp,
    forms.of_starts,
    process_instances.bp,
    variables.bp,
    activity_tree.bp,
    activity_instances.bp,
    modifications.bp,
    executions.bp,
    external_tasks.bp,
    retries.bp,
    tasks.bp,
    forms.of_tasks,
    task_people.bp,
    messages.bp,
    jobs.bp,
    incidents.bp,
    history.bp,
    errors.bp,
)


def register(app: Flask) -> None:
    """Add all routes, and what surrounds them."""
    bp = Blueprint(auth.PROGRAMS, __name__, url_prefix=PREFIX)
    bp.before_request(origins.refuse_forgery)
    bp.before_request(_ask)
    errors.register(bp)
    for noun in _NOUNS:
        bp.register_blueprint(noun)
    app.register_blueprint(bp)
    app.register_blueprint(version.well_known)
    app.register_blueprint(monitor.bp)
    app.wsgi_app = face.Face(app.wsgi_app)  # type: ignore[method-assign]


def _ask() -> None:
    auth.by_credentials()
