"""Wider windows: who works in one rests by chance before statements and before COMMIT, so that others come in between who hardly ever do."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Engine

from tests.listening import listening

#: How often somebody rests before a statement, and before COMMIT; how long at most, seconds.
BEFORE_A_STATEMENT, BEFORE_COMMIT, LONGEST = 0.15, 0.4, 0.015
_here = threading.local()


def by(chance: random.Random) -> None:
    """Let this thread rest by this chance, wherever windows are wider."""
    _here.chance = chance


@contextmanager
def widened() -> Iterator[None]:
    """Let threads that know a chance rest in the block, on every database."""
    with listening(Engine, before_cursor_execute=partial(_rest, BEFORE_A_STATEMENT), commit=partial(_rest, BEFORE_COMMIT)):
        yield


def _rest(often: float, *_about: object) -> None:
    chance: random.Random | None = getattr(_here, "chance", None)
    if chance is not None and chance.random() < often:
        time.sleep(chance.random() * LONGEST)
