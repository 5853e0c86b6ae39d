"""The database: how it is reached, and the one place where a transaction begins and ends."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session

from engine import connections, disks, holdings, keys, meters, outages, postgresql, remains, schema
from engine.errors import Unavailable
from engine.holdings import LIVE
from engine.large_values import LOOKED_FOR
from engine.live import LiveInstances
from engine.postgresql import LOCK_TIMEOUT
from engine.settings import Settings

#: `Session` is named here for those who may not know SQLAlchemy.
__all__ = ["LOCK_TIMEOUT", "Database", "Session", "after_commit", "aside", "connect", "deploy_alone", "is_each_alone", "wal_is_safe"]

log = structlog.get_logger()
#: Connections that a process keeps, how many more it makes when these are taken, and how long a request waits for one then, seconds.
POOL_SIZE, POOL_OVERFLOW, POOL_TIMEOUT = 16, 16, 5.0
#: Connections for what is done `aside`: each is taken for one short transaction, by a thread that already has one of the others.
ASIDE = 2
#: After a commit at most so many pieces of work are done, counting those that they put off in turn: a client waits for the answer.
LONGEST_LINE = 100
_AFTER_COMMIT, _ASIDE = "after_commit", "aside"
#: How long somebody who only wants to know how things stand waits for a lock, milliseconds.
GLANCE = 1000
#: Under this name `Database.info` says how many cases one transaction may write to at most, when it does what is due.
BATCH = "batch"
#: Number of the advisory lock under which one deployment at a time is stored (`deploy_alone`).
_DEPLOYMENT = 0x6F6E657468696E68
#: How long a deployment may compile between two statements, seconds; also on a machine that is busy with other work.
_COMPILING = 60


def connect(url: str, name: str = schema.NAME) -> Engine:
    """Open a pool of connections to SQLite, or to PostgreSQL, which shows its operator the name."""
    if make_url(url).get_backend_name() == "sqlite":
        return _connect_sqlite(url)
    return _connect_postgresql(url, name, keep=POOL_SIZE, more=POOL_OVERFLOW)


def _connect_postgresql(url: str, name: str, *, keep: int, more: int) -> Engine:
    # No ping before each use: a connection that has died meanwhile shows it at the first statement, when nothing has been done yet.
    words = connections.words(make_url(url), name)
    # What statements were given is people's data: whatever says why one has failed (the log, an incident) leaves it out.
    bind = create_engine(url, pool_size=keep, max_overflow=more, pool_timeout=POOL_TIMEOUT, connect_args=words, hide_parameters=True)
    event.listen(bind, "connect", connections.set_up)
    outages.watch(bind)
    return bind


def wal_is_safe() -> bool:
    """Tell whether this SQLite has the fix of the WAL-reset corruption (3.51.3, 3.50.7, 3.44.6)."""
    version = sqlite3.sqlite_version_info
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def _connect_sqlite(url: str) -> Engine:
    bind = create_engine(url, connect_args={"timeout": LOCK_TIMEOUT}, hide_parameters=True)
    require_same_file = _same_file_check(bind)

    @event.listens_for(bind, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, see below
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA journal_mode={'WAL' if wal_is_safe() else 'DELETE'}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA case_sensitive_like=ON")  # as on PostgreSQL: names that only look alike are others
        require_same_file()

    @event.listens_for(bind, "begin")
    def _begin(connection: Any) -> None:
        require_same_file()
        # IMMEDIATE: a deferred transaction that turns into a writer fails with "database is locked" instead of waiting.
        reading = connection.get_execution_options().get("reading", False)
        if reading:
            connection.exec_driver_sql("BEGIN")
            return
        with meters.TURN.time():
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return bind


def _same_file_check(bind: Engine) -> Callable[[], None]:
    """Make a check that raises Unavailable when SQLite's file is no longer the one that this node first connected to.

    What is written into a file that was moved away or replaced is lost to whoever opens the database next; and where there is none, SQLite
    would make a new one.
    """
    place, known = bind.url.database or ":memory:", list[object]()
    nowhere = place == ":memory:" or "uri" in bind.url.query

    def require_same_file() -> None:
        if nowhere:
            return
        found = disks.identity(place)
        if not known:
            known.append(found)
        elif known[0] != found:
            raise Unavailable("Expected the file of the database to be where it was, but it was moved or replaced; start this node anew")

    @event.listens_for(bind, "do_connect")
    def _look(*_about: Any) -> None:
        if known:
            require_same_file()

    @event.listens_for(bind, "engine_disposed")
    def _forget(_bind: Engine) -> None:
        known.clear()

    return require_same_file


class _Session(Session):
    """A session that forgets what it has learned when it ends."""

    def close(self) -> None:
        """Roll back what is not committed, and let go of everything."""
        try:
            super().close()
        finally:
            # What is kept there refers to the session: such a circle would stay until Python, with all threads waiting, looks for it.
            self.info.clear()


class Database:
    """A bind and what happens around its transactions."""

    def __init__(
        self,
        url: str,
        *,
        live: int = Settings.live_instances,
        name: str = schema.NAME,
        batch: int = Settings.batch,
        region: str = Settings.region,
    ) -> None:
        """Open a database.

        `live`: megabytes that token states may take in memory.  `name`: how PostgreSQL shows the program.  `batch`: how many cases a
        transaction that does what is due may write to; 1: no transaction writes to several where it can be helped.  `region`: division code
        of the place that the installation serves.
        """
        self.bind = connect(url, name)
        self.live = LiveInstances(live << 20)
        #: What every session that writes is given (`session.info`).
        self.info: dict[str, Any] = {LIVE: self.live, BATCH: batch, LOOKED_FOR: set(), keys.HERE: region}
        if postgresql.is_behind(self.bind):
            self.info[_ASIDE] = _connect_postgresql(url, name, keep=ASIDE, more=0)
        # What only reads does without a transaction on PostgreSQL: each statement would see its own moment anyway, and at the end there
        # would be a rollback, upon which the driver forgets all statements that it has prepared.
        self._by_itself = {"isolation_level": "AUTOCOMMIT"} if postgresql.is_behind(self.bind) else {}
        #: What this thread is carrying out after a commit.
        self._here = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session; commit when the block ends, roll everything back when it raises.

        Work put off with `after_commit` runs then, each piece in a transaction of its own.  What must not be lost was also committed as a
        job: if it fails now, the scheduler repeats it, and the caller does not hear of it.
        """
        with _Session(self.bind, expire_on_commit=False, info=self.info) as session:
            with outages.told():
                try:
                    yield session
                    holdings.write(session)
                except BaseException:
                    session.close()  # rolls back; and when the connection has gone meanwhile, that is an outage, too
                    raise
            with outages.told(committing=True), meters.COMMIT.time():
                _commit(session)
                if outages.unawaited:  # it is for all threads, and nearly always empty: this saves the call
                    outages.require_awaited()
            for row, process in holdings.awake(session):
                self.live.keep(row, process)
            owed: list[Callable[[Database], object]] = session.info.pop(_AFTER_COMMIT, [])
        self._carry_out(owed)

    def _carry_out(self, owed: list[Callable[[Database], object]]) -> None:
        """Do what was put off.  What a piece puts off in turn stands in line behind the others: a long chain must not recurse deeply."""
        line: deque[Callable[[Database], object]] | None = getattr(self._here, "line", None)
        if line is not None:
            line.extend(owed)
            return
        self._here.line = line = deque(owed)
        try:
            for _ in range(LONGEST_LINE):
                if not line:
                    break
                line.popleft()(self)
        except Exception:
            log.exception("what follows a commit is left to the scheduler")
        finally:
            self._here.line = None

    @property
    def batch(self) -> int:
        """How many cases one transaction may write to at most, when it does what is due."""
        return int(self.info[BATCH])

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that only reads: it never waits for a writer's turn, and it keeps nothing."""
        with outages.told(), Session(self.bind, autoflush=False) as session:
            session.connection(execution_options={"reading": True, **self._by_itself})
            yield session

    @contextmanager
    def snapshot(self, *, glance: bool = False) -> Iterator[Session]:
        """Open a session that only reads, and sees one moment, however many statements it takes.

        Keep it short: where SQLite has no write-ahead log, who writes waits for it.  A `glance` raises Busy where somebody has locked a
        whole table (`GLANCE`).
        """
        moment = {"isolation_level": "REPEATABLE READ"} if postgresql.is_behind(self.bind) else {}
        with outages.told(), Session(self.bind, autoflush=False) as session:
            connection = session.connection(execution_options={"reading": True, **moment})
            if moment and glance:
                postgresql.hurry(connection, GLANCE)
            elif moment:  # it holds nothing that others wait for, and may think for long
                postgresql.let_idle(connection)
            yield session
            _commit(session)  # no rollback, as above; and not the commit of the session, which would write what was changed in memory

    def migrate(self, *, force: bool = False) -> str:
        """Bring the schema to the newest version; tells what is left to do (`migrate`)."""
        from engine import upgrades  # noqa: PLC0415 - it stands on Alembic, which no other command need import

        return upgrades.migrate(self.bind, force=force)

    def close(self) -> None:
        """Give all connections back; what is in the database is remembered no longer."""
        self.bind.dispose()
        self.info[LOOKED_FOR].clear()
        remains.forget(self.bind)
        if _ASIDE in self.info:
            self.info[_ASIDE].dispose()


