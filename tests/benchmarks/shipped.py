"""What is measured as it is shipped: a PostgreSQL that keeps what it promises, and `onething serve`."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import accounts, grants, holidays, passwords
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.models import Department
from tests.benchmarks import reference
from tests.benchmarks.bundle import WORKFLOWS
from tests.soak.server import Server

#: Nothing is spared that makes a commit durable.
CONF = "fsync = on\nmax_connections = 300\nshared_buffers = 256MB\nlisten_addresses = ''\nunix_socket_directories = '{folder}'\n"
ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),))


@contextmanager
def database_server(*, conf: str = "") -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="onething-bench-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), conf=CONF + conf)
        server.found()
        server.start()
        try:
            db = Database(server.url())
            db.migrate()
            with db.transaction() as session:
                holidays.publish_shipped(session, WORKFLOWS / "calendars")
            reference.deploy(db)
            db.close()
            yield server
        finally:
            server.stop()


def key(url: str) -> str:
    """Give the key of a program that works for the department."""
    db = Database(url)
    with db.transaction() as session:
        session.add(Department(code=f"d{reference.DONE}", name="The third"))
        session.flush()
        accounts.create(session, "third", actor=ADMIN, password=None, passwords=passwords.Passwords())
        for role in (Role.OFFICER, Role.SYSTEM):
            grants.grant(session, "third", role, actor=ADMIN, department=f"d{reference.DONE}")
        _row, made = accounts.issue_key(session, "third", label="bench", actor=ADMIN)
    db.close()
    return made


@contextmanager
def serving(url: str) -> Iterator[int]:
    """Run the shipped server; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        environ = {
            **os.environ,
            "ONETHING_ENV": "production",
            "ONETHING_SECRET_KEY": secrets.token_urlsafe(32),
            "ONETHING_PORT": str(port),
            "ONETHING_DATABASE_URL": url,
            "ONETHING_DATA_DIR": data,
        }
        server = subprocess.Popen(
            [Path(sys.executable).parent / "onething", "serve", "--no-scheduler"],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while socket.socket().connect_ex(("127.0.0.1", port)):
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()
            server.wait()
