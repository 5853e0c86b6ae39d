"""Answers as Camunda's clients read them: `application/json`, exactly, without a charset."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response

from engine.calendars import BEIJING

#: After it the year 10000 has begun in Beijing.
_LAST = datetime.max.replace(tzinfo=BEIJING)


def json(document: Any) -> Response:
    """Answer with a document."""
    return Response(orjson.dumps(document, default=str), content_type="application/json")


def nothing() -> Response:
    """Answer that it is done (204)."""
    return Response(status=204)


def milliseconds(since: datetime, until: datetime | None) -> int | None:
    """Say how long something took; None while it lasts."""
    return None if until is None else int((until - since).total_seconds() * 1000)


def moment(when: datetime | None) -> str | None:
    """Write a moment as Java does, in the local time of Beijing like all dates of law: `2026-03-01T08:00:00.000+0800`.

    One that is never, so late that there is none in Beijing, is written as UTC.
    """
    if when is None:
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    written = (aware.astimezone(BEIJING) if aware <= _LAST else aware).isoformat(timespec="milliseconds")
    return f"{written[:-3]}{written[-2:]}"
