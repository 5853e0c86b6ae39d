"""Logs, for operators: one structured line for each thing that happened, on standard error, without personal data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import structlog

from engine import outlets
from engine.settings import Environment


class Lines:
    """Writes each line, or loses it: nothing that is done may fail for that (the disk of the log is full, whoever reads it has gone).

    A command that is committed would be answered 500 else, and whoever looks at what is due would look no more.  Nor may anything wait
    for it: whoever reads it may have stopped.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def msg(self, message: str) -> None:
        """Write a line, if that can be; when others were lost before it, say so."""
        with suppress(OSError, ValueError):  # ValueError: somebody has closed it
            if lost := outlets.write(self._file, message):
                structlog.get_logger().warning("lines of the log were lost", lines=lost)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def configure(env: Environment) -> None:
    """Write JSON lines in production and readable lines elsewhere; tracebacks without the values of variables, which are people's data."""
    readable = env is Environment.DEVELOPMENT
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if readable
            else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=lambda *_: Lines(sys.stderr),
    )


@contextmanager
def silence() -> Iterator[None]:
    """Write nothing until the block ends: what is tried out there is told in another way."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        yield
    finally:
        structlog.configure(**before)
