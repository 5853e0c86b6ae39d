"""A database of PostgreSQL that another test has had is what a copy of its template is, to each row, and so are its sessions."""

import threading

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from tests import databases, restoring, sessions

#: Our tables, and those of the catalogue to which changes come.
TABLES = """SELECT CAST(CAST(oid AS regclass) AS text) FROM pg_class WHERE relkind = 'r' AND (relnamespace = CAST('public' AS regnamespace)
    OR relname IN ('pg_class', 'pg_namespace', 'pg_sequence', 'pg_statistic', 'pg_trigger', 'pg_largeobject_metadata'))"""
NUMBER = "SELECT oid FROM pg_database WHERE datname = current_database()"
INSERT = "INSERT INTO counters (name, value) VALUES ('left', 1)"
FILL = (
    "INSERT INTO halls (code, name, level) VALUES ('city', '大厅', 'city'), ('street', '大厅', 'street')",
    "INSERT INTO counters (name, value) VALUES ('filled', 1), ('filled as well', 2)",
)


def fill(url):
    bind = create_engine(url)
    with bind.begin() as connection:
        for statement in FILL:
            connection.execute(text(statement))
    bind.dispose()


@pytest.fixture
def filled(postgresql):
    """Databases with some rows in them, none of which anybody has had."""
    source = postgresql.branch(fill)
    while source.kept:
        source._discard(source.kept.pop())
    return source


def _visit(source, visit=lambda connection: None):
    """Have a database for a while, and leave a session there; its number, and what was in it before."""
    with source.fresh(warm=True) as url:
        database = databases.opened(url)
        with database.bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            number = connection.scalar(text(NUMBER))
            rows = " UNION ALL ".join(f"SELECT '{table}', CAST(t AS text) FROM {table} AS t" for table in connection.scalars(text(TABLES)))
            held = sorted(map(tuple, connection.execute(text(rows))))
            visit(connection)
        sessions.park(database)
    return number, held


def _ours(held):
    """What was in our tables: PostgreSQL itself writes to the catalogue of a template when it clears up there."""
    return [(table, row) for table, row in held if not table.startswith("pg_")]


def _doing(*statements):
    def visit(connection):
        for statement in statements:
            connection.execute(text(statement.format(database=connection.engine.url.database)))

    return visit


@pytest.mark.parametrize(
    "does",
    [
        ("SELECT count(*) FROM journal",),
        (INSERT,),
        (INSERT, "DELETE FROM counters WHERE name = 'left'"),
        ("UPDATE counters SET value = 5 WHERE name = 'filled'",),
        ("UPDATE counters SET value = value",),
        ("DELETE FROM counters",),
        ("DELETE FROM counters WHERE name = 'filled'", INSERT),
        ("DELETE FROM halls WHERE code = 'city'", INSERT, "UPDATE alembic_version SET version_num = 'later'"),
        ("BEGIN", INSERT, "ROLLBACK"),
        ("BEGIN", INSERT, "SAVEPOINT a", "UPDATE counters SET value = 7", "ROLLBACK TO a", "COMMIT"),
        ("BEGIN", "LOCK TABLE journal", "SELECT * FROM counters FOR UPDATE", "SELECT pg_advisory_lock(1)", "COMMIT"),
    ],
)
def test_fresh__rows_are_as_they_were_copied(filled, does):
    first, held = _visit(filled)
    _visit(filled, _doing(*does))

    assert _visit(filled, _doing(INSERT)) == (first, held)
    assert _visit(filled) == (first, held)  # what was restored is restored as well


@pytest.mark.parametrize(
    "does",
    [
        ("TRUNCATE journal",),
        ("CREATE TABLE left_behind (id integer)", "DROP TABLE left_behind"),
        ("ALTER TABLE counters ADD COLUMN left_behind integer",),
        ("ALTER TABLE tasks DISABLE TRIGGER ALL",),
        ("CREATE SEQUENCE left_behind",),
        ("CREATE TEMPORARY TABLE left_behind (id integer)",),
        ("CREATE FUNCTION left_behind() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
        ("CREATE SCHEMA left_behind",),
        ("SELECT lo_create(0)",),
        ("COMMENT ON TABLE counters IS 'left behind'",),
        ("GRANT SELECT ON counters TO PUBLIC",),
        ("ANALYZE alembic_version",),
        ('ALTER DATABASE "{database}" SET lock_timeout = 1',),
        ('ALTER DATABASE "{database}" CONNECTION LIMIT 9',),
    ],
)
def test_fresh__is_a_new_copy_when_more_than_rows_was_changed(filled, does):
    first, held = _visit(filled)
    _visit(filled, _doing(INSERT, *does))

    number, found = _visit(filled)
    assert number != first
    assert _ours(found) == _ours(held)


def test_fresh__is_a_new_copy_when_too_much_is_gone(filled, monkeypatch):
    monkeypatch.setattr(restoring, "LITTLE", 1)
    monkeypatch.setattr(filled, "originals", {})
    first, held = _visit(filled)
    _visit(filled, _doing(INSERT))
    assert _visit(filled, _doing("DELETE FROM counters WHERE name = 'filled'"))[0] == first

    number, found = _visit(filled)

    assert number != first
    assert _ours(found) == _ours(held)


def test_fresh__is_a_new_copy_while_somebody_is_still_there(filled, monkeypatch):
    monkeypatch.setattr(restoring, "ENDING", 3)
    forgotten = []
    first, _ = _visit(filled, lambda connection: forgotten.append(create_engine(connection.engine.url).connect()))

    assert _visit(filled)[0] != first
    forgotten[0].invalidate()


def test_fresh__is_a_new_copy_when_the_session_has_been_ended(filled):
    first, held = _visit(filled, _doing(INSERT))
    with filled.admin.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity AS a JOIN pg_database AS d USING (datname) WHERE d.oid = :number"),
            {"number": first},
        )

    number, found = _visit(filled)

    assert number != first
    assert _ours(found) == _ours(held)


