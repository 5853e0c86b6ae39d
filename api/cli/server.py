"""The web server: a parent that watches, and the processes that answer."""

from __future__ import annotations

import multiprocessing
import resource
import socket
import sys
import threading
import time
from functools import partial
from typing import Any

import click
import structlog
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from api.camunda import polling
from api.cli import Hindered, sample, streams, wsgi
from api.cli.doctor import look_before_work
from api.cli.latch import Latch
from engine import neighbours
from engine.settings import Settings

log = structlog.get_logger()
#: How long requests in flight may take when the server is told to stop, seconds.
DRAIN = 30
#: Connections that a process keeps open at a time: as many as workers may wait, and as many more.  Unless told so, granian gives each its
#: part of a thousand, and lets the others wait.
CONNECTIONS = 2 * polling.MOST
#: Files that a process has open besides: connections to the database, uploads, drawings; and those that it cannot begin without.
OTHERS, LEAST = 1000, 50
#: How many requests a process takes in that wait for their turn: each needs a thread of granian's, which costs nothing but memory.
ROOM = 2000
#: How long a predecessor that was killed may hold the port, seconds.
PATIENCE = 3
#: How it is told that there is no room for another process or thread: no memory, or as many as there may be.
NO_ROOM = (OSError, RuntimeError)
#: Seconds between two attempts to begin a process that is missing.
RETRY = 1
#: A process that has ended within so many seconds may end so again.
YOUNG = 5.5


class Server(MPServer):
    """The server; told to stop, it first says so for a while and still answers, and then sends home who waits."""

    def __init__(self, *args: Any, drain: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.draining, self.stopping = Latch(), Latch()
        self._drain = drain
        #: How many processes have ended one after the other while none had lasted.
        self._in_vain = 0

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Stop, but not before whoever sends requests here could see it; the second signal waits for nobody."""
        if self._drain and not self.draining.is_set():
            self.draining.set()
            later = threading.Timer(self._drain, self._stop, args, kwargs)
            later.daemon = True
            later.start()
        else:
            self._stop(*args, **kwargs)

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing when a terminal is closed (SIGHUP): granian would replace its processes, which have nothing to read anew."""

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:  # type: ignore[override]
        # Whoever replaces a process takes its place.
        return super()._spawn_worker(idx, target, partial(callback_loader, place=idx))

    def _respawn_workers(self, workers: Any, *args: Any, **kwargs: Any) -> None:
        """Begin others in place of processes that have ended; where there is no room for one, try until there is.

        Else this one would stand still beside those that are left, perhaps without a scheduler, and heed nobody who tells it to stop.
        """
        self._require_lasting(len(workers))
        for place in workers:
            if self._is_young(self.wrks[place]):
                time.sleep(RETRY)
            told = False
            while not self.interrupt_signal:
                before = list(self.wrks)
                try:
                    super()._respawn_workers([place], *args, **kwargs)
                    break
                except NO_ROOM as error:
                    self.wrks[:] = before
                    self._end_strays()
                    if not told:
                        log.warning("no room for another process", because=str(error))
                    told = True
                    time.sleep(RETRY)
        # Whoever is in it, and ends soon, is taken for a reason to end all of them.
        self.respawned_wrks.clear()

    def _require_lasting(self, ended: int) -> None:
        """Stop all and raise ClickException when each has been begun anew and none lasts; while one does, others are begun again."""
        self._in_vain = self._in_vain + ended if all(map(self._is_young, self.wrks)) else 0
        if self._in_vain > len(self.wrks):
            self.end()
            raise click.ClickException("Expected to serve, but processes that answer requests end as soon as they have begun")

    @staticmethod
    def _is_young(worker: Any) -> bool:
        return bool(time.monotonic() - worker.birth < YOUNG)

    def end(self) -> None:
        """Stop all processes that have begun."""
        self.draining.set()
        self.stopping.set()
        self._stop_workers()  # type: ignore[no-untyped-call]
        self._end_strays()

    def _end_strays(self) -> None:
        """End processes that nobody watches."""
        for stray in {*multiprocessing.active_children()} - {worker.inner for worker in self.wrks}:
            stray.kill()

    def _stop(self, *args: Any, **kwargs: Any) -> None:
        self.draining.set()
        self.stopping.set()
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]

    def shutdown(self, exit_code: int = 0) -> None:
        """End; that a process has ended by itself before is no failure of a server that is told to stop."""
        try:
            super().shutdown(exit_code)  # type: ignore[no-untyped-call]
        except SystemExit:
            if not self.interrupt_signal:
                raise


def run(loaded: Settings, *, with_sample: bool, with_scheduler: bool) -> None:
    """Serve until the process is told to stop."""
    await_port(loaded.host, loaded.port)
    if with_sample:
        sample.load(loaded)
    look_before_work(loaded)
    connections = share(open_enough())
    if sys.platform == "linux":  # what has been imported is there at once, and shared; from Python 3.14 on nobody does so unless told
        multiprocessing.set_start_method("fork", force=True)
    server = Server(
        "onething",
        address=loaded.host,
        port=loaded.port,
        interface=Interfaces.WSGI,
        workers=loaded.processes,
        blocking_threads=loaded.threads + ROOM,
        backpressure=connections,
        http=HTTPModes.http1,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN,
        log_level=LogLevels.error,
        drain=loaded.drain,
    )
    streams.say(f"Serving on http://{loaded.host}:{loaded.port} (Ctrl-C stops)")
    if with_sample:
        sample.welcome(loaded)
    loader = partial(wsgi.application, with_scheduler=with_scheduler, draining=server.draining, stopping=server.stopping)
    with neighbours.make_places(loaded.processes) as places:
        try:
            server.serve(target_loader=partial(loader, places=places), wrap_loader=False)
        except NO_ROOM as error:
            server.end()
            raise Hindered(f"Expected to begin the processes that answer requests, but {error}; try again later") from error
    streams.say("Stopped.")


def share(files: int) -> int:
    """How many connections a process may keep open that may have so many files: others wait until one of them is closed.

    Else it would take them until no file is left for what they ask.
    """
    return max(1, files - min(OTHERS, (files + LEAST) // 2))


def open_enough() -> int:
    """Let each process have its connections open, as far as it may; gives how many files it may have open.

    Login shells and service managers give 1,024 as a rule, and leave it to whoever needs more to say so.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHERS if hard == resource.RLIM_INFINITY else min(CONNECTIONS + OTHERS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def await_port(host: str, port: int) -> None:
    """Raise ClickException when somebody else listens there: two servers would share the port and each get some of the requests."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.socket(family) as probe:  # it does not listen: who connects at this moment is refused, not cut off
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a predecessor has left behind is in nobody's way
                probe.bind((host, port))
                return
        except OSError as error:
            if time.monotonic() > deadline:
                reason = error.strerror or error
                raise click.ClickException(f"Expected to listen on {host}:{port}, but {reason}; choose another ONETHING_PORT") from error
            time.sleep(0.1)
