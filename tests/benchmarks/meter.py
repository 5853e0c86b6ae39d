"""A meter: what a piece of work costs us in CPU and time, and the database in statements and commits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from tests.listening import listening


@dataclass(kw_only=True)
class Sample:
    """What one piece of work has cost."""

    #: Statements in their order, without those that only begin a transaction.
    statements: list[str] = field(default_factory=list)
    commits: int = 0
    #: Seconds of this process alone; a server beside it is not counted.
    cpu: float = 0.0
    #: Seconds on the wall.
    wall: float = 0.0


@contextmanager
def counted(bind: Engine) -> Iterator[Sample]:
    """Count what reaches a database while the block runs."""
    sample = Sample()

    def count_statement(_connection, _cursor, statement, _parameters, _context, _many) -> None:
        if not statement.startswith("BEGIN"):
            sample.statements.append(statement)

    def count_commit(_connection) -> None:
        sample.commits += 1

    with listening(bind, before_cursor_execute=count_statement, commit=count_commit):
        yield sample


def measure(bind: Engine, work: Callable[[], object]) -> Sample:
    """Do a piece of work and say what it has cost."""
    with counted(bind) as sample:
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        sample.cpu, sample.wall = time.process_time() - cpu, time.perf_counter() - wall
    return sample
