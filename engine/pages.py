"""Pages (分页): the first rows of a list, of which somebody may see different parts for different reasons.

One condition that joins all reasons with `or` makes a database read everything and sort it.  Here each reason is a *branch* that an
index answers in the order of the list, so that it stops after a page; the branches are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Select,
    SelectBase,
    and_,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, defer
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.sql.visitors import iterate

from engine import calendars, columns
from engine.case_models import Case, Item
from engine.models import Task

Table = type[Task] | type[Case] | type[Item]
#: Up to so many values get a branch each.  If somebody asks for more values, rows with any of them are so common that one branch does.
FEW = 4
#: Up to so many rows are few: they are read and sorted.  If there are more, one is soon met in the order of the list, and to step through
#: the index of that order is many times as fast.
RARE = 500
#: The time in the id of a row differs by no more than this from that of the row: ids are drawn later, on nodes whose clocks differ.
_APART = timedelta(days=1)
#: Columns of a case that no list shows, and that are most of its bytes.
LEAN = (defer(Case.checklist), defer(Case.answers))


@dataclass(frozen=True)
class Some:
    """Some rows of a table: those for which one of these conditions holds, never two."""

    conditions: Sequence[ColumnElement[bool]]
    #: The column by which they are found, the latest first, when they are few; None: they are many.
    since: InstrumentedAttribute[Any] | None = None


#: As they come.
ALL = Some(())


@dataclass(frozen=True, kw_only=True)
class Page:
    """How long a page of a list is, and in which order its rows stand."""

    #: The table that is listed.
    table: Table
    #: Columns that tell any two rows of it apart.
    order: Sequence[InstrumentedAttribute[Any]]
    limit: ColumnElement[int]
    #: The order is turned round: the page has the last rows, and the very last is first.
    newest: bool = False

    def ordered(self, query: Select[Any], columns: Sequence[Any]) -> Select[Any]:
        """Put a query in this order; `columns` are those of the order, as the query has them."""
        return query.order_by(*(column.desc() if self.newest else column for column in columns))


def narrow(
    query: Select[Any], page: Page, branches: Sequence[ColumnElement[bool]], *where: ColumnElement[bool], some: Some = ALL
) -> Select[Any]:
    """Narrow a query down to a page of the rows that belong to any branch.

    `where` and `some` leave out rows of every branch.  What `where` says is asked of each row that is met in the order of the list.  Where
    `some` are few (`are_few`), these are read first, and are put in order afterwards.
    """
    table, order = page.table, page.order
    few = some.since is not None
    if few:
        branches = [or_(false(), *branches)]
    elif some.conditions:
        branches = [and_(branch, each) for branch in branches for each in some.conditions]
    # Only the key at first: what a condition leaves out is then left out by the index alone, whose entries hold the lights, too.
    key = list(dict.fromkeys((table.id, *order)))
    parts = [page.ordered(select(*key).where(branch, *where), order).limit(page.limit) for branch in branches or [false()]]
    if few:
        parts = [_among(part, table, some) for part in parts]
    found = _together(union, parts).subquery()
    shown = page.ordered(select(found.c.id), [found.c[column.key] for column in order]).limit(page.limit).subquery()
    return page.ordered(query.join(shown, shown.c.id == table.id), order)


def first(rows: int) -> ColumnElement[int]:
    """Make a limit that stands in the text of the query, so that PostgreSQL plans the query once.

    Where the limit is a parameter, a plan for all values assumes a tenth of all rows.  That looks so expensive that PostgreSQL makes a new
    plan at each execution, which may take longer than to run the query.  Use this only where one plan is best for all values: a query that
    finds a million rows for some, and none for others, should be planned each time.
    """
    return literal_column(str(rows))


def are_few(session: Session, table: Table, some: Some) -> bool:
    """Tell whether these rows are so few that all can be read and sorted; without a `since` they are many."""
    return some.since is not None and (session.scalar(count(table, some)) or 0) <= RARE


def count(table: Table, some: Some) -> Select[int]:
    """Count these rows, up to one more than are few (`RARE`)."""
    return select(func.count()).select_from(_those([table.id], some).subquery())


def _among(part: Select[Any], table: Table, some: Some) -> Select[Any]:
    """Let a part of a page read from these few rows what it would read from the whole table.

    All columns that it uses are taken from where the index of the light leads: no row is looked up a second time by its id.
    """
    used = {element.key: element for element in iterate(part) if isinstance(element, Column) and element.table is table.__table__}
    return ClauseAdapter(_those(list(used.values()), some).subquery()).traverse(part)


def _those(wanted: Sequence[Any], some: Some) -> SelectBase:
    assert some.since is not None, "Expected rows that are few"
    # The latest first, as the index of a light has them.  Without this order, a database that expects many rows might as well read all of
    # another index that holds the lights.  And what is red already is passed over only where few are yellow.
    latest = some.since.desc()
    parts = [select(*wanted).where(each).order_by(latest).limit(first(RARE + 1)).correlate(None) for each in some.conditions]
    return _together(union_all, parts)


def _together(how: Callable[..., CompoundSelect[Any]], parts: Sequence[Select[Any]]) -> SelectBase:
    return how(*(select(part.subquery()) for part in parts)) if len(parts) > 1 else parts[0]


def within(row_id: Any, at: Any, since: date | None, until: date | None) -> Iterator[ColumnElement[bool]]:
    """Conditions: made from one day to another in Beijing, both included.  Ids grow with time, so only that part of a list is read."""
    if since is not None:
        start = calendars.start_of(since)
        yield at >= start
        yield row_id >= columns.first_id(start, -_APART)
    if until is not None:
        end = calendars.end_of(until)
        yield at < end
        yield row_id < columns.first_id(end, _APART)


def each(column: InstrumentedAttribute[Any], values: Iterable[str]) -> list[ColumnElement[bool]]:
    """Return a branch for each value if there are few values, else one branch for all."""
    wanted = sorted(values)
    # Each a parameter by itself: a list of values would be written out anew whenever the statement is run.
    return [column == value for value in wanted] if len(wanted) <= FEW else [column.in_([literal(value) for value in wanted])]
