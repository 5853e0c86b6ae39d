"""New rows: what is made and changed as an object, and goes out with everything else, is stored as the mapper stores it, in every table."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import Boolean, Date, Enum, Integer, LargeBinary, String, Uuid, delete, insert, select, text, update
from sqlalchemy.orm import Session

from engine import columns, tables
from engine.columns import Json, Moment
from engine.models import Base
from engine.reads import Reading

KINDS = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda kind: kind.__tablename__)
NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
#: Of each type, what is no default, and something else.
VALUES = {
    Uuid: (UUID(int=7), UUID(int=8)),
    Boolean: (True, False),
    Moment: (NOON, datetime(2026, 3, 3, tzinfo=UTC)),
    Date: (date(2026, 3, 2), date(2026, 3, 3)),
    Json: ({"‘": ["\x00", 1.5, None, {}]}, [{"a": True}]),
    LargeBinary: (b"\x00\xff'", b""),
    Integer: (5, 4),
    String: ("‘\"\\'", ""),
}
#: What lets a row refer to one that is not there, until the transaction ends.
FREE = {"sqlite": "PRAGMA defer_foreign_keys = ON", "postgresql": "SET LOCAL session_replication_role = replica"}


def attributes(kind):
    """Its attributes, and the column of each."""
    return {attribute.key: attribute.columns[0] for attribute in kind.__mapper__.column_attrs}


def value(column, place=0):
    if isinstance(column.type, Enum):
        return list(column.type.enum_class)[-1 - place]
    return next(values[place] for kind, values in VALUES.items() if isinstance(column.type, kind))


def whole(kind, place=0):
    return {name: value(column, place) for name, column in attributes(kind).items()}


def scant(kind, place=0):
    """What must be said."""
    return {name: value(column, place) for name, column in attributes(kind).items() if not (column.nullable or column.default)}


def empty(kind):
    """All else is said to be None."""
    return dict.fromkeys(attributes(kind)) | scant(kind)


@pytest.fixture
def session(database):
    """A session with empty tables, which keeps nothing."""
    with Session(database.bind) as session, time_machine.travel(NOON, tick=False):
        session.execute(text(FREE[database.bind.dialect.name]))
        for kind in KINDS:
            session.execute(delete(kind))
        yield session


def stored(session, kind, write):
    """The rows of a table after something was written, as the driver has them; then it is taken back."""
    with columns.seeded("ids"), session.begin_nested() as savepoint:
        write()
        session.flush()
        rows = session.connection().exec_driver_sql(f"SELECT * FROM {kind.__tablename__}").mappings().all()
        savepoint.rollback()
    return [dict(row) for row in rows]


def test_kinds__are_all_tables():
    assert {kind.__table__ for kind in KINDS} == set(tables.METADATA.tables.values())


@pytest.mark.parametrize("says", [whole, scant, empty])
def test_new__is_stored_as_by_the_mapper(session, says):
    for kind in KINDS:
        by_mapper = stored(session, kind, lambda: session.execute(insert(kind), [says(kind)]))  # noqa: B023 - called at once
        assert len(by_mapper) == 1
        assert stored(session, kind, lambda: session.add(kind(**says(kind)))) == by_mapper, kind  # noqa: B023


def test_new__is_known_as_it_is_stored(session):
    """Each has defaults of its own, too: what is put into one is not seen in the other."""
    for kind in KINDS:
        new, other = kind(**scant(kind)), kind(**scant(kind, 1))
        session.add_all([new, other])
        session.flush()
        known = [{column.name: getattr(row, name) for name, column in attributes(kind).items()} for row in (new, other)]
        found = [dict(row) for row in session.execute(select(*kind.__table__.c)).mappings()]
        assert found in (known, known[::-1]), kind
        made = [name for name, column in attributes(kind).items() if column.default and isinstance(column.type, Json)]
        assert not [name for name in made if getattr(new, name) is getattr(other, name)], kind


def test_change__is_stored_as_said(session):
    """What was read in one go with other things can be changed like what the mapper has read."""
    for kind in KINDS:
        there = attributes(kind)
        if any(name != column.name for name, column in there.items()):
            continue  # only the mapper reads it
        session.execute(insert(kind), [whole(kind)])
        for new in (whole(kind, 1), {name: None for name, column in there.items() if column.nullable}):

            def change():
                ((found,),) = Reading(select(kind)).all(session, {})  # noqa: B023 - called at once
                for name, it in new.items():  # noqa: B023
                    setattr(found, name, it)

            said = stored(session, kind, lambda: new and session.execute(update(kind.__table__).values(new)))  # noqa: B023
            assert stored(session, kind, change) == said, kind
