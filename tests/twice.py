"""A command twice at the same moment: the second comes while the first stands before its commit, and waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from sqlalchemy.orm import Session

from engine import clients, idempotency
from engine.database import Database
from tests.listening import at_commits


def at_once(database: Database, do: Callable[[], Any]) -> tuple[Any, Any]:
    """Give a command that has an Idempotency-Key from two threads; gives both answers."""
    stands, goes = Event(), Event()
    first = []

    def stand(session: Session) -> None:
        if threading.get_ident() in first and idempotency.current(session):
            stands.set()
            assert goes.wait(20)

    def begin() -> Any:
        first.append(threading.get_ident())
        return do()

    with at_commits(stand), ThreadPoolExecutor(2) as pool:
        one = pool.submit(begin)
        while not stands.wait(0.1):
            assert not one.done(), one.result()
        two = pool.submit(do)
        while not (waits := _somebody_waits(database)) and not two.done():
            time.sleep(0.01)
        goes.set()
        answers = one.result(), two.result()
    assert waits, "Expected the second command to wait for the first, but it does not"
    return answers


def _somebody_waits(database: Database) -> bool:
    with database.reading() as session:
        return bool(clients.waiting(session.connection()))
