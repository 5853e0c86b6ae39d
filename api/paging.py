"""Pages of a list: the cursor holds the sort key of the last row, so that nothing is skipped or doubled when rows come and go."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from engine.errors import InvalidInput

Key = TypeVar("Key")
Row = TypeVar("Row")


def after(cursor: str | None, *kinds: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """Read a cursor that was made of so many texts; None: from the beginning.  Raises InvalidInput."""
    if cursor is None:
        return None
    try:
        texts = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        return tuple(kind(_kept(text)) for kind, text in zip(kinds, texts, strict=True))
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput.of_field("cursor", "Expected the `next` of an earlier page, but this is none") from None


def last(cursor: str | None, kind: Callable[[str], Key]) -> Key | None:
    """Read a cursor that was made of one text; None: from the beginning.  Raises InvalidInput."""
    found = after(cursor, kind)
    return found[0] if found else None


def moment(text: str) -> datetime | None:
    """Read a moment of a cursor; nothing is none.  Raises ValueError, OverflowError."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def page(rows: Sequence[Row], limit: int, *, key: Callable[[Row], tuple[Any, ...]], present: Callable[[Row], Any]) -> dict[str, Any]:
    """Make a page of rows of which one more than `limit` was asked for."""
    shown = rows[:limit]
    more = len(rows) > limit
    return {"data": [present(row) for row in shown], "next": _cursor(key(shown[-1])) if more else None}


def _kept(text: Any) -> str:
    """Give what a database can be asked for."""
    if not isinstance(text, str) or "\0" in text:
        raise TypeError(text)
    return text


def _cursor(key: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([str(part) for part in key])).decode()
