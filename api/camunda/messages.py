"""Messages: correlated with the process that waits for them.  Signals: told to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, executions, tenants, values
from api.camunda.shown import instance
from api.repeats import again
from api.transactions import database
from engine import broadcasts, correlation, pieces, places, versions
from engine.broadcasts import Thrown
from engine.correlation import Message, Reached
from engine.database import Session
from engine.pieces import Piece

bp = Blueprint("messages", __name__)


@bp.post("/message")
def correlate() -> Response:
    """Deliver a message; with `resultEnabled` tell who took it."""
    given = asked.body()
    tenants.require(asked.field(given, "tenantId", str))
    found = asked.field(given, "processInstanceId", str)
    message = Message(
        name=asked.needed(given, "messageName", str),
        business_key=asked.field(given, "businessKey", str, most=asked.LONGEST),
        instance_id=asked.uuid(found, "Process instance") if found else None,
        keys=values.decode(given.get("correlationKeys")).values,
        local_keys=values.decode(given.get("localCorrelationKeys")).values,
        given=values.decode(given.get("processVariables")),
    )
    everybody, told = (bool(asked.field(given, name, bool)) for name in ("all", "resultEnabled"))
    with_variables = bool(asked.field(given, "variablesInResultEnabled", bool))
    actor = auth.actor()

    def find(session: Session) -> Iterator[Piece[dict[str, Any] | None]]:
        for piece in correlation.correlate(session, message, actor=actor, everybody=everybody):
            yield partial(_reach, piece, with_variables=with_variables)

    shown = [each for each in pieces.do(database(), find, again=again) if each is not None]
    return answers.json(shown) if told else answers.nothing()


@bp.post("/signal")
def throw_signal() -> Response:
    """Tell a signal to everybody who waits for it and every process that begins with it, or to one execution."""
    given = asked.body()
    tenants.require(asked.field(given, "tenantId", str))
    found = asked.field(given, "executionId", str)
    signal = Thrown(
        name=asked.needed(given, "name", str),
        given=values.decode(given.get("variables")),
        place=places.read(found) if found else None,
    )
    find = partial(broadcasts.throw, signal=signal, actor=auth.actor())
    pieces.do(database(), find, again=again)
    return answers.nothing()


def _reach(piece: Piece[Reached | None], session: Session, *, with_variables: bool) -> dict[str, Any] | None:
    """Deliver a message, and show who took it: an execution that waited for it, or a process that has begun with it; None: nobody."""
    reached = piece(session)
    if reached is None:
        return None
    row = reached.instance
    told: dict[str, Any] = {
        "resultType": "Execution" if reached.at else "ProcessDefinition",
        "execution": executions.shown(reached.at, ended=row.ended_at is not None) if reached.at else None,
        "processInstance": instance(row, versions.get(session, row.definition_id)) if reached.at is None else None,
    }
    return told | {"variables": values.encode_all(row.variables, row.types)} if with_variables else told
