"""PostgreSQL's programs (`pg_dump`, `pg_restore`, `psql`): where they are, and what it means when one of them fails."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine import disks, outages
from engine.errors import EngineError, InvalidState, Unavailable

#: Where Debian keeps the programs of each version that is installed.
_DEBIAN = Path("/usr/lib/postgresql")
#: How much of what a program writes is handed on at a time, bytes.
_PORTION = 1 << 18
#: They print English, whatever the language of this machine, because we read what they print.
ENGLISH = {"LC_ALL": "C"}
#: Makes `psql` print the SQLSTATE; and what a line with an error looks like then.  Other lines (DETAIL, CONTEXT) show rows, people's data.
TELLING = "--set=VERBOSITY=verbose"
_TOLD = re.compile(r"^(?:psql:\S+ )?\w+:  ((?!0[0-2])\w{5}): (.+)$", re.MULTILINE)
#: Lines that do not tell why something has failed.
_ASIDE = re.compile(r"\t|pg_\w+: detail: (Query|Command) was: ")
#: What they print when it may be over in a moment: a disk is in the way, the server has gone, or somebody there has ended the session.
_PASSING = (
    *map(os.strerror, disks.PASSING),
    "connection to server",
    "could not connect to server",
    "closed the connection",
    "no connection to the server",
    "data from server",
    "data to server",
    "SSL connection has been closed",
    "SSL SYSCALL error",
    "terminating connection",
)


@dataclass(frozen=True, kw_only=True)
class Program:
    """One that is installed."""

    path: str
    #: Of PostgreSQL, the first part.
    version: int


def find(name: str, server: int) -> Program:
    """Find a program that is as new as the server: on the path, or where Debian keeps it.  Raises InvalidState, saying what to install."""
    found: dict[int, Path] = {}
    candidates = [Path(on_path)] if (on_path := shutil.which(name)) else []
    for path in (*candidates, *sorted(_DEBIAN.glob(f"*/bin/{name}"))):
        said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        if version := re.search(r"\) (\d+)", said):
            found.setdefault(int(version[1]), path)
    fitting = [version for version in sorted(found) if version >= server]
    if not fitting:
        there = ", ".join(f"{version} ({path})" for version, path in sorted(found.items())) or "none"
        raise InvalidState(
            f"Expected {name} of PostgreSQL {server} or newer, but found {there}; {to_install(server)}, or put it on the PATH"
        )
    return Program(path=str(found[fitting[0]]), version=fitting[0])


def pour(words: Sequence[str], environ: Mapping[str, str], target: IO[bytes]) -> tuple[int, bytes]:
    """Run a program whose output goes into a file or a pipe; returns its exit status, and what it wrote to standard error.

    The output passes through this process, so that the program ends when this process does: by itself it would go on for hours, and fill a
    disk.
    """
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=said) as program,  # noqa: S603 - no word of it comes from outside
    ):
        assert program.stdout is not None
        try:
            shutil.copyfileobj(program.stdout, target, _PORTION)
            ended = program.wait()
        except BaseException:
            program.kill()
            raise
        said.seek(0)
        return ended, said.read()


def to_install(version: int) -> str:
    """Say how the programs of a version are installed."""
    return f"install it (Debian: apt-get install postgresql-client-{version}, where needed from apt.postgresql.org)"


def failure(expected: str, program: str, status: int, said: bytes, *, passing: Sequence[str] = ()) -> EngineError:
    """Say why a program has failed: Unavailable when that may be over in a moment, InvalidState when it lasts.

    `status`: its exit status, negative when it was killed.  `said`: what it wrote to standard error.  `passing`: more texts, in the
    language of the server, that stand for what may be over in a moment.
    """
    words = said.decode(errors="replace")  # the server speaks its own language, in letters of its own
    told = _TOLD.findall(words)
    state, sentence = told[-1] if told else ("", "")
    but = f"{program}: {sentence}" if told else _plain(words) or f"{program} ended with {status}"
    if status < 0 or outages.passes(state) or any(each in words for each in (*_PASSING, *passing)):
        return Unavailable(f"{expected}, but {but}; try again later")
    return InvalidState(f"{expected}, but {but}")


def _plain(said: str) -> str:
    """Put what a program has printed into one line, without its hints, and without the statements that it was running."""
    return " ".join(line for line in said.splitlines() if line and not _ASIDE.match(line))
