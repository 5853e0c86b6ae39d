"""Writes: what goes to the database together, is there as it was said; what is read as one value, is what was written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint, Uuid, event, select, text
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from engine.columns import MAY_BE_LARGE, Json, Moment, enum, new_id
from engine.reads import Read
from engine.states import TaskStatus
from engine.writes import Writes

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("place", Integer),
    Column("name", String(40), default="nobody"),
    Column("end", Moment),
    Column("status", enum(TaskStatus), default=TaskStatus.OPEN),
    Column("rows", Json, info={MAY_BE_LARGE: True}),  # as the parameters of a statement begin
    Column("state", LargeBinary),
    UniqueConstraint("place"),
)
NOON = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def connection(database):
    with database.bind.begin() as connection:
        THINGS.metadata.create_all(connection)
        yield connection
        THINGS.metadata.drop_all(connection)


def found(connection, *names):
    return [tuple(row) for row in connection.execute(select(*(THINGS.c[name] for name in names)).order_by(THINGS.c.place))]


def write(connection, verb, *words, **more):
    writes = Writes()
    getattr(writes, verb)(THINGS, *words, **more)
    writes.run(Session(connection))


def test_insert__defaults_and_kinds(connection):
    write(connection, "insert", [{"place": 1, "end": NOON, "rows": {"a": ["‘", "\x00", '"']}, "state": b"\x00\xff"}, {"place": 2}])
    assert found(connection, "place", "name", "end", "status", "rows", "state") == [
        (1, "nobody", NOON, TaskStatus.OPEN, {"a": ["‘", "\x00", '"']}, b"\x00\xff"),
        (2, "nobody", None, TaskStatus.OPEN, None, None),
    ]
    assert len({row[0] for row in found(connection, "id")}) == 2


@pytest.mark.parametrize("alone", [True, False])
def test_insert__what_is_large_goes_beside_the_others(connection, alone):
    """A row that is alone sends it as a parameter of its own; nobody sees a difference."""
    content, state = {"text": '‘\x00\\"' * 5_000}, bytes(range(256)) * 50
    others = [] if alone else [{"place": 2, "rows": content}]
    write(connection, "insert", [{"place": 1, "end": NOON, "rows": content, "state": state}, *others])
    write(connection, "update", [{"old_place": 1, "rows": [content], "state": state[1:]}], by=("place",), exact=True)

    first, *rest = found(connection, "place", "end", "rows", "state")
    assert first == (1, NOON, [content], state[1:])
    assert rest == [(2, None, content, None) for _ in others]
    read = Read([THINGS.c.place, THINGS.c.rows, THINGS.c.name], select(THINGS).order_by(THINGS.c.place))
    expected = [[1, [content], "nobody"], *([2, content, "nobody"] for _ in others)]
    assert list(map(list, read.all(connection, {}))) == expected
    assert list(read.first(connection, {})) == expected[0]


def test_put__what_is_there_changes_only_what_is_new(connection):
    write(connection, "insert", [{"place": 1, "name": "first"}])
    write(connection, "put", [{"place": 1, "name": "second", "end": NOON}, {"place": 2, "name": "third"}], by=("place",), new=("end",))
    assert found(connection, "place", "name", "end") == [(1, "first", NOON), (2, "third", None)]


def test_put__only_what_is_empty_is_changed(connection):
    write(connection, "insert", [{"place": 1, "end": NOON}, {"place": 2}])
    rows = [{"place": place, "name": "new"} for place in (1, 2, 3)]
    write(connection, "put", rows, by=("place",), new=("name",), empty=("end",))
    assert found(connection, "place", "name") == [(1, "nobody"), (2, "new"), (3, "new")]


def test_update__by_key_and_only_what_is_empty(connection):
    write(connection, "insert", [{"place": 1}, {"place": 2, "end": NOON}, {"place": 3}])
    rows = [{"old_place": 1, "name": "a"}, {"old_place": 2, "name": "b"}]
    write(connection, "update", rows, by=("place",), empty=("end",))
    assert found(connection, "place", "name") == [(1, "a"), (2, "nobody"), (3, "nobody")]


def test_update__each_says_what_it_is_about(connection):
    write(connection, "insert", [{"place": 1, "end": NOON}, {"place": 2, "end": NOON}])
    write(connection, "update", [{"old_place": 1, "name": "a"}, {"old_place": 2, "name": "b", "end": None}], by=("place",), exact=True)
    assert found(connection, "place", "name", "end") == [(1, "a", NOON), (2, "b", None)]


def test_update__of_the_key_itself(connection):
    write(connection, "insert", [{"place": 1}])
    write(connection, "update", [{"old_place": 1, "place": 7}], by=("place",), exact=True)
    assert found(connection, "place") == [(7,)]


def test_update__exact_and_one_is_not_there(connection):
    write(connection, "insert", [{"place": 1}])
    with pytest.raises(StaleDataError, match="Expected to update 2 rows of things, but 1 were there"):
        write(connection, "update", [{"old_place": 1, "name": "a"}, {"old_place": 2, "name": "b"}], by=("place",), exact=True)


@pytest.mark.parametrize("missing", [1, 2])
def test_update__exact_and_one_of_another_kind_is_not_there(connection, missing):
    write(connection, "insert", [{"place": 3 - missing}])
    with pytest.raises(StaleDataError, match="Expected to update 1 rows of things, but 0 were there"):
        write(
            connection,
            "update",
            [{"old_place": 1, "name": "a"}, {"old_place": 2, "status": TaskStatus.CANCELED}],
            by=("place",),
            exact=True,
        )


def test_delete__by_what_each_says(connection):
    write(connection, "insert", [{"place": 1, "name": "a"}, {"place": 2, "name": "b"}, {"place": 3, "name": "b"}, {"place": 4}])
    write(connection, "delete", [{"place": 1, "name": "b"}, {"place": 2, "name": "b"}, {"place": 4}])
    assert found(connection, "place") == [(1,), (3,)]


def test_run__everything_together_and_then_nothing(connection):
    writes = Writes()
    writes.insert(THINGS, [{"place": 1}])
    writes.run(Session(connection))
    writes.update(THINGS, [{"old_place": 1, "name": "a"}], by=("place",))
    writes.insert(THINGS, [{"place": 2}])
    writes.delete(THINGS, [{"place": 9}])
    writes.run(Session(connection))
    writes.run(Session(connection))
    assert found(connection, "place", "name") == [(1, "a"), (2, "nobody")]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=JSON,
    state=st.binary(max_size=50),
    name=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40),
)
def test_read__is_what_was_written(connection, content, state, name):
    write(connection, "delete", [{"place": 1}])
    write(connection, "insert", [{"place": 1, "rows": content, "state": state, "name": name, "end": NOON}])
    read = Read([THINGS.c[name] for name in ("name", "end", "status", "rows", "state")], select(THINGS))
    assert list(read.first(connection, {})) == [name, NOON, TaskStatus.OPEN, content, state]
    assert found(connection, "name", "rows", "state") == [(name, content, state)]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("count", [1, 8])
def test_run__looks_rows_up(connection, count):
    write(connection, "insert", [{"place": place, "name": "a"} for place in range(10_000)])
    connection.execute(text("ANALYZE things"))
    rows = [{"old_place": place, "name": "b"} for place in range(count)]
    plans = (
        explained(connection, "update", rows, by=("place",)),
        explained(connection, "delete", [{"place": place} for place in range(count)]),
    )
    for plan in plans:
        assert "Index Scan using things_place_key on things" in plan
        assert "Seq Scan" not in plan


def explained(connection, *words, **more):
    """What PostgreSQL does with what is written."""
    told = []

    def explain(_connection, _cursor, statement, parameters, _context, _many):
        return f"EXPLAIN {statement}", parameters

    def keep(_connection, cursor, *_rest):
        told.extend(line for (line,) in cursor.fetchall())

    listeners = ("before_cursor_execute", explain, True), ("after_cursor_execute", keep, False)
    for name, listener, changes in listeners:
        event.listen(connection, name, listener, retval=changes)
    write(connection, *words, **more)
    for name, listener, _changes in listeners:
        event.remove(connection, name, listener)
    return "\n".join(told)
