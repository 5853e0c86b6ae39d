"""Nodes as they are shipped: `onething serve`, or `onething serve --no-scheduler` beside `onething work`; each has its own way to the database."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.proxy import Proxy
from tests.soak.clocked import CLOCK
from tests.soak.networks import Namespace, Network

#: What a process says that does not begin, for the database is away, and its exit status: whoever looks after it starts it again.
UNFIT, TRY_AGAIN = "Expected a sound installation, but", 75
#: Seconds within which a node answers: it takes twelve on a machine with fifteen others at work, and as long again each time it finds no database.
ANSWERS_WITHIN = 180
#: Seconds that a node may take to finish what it is at; it lets requests take 30.
STOPS_WITHIN = 40
ROOT = Path(__file__).parents[2]
ONETHING = Path(sys.executable).parent / "onething"
#: What runs on a host whose clock can be set.
CLOCKED = (sys.executable, "-m", "tests.soak.clocked")


class Node:
    """One node: its processes, its network, and the proxy between it and the database."""

    def __init__(
        self,
        number: int,
        proxy: Proxy,
        network: Network,
        folder: Path,
        *,
        alone: bool,
        program: Sequence[str | Path] = (ONETHING,),
        **environ: str,
    ) -> None:
        self.number, self.proxy, self.network, self._program = number, proxy, network, program
        self.host, self.port = network.host, network.port
        self._folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ONETHING_")}
        self.environ = clean | {
            "ONETHING_HOST": self.host,
            "ONETHING_PORT": str(self.port),
            "ONETHING_DATABASE_URL": proxy.url(),
            "ONETHING_DATA_DIR": str(folder),
            "ONETHING_SECRET_KEY": "s" * 40,
            "ONETHING_TICK": "0.5",
            CLOCK: str(folder / f"node-{number}.clock"),
            "PYTHONFAULTHANDLER": "1",
            "PYTHONPATH": str(ROOT),
            **environ,
        }
        self._commands = ("serve --no-scheduler", "work") if alone else ("serve",)
        self._processes: list[subprocess.Popen[bytes]] = []
        #: What was wrong with processes that ended or did not stop, in words.
        self._wrong: list[str] = []

    def start(self) -> None:
        """Start its processes."""
        self._processes = [self._run(command) for command in self._commands]

    def _run(self, command: str) -> subprocess.Popen[bytes]:
        words = self.network.command([*self._program, *command.split()])
        with self._log(command).open("ab") as log:
            return subprocess.Popen(words, env=self.environ, stdout=log, stderr=log, start_new_session=True)

    def _log(self, command: str) -> Path:
        # Each process has a file of its own, so that the last words of one are not hidden by those of another.
        return self._folder / f"node-{self.number} {command}.log"

    def await_answer(self, seconds: float = ANSWERS_WITHIN) -> None:
        """Wait until it answers.  A process that could not begin without its database is started again, as a service manager does."""
        deadline = time.monotonic() + seconds
        while True:
            self._processes = [self._alive(command, process) for command, process in zip(self._commands, self._processes, strict=True)]
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"Expected node {self.number} to answer, but it does not: {self._last(1000)}")
            time.sleep(0.1)

    def _alive(self, command: str, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        if process.poll() is None:
            return process
        said = self._read(command)[-2000:]
        if process.returncode != TRY_AGAIN or UNFIT not in said:
            self._wrong.append(f"Expected {command} of node {self.number} to go on, but it ended with {process.returncode}: {said}")
        return self._run(command)

    def kill(self) -> None:
        """Kill all its processes with SIGKILL."""
        self.signal(signal.SIGKILL)
        for process in self._processes:
            process.wait()
        self._processes = []

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def set_clock(self, seconds: float) -> None:
        """Set the clock of its host so many seconds ahead of the right time; only for a node whose program is `CLOCKED`."""
        clock = Path(self.environ[CLOCK])
        new = clock.with_suffix(".new")
        new.write_text(str(seconds), encoding="utf-8")
        new.replace(clock)

    def isolate(self) -> None:
        """Let nothing pass between it and the database; neither end is told."""
        if isinstance(self.network, Namespace):
            self.network.take_down()
        else:
            self.proxy.stall()

    def mend(self) -> None:
        """Let everything pass again between it and the database."""
        if isinstance(self.network, Namespace):
            self.network.bring_up()
        self.proxy.mend()

    def stop(self) -> list[str]:
        """Stop as a service manager does.  Returns in words what went wrong; of a process that does not stop it says what each thread was doing."""
        for process in self._processes:
            process.terminate()
        try:
            codes = [process.wait(STOPS_WITHIN) for process in self._processes]
            if any(codes):
                self._wrong.append(f"Expected node {self.number} to stop in good order, but it ended with {codes}: {self._last(1000)}")
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)  # PYTHONFAULTHANDLER
            time.sleep(1)
            self.kill()
            self._wrong.append(f"Expected node {self.number} to stop within {STOPS_WITHIN} s, but it does not: {self._last(6000)}")
        return self._wrong

    def said(self, words: str) -> list[str]:
        """Return what its logs say from these words on, one text for each time that they occur."""
        logs = [self._read(command).split(words)[1:] for command in self._commands]
        return [f"{words}{rest[:9000]}" for found in logs for rest in found]

    def _last(self, characters: int) -> str:
        return "\n".join(f"{command}: {self._read(command)[-characters:]}" for command in self._commands)

    def _read(self, command: str) -> str:
        return self._log(command).read_text(encoding="utf-8", errors="replace")
