"""Dumps (转储): a whole database as one file, taken while others write, and put back into an empty one.

SQLite copies itself; PostgreSQL has programs for it, `pg_dump` and `pg_restore`, which must be as new as the server.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, inspect, make_url, text

from engine import outages
from engine.database import Database
from engine.errors import InvalidState
from engine.files import sync

#: Where Debian keeps the programs of each version that is installed.
_DEBIAN = Path("/usr/lib/postgresql")
#: What SQLite writes beside a database, and reads when it opens one again.
_SQLITE_LEAVES = ("-wal", "-shm", "-journal")


def kind_of(url: str) -> str:
    """Name the kind of database: sqlite or postgresql."""
    return make_url(url).get_backend_name()


def take(db: Database, target: Path) -> None:
    """Write everything that is committed now to a new file.

    Where SQLite has no write-ahead log, writers wait meanwhile.  Raises InvalidState, saying what to install, when no program can.
    """
    if db.bind.dialect.name == "sqlite":
        _copy_sqlite(Path(db.bind.url.database or ""), target)
    else:
        _run("pg_dump", db, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def load(source: Path, url: str) -> None:
    """Put a dump into a database that holds nothing; all of it, or nothing.  Raises InvalidState when it holds something."""
    require_empty(url)
    if kind_of(url) == "sqlite":
        _place_sqlite(source, Path(make_url(url).database or ""))
        return
    db = Database(url)
    try:
        options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        _run("pg_restore", db, *options, last=str(source))
    finally:
        db.close()


def require_empty(url: str) -> None:
    """Raise InvalidState when a database holds something: what is there is not to be overwritten."""
    parsed = make_url(url)
    shown = parsed.render_as_string(hide_password=True)
    if kind_of(url) == "sqlite" and not (place := Path(parsed.database or "")).exists():
        _require_nothing_left(place)
        return
    db = Database(url)
    try:
        with outages.told(), db.bind.connect() as connection:
            tables = inspect(connection).get_table_names()
    finally:
        db.close()
    if tables or kind_of(url) == "sqlite":
        raise InvalidState(f"Expected {shown} to be empty, but it is there already, with {len(tables)} tables; restore beside it")


def _require_nothing_left(place: Path) -> None:
    """Raise InvalidState when a database that was there has left what it had not written yet: SQLite would write it into ours."""
    for left in (place.with_name(place.name + ending) for ending in _SQLITE_LEAVES):
        if left.exists():
            raise InvalidState(
                f"Expected {place} to be empty, but beside it lies {left.name} of a database that was there; move it to where that is now"
            )


def _place_sqlite(source: Path, place: Path) -> None:
    """Put a copy where nothing is: whoever comes first has the place."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{place.name}.restoring-", dir=place.parent) as drafts:
        draft = Path(drafts) / place.name
        _copy_sqlite(source, draft)
        try:
            place.hardlink_to(draft)
        except FileExistsError as error:
            raise InvalidState(f"Expected {place} to be empty, but somebody else has begun there meanwhile") from error
    sync(place.parent)


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


def _run(name: str, db: Database, *options: str, last: str | None = None) -> None:
    with db.reading() as session:
        server = int(session.scalar(text("SHOW server_version_num")) or 0) // 10000
    program = _program(name, server)
    # The password goes by the environment: what stands on the command line everybody on the machine can read.
    address, password = _address(db.bind.url)
    environ = os.environ | ({"PGPASSWORD": password} if password else {})
    words = [str(program), f"--dbname={address}", *options, *([last] if last else [])]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - no word of it comes from outside
    if done.returncode:
        raise InvalidState(f"Expected {name} to carry it out, but {done.stderr.strip() or f'it ended with {done.returncode}'}")


def _address(url: URL) -> tuple[str, str | None]:
    plain = url.set(drivername="postgresql")
    password = plain.password
    return URL.create("postgresql", plain.username, None, plain.host, plain.port, plain.database, plain.query).render_as_string(), (
        str(password) if password else None
    )


def _program(name: str, server: int) -> Path:
    """Find a program that is as new as the server: on the path, or where Debian keeps it."""
    found: dict[int, Path] = {}
    candidates = [Path(on_path)] if (on_path := shutil.which(name)) else []
    for path in (*candidates, *sorted(_DEBIAN.glob(f"*/bin/{name}"))):
        said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        if version := re.search(r"\) (\d+)", said):
            found.setdefault(int(version[1]), path)
    fitting = [version for version in sorted(found) if version >= server]
    if not fitting:
        there = ", ".join(f"{version} ({path})" for version, path in sorted(found.items())) or "none"
        raise InvalidState(
            f"Expected {name} of PostgreSQL {server} or newer, but found {there}; "
            f"install it (Debian: apt-get install postgresql-client-{server}, where needed from apt.postgresql.org), or put it on the PATH"
        )
    return found[fitting[0]]
