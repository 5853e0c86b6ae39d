"""Messages: correlated with the process that waits for them.  Signals: not known here, and said so."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from api import auth, parts
from api.camunda import answers, asked, tenants, values
from api.camunda.shown import instance
from api.transactions import database
from engine import correlation, versions
from engine.correlation import Message
from engine.errors import InvalidInput

bp = Blueprint("messages", __name__)


@bp.post("/message")
def correlate() -> Response:
    """Deliver a message; with `resultEnabled` tell who took it."""
    given = asked.body()
    tenants.require(asked.field(given, "tenantId", str))
    found = asked.field(given, "processInstanceId", str)
    message = Message(
        name=asked.needed(given, "messageName", str),
        business_key=asked.field(given, "businessKey", str),
        instance_id=asked.uuid(found, "Process instance") if found else None,
        keys=values.decode(given.get("correlationKeys")).values,
        given=values.decode(given.get("processVariables")),
    )
    everybody = bool(asked.field(given, "all", bool))
    with database().transaction() as session:
        rows = correlation.correlate(session, message, actor=auth.actor(), region=parts.settings().region, everybody=everybody)
        shown: list[dict[str, Any]] = [
            {
                "resultType": "Execution",
                "execution": {"id": str(row.id)},
                "processInstance": instance(row, versions.get(session, row.definition_id)),
            }
            for row in rows
        ]
    return answers.json(shown) if asked.field(given, "resultEnabled", bool) else answers.nothing()


@bp.post("/signal")
def throw_signal() -> Response:
    """Refuse: diagrams with signals are not deployed here either."""
    raise InvalidInput("Expected a message, but this is a signal, which no diagram here can wait for: use POST /engine-rest/message")
