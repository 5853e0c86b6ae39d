"""Tables (导出): lists as CSV (RFC 4180), for the programs that people make reports with.

Excel takes a file for UTF-8 by its byte order mark, a text for a formula by its first character, and a long number for an inexact one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from flask import Response, g, request
from pydantic import Field

from api import contract, paging
from api.shapes import Paged
from api.words import group
from engine import applicants, calendars, definitions, matters, moments, offices
from engine.database import Session
from engine.errors import InvalidInput
from engine.models import Department, Hall

MEDIA_TYPE = "text/csv"
#: Rows of a file, at most: what has more is refused, so that nobody takes a part for the whole.
MOST = 10_000
#: With what a text begins that a program for tables might run; in Chinese Windows the wide ones are the same.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
#: Digits of a number that Excel shows as they are.
_EXACT = 11
#: How the group of a department is called.
_DEPARTMENTAL = "department-"


@dataclass(frozen=True)
class Column:
    """What stands in a column: a field, whose own fields are named behind dots, in the words of people where there are any."""

    path: str
    words: Mapping[Any, str] = field(default_factory=dict)
    #: How each of a list is told, with the names of departments, and what stands between two of them.
    say: Callable[[Any, Mapping[str, str]], str] = group
    between: str = "、"
    #: Whether it is a moment by which something must be done: midnight is the end of the day before, not the day that begins.
    ends: bool = False


Columns = Mapping[str, Column]
#: By the path of a column: names by code.
Names = Mapping[str, Mapping[str, str]]


class Listed(Paged):
    """A query whose answer comes in pages, or whole as a file."""

    format: Annotated[
        Literal["json", "csv"],
        Field(
            description=f"csv：找到的全部导出为一个文件，至多 {MOST} 行，超过则拒绝 · "
            f"csv: all that is found in one file, of {MOST} rows at most; more are refused."
        ),
    ] = "json"

    @property
    def rows(self) -> int:
        """How many are shown at most."""
        return self.limit if self.format == "json" else MOST


def answer(
    session: Session,
    found: Sequence[Any],
    query: Listed,
    *,
    key: Callable[[Any], tuple[Any, ...]],
    present: Callable[[Any], dict[str, Any]],
    refused: Collection[str] = (),
) -> Response:
    """Answer with a page of the rows, or with a file of them.  `found` has one row more than `query.rows`, if there are more.

    Raises InvalidInput when there are more rows than a file may have, naming the filters that were not used (save those `refused` here);
    and when nothing is found because a filter names a hall, department, matter or applicant that does not exist.
    """
    if not found and query.cursor is None:
        _require_known(session, query)
    if query.format == "json":
        return contract.answer(paging.page(found, query.limit, key=key, present=present))
    if len(found) > MOST:
        known = [name for name in type(query).model_fields if name not in Listed.model_fields and name not in refused]
        unasked = ", ".join(name for name in known if getattr(query, name) is None)
        part = f"ask for a part of them by {unasked}" if unasked else "read the pages instead (format=json)"
        raise InvalidInput.of_field("format", f"Expected at most {MOST} rows for a file, but there are more: {part}")
    return file(session, map(present, found))


def file(session: Session, rows: Iterable[dict[str, Any]]) -> Response:
    """Answer with a file of these rows, in the columns that the contract promises."""
    content = _written(g.contract.columns, rows, _names(session))
    name = f"{request.path.rpartition('/')[2]}-{calendars.local_date(moments.now())}.csv"
    return contract.answer_file(content, f"{MEDIA_TYPE}; charset=utf-8", name)


def _require_known(session: Session, query: Listed) -> None:
    """Refuse an empty list if a filter names something that does not exist: an empty list would say that nothing is late there."""
    asked = query.model_dump(exclude_none=True)
    if "hall" in asked:
        offices.require(session, Hall, asked["hall"], field="hall")
    if "department" in asked:
        offices.require(session, Department, asked["department"], field="department")
    if asked.get("group", "").startswith(_DEPARTMENTAL):
        offices.require(session, Department, asked["group"].removeprefix(_DEPARTMENTAL), field="group")
    if "matter" in asked:
        matters.require(session, asked["matter"], field="matter")
    if "applicant_number" in asked:
        applicants.require_possible(applicants.number(asked["applicant_number"]), field="applicant_number")


def _names(session: Session) -> Names:
    """The names that people know for the codes in these columns."""
    return {
        "department": offices.names(session, Department),
        "hall": offices.names(session, Hall),
        "matter": definitions.names(session, "matter"),
        "items": definitions.names(session, "item"),
    }


def _written(columns: Columns, rows: Iterable[dict[str, Any]], names: Names) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([_cell(_value(row, column, names)) for column in columns.values()] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _value(row: Any, column: Column, names: Names) -> Any:
    value = row
    for name in column.path.split("."):
        value = None if value is None else value[name]
    if column.ends and isinstance(value, datetime) and value.astimezone(calendars.BEIJING).time() == time():
        return value - timedelta(seconds=1)
    if isinstance(value, list):
        return column.between.join(column.say(each, names["department"]) for each in value)
    if isinstance(value, dict):
        called = names[column.path]
        return column.between.join(f"{called.get(code) or code} {column.words.get(each, each)}" for code, each in value.items())
    return names.get(column.path, column.words).get(value) or value


def _cell(value: Any) -> Any:
    """Write a value so that spreadsheet programs show it as it is: no formula is run, no digit is lost, moments are in Beijing time."""
    if isinstance(value, datetime):
        return f"{value.astimezone(calendars.BEIJING):%Y-%m-%d %H:%M:%S}"
    if not isinstance(value, str):
        return value.isoformat() if isinstance(value, date) else value
    if value.startswith(_FORMULA):
        return f"'{value}"
    return f"\t{value}" if value.isdecimal() and len(value) > _EXACT else value
