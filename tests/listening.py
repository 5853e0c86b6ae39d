"""Listening to SQLAlchemy, and to commits, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from engine import database


@contextmanager
def listening(target: Any, **listeners: Callable[..., Any]) -> Iterator[None]:
    """Have what happens to a target (a database, a session, or the class of all of them) told to listeners, each by the name of its event."""
    for name, listener in listeners.items():
        event.listen(target, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(target, name, listener)


@contextmanager
def at_commits(before: Callable[[Session], None], after: Callable[[Session], None] = lambda _session: None) -> Iterator[None]:
    """Have each commit of a command, a request or the scheduler told, with its session: just before it is sent, and when it is answered."""
    commit = database._commit

    def told(session: Session) -> None:
        before(session)
        commit(session)
        after(session)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_commit", told)
        yield
