"""Listening to SQLAlchemy for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event


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
