"""Dumps (转储): a whole database as one file, taken while others write, and put back into an empty one.

SQLite copies itself; PostgreSQL has programs for it, `pg_dump`, `pg_restore` and `psql`, which must be as new as the server.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

import structlog
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, MetaData, Table, inspect, make_url, text
from sqlalchemy.schema import DropTableComment

from engine import beginnings, connections, disks, outages, schema
from engine.backups import contents, programs
from engine.database import Database, Session
from engine.errors import EngineError, InvalidState

log = structlog.get_logger()
#: What SQLite writes beside a database, and reads when it opens one again.
_SQLITE_LEAVES = ("-wal", "-shm", "-journal")
#: A comment on the table of the revision says from which dump the rows were loaded.  It is the last statement of their transaction.
_MARKED = f"{schema.RESTORING} {{}}"
_MARK = "RESET search_path;\nCOMMENT ON TABLE {table} IS '{mark}';\n{end};\n"
_REVISION = "alembic_version"
#: How `pg_restore --list` names the schema of that table; and the SQLSTATE with which `psql` says that the table is in no schema that is
#: searched here.
_SCHEMA, _NOWHERE = re.compile(rf" TABLE (\S+) {_REVISION} ".encode()), b"42P01"
#: How long a dump waits for a table that somebody has locked, seconds: as long as a migration does; and how long at a time.  A `pg_dump`
#: that waits writes nothing, so it does not see that the command which has begun it was killed; and it holds other tables.
LOCK_WAIT, AT_A_TIME = 900, 20


def kind_of(url: str) -> str:
    """Name the kind of database: sqlite or postgresql."""
    return make_url(url).get_backend_name()


def require_folder(url: str) -> None:
    """Raise InvalidInput when the folder of a database of SQLite is not there; SQLite would not say where."""
    parsed = make_url(url)
    if kind_of(url) == "sqlite" and parsed.database and "uri" not in parsed.query:
        with disks.named(to="find the folder of the database,"):
            Path(parsed.database).parent.stat()


def take(db: Database, target: Path) -> None:
    """Write everything that is committed now to a new file.

    Where SQLite has no write-ahead log, writers wait meanwhile.  Raises InvalidState, saying what to install, when no program can, and
    Unavailable when it may be over in a moment.
    """
    if db.bind.dialect.name == "sqlite":
        _copy_sqlite(Path(db.bind.url.database or ""), target)
        return
    version = _version(db)
    program = programs.find("pg_dump", version)
    if program.version > version:
        log.warning("pg_dump is newer than the server", program=program.version, server=version)
    address, environ = _address(db.bind.url)
    words = [program.path, f"--dbname={address}", "--format=custom", "--no-owner", "--no-privileges"]
    # In the encoding of the server: the one that is set for the role, or in the environment, may lack letters that the data have.
    words += [f"--lock-wait-timeout={min(AT_A_TIME, LOCK_WAIT) * 1000:.0f}", f"--encoding={_asked(db, 'server_encoding')}"]
    with disks.named(target), target.open("wb") as dump:
        _dump(words, environ, dump, db)


def _dump(words: Sequence[str], environ: Mapping[str, str], dump: IO[bytes], db: Database) -> None:
    """Have `pg_dump` write; where it has waited long enough for a table it is begun anew, until the time is up."""
    until = time.monotonic() + LOCK_WAIT
    while True:
        ended, said = programs.pour(words, environ, dump)
        if not ended:
            return
        by_somebody, for_too_long = (connections.said_of(cancelled, db.bind) for cancelled in connections.CANCELLED)
        if dump.tell() or time.monotonic() > until or not for_too_long or for_too_long.encode() not in said:
            passing = [words for words in (by_somebody, for_too_long) if words]
            raise programs.failure("Expected pg_dump to carry it out", "pg_dump", ended, said, passing=passing)


def load(source: Path, url: str, name: str, *, then: Callable[[Session], object] = lambda _: None) -> None:
    """Restore a dump into a database that holds nothing, and bring the schema to the newest version.

    `name`: what tells this dump from others.  `then`: done to the database before anybody may use it, perhaps more than once.
    On SQLite all is there, or nothing.  On PostgreSQL all rows are there, or none, and the schema follows: when that was interrupted, load
    the same dump again, and it goes on.  Raises InvalidState when something else is there.
    """
    require_empty(url, but_for=name)
    if kind_of(url) == "sqlite":
        _place_sqlite(source, _file_of(make_url(url)), then)
        return
    db = Database(url)
    try:
        if not _is_marked(db, name):
            _write(db, source, [], _last_word(name, "COMMIT"))
        _bring_up(db, then)
        with outages.told(), db.bind.begin() as connection:
            connection.execute(DropTableComment(Table(_REVISION, MetaData())))
    finally:
        db.close()


def rehearse(source: Path, url: str, name: str) -> None:
    """Find out whether the programs on this machine can restore a dump; nothing of it stays in the database.  `name`: as for `load`.

    Programs that are newer than the server use settings that it does not know; programs that are older than the dump cannot read it.
    Raises as `load` does.
    """
    if kind_of(url) == "sqlite":
        return
    db = Database(url)
    try:
        if not _is_marked(db, name):
            _write(db, source, ["--schema-only"], _last_word(name, "ROLLBACK"))
    finally:
        db.close()


def _last_word(name: str, end: str) -> str:
    return _MARK.format(table=_REVISION, mark=_MARKED.format(name), end=end)


def require_empty(url: str, *, but_for: str = "") -> None:
    """Raise InvalidState when a database holds something, which is not to be overwritten, or when a node is connected to it.

    `but_for`: name of the dump that may have been loaded there (`load`), as long as its schema is not the newest yet.
    """
    parsed = make_url(url)
    if kind_of(url) == "sqlite" and not (place := _file_of(parsed)).exists():
        _require_nothing_left(place)
        return
    db = Database(url)
    try:
        with outages.told(), db.bind.connect() as connection:
            tables, nodes = inspect(connection).get_table_names(), schema.nodes(connection)
        if (tables or kind_of(url) == "sqlite") and not _is_marked(db, but_for):
            raise InvalidState(
                f"Expected {connections.shown(url)} to be empty, but it is there already, with {len(tables)} tables; restore beside it, "
                "or, where this backup was restored just now and it was interrupted, go on with onething verify"
            )
        if nodes:  # they would do what is asked, and what is due, as soon as the rows are there, and give numbers again that are on paper
            raise InvalidState(f"Expected nobody to work here before all is done, but {nodes[0]} does; stop it, or restore elsewhere")
    finally:
        db.close()


def _require_nothing_left(place: Path) -> None:
    """Raise InvalidState when a journal of an earlier database lies there: SQLite would write its content into ours."""
    for left in (place.with_name(place.name + ending) for ending in _SQLITE_LEAVES):
        if left.exists():
            raise InvalidState(
                f"Expected {place} to be empty, but beside it lies {left.name} of a database that was there; move it to where that is now"
            )


def _file_of(url: URL) -> Path:
    """Return the path of a database of SQLite; links are followed."""
    return Path(os.path.realpath(url.database or ""))


def _bring_up(db: Database, then: Callable[[Session], object]) -> None:
    db.migrate()
    with db.transaction() as session:
        then(session)


def _place_sqlite(source: Path, place: Path, then: Callable[[Session], object]) -> None:
    """Put a copy where nothing is.  Of two who do so at once the first has the place, and the second gets InvalidState."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with beginnings.begun(place, beginnings.DATABASE) as folder:
        draft = folder / place.name
        _copy_sqlite(source, draft)
        db = Database(f"sqlite:///{draft}")
        try:
            _bring_up(db, then)
        finally:
            db.close()
        try:
            place.hardlink_to(draft)
        except FileExistsError as error:
            raise InvalidState(f"Expected {place} to be empty, but somebody else has begun there meanwhile") from error
    disks.sync(place.parent)


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy with SQLite's own means: one moment of the file, whatever is written meanwhile."""
    address = f"{source.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=60)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
            if (found := new.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise InvalidState(f"Expected {source} to be a sound database, but {found}")
    except sqlite3.Error as error:
        raise outages.on_sqlite(error) or InvalidState(f"Expected to copy {source}, but {error}") from error


def _is_marked(db: Database, name: str) -> bool:
    """Whether the rows that are there were loaded from this dump, and nothing has been done to them yet."""
    with outages.told(), db.bind.connect() as connection:
        if db.bind.dialect.name == "sqlite" or schema.current(connection) is None:
            return False
        return inspect(connection).get_table_comment(_REVISION)["text"] == _MARKED.format(name)


def _write(db: Database, source: Path, which: Sequence[str], last: str) -> None:
    """Write a dump into a database, in one transaction that ends with the statements `last`.

    `which`: further words for `pg_restore`, which say what of the dump is meant.
    `pg_restore` cannot add statements of ours to its transaction.  So it only prints SQL, and `psql` runs that.  Whichever process dies in
    between, the transaction is not committed.
    """
    version, expected = _version(db), f"Expected pg_restore and psql to load {source}"
    reader, writer = (programs.find(each, version) for each in ("pg_restore", "psql"))
    address, environ = _address(db.bind.url)
    words = [writer.path, f"--dbname={address}", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", programs.TELLING]
    if reader.version > version:
        expected = f"Expected pg_restore and psql of PostgreSQL {version} (these are of {reader.version}) to load {source}"
    with (
        tempfile.NamedTemporaryFile() as chosen,
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - no word of it comes from outside
            words, env=environ, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        ) as psql,
    ):
        try:
            listed = _listed(reader.path, source, environ, expected)
            chosen.write(contents.choose(db, listed))
            chosen.flush()
            told = [reader.path, "--file=-", "--no-owner", "--no-privileges", f"--use-list={chosen.name}", *which, str(source)]
            failed = _tell(psql.stdin, told, environ, last, expected)
            ended = psql.wait()
        except BaseException:
            psql.kill()
            raise
        if ended:
            said.seek(0)
            failed = _why(expected, ended, said.read(), listed)
    if failed:
        raise failed


def _why(expected: str, ended: int, said: bytes, listed: bytes) -> EngineError:
    """Say why `psql` has failed."""
    found = _SCHEMA.search(listed)
    if found is None or _NOWHERE not in said:
        return programs.failure(expected, "psql", ended, said)
    there = found[1].decode(errors="replace")
    return InvalidState(f"{expected}, but its tables are in schema {there}, where search_path does not lead here; let it begin with that")


def _listed(reader: str, source: Path, environ: Mapping[str, str], expected: str) -> bytes:
    """List what is in a dump."""
    listed = subprocess.run([reader, "--list", str(source)], env=environ, capture_output=True, check=False)  # noqa: S603 - as above
    if listed.returncode:
        raise programs.failure(expected, "pg_restore", listed.returncode, listed.stderr)
    return listed.stdout


def _tell(script: IO[bytes] | None, words: list[str], environ: Mapping[str, str], last: str, expected: str) -> EngineError | None:
    """Write the SQL of a dump to `psql`, as one transaction; returns the error that has stopped it, or None."""
    assert script is not None
    with script, suppress(BrokenPipeError):  # psql has ended, and says itself why
        script.write(b"BEGIN;\n")
        ended, said = programs.pour(words, environ, script)
        if ended:
            return programs.failure(expected, "pg_restore", ended, said)
        script.write(last.encode())
    return None


def _version(db: Database) -> int:
    """Major version of the server."""
    return int(_asked(db, "server_version_num") or 0) // 10000


def _asked(db: Database, setting: str) -> str:
    """What the server goes by."""
    with db.reading() as session:
        return str(session.scalar(text("SELECT current_setting(:setting)"), {"setting": setting}))


def _address(url: URL) -> tuple[str, Mapping[str, str]]:
    """Where a program finds the database, and its environment with the password: everybody on the machine can read a command line."""
    _, words = url.get_dialect()().create_connect_args(url)
    password = words.pop("password", None)
    return make_conninfo(**words), os.environ | programs.ENGLISH | ({"PGPASSWORD": str(password)} if password else {})
