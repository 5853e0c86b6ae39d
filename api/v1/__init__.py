"""`/api/v1`: small and task-centred, for clerks, departments, channels and programs.  One module per noun."""

from __future__ import annotations

from flask import Blueprint, Flask

from api import openapi
from api.v1 import (
    accounts,
    administration,
    alerts,
    calendar,
    cases,
    daybooks,
    deadlines,
    departments,
    deployments,
    description,
    halls,
    incidents,
    items,
    materials,
    matters,
    messages,
    metrics,
    sessions,
    tasks,
)


def register(app: Flask) -> None:
    """Add all routes."""
    bp = Blueprint("v1", __name__, url_prefix=openapi.PREFIX)
    for noun in (
        description,
        sessions,
        matters,
        cases,
        materials,
        tasks,
        items,
        deadlines,
        alerts,
        daybooks,
        metrics,
        calendar,
        incidents,
        messages,
        deployments,
        accounts,
        administration,
        departments,
        halls,
    ):
        bp.register_blueprint(noun.bp)
    app.register_blueprint(bp)
