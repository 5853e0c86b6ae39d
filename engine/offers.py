"""Offers: which deployment has the newest form, or decision, of a name; nothing is read for it, however many deployments there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bpmn import lint
from bpmn.lint.bundle import Bundle
from engine import deployed
from engine.compiled_models import Offer
from engine.models import Deployment, Resource

FORM, DECISION = "form", "decision"


def record(session: Session, deployment_id: UUID, file: str, bundle: Bundle, deployed_at: datetime) -> None:
    """Write down what a file of a deployment offers, as lint has read it."""
    for kind, name in _names(file, bundle):
        session.add(Offer(deployment_id=deployment_id, resource=file, kind=kind, name=name, deployed_at=deployed_at))


def newest(session: Session, kind: str, name: str) -> UUID | None:
    """Id of the newest deployment that has it; None: there is none."""
    query = select(Offer.deployment_id).where(Offer.kind == kind, Offer.name == name).order_by(Offer.deployed_at.desc()).limit(1)
    return session.scalar(query)


def names(session: Session, kind: str) -> frozenset[str]:
    """Names of all that is offered anywhere."""
    return frozenset(session.scalars(select(Offer.name).where(Offer.kind == kind).distinct()))


def complete(session: Session) -> None:
    """Write down what an earlier release has deployed, which wrote nothing down."""
    its_offer = and_(Offer.deployment_id == Resource.deployment_id, Offer.resource == Resource.name)
    query = select(Resource, Deployment.deployed_at).join(Deployment).outerjoin(Offer, its_offer)
    for row, deployed_at in session.execute(query.where(deployed.READ, Offer.name.is_(None))).all():
        bundle, _ = lint.examine({row.name: row.content})
        record(session, row.deployment_id, row.name, bundle, deployed_at)


def _names(file: str, bundle: Bundle) -> Iterator[tuple[str, str]]:
    for its_file, key in bundle.forms:
        if its_file == file:
            # A diagram names a form by its key, or by its file (`camunda-forms:deployment:intake.form`).
            yield from ((FORM, name) for name in dict.fromkeys((key, file)))
    yield from ((DECISION, decision.id) for its_file, decision in bundle.decisions if its_file == file)
