"""Faults of the database are what the database really does: each is brought about, told as what it means, and leaves nothing half-done."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text

from engine import connections, database, doctor, outages, postgresql, readiness
from engine.account_models import Grant
from engine.columns import new_id
from engine.database import Database
from engine.diagnoses import CheckStatus
from engine.errors import Busy, InvalidInput, InvalidState, Unavailable, Unfit, Unsettled, Vanished
from engine.models import Department
from engine.postgresql import NOTICED
from tests import databases, vanished
from tests.proxy import COMMIT, Proxy
from tests.soak.networks import free_port
from tests.soak.server import Server

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
QUICKLY = "-c lock_timeout=100ms -c deadlock_timeout=20ms -c timezone=UTC"


@pytest.fixture(scope="module")
def server(postgresql):
    with postgresql.fresh() as url:
        yield url


@pytest.fixture
def url(server):
    """A database as it was in the beginning."""
    yield server
    clean = Database(server)
    run(clean, "drop function if exists dawdle cascade", "drop function if exists refuse cascade", "delete from departments")
    clean.close()


@pytest.fixture
def proxy(url):
    with Proxy(url) as proxy:
        yield proxy


@pytest.fixture
def opened():
    """Open a database, and close it at the end."""
    found = []

    def open_(url):
        found.append(Database(url))
        return found[-1]

    yield open_
    for each in found:
        each.close()


@pytest.fixture
def db(proxy, opened):
    """The database as it is reached through the network."""
    return opened(proxy.url(options=QUICKLY))


@pytest.fixture
def near(url, opened):
    """The same database, reached by somebody who is not disturbed."""
    return opened(url)


def saying(url, option):
    return make_url(url).update_query_dict({"options": f"-c timezone=UTC -c {option}"}).render_as_string(hide_password=False)


def add(db, code="a", meanwhile=None):
    """Add a department; `meanwhile` happens between that and the commit."""
    with db.transaction() as session:
        session.add(Department(code=code, name="部门"))
        session.flush()
        if meanwhile is not None:
            meanwhile(session)


def count(db):
    with db.reading() as session:
        return session.scalar(select(func.count(Department.code)))


def terminate(near):
    """End every other session, as an operator does, or a server that goes down."""
    with near.transaction() as session:
        session.execute(
            text("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()")
        )


def run(near, *statements):
    with near.transaction() as session:
        for statement in statements:
            session.execute(text(statement))


@contextmanager
def held(near):
    """Somebody else has the department `a`."""
    with near.transaction() as session:
        session.execute(text("select * from departments where code = 'a' for update"))
        yield


def rename(db, code="a"):
    with db.transaction() as session:
        session.get_one(Department, code).name = "新名"


def test_transaction__backend_is_terminated(db, near):
    def go_on(session):
        terminate(near)
        session.execute(text("select 1"))

    with pytest.raises(Unavailable, match="Expected the database to answer, but it cannot be reached just now; try again") as told:
        add(db, meanwhile=go_on)

    assert not isinstance(told.value, Unsettled)
    assert count(db) == 0


def test_transaction__server_was_away_since(db, near):
    """Every connection that is kept is dead: the first attempt says so, the second has a new one."""
    with ThreadPoolExecutor(4) as pool:
        together = threading.Barrier(4)

        def use(_number):
            with db.reading():
                together.wait(60)

        list(pool.map(use, range(4)))
    assert db.bind.pool.checkedin() == 4
    terminate(near)

    with pytest.raises(Unavailable):
        add(db)
    add(db)

    assert count(near) == 1


@pytest.mark.parametrize("break_", [Proxy.cut_once, Proxy.half_close])
def test_transaction__connection_breaks(db, near, proxy, break_):
    with pytest.raises(Unavailable) as told:
        add(db, meanwhile=lambda _session: break_(proxy))

    # A network that still takes what is sent lets COMMIT be sent, too.
    assert isinstance(told.value, Unsettled) or break_ is Proxy.cut_once
    add(db, "b")
    with near.reading() as session:
        assert "b" in session.scalars(select(Department.code)).all()


def test_transaction__what_it_refers_to_has_gone(db):
    """It was there when it was looked at: who begins anew finds out what has become of it."""
    with pytest.raises(Vanished, match="but it has just been archived or deleted; try again"), db.transaction() as session:
        session.add(Grant(account_id=new_id(), role="clerk"))


def test_transaction__what_it_looks_at_again_has_gone(db):
    with pytest.raises(Vanished, match="but it has just been archived or deleted; try again"), db.transaction() as session:
        session.get_one(Department, "away")


def test_transaction__cannot_be_reached(db, proxy):
    proxy.cut()
    with pytest.raises(Unavailable, match="cannot be reached"):
        add(db)

    proxy.mend()
    add(db)

    assert count(db) == 1


@pytest.mark.parametrize("words", [b"pg_catalog.version", b"hstore", b"BEGIN"])
def test_transaction__first_connection_breaks(db, proxy, words):
    """Then the driver asks the server who it is, and what it says goes past SQLAlchemy."""
    proxy.fatal_words = words

    with pytest.raises(Unavailable) as told:
        add(db)

    assert proxy.fatal_words is None
    assert not isinstance(told.value, Unsettled)
    add(db)


def test_transaction__answer_to_the_commit_is_lost(db, near, proxy):
    """Nobody here can know that it was carried out; nor is that said."""
    proxy.fatal_words = COMMIT

    with pytest.raises(Unsettled, match="whether it was carried out is not known"):
        add(db)

    assert count(near) == 1


def test_transaction__terminated_while_it_commits(db, near):
    """Here it was not, and nobody can know that, either."""
    run(
        near,
        "create function dawdle() returns trigger language plpgsql as 'begin perform pg_sleep(30); return null; end'",
        "create constraint trigger dawdles after insert on departments deferrable initially deferred for each row execute function dawdle()",
    )
    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add, db)
        asleep = text("select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()")
        while True:
            with near.reading() as session:
                if session.scalar(asleep):
                    break
        terminate(near)

        assert isinstance(adding.exception(), Unsettled)

    assert count(near) == 0


def test_transaction__somebody_holds_the_row(db, near):
    add(near)

    with held(near), pytest.raises(Busy, match="somebody else is working on it"):
        rename(db)


def test_transaction__deadlock(db, near):
    """One of the two goes on, the other is told to try again."""
    add(near, "a")
    add(near, "b")
    together = threading.Barrier(2)

    def rename_both(order):
        with db.transaction() as session:
            session.execute(text("set local lock_timeout = '5s'"))
            for code in order:
                session.execute(text(f"update departments set name = '{order}' where code = '{code}'"))
                if code == order[0]:
                    together.wait(60)

    with ThreadPoolExecutor(2) as pool:
        ends = [each.exception() for each in [pool.submit(rename_both, "ab"), pool.submit(rename_both, "ba")]]

    assert sorted(type(end) for end in ends if end) == [Busy]
    assert sum(end is None for end in ends) == 1


def test_transaction__cannot_be_serialized(url, near, opened):
    """Databases that spread over machines say so all the time."""
    strict = opened(saying(url, "default_transaction_isolation=serializable"))
    together = threading.Barrier(2)

    def count_and_add(code):
        with strict.transaction() as session:
            session.scalar(select(func.count(Department.code)))
            together.wait(60)
            session.add(Department(code=code, name="部门"))

    with ThreadPoolExecutor(2) as pool:
        ends = [each.exception() for each in [pool.submit(count_and_add, code) for code in "ab"]]

    assert [type(end) for end in ends if end] == [Busy]
    assert count(near) == 1


def test_transaction__server_has_become_a_standby(url, near, opened):
    """Its connections are given up: a new one finds the server that writes (`target_session_attrs`)."""
    reading = opened(saying(url, "default_transaction_read_only=on"))

    with reading.reading() as session:
        first = session.scalar(text("select pg_backend_pid()"))

    with pytest.raises(Unavailable):
        add(reading)

    with reading.reading() as session:
        assert session.scalar(text("select pg_backend_pid()")) != first
    assert count(near) == 0


def test_transaction__all_connections_are_taken(url, near, opened, monkeypatch):
    monkeypatch.setattr(database, "POOL_SIZE", 1)
    monkeypatch.setattr(database, "POOL_OVERFLOW", 0)
    monkeypatch.setattr(database, "POOL_TIMEOUT", 0.05)
    narrow = opened(url)

    with narrow.reading(), pytest.raises(Unavailable, match="all of them are taken"):
        add(narrow)

    add(narrow)
    assert count(near) == 1


def refusing(state, trigger="trigger refuses before insert on departments"):
    return (
        f"create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '{state}'; end $$",
        f"create {trigger} for each row execute function refuse()",
    )


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("53100", "has no room left"),
        ("53300", "takes no more connections"),
        ("54000", "has reached a limit of its own"),
        ("58030", "cannot be reached"),
        ("25P04", "cannot be reached"),
        ("57P05", "cannot be reached"),
        ("72000", "cannot be reached"),
    ],
)
def test_transaction__server_is_short_of_something(db, near, state, says):
    run(near, *refusing(state))

    with pytest.raises(Unavailable, match=says) as told:
        add(db)
    assert not isinstance(told.value, Unfit | Unsettled)


@pytest.mark.parametrize("state", ["XX000", "XX001", "XX002", "58P01"])
def test_transaction__server_has_lost_what_it_held(db, near, state):
    """A page, an index, a file: nobody who asks has done anything wrong, and it is not over in a moment."""
    run(near, *refusing(state))

    with pytest.raises(Unfit, match="Expected the database to let this node work, but it says: no"):
        add(db)
    assert not outages.passes(state)


@pytest.mark.parametrize("state", ["40003", "08007"])
def test_transaction__server_does_not_know_what_became_of_the_commit(db, near, state):
    """As where several servers are one database, one of which does not answer."""
    run(near, *refusing(state, "constraint trigger refuses after insert on departments deferrable initially deferred"))

    with pytest.raises(Unsettled):
        add(db)


def fill(session):
    session.execute(text("pragma max_page_count = 1"))  # it is no smaller than it is already
    session.execute(text("create table large (it)"))
    session.execute(text("insert into large values (zeroblob(9999999))"))


def test_transaction__disk_of_sqlite_is_full(sqlite):
    with sqlite.fresh() as url:
        db = Database(url)
        with pytest.raises(Unavailable, match="database or disk is full"):
            add(db, meanwhile=fill)
        assert count(db) == 0
        add(db)
        db.close()


def test_transaction__disk_of_sqlite_is_full_behind_a_savepoint(sqlite):
    """It undoes the whole transaction then, and finds no savepoint to go back to, which is what whoever asks is told last."""

    def fill_behind(session):
        session.execute(text("create table large (it)"))
        session.execute(text("pragma max_page_count = 1"))
        with session.connection().begin_nested():
            session.execute(text("insert into large values (zeroblob(9999999))"))

    with sqlite.fresh() as url:
        db = Database(url)
        with pytest.raises(Unavailable, match="it has undone the whole transaction, as when its disk is full"):
            add(db, meanwhile=fill_behind)
        assert count(db) == 0
        add(db)
        db.close()


@pytest.mark.parametrize("wal", [False, True], ids=["journal", "write-ahead log"])
@pytest.mark.parametrize("replaced", [False, True], ids=["moved", "replaced"])
def test_transaction__file_of_sqlite_is_elsewhere(sqlite, opened, tmp_path, monkeypatch, wal, replaced):
    """Nothing is written where nobody looks for it, nor shown from there, and no other file is begun; until it is back."""
    monkeypatch.setattr(database, "wal_is_safe", lambda: wal)
    with sqlite.fresh() as url:
        db, place, elsewhere = opened(url), Path(make_url(url).database), tmp_path / "elsewhere"
        assert count(db) == 0
        place.rename(elsewhere)
        if replaced:
            shutil.copyfile(elsewhere, place)

        for ask in (add, count):
            with pytest.raises(Unavailable, match="it was moved or replaced; start this node anew"):
                ask(db)
        with closing(db.bind.raw_connection()), pytest.raises(Unavailable):  # somebody has the connection that there was
            count(db)
        assert not readiness.look(db).fit
        assert place.exists() == replaced

        elsewhere.rename(place)
        add(db)
        assert count(db) == 1
        db.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _whole: b"", "no such table: departments"),
        (lambda whole: whole[: len(whole) // 2], "database disk image is malformed"),
        (lambda whole: b"?" * len(whole), "file is not a database"),
    ],
    ids=["emptied", "cut off", "another"],
)
def test_transaction__file_is_damaged(sqlite, opened, damage, said):
    """As by a disk, or by hand: what is due has not failed by it, and whoever looks after the node is told."""
    with sqlite.fresh() as url:
        db, place = opened(url), Path(make_url(url).database)
        assert count(db) == 0

        place.write_bytes(damage(place.read_bytes()))

        with pytest.raises(Unfit, match=f"Expected the database to let this node work, but it says: {said}"):
            add(db)
        assert not readiness.look(db).fit
        told = next(check for check in doctor.check_database(url, now=NOW) if check.status is CheckStatus.FAILED)
        assert not told.passing
        if said != "no such table: departments":
            assert (told.what, told.advice) == ("database", "Grant what is missing, or restore the newest backup.")


def test_transaction__somebody_reads_while_it_commits(sqlite, monkeypatch):
    """Without a write-ahead log that is in the way of the commit alone, which leaves the transaction open: the next one begins anew."""
    monkeypatch.setattr(database, "wal_is_safe", lambda: False)
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0)
    with sqlite.fresh() as url:
        db = Database(url)
        with db.reading() as session:
            session.scalar(select(func.count(Department.code)))
            with pytest.raises(Busy):
                add(db)

        add(db, "b")

        with db.reading() as session:
            assert session.scalars(select(Department.code)).all() == ["b"]
        db.close()


def test_transaction__somebody_changes_a_table(db, near):
    """What was prepared for the table as it was is of no use; who begins anew prepares it anew, in a connection of his own."""
    add(near)
    names = [read_names(db) for _ in range(10)]
    run(near, "alter table departments alter name type varchar(120)")

    with pytest.raises(Vanished, match="but it has just been changed; try again"):
        read_names(db)
    assert [read_names(db)] * 10 == names
    run(near, "alter table departments alter name type varchar")


def read_names(db):
    with db.reading() as session:
        return session.scalars(select(Department.name)).all()


def test_transaction__statement_that_is_wrong(db):
    """That is a fault of ours, and nothing that could go well the next time."""
    with pytest.raises(Exception, match="nowhere") as told, db.transaction() as session:
        session.execute(text("select nowhere from departments"))

    assert not isinstance(told.value, Unavailable | Busy)


def test_after_commit__fails(db):
    """What was done is done, whatever becomes of the rest: whoever asked is not told that it failed."""

    def fail(_db):
        raise Unavailable("Expected to be reached, but was not")

    with db.transaction() as session:
        session.add(Department(code="a", name="部门"))
        database.after_commit(session, fail)

    assert count(db) == 1


def test_transaction__refused_when_its_connection_has_gone(near, opened, url):
    """To roll back is to ask the database, too."""
    there = opened(url)

    def refuse(session):
        pid = session.scalar(text("select pg_backend_pid()"))
        with near.transaction() as other:
            other.execute(text("select pg_terminate_backend(:pid, 60000)"), {"pid": pid})
        raise InvalidState("Expected it to be open, but it is not")

    with pytest.raises(Unavailable) as told:
        add(there, "b", meanwhile=refuse)

    assert not isinstance(told.value, Unsettled)
    add(there, "b")


def test_transaction__stands_still(url, near, opened, monkeypatch):
    """A node that is frozen gives its locks back: whoever waits is served before it would give up."""
    assert postgresql.IDLE_TIMEOUT < postgresql.LOCK_TIMEOUT
    frozen = opened(url)
    add(near)

    def stand_still(session):
        session.execute(text("select * from departments where code = 'a' for update"))
        session.execute(text("set local idle_in_transaction_session_timeout = '100ms'"))
        rename(near)
        session.execute(text("select 1"))

    with pytest.raises(Unavailable) as told:
        add(frozen, "b", meanwhile=stand_still)

    assert not isinstance(told.value, Unsettled)
    with near.reading() as session:
        assert session.get_one(Department, "a").name == "新名"


def test_deployment__is_busy_with_its_drawings(url, opened):
    """That is no node that is frozen."""
    with opened(url).transaction() as session:
        database.deploy_alone(session)

        assert session.scalar(text("show idle_in_transaction_session_timeout")) == "1min"


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        ("x" * 41, "部门", "value too long for type character varying"),
        ("a", "a\0b", "unsupported Unicode escape sequence"),
    ],
)
def test_transaction__what_came_does_not_fit(db, code, name, said):
    """Whoever sent it is told, and nothing of it is kept; to try again is no help."""
    with pytest.raises(InvalidInput, match=f"Expected values that a database can keep, but it says: .*{said}"), db.transaction() as session:
        session.add(Department(code=code, name=name))

    assert count(db) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "select 2147483647 + 1",
        "select cast(3000000000 as integer)",
        """select cast('"\\u0000"' as json) ->> 0, cast('{"a": "\\u0000"}' as json) ->> 'a'""",
    ],
)
def test_reading__of_what_does_not_fit(db, sql):
    with pytest.raises(InvalidInput), db.reading() as session:
        session.connection().exec_driver_sql(sql)


@pytest.fixture
def by_tcp():
    """A server that is reached through the network, as by most nodes."""
    with databases.folder("outages") as folder:
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        server = Server(data, port=free_port(), conf="listen_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\n")
        if server.user:
            shutil.chown(data, server.user)
        server.found()
        server.start()
        yield f"postgresql+psycopg://postgres@127.0.0.1:{server.port}/postgres"
        server.stop("immediate")


def test_transaction__nobody_takes_what_is_sent(by_tcp, opened, monkeypatch):
    """A node that is frozen while much comes to it holds its locks no longer than one that stands still between two statements."""
    monkeypatch.setitem(connections.OF_SOME, "tcp_user_timeout", "1000")
    frozen, near = opened(by_tcp), opened(by_tcp)
    take = text("SELECT * FROM held FOR UPDATE")
    with near.bind.begin() as connection:
        connection.execute(text("CREATE TABLE held AS SELECT 1 AS id"))

    with frozen.bind.connect() as connection:
        connection.execute(take)
        connection.connection.dbapi_connection.pgconn.send_query(b"SELECT repeat('x', 1000) FROM generate_series(1, 200000)")
        with near.bind.begin() as other:
            assert other.scalars(take).all() == [1]
        connection.invalidate()


def test_connection__its_host_goes_without_a_word(by_tcp, opened):
    """What it had is given back within seconds: it would keep others from connecting for two hours."""
    gone = opened(by_tcp)
    with gone.reading() as session:
        assert {name: session.scalar(text("SELECT current_setting(:name)"), {"name": name}) for name in NOTICED} == NOTICED

    vanished.vanish(gone)

    vanished.await_nobody(opened(by_tcp))
