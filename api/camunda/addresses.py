"""Addresses of a process definition: a version by its id, or the newest by its key, with a tenant or without."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from flask import Blueprint, Response

from api.camunda import tenants
from api.camunda.shown import read_definition_id
from api.transactions import reading
from engine import definitions

View = Callable[[UUID], Response]
_ADDRESSES = ("/<definition>", "/key/<key>", "/key/<key>/tenant-id/<tenant>")


def of_version(bp: Blueprint, path: str = "", *, method: str = "GET") -> Callable[[View], View]:
    """Serve a view at each address of a version; it is called with the id of that.  Answers NotFound where there is none."""

    def register(view: View) -> View:
        @wraps(view)
        def serve(definition: str | None = None, key: str = "", tenant: str | None = None) -> Response:
            return view(_newest(key, tenant) if definition is None else read_definition_id(definition))

        for address in _ADDRESSES:
            bp.add_url_rule(f"{address}{path}", view_func=serve, methods=[method])
        return view

    return register


def _newest(key: str, tenant: str | None) -> UUID:
    tenants.require(tenant)
    with reading() as session:
        return definitions.latest(session, key).id
