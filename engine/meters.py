"""Meters (计量): what operators count of a running node, for Prometheus.  What the domain counts is in `metrics`.

Where `PROMETHEUS_MULTIPROC_DIR` names a folder, all processes that share it count together, as prometheus-client has it.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import Counter, Histogram

from engine.errors import Busy, Exhausted, Unavailable, Unfit, Unsettled, Vanished

#: Names the folder in which processes count together.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
_FINE = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)

REQUEST = Histogram("onething_request_seconds", "How long requests took.", ["method", "route", "status"])
COMMIT = Histogram("onething_commit_seconds", "How long it took to write and to commit a transaction.", buckets=_FINE)
TURN = Histogram("onething_turn_seconds", "How long transactions waited for the one writer's turn (SQLite).", buckets=_FINE)
OUTAGE = Counter(
    "onething_outages", "Transactions that the database kept from being done: somebody was in the way, or it was away.", ["kind"]
)
COMPLETED = Counter("onething_tasks_completed", "User tasks that were completed.", ["matter"])


def prepare() -> None:
    """Have in this process, from now on, all that it counts in: what is done must not fail since the folder of that has gone meanwhile.

    Systems clear up behind people who log out, and what has been in a folder of temporary files for long.
    """
    have_folder()
    for kind in (Busy, Vanished, Unavailable, Unfit, Exhausted, Unsettled):
        OUTAGE.labels(kind.__name__).inc(0)


def have_folder() -> None:
    """Have the folder, if there is to be one; what was counted in one that has gone is known no more."""
    if SHARED in os.environ:
        Path(os.environ[SHARED]).mkdir(mode=0o700, parents=True, exist_ok=True)
