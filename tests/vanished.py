"""A host that is switched off, or cut off for good: its connections are left as they are, and nobody is told."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from sqlalchemy import text

from engine.database import Database

#: Lets whoever may do so leave a connection without a word (Linux).
_TCP_REPAIR = 19
#: What it leaves goes by this name.
_NAME = "vanished"
_LEFT = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name").bindparams(name=_NAME)
#: Seconds after which it hangs, however busy the machine is.
_PATIENCE = 60


def vanish(db: Database) -> None:
    """Leave a connection, at rest, as such a host does.  Where the machine lets nobody do so (it takes CAP_NET_ADMIN) it ends in words."""
    with db.bind.connect() as connection:
        connection.execute(text(f"SET application_name = '{_NAME}'"))
        connection.commit()
        driver = connection.connection.dbapi_connection
        assert driver is not None
        with socket.socket(fileno=os.dup(driver.fileno())) as way, suppress(PermissionError):
            way.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # else what has come last is sent again, and found out so
            way.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
        connection.invalidate()


def await_nobody(db: Database) -> None:
    """Wait until nothing of it is left."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with db.reading() as session:
            if not session.scalar(_LEFT):
                return
        assert time.monotonic() < deadline
        time.sleep(0.1)
