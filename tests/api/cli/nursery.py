"""Commands that begin as forks of a process which has imported most of what they import: that is two thirds of the CPU of a start.

    python -m tests.api.cli.nursery FD      begins what it is told through a socket, until nobody is left to tell it

What looks at its environment while it is imported (prometheus-client), and whatever imports that, is left to each command.  So a command has
its own environment, session, streams and exit status, as if it had been started; but a test of how a process starts starts `onething`.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module

#: Libraries, and what of ours knows neither settings nor metrics.
IMPORTED = (
    *("apscheduler.schedulers.background", "flask", "granian.server.mp", "orjson", "psycopg", "pydantic", "rich.console", "structlog"),
    *("sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite", "sqlalchemy.orm", "zstandard"),
    *("api.contract", "bpmn.instance", "bpmn.lint", "engine.account_models", "engine.archive_models", "engine.case_models"),
    *("engine.command_models", "engine.compiled_models", "engine.entities", "engine.file_types", "engine.models"),
    *("engine.passwords", "engine.schedule_models", "engine.schema"),
    "engine.daybooks",  # has all of these know each other
)
#: What must not be there, for it counts otherwise where several processes count together.
LATE = "prometheus_client"
#: More than there is to say of a command.
ROOM = 1_000_000
#: Files that a process may have come with.
INHERITED = 256


class Nursery:
    """Begins commands."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [sys.executable, "-m", __name__, str(theirs.fileno())]
        with theirs:
            # Its streams are pipes, for theirs will be.
            self._process = subprocess.Popen(
                words, pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
            )

    def begin(self, words: Sequence[str], environ: Mapping[str, str], *, program: str = "") -> Command:
        """Begin `onething`, or a module that is a program, with words (the first is its name), in a session of its own."""
        (output, said), (told, telling) = os.pipe(), os.pipe()
        socket.send_fds(self._socket, [json.dumps([program, words, dict(environ)]).encode()], [said, telling])
        os.close(said)
        os.close(telling)
        return Command(words, output, told)

    def close(self) -> None:
        """Begin no more."""
        self._socket.close()
        said, _ = self._process.communicate()
        assert said == b""


class Command:
    """A command that was begun, as far as `subprocess.Popen` says it."""

    def __init__(self, words: Sequence[str], output: int, told: int) -> None:
        self.args, self.returncode = words, None
        self.stdout = os.fdopen(output, errors="replace")
        self._told, self._looking = os.fdopen(told, "rb", buffering=0), threading.Lock()
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """Give the exit status; None: it has not ended."""
        with self._looking:  # whoever loses patience looks beside whoever waits
            if self.returncode is None and select.select([self._told], [], [], 0)[0]:
                self.returncode = int(self._told.readline())
                self._told.close()
        return self.returncode

    def wait(self) -> int:
        """Wait until it has ended."""
        if self.returncode is None:
            select.select([self._told], [], [])
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def tend(orders: socket.socket) -> tuple[str, list[str]] | None:
    """Begin what is ordered, and tell how it ends; gives program and words to each command that was begun, None when nothing more comes."""
    with orders, selectors.DefaultSelector() as events:
        events.register(orders, selectors.EVENT_READ)
        while True:
            for event, _ in events.select():
                if event.data is not None:
                    events.unregister(event.fileobj)
                    os.close(event.fileobj)
                    _tell_end(*event.data)
                    continue
                order, files, *_ = socket.recv_fds(orders, ROOM, 2)
                if not order:
                    return None
                program, words, environ = json.loads(order)
                if (pid := os.fork()) == 0:
                    _settle(environ, *files)
                    return program, words
                os.close(files[0])
                events.register(os.pidfd_open(pid), selectors.EVENT_READ, data=(pid, files[1]))


def _settle(environ: dict[str, str], said: int, telling: int) -> None:
    """Be as a process is that has just been started."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environ)
    with open(os.devnull) as nothing:  # noqa: PTH123 - it is no file
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    for stream in (sys.stdout, sys.stderr):
        os.dup2(said, stream.fileno())
    os.write(telling, f"{os.getpid()}\n".encode())


def _tell_end(pid: int, telling: int) -> None:
    _, status = os.waitpid(pid, 0)
    with os.fdopen(telling, "w") as pipe:
        pipe.write(f"{os.waitstatus_to_exitcode(status)}\n")


def main() -> None:
    """Tend commands, and be one in each fork."""
    gc.disable()
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    gc.enable()
    assert LATE not in sys.modules, f"Expected {LATE} not to be imported, but it is"
    ordered = tend(socket.socket(fileno=int(sys.argv[1])))
    if ordered is None:
        return
    os.closerange(sys.stderr.fileno() + 1, INHERITED)
    program, sys.argv = ordered
    if program:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        sys.exit(import_module("api.cli").main())


if __name__ == "__main__":
    main()
