"""Signals: what an instance throws reaches every instance that waits for it, and every process that begins with it.

Events in the thrower's own instance have caught it already.  For each other hearer a job is written, so that nobody waits for the lock of
somebody else: in the case of the hearer, or, where a transaction may write to one case only, in that of the thrower (docs/decisions/0022).
A caller of the thrower hears the signal before it is told that the thrower has ended (`jobs.ITS_TURN`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from bpmn.definition import EventType
from bpmn.waits import WaitKind
from engine import database, definitions, holdings, jobs
from engine.holdings import Held
from engine.models import Instance, Job, Subscription
from engine.runs import Run


def tell(run: Run) -> None:
    """Write the jobs for the signals that a run has thrown, and those of the runs that it has called, which were thrown before.

    The instance was put back: it may itself wait for a signal of one that it has called.
    """
    for called in run.called:
        tell(called)
    for signal in run.process.signals:
        holdings.write(run.session)  # so that the query finds who began to wait in this very transaction
        for hearer in hearers(run.session, signal.name, Instance.id != run.row.id):
            if hearer.case_id != run.row.case_id and database.is_each_alone(run.session):
                jobs.owe(run.session, jobs.TELL, run.row, hearer=str(hearer.id), name=signal.name, variables=dict(signal.variables))
            else:
                owe(run.session, hearer, signal.name, signal.variables)
        for loaded, at in definitions.starting(run.session, EventType.SIGNAL, signal.name):
            jobs.owe(run.session, jobs.BEGIN, run.row, definition=str(loaded.id), at=at, variables=dict(signal.variables))


def hearers(session: Session, name: str, which: ColumnElement[bool]) -> Sequence[Row[UUID, str, UUID]]:
    """List the instances that wait for a signal and fulfil a condition: id, region and case id of each."""
    waiting = select(Subscription.instance_id).where(Subscription.kind == WaitKind.SIGNAL, Subscription.name == name)
    found = select(Instance.id, Instance.region, Instance.case_id).where(Instance.id.in_(waiting), which).order_by(Instance.id)
    return session.execute(found).all()


def owe(session: Session, hearer: Row[UUID, str, UUID] | Held, name: str, values: Mapping[str, Any]) -> None:
    """Write the job that gives a signal, with variables, to an instance that waits for it."""
    payload = {"name": name, "variables": dict(values)}
    jobs.add(session, Job(region=hearer.region, case_id=hearer.case_id, instance_id=hearer.id, kind=jobs.SIGNAL, payload=payload))
