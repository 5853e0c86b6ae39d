"""Gauges (仪表): how a node stands at this moment, asked when somebody reads the meters."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from engine import calendars, definitions, meters, moments, queues, upkeep
from engine.case_models import CalendarYear
from engine.database import Database
from engine.errors import EngineError
from engine.files import FileStore


def exposition(db: Database, files: FileStore) -> bytes:
    """Everything that is counted and measured, in the text format of Prometheus; `files`: where it is noted that a backup was made."""
    now = CollectorRegistry()
    now.register(_Now(db, files))
    return generate_latest(now) + generate_latest(_counted())


def _counted() -> CollectorRegistry:
    if meters.SHARED not in os.environ:
        return REGISTRY
    meters.have_folder()
    shared = CollectorRegistry()
    _Shared(shared)  # type: ignore[no-untyped-call]
    return shared


class _Shared(MultiProcessCollector):
    """What all processes have counted that share a folder."""

    def collect(self) -> Iterable[Metric]:
        """Gather it; the file of a process that counts for the first time just now is empty for a moment, and cannot be read."""
        files = [str(file) for file in Path(self._path).glob("*.db") if file.stat().st_size]
        found: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]
        return found


class _Now(Collector):
    """What is asked when it is wanted."""

    def __init__(self, db: Database, files: FileStore) -> None:
        self._db, self._files = db, files

    def collect(self) -> Iterator[Metric]:
        """Ask the database and this process; a database that does not answer is a finding, too."""
        try:
            asked = list(_of_database(self._db, self._files))
        except (SQLAlchemyError, EngineError):
            asked = []
        yield _gauge("onething_database_up", "Whether the database answers.", {"": float(bool(asked))})
        yield from asked
        if isinstance(pool := self._db.bind.pool, QueuePool):
            connections = {"used": pool.checkedout(), "idle": pool.checkedin()}
            yield _gauge("onething_pool_connections", "Connections to the database of this process.", connections, label="state")
        yield _gauge("onething_definitions_cached", "Compiled definitions that this process keeps.", {"": definitions.kept()})


def _of_database(db: Database, files: FileStore) -> Iterator[Metric]:
    with db.snapshot(glance=True) as session:
        found = list(queues.look(session, now=moments.now()))
        days, backed_up = _calendar_days(session), upkeep.backed_up_since(session, files)
        incidents, locked = queues.standing_incidents(session), queues.waiting_for_locks(session)
    depth, lateness = {q.name: q.depth for q in found}, {q.name: q.lateness.total_seconds() for q in found}
    yield _gauge("onething_queue_depth", "Rows that are due and not done yet.", depth, label="queue")
    yield _gauge("onething_queue_lateness_seconds", "For how long the oldest of them has been due.", lateness, label="queue")
    yield _gauge("onething_incidents_standing", "Incidents that wait for somebody.", {"": incidents})
    yield _gauge("onething_calendar_days", "Days until the last one for which a calendar is published.", {"": days})
    age = max((moments.now() - backed_up).total_seconds(), 0.0) if backed_up else 0.0
    yield _gauge("onething_backup_age_seconds", "Age of the newest backup; without one, of all that there is to lose.", {"": age})
    yield _gauge("onething_lock_waiters", "Sessions that wait for a lock (PostgreSQL).", {"": locked})


def _calendar_days(session: Session) -> int:
    """How far the published calendars reach; below zero: every due date is a guess already."""
    last = session.scalar(select(func.max(CalendarYear.year)))
    return (date(last, 12, 31) - calendars.local_date(moments.now())).days if last else -1


def _gauge(name: str, about: str, values: Mapping[str, float], *, label: str | None = None) -> Metric:
    family = GaugeMetricFamily(name, about, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family
