"""Parts: rows of one table to which the same is done.  What `engine.writes` collects, and each database writes in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm.exc import StaleDataError

Row = Mapping[str, Any]
#: Before the name of a column: what a row has there that is to be changed.
OLD = "old_"


class Verb(StrEnum):
    """What is done with rows."""

    INSERT = "insert"
    PUT = "put"  #: insert, or change what is there under the same key
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Rows of one table to which the same is done; made once, and known by what it is."""

    verb: Verb
    table: Table
    #: What a row says, by column.
    names: tuple[str, ...]
    #: Columns by which a row is found: `old_…` of an update, the key of what is put.
    by: tuple[str, ...] = ()
    #: Columns that must be empty in a row that is changed.
    empty: tuple[str, ...] = ()
    #: Of what is there when it is put, the columns that are new.
    new: tuple[str, ...] = ()
    #: Whether each row must be there.
    exact: bool = False


@cache
def counted(parts: tuple[Part, ...]) -> int:
    """Say which part is the statement itself, by its place: the last one whose rows must be there, if any must."""
    return max((place for place, part in enumerate(parts) if part.exact), default=len(parts) - 1)


def require_all(part: Part, expected: int, found: int) -> None:
    """Raise StaleDataError when a row was not there that must be."""
    if part.exact and found != expected:
        raise StaleDataError(f"Expected to {part.verb} {expected} rows of {part.table.name}, but {found} were there")
