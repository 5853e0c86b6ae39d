"""Signals: what an instance throws reaches everybody who waits for it, in whatever instance, and every process that begins with it.

What the thrower's own instance catches, it has caught already; all others are owed a job each, so that nobody waits for anybody's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bpmn.definition import EventType
from bpmn.waits import WaitKind
from engine import definitions, holdings, jobs
from engine.instances import Run
from engine.models import Instance, Job, Subscription


def tell(run: Run) -> None:
    """Owe the others what an instance has thrown; it is written by now, and so are those that it has called."""
    for signal in run.process.signals:
        holdings.write(run.session)  # who waits since a moment ago, may wait for this
        owe(run.session, signal.name, signal.variables, Instance.id != run.row.id)
        for loaded, at in definitions.starting(run.session, EventType.SIGNAL, signal.name):
            jobs.owe(run.session, "begin", run.row, definition=str(loaded.id), at=at, variables=dict(signal.variables))


def owe(session: Session, name: str, values: Mapping[str, Any], which: ColumnElement[bool]) -> None:
    """Owe a signal to each instance that waits for it, among these."""
    waiting = select(Subscription.instance_id).where(Subscription.kind == WaitKind.SIGNAL, Subscription.name == name)
    found = select(Instance.id, Instance.region, Instance.case_id).where(Instance.id.in_(waiting), which).order_by(Instance.id)
    for instance_id, region, case_id in session.execute(found):
        payload = {"name": name, "variables": dict(values)}
        jobs.put(session, Job(region=region, case_id=case_id, instance_id=instance_id, kind="signal", payload=payload))