def _commit(session: Session) -> None:
    """Commit on the connection: all is written already, and a commit of the session, which looks for more, takes three times as long."""
    if not session.in_transaction():
        return
    connection = session.connection()
    try:
        connection.commit()
    except BaseException:
        connection.invalidate()  # it may be in its transaction still, and would be given to whoever comes next
        raise


def after_commit(session: Session, work: Callable[[Database], object]) -> None:
    """Run `work` once this transaction is durable."""
    session.info.setdefault(_AFTER_COMMIT, []).append(work)


@contextmanager
def aside(session: Session) -> Iterator[Connection]:
    """Do something small in a transaction of its own: when the block ends it is done, whatever becomes of this one.

    It must not want what this one has locked.  On SQLite, where only one can write at a time, it is a part of this one.
    """
    bind: Engine | None = session.info.get(_ASIDE)
    if bind is None:
        yield session.connection()
        return
    with bind.begin() as connection:
        yield connection
    if outages.unawaited:  # it is for all threads, and nearly always empty: this saves the call
        outages.forget_unawaited()


def is_each_alone(session: Session) -> bool:
    """Whether no transaction is to write to several cases, since each may lie on another server (`ONETHING_BATCH` is 1)."""
    return session.info.get(BATCH) == 1


def deploy_alone(session: Session) -> None:
    """Let nobody else deploy until this transaction ends: who is second sees what the first has stored."""
    if postgresql.is_behind(session):
        postgresql.take(session.connection(), _DEPLOYMENT)
        postgresql.let_idle(session.connection(), _COMPILING)


def wait_for_nobody(session: Session, but_for: int = postgresql.HURRY) -> None:
    """Let this transaction give up (Busy) when it waits for a lock longer than `but_for` milliseconds: others wait for what it holds."""
    if postgresql.is_behind(session):
        postgresql.hurry(session.connection(), but_for)
