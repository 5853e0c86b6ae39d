"""Which rows a transaction locks, in which order: told by the statements themselves, so that it needs no PostgreSQL and nobody who waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, CursorResult, Delete, Engine, Insert, Select, Table, Update, null, select
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.lambdas import StatementLambdaElement

from tests.listening import listening

#: Where a connection keeps its course.
COURSE = "course of locks"
#: What belongs to an instance, and is written by whoever holds that.
ALONE = "locked without its instance"


@dataclass(frozen=True)
class Row:
    """A row that was locked."""

    table: str
    key: tuple[Any, ...]
    #: The instance it belongs to; of an instance the one that has called it.
    of: Any = None
    #: Whether it was not waited for (SKIP LOCKED).
    free: bool = field(default=False, compare=False)
    #: The case it belongs to, and whether it is the bundle of that.
    case: Any = field(default=None, compare=False)
    bundle: bool = field(default=False, compare=False)


@dataclass
class Course:
    """What one transaction has locked, in its order, and what it has made: that is nobody else's to wait for."""

    taken: list[Row] = field(default_factory=list)
    made: set[tuple[str, tuple[Any, ...]]] = field(default_factory=set)
    #: It has claimed instances that nobody held, in no order, and then waits for nobody (`database.wait_for_nobody`).
    claims: bool = False


class Locks:
    """The courses of all transactions, and what is wrong with their order."""

    def __init__(self) -> None:
        self.courses: list[Course] = []
        self._quiet = False

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record everything that happens in the block, on every database; for one thread."""
        with listening(Engine, before_execute=self._look, after_execute=self._note, commit=self._end, rollback=self._end):
            yield

    def violations(self) -> Iterator[str]:
        """Yield what could make two transactions wait for each other."""
        orders: set[tuple[Any, Any]] = set()
        for course in (course for course in self.courses if not course.claims):
            yield from _within(course)
            held = [row.key for row in course.taken if row.table == "instances"]
            orders |= {(earlier, later) for place, later in enumerate(held) for earlier in held[:place]}
        for earlier, later in orders:
            if (later, earlier) in orders:
                yield f"Expected instances {earlier} and {later} to be locked in one order, but they are in both"

    def _look(self, connection: Connection, statement: ClauseElement, many: Sequence[Any], one: Mapping[str, Any], _options: Any) -> None:
        if self._quiet:
            return
        if isinstance(statement, StatementLambdaElement):  # it is known by a mark (`engine.reads`)
            statement = statement._resolved
        course: Course = connection.info.setdefault(COURSE, Course())
        self._quiet = True
        for table, query in _locking(statement):
            free = isinstance(statement, Select) and statement._for_update_arg.skip_locked
            course.claims |= table.name == "instances" and free
            for values in many or [one]:
                for *key, of, case, item in connection.execute(query, values).all():
                    row = Row(table.name, tuple(key), of, free, case, table.name == "instances" and of is None and item is None)
                    if (row.table, row.key) not in course.made and all((t.table, t.key) != (row.table, row.key) for t in course.taken):
                        course.taken.append(row)
        self._quiet = False

    def _note(
        self, connection: Connection, statement: ClauseElement, _many: Any, _one: Any, _options: Any, result: CursorResult[Any]
    ) -> None:
        if isinstance(statement, Insert):  # the keys are made while it is executed
            made = {(statement.table.name, _key(statement.table, values)) for values in result.context.compiled_parameters}
            connection.info.setdefault(COURSE, Course()).made.update(made)

    def _end(self, connection: Connection) -> None:
        course = connection.info.pop(COURSE, None)
        if course and course.taken:
            self.courses.append(course)


def _within(course: Course) -> Iterator[str]:
    held: list[Row] = []
    items: dict[Any, str] = {}
    common: dict[Any, str] = {}
    last = ""
    for row in course.taken:
        told = f"{row.table} {row.key}"
        if row.table == "instances":
            if last:
                yield f"Expected no instance to be locked after {last}, but {told} is"
            yield from _late(row, held, items, common)
            held.append(row)
        elif row.table == "counters":
            last = told
        elif row.of is None:
            common |= {} if _holds_bundle(row, held) else {row.case: told}
        elif _governed(row, held, course):
            continue
        elif row.table == "items":  # whoever holds the bundle writes it, too; but then he may not want its process
            items[row.of] = told
        elif row.table != "jobs":
            last = f"{told}, {ALONE}"
        elif held and not row.free:  # it is claimed first, and nobody waits for it
            yield f"Expected no job to be waited for by whoever holds an instance, but {told} is"


def _late(row: Row, held: list[Row], items: Mapping[Any, str], common: Mapping[Any, str]) -> Iterator[str]:
    told = f"{row.table} {row.key}"
    if row.bundle and row.case in common:
        yield f"Expected bundle {told} to be locked before what is common to its items, but {common[row.case]} is written before"
    if row.key[0] in items:
        yield f"Expected {told} to be locked before its item, but {items[row.key[0]]} is written before"
    if any(other.of == row.key[0] for other in held):
        yield f"Expected instance {told} to be locked before those that it has called, but it is locked after one"


def _governed(row: Row, held: list[Row], course: Course) -> bool:
    return row.table != "jobs" and (any(other.key[0] == row.of for other in held) or ("instances", (row.of,)) in course.made)


def _holds_bundle(row: Row, held: list[Row]) -> bool:
    """Whether something of a case that is of no instance is written by whoever holds the bundle; who does not, may not want that then."""
    return any(other.bundle and other.case == row.case for other in held)


def _locking(statement: ClauseElement) -> Iterator[tuple[Table, Select[Any]]]:
    """Say which rows a statement locks, in their order: their table, and a query for their keys and the instances they belong to."""
    if isinstance(statement, Update | Delete):
        query = select(*_key_and_owner(statement.table))
        yield statement.table, query if statement.whereclause is None else query.where(statement.whereclause)
    elif isinstance(statement, Select) and statement._for_update_arg is not None:
        for table in statement._for_update_arg.of or statement.columns_clause_froms[:1]:
            yield table, statement.with_only_columns(*_key_and_owner(table), maintain_column_froms=True)


def _key_and_owner(table: Any) -> list[Any]:
    of = table.columns.get("parent_id" if table.name == "instances" else "instance_id")
    case, item = table.columns.get("id" if table.name == "cases" else "case_id"), table.columns.get("item_id")
    return [*table.primary_key.columns, *(null() if column is None else column for column in (of, case, item))]


def _key(table: Any, values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values.get(column.name) for column in table.primary_key.columns)