def test_fresh__waits_for_who_has_just_gone(filled):
    def visit(connection):
        other = create_engine(connection.engine.url)
        other.connect().close()
        threading.Timer(0.1, other.dispose).start()

    first, _ = _visit(filled, visit)

    assert _visit(filled)[0] == first


#: What a session knows of itself.
OF_A_SESSION = (
    "SELECT name, setting FROM pg_settings ORDER BY name",
    "SELECT name FROM pg_prepared_statements",
    "SELECT pg_listening_channels()",
    "SELECT mode, granted FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
    "SELECT current_user, current_schemas(true)",
)


def _of_a_session(connection):
    raw = connection.connection.driver_connection
    of_python = {
        name: value for name, value in vars(raw).items() if name in {"_autocommit", "prepare_threshold", "row_factory", "_isolation_level"}
    }
    return (
        [connection.exec_driver_sql(question).all() for question in OF_A_SESSION],
        of_python,
        len(raw._notice_handlers),
        len(raw._prepared._names),
    )


def test_fresh__the_session_is_as_it_was_begun(filled):
    seen, numbers = [], []

    def look(connection):
        numbers.append(connection.scalar(text("SELECT pg_backend_pid()")))
        seen.append(_of_a_session(connection))
        for _ in range(9):  # so that it is prepared
            connection.execute(text("SELECT 1"))
        for statement in (
            "SET lock_timeout = 7",
            "SET TIME ZONE 'Asia/Shanghai'",
            "LISTEN left_behind",
            "SELECT pg_advisory_lock(1)",
            "PREPARE a AS SELECT 1",
        ):
            connection.execute(text(statement))
        connection.connection.driver_connection.add_notice_handler(print)

    for _ in range(3):
        _visit(filled, look)

    assert len(set(numbers)) == 1
    assert seen[1:] == seen[:1] * 2


def test_fresh__only_who_begins_with_the_same_words_has_the_session(filled):
    _visit(filled)

    with filled.fresh(warm=True) as url:
        other = databases.database.Database(url, name="another")
        with other.bind.connect() as connection:
            assert connection.scalar(text("SELECT current_setting('application_name')")) == "another"
        other.close()


def test_fresh__nobody_is_there_for_who_has_not_asked_for_a_session(filled):
    first, _ = _visit(filled)

    with filled.fresh() as url, psycopg.connect(url.replace("+psycopg", "")) as alone:
        assert alone.execute(NUMBER).fetchone() == (first,)
        for _ in range(restoring.ENDING):
            if alone.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone() == (1,):
                return
            threading.Event().wait(0.1)
    raise AssertionError("Expected nobody to be there, but there is somebody")


def test_fresh__is_restored_some_times(filled, monkeypatch):
    monkeypatch.setattr(databases, "RESTORED", 3)

    numbers = [_visit(filled)[0] for _ in range(5)]

    assert len(set(numbers[:-1])) == 1
    assert numbers[-1] != numbers[0]


def test_fresh__few_are_kept(filled, monkeypatch):
    monkeypatch.setattr(databases, "KEPT", 2)
    fills = [lambda _url, place=place: place for place in range(3)]

    first, *others = [_visit(filled.branch(fill))[0] for fill in fills]

    assert len(filled.kept) == 2
    assert [_visit(filled.branch(fill))[0] for fill in fills[1:]] == others
    assert _visit(filled.branch(fills[0]))[0] != first


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_fresh__sequences_are_not_counted_as_written_and_there_are_none(database):
    assert inspect(database.bind).get_sequence_names() == []
