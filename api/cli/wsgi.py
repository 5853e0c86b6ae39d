"""The process that answers requests: `onething serve` starts it, watches it and stops it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from flask import Flask
from granian import _signals
from granian.server import mp

from api import waits
from api.app import create_app
from api.camunda import polling
from api.cli.latch import Latch
from api.cli.work import heartbeat
from engine import arrivals, garbage, logs, meters, moments, settings
from engine.heartbeat import Heartbeat
from engine.neighbours import Neighbours
from engine.pace import Pace

#: What granian calls, in the process that answers, to learn how a request is answered.
WRAP = "_wsgi_call_wrap"
#: What granian calls there, then, to learn when to stop.
LISTEN = "set_sync_signals"


def application(*, place: int, places: Sequence[Neighbours], with_scheduler: bool, draining: Latch, stopping: Latch) -> Flask:
    """Make the application, in a process that neither outlives its parent nor stops in the middle of a tick.

    `place`: which of the `places` it takes; the first has the scheduler beside it.  `draining`: it is still asked, but nobody else should
    be sent here.  `stopping`: it is told to end.
    """
    # A child begins with the handler of its parent, which would swallow what ends it; nothing is to be finished before it serves.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if stopping.is_set():
        sys.exit()
    # Ctrl-C reaches parent and child.  It is the parent that stops the child, once; the second signal would stall it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as its parent does
    orphaned = threading.Event()
    _heed_parent(stopping, orphaned)
    threading.Thread(target=_stop_after_parent, args=(orphaned,), name="parent", daemon=True).start()
    threading.Thread(target=_dismiss_who_waits, args=(stopping,), name="stopping", daemon=True).start()
    _have_waits_apart()
    loaded = settings.load()
    logs.configure(loaded.env)
    app = create_app(loaded)
    garbage.spare()
    meters.prepare()
    app.extensions["draining"] = draining
    moments.follow(app.extensions["database"].bind)
    if len(places) > 1:
        arrivals.meet(places[place])
    if with_scheduler and place == 0:
        heart = heartbeat(app.extensions["database"], loaded, Pace(asked=app.extensions["turns"].are_taken))
        heart.start()
        threading.Thread(target=_stop_after_requests, args=(heart,), name="last tick").start()
    return app


def _heed_parent(stopping: Latch, orphaned: threading.Event) -> None:
    """Have nobody but the parent stop this process: service managers tell all at once, and nobody would answer while the server drains."""
    listen = getattr(_signals, LISTEN)

    def listen_to_parent() -> Any:
        told = listen()
        stop: Any = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, lambda *how: stop(*how) if stopping.is_set() or orphaned.is_set() else None)
        return told

    setattr(_signals, LISTEN, listen_to_parent)


def _have_waits_apart() -> None:
    # In which thread a request is answered is nothing that WSGI could tell.
    wrap = getattr(mp, WRAP)
    setattr(mp, WRAP, lambda *asked: waits.apart(wrap(*asked), polling.PATH))


def _stop_after_parent(orphaned: threading.Event) -> None:
    # Killed, the parent can stop nobody: this process would keep the port, and answer, for ever.
    if parent := multiprocessing.parent_process():
        parent.join()
        orphaned.set()
        os.kill(os.getpid(), signal.SIGTERM)


def _dismiss_who_waits(stopping: Latch) -> None:
    # A worker may wait for tasks for half an hour; the server does not wait for the worker.
    stopping.wait()
    arrivals.dismiss()


def _stop_after_requests(heart: Heartbeat) -> None:
    # The main thread ends when the server has answered what was in flight.
    threading.main_thread().join()
    heart.stop()
