"""Standard streams (标准流): there is always somewhere to write to, and nothing fails since nobody takes what is said there."""

from __future__ import annotations

import codecs
import io
import os
import sys
from pathlib import Path
from typing import Any

import structlog

from engine import outlets


class Impatient(io.RawIOBase):
    """An open file that takes at once what it takes; the rest is lost, and told of when it takes something again (`outlets`)."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        """Its number."""
        return self._number

    def isatty(self) -> bool:
        """Whether a person reads it."""
        return os.isatty(self._number)

    def writable(self) -> bool:
        """It is to be written to."""
        return True

    def write(self, words: Any) -> int:
        """Write as far as that can be."""
        if lost := outlets.of(self._number).write(bytes(words)):
            structlog.get_logger().warning("lines of the log were lost", lines=lost)
        return len(words)


def have() -> None:
    """Have somewhere to write to where whoever has started us has closed the standard streams, as init scripts do.

    A database that is opened would have the number of one, and take what programs that we start write there.  What a stream has no letter
    for is written as Python writes it in a string; where it has none but ASCII, nobody has said what it is, and it takes UTF-8.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for as long as we live
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8" if codecs.lookup(stream.encoding).name == "ascii" else None, errors="backslashreplace")


def wait_for_nobody() -> None:
    """Have nothing wait for whoever reads the standard streams, whichever library writes there: he may have stopped, and left them open.

    It would be a thread that another one waits for, as the one that sees that a process has ended, and begins another.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            raw = Impatient(stream.fileno())
        except OSError:  # it is only in memory
            continue
        setattr(sys, name, io.TextIOWrapper(raw, encoding=stream.encoding, errors=stream.errors, line_buffering=True, write_through=True))


def say(words: str) -> None:
    """Say how it goes with a node, if anybody takes it.

    It serves, and ends, too, where the disk of that is full, or whoever reads it has gone, or reads no further.
    """
    try:
        outlets.write(sys.stdout, words)
    except OSError:
        _go_nowhere()


def fault() -> str:
    """Say why the standard output takes nothing; empty: it does.  Once it has failed only another write tells, if but of a blank line."""
    try:
        os.write(sys.stdout.fileno(), b"\n")
    except io.UnsupportedOperation:  # it is only in memory
        return ""
    except OSError as error:
        _go_nowhere()
        return os.strerror(error.errno or 0).lower()
    return ""


def _go_nowhere() -> None:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:  # what is left unsaid is said there at the end, else that fails
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
