"""Writes: changes that are collected and go to the database together — on PostgreSQL in one statement, which is one round trip.

This is for rows whose key is known, so that nothing need be read first.  Everything else goes through the session (`entities`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Column, Connection, CursorResult, Table, and_, bindparam, delete, insert, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import recordsets
from engine.parts import OLD, Part, Row, Verb, require_all

__all__ = ["OLD", "PLACE", "Writes", "insert_unknown", "note"]

#: Under this name (`Session.info`) a session keeps the key of the first case that it has written to, if it wants to know (None: none yet).
PLACE = "place"


class Writes:
    """Changes that are still to be written."""

    def __init__(self) -> None:
        self.rows: dict[Part, list[Row]] = {}

    def insert(self, table: Table, rows: Iterable[Row]) -> Sequence[Row]:
        """Insert rows; a column that a row does not name has its default.  Returns the rows with all their columns."""
        whole = [_whole(table, row) for row in rows]
        self._add(_insertion(table), whole)
        return whole

    def put(self, table: Table, rows: Iterable[Row], *, by: tuple[str, ...], new: tuple[str, ...], empty: tuple[str, ...] = ()) -> None:
        """Insert rows; where the key (`by`) is there, change its columns `new` instead, if those in `empty` are null."""
        self._add(_putting(table, by, new, empty), [_whole(table, row) for row in rows])

    def update(self, table: Table, rows: Sequence[Row], *, by: tuple[str, ...], empty: tuple[str, ...] = (), exact: bool = False) -> None:
        """Change rows: each gives the `old_…` values of the columns `by` which it is found, and the new values of others.

        A row in which a column of `empty` is not null is left as it is.  `exact`: StaleDataError, on `run`, when a row is not found.
        """
        for row in rows:  # each may name other columns
            self._add(_updating(table, tuple(row), by, empty, exact), [row])

    def delete(self, table: Table, rows: Sequence[Row]) -> None:
        """Delete the rows that have the values of each of these in all columns that it names."""
        for row in rows:
            self._add(_deletion(table, tuple(row)), [row])

    def run(self, session: Session) -> None:
        """Write everything, and forget it; raises StaleDataError when a row of an `exact` change is not found."""
        rows, self.rows = self.rows, {}
        if rows:
            if PLACE in session.info:
                note(session, _place(rows))
            connection = session.connection()
            _RUN[connection.dialect.name](connection, rows)

    def _add(self, part: Part, rows: Sequence[Row]) -> None:
        if rows and part in self.rows:
            self.rows[part] += rows
        elif rows:
            self.rows[part] = [*rows]


def insert_unknown(session: Session, table: Table, rows: Sequence[Row]) -> int:
    """Insert rows now, except those whose key is there, or is just being written by somebody else; returns how many were new."""
    if not rows:
        return 0
    new = _KINDS[session.get_bind().dialect.name](table).values(list(rows)).on_conflict_do_nothing()
    return cast("CursorResult[Any]", session.execute(new, execution_options={"preserve_rowcount": True})).rowcount


_KINDS: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def note(session: Session, place: Row | None) -> None:
    """Note the key of a case that is written to, if the session wants to know to which it has written first."""
    if PLACE in session.info:
        session.info[PLACE] = session.info[PLACE] or place


def _place(rows: Mapping[Part, Sequence[Row]]) -> Row | None:
    """Return the key of the first case that any of the rows belongs to; None: they belong to none."""
    for part, (row, *_) in rows.items():
        case = "id" if part.table.name == "cases" else "case_id"
        for old in ("", OLD):
            if {old + case, old + "region"} <= row.keys():
                return {"case_id": row[old + case], "region": row[old + "region"]}
    return None


@cache
def _insertion(table: Table) -> Part:
    return Part(verb=Verb.INSERT, table=table, names=tuple(_defaults(table)))


@cache
def _putting(table: Table, by: tuple[str, ...], new: tuple[str, ...], empty: tuple[str, ...]) -> Part:
    return Part(verb=Verb.PUT, table=table, names=tuple(_defaults(table)), by=by, new=new, empty=empty)


@cache
def _updating(table: Table, names: tuple[str, ...], by: tuple[str, ...], empty: tuple[str, ...], exact: bool) -> Part:
    return Part(verb=Verb.UPDATE, table=table, names=names, by=by, empty=empty, exact=exact)


@cache
def _deletion(table: Table, names: tuple[str, ...]) -> Part:
    return Part(verb=Verb.DELETE, table=table, names=names)


def _whole(table: Table, row: Row) -> Row:
    return {name: row[name] if name in row else default() for name, default in _defaults(table).items()}


@cache
def _defaults(table: Table) -> dict[str, Callable[[], Any]]:
    return {str(column.name): _default(column) for column in table.c}  # names may be SQLAlchemy's own kind of text


def _default(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    if default is None:
        return lambda: None
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)


# SQLite: nothing lies between us and the database; a statement for each part ────────────────────────────────────────────────────────────


def _run_in_turn(connection: Connection, rows: Mapping[Part, Sequence[Row]]) -> None:
    for part, said in rows.items():
        found = connection.execute(_plain(part), said).rowcount
        require_all(part, len(said), found)


@cache
def _plain(part: Part) -> Any:
    table = part.table
    if part.verb is Verb.INSERT:
        return insert(table)
    if part.verb is Verb.PUT:
        new = sqlite.insert(table)
        changed = {name: new.excluded[name] for name in part.new}
        here = and_(true(), *(table.c[name].is_(None) for name in part.empty))
        return new.on_conflict_do_update(index_elements=list(part.by), set_=changed, where=here)
    if part.verb is Verb.DELETE:
        return delete(table).where(*(table.c[name] == bindparam(name) for name in part.names))
    which = (table.c[name] == bindparam(OLD + name) for name in part.by)
    return (
        update(table)
        .where(*which, *(table.c[name].is_(None) for name in part.empty))
        .values({name: bindparam(name) for name in part.names if not name.startswith(OLD)})
    )


_RUN = {"postgresql": recordsets.write, "sqlite": _run_in_turn}
