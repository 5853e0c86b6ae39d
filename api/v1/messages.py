"""Messages (待发消息): what must leave the building, for whoever carries it out; fetched, carried, confirmed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field

from api import auth
from api.contract import answer, contract
from api.shapes import Body, Data, Query, Shape
from api.transactions import reading, transaction
from api.v1 import present
from engine import outbox
from engine.outbox import Topic

bp = Blueprint("messages", __name__, url_prefix="/messages")


class MessageQuery(Query):
    """Which messages."""

    topic: Topic | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class MessageShown(Shape):
    """A message that nobody has confirmed."""

    #: A carrier that sees an id again has carried it already.
    id: UUID
    topic: Annotated[Topic, Field(strict=False)]  # kept as text
    payload: Data
    created_at: datetime


class MessageList(Shape):
    """The oldest of them."""

    data: list[MessageShown]


class Carried(Body):
    """What was carried out."""

    #: Their ids.
    ids: Annotated[list[UUID], Field(min_length=1, max_length=500, strict=False)]


class Confirmation(Shape):
    """How many of them were still open."""

    confirmed: int


@bp.get("")
@contract(summary="取待发消息 · Fetch messages", query=MessageQuery, answer=MessageList)
def fetch(query: MessageQuery) -> Response:
    """Give what is to be carried out, oldest first; it stays until it is confirmed."""
    with reading() as session:
        rows = outbox.unsent(session, actor=auth.actor(), topic=query.topic, limit=query.limit)
        return answer({"data": [present.fields(row, *MessageShown.model_fields) for row in rows]})


@bp.post("/confirm")
@contract(summary="确认已发 · Confirm messages", body=Carried, answer=Confirmation)
def confirm(body: Carried) -> Response:
    """Note that messages were carried out; confirming twice does nothing."""
    with transaction() as session:
        return answer({"confirmed": outbox.confirm(session, body.ids, actor=auth.actor())})
