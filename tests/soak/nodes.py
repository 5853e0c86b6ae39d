"""Nodes as they are shipped: `onething serve`, and `onething work` beside one that does not schedule; each reaches the database its own way."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.proxy import Proxy
from tests.soak.networks import Namespace, Network

#: Seconds that a node may take to finish what it is at; it lets requests take 30.
STOPS_WITHIN = 40
ROOT = Path(__file__).parents[2]
ONETHING = Path(sys.executable).parent / "onething"


class Node:
    """One node: its processes, its network, and what is between that and the database."""

    def __init__(self, number: int, proxy: Proxy, network: Network, folder: Path, *, alone: bool, **environ: str) -> None:
        self.number, self.proxy, self.network = number, proxy, network
        self.host, self.port = network.host, network.port
        self.log = (folder / f"node-{number}.log").open("ab")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ONETHING_")}
        self.environ = clean | {
            "ONETHING_HOST": self.host,
            "ONETHING_PORT": str(self.port),
            "ONETHING_DATABASE_URL": proxy.url(),
            "ONETHING_DATA_DIR": str(folder),
            "ONETHING_SECRET_KEY": "s" * 40,
            "ONETHING_TICK": "0.5",
            "ONETHING_PROCESSES": "1",  # three nodes are as many processes as two cores bear
            "PYTHONFAULTHANDLER": "1",
            "PYTHONPATH": str(ROOT),
            **environ,
        }
        self._commands = (["serve", "--no-scheduler"], ["work"]) if alone else (["serve"],)
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start its processes."""
        self._processes = [self._run(words) for words in self._commands]

    def _run(self, words: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.network.command([ONETHING, *words]), env=self.environ, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def await_answer(self, seconds: float = 60) -> None:
        """Wait until it answers; what has ended (the database was away) is started again, as a service manager does."""
        deadline = time.monotonic() + seconds
        while True:
            both = list(zip(self._commands, self._processes, strict=True))
            self._processes = [self._run(words) if process.poll() is not None else process for words, process in both]
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"Expected node {self.number} to answer, but it does not: {self._last(1000)}")
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9, everything at once."""
        self.signal(signal.SIGKILL)
        for process in self._processes:
            process.wait()
        self._processes = []

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def isolate(self) -> None:
        """Let nothing pass between it and the database, and nobody be told."""
        if isinstance(self.network, Namespace):
            self.network.take_down()
        else:
            self.proxy.stall()

    def mend(self) -> None:
        """Have its network whole again."""
        if isinstance(self.network, Namespace):
            self.network.bring_up()
        self.proxy.mend()

    def stop(self) -> str | None:
        """Stop as a service manager does; tells what is wrong when it does not, with what each thread was at."""
        for process in self._processes:
            process.terminate()
        try:
            codes = [process.wait(STOPS_WITHIN) for process in self._processes]
            return (
                f"Expected node {self.number} to stop in good order, but it ended with {codes}: {self._last(1000)}" if any(codes) else None
            )
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)  # PYTHONFAULTHANDLER
            time.sleep(1)
            self.kill()
            return f"Expected node {self.number} to stop within {STOPS_WITHIN} s, but it does not: {self._last(6000)}"
        finally:
            self.log.close()

    def _last(self, characters: int) -> str:
        return Path(self.log.name).read_text(encoding="utf-8", errors="replace")[-characters:]

    def said(self, words: str) -> list[str]:
        """What its log says from these words on."""
        _, *found = Path(self.log.name).read_text(encoding="utf-8", errors="replace").split(words)
        return [f"{words}{rest[:9000]}" for rest in found]
