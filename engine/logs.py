"""Logs, for operators: one structured line for each thing that happened, on standard error, without personal data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from engine.settings import Environment


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
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
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
