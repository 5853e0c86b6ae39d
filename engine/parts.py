"""Parts: kinds of changes, each of one table, that `writes` collects rows for, and that each database carries out in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm.exc import StaleDataError

Row = Mapping[str, Any]
#: Prefix of a column's name: the value by which a row is found that is to be changed (`old_status`).
OLD = "old_"


class Verb(StrEnum):
    """What is done with the rows."""

    INSERT = "insert"
    PUT = "put"  #: insert, or change what is there under the same key
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """What is done with rows of one table.  Made once each (`writes`), and compared by identity, so that looking it up is cheap."""

    verb: Verb
    table: Table
    #: The keys that each row has: names of columns, some with `old_` before them.
    names: tuple[str, ...]
    #: Columns by which a row is found: UPDATE compares them with the `old_…` values, PUT with the values of the new row.
    by: tuple[str, ...] = ()
    #: Columns that must be null in a stored row: else it is left as it is.
    empty: tuple[str, ...] = ()
    #: PUT: the columns that are changed in a row which is there already.
    new: tuple[str, ...] = ()
    #: Whether it is an error (StaleDataError) when a row is not found.
    exact: bool = False


@cache
def counted(parts: tuple[Part, ...]) -> int:
    """Choose the part whose rows the one statement counts, by its place: the last `exact` one, or, if there is none, the last."""
    return max((place for place, part in enumerate(parts) if part.exact), default=len(parts) - 1)


def require_all(part: Part, expected: int, found: int) -> None:
    """Raise StaleDataError when a row was not there that must be."""
    if part.exact and found != expected:
        raise StaleDataError(f"Expected to {part.verb} {expected} rows of {part.table.name}, but {found} were there")
