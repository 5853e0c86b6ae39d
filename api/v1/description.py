"""The description of the interface itself (接口说明)."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, current_app

from api import auth, openapi

bp = Blueprint("description", __name__)


@bp.get("/openapi.json")
@auth.public
def document() -> Response:
    """Give the OpenAPI document."""
    return Response(orjson.dumps(openapi.document(current_app)), content_type="application/json")
