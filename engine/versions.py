"""Versions of processes, as rows: searched without being compiled."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.filters import Filters, Kind, Listing, Order, Sortable, among, equal, like, ordered, when
from engine.models import Definition


def get(session: Session, definition_id: UUID) -> Definition:
    """Return one version; raises NotFound."""
    row = session.get(Definition, definition_id)
    if row is None:
        raise NotFound(f"No matching process definition with id {definition_id}")
    return row


def find(session: Session, key: str, version: int) -> Definition:
    """Return a version by its number; raises NotFound."""
    row = session.scalar(select(Definition).where(Definition.key == key, Definition.version == version))
    if row is None:
        raise NotFound(f"Expected to find version {version} of {key}, but it is not deployed")
    return row


_OTHER = Definition.__table__.alias().c  # not the mapper's, which would make its columns at first use (`history`)


def _is_latest() -> ColumnElement[bool]:
    newest = select(func.max(_OTHER.version)).where(_OTHER.key == Definition.key).scalar_subquery()
    return Definition.version == newest


SORTABLE: Sortable = {
    "id": Definition.id,
    "key": Definition.key,
    "name": Definition.name,
    "version": Definition.version,
    "versionTag": Definition.version_tag,
    "deploymentId": Definition.deployment_id,
}
FILTERS: Filters = {
    "processDefinitionId": equal(Definition.id, Kind.DEFINITION),
    "processDefinitionIdIn": among(Definition.id, Kind.DEFINITIONS),
    "deploymentId": equal(Definition.deployment_id, Kind.ID),
    "key": equal(Definition.key),
    "keysIn": among(Definition.key),
    "keyLike": like(Definition.key),
    "name": equal(Definition.name),
    "nameLike": like(Definition.name),
    "versionTag": equal(Definition.version_tag),
    "versionTagLike": like(Definition.version_tag),
    "withoutVersionTag": when(lambda: Definition.version_tag.is_(None)),
    "startableInTasklist": when(lambda: and_(Definition.startable, Definition.kind == "process")),
    "notStartableInTasklist": when(lambda: or_(~Definition.startable, Definition.kind != "process")),
    "resourceName": equal(Definition.resource),
    "version": equal(Definition.version, Kind.WHOLE),
    "latestVersion": when(_is_latest),
}


def search(*conditions: ColumnElement[bool], order: Order = ()) -> Listing:
    """Versions, by key and version unless another order is asked for."""
    query = select(Definition).where(*conditions)
    return Listing(query=ordered(query, SORTABLE, order or [("key", False), ("version", False)], last=Definition.id))


def latest() -> Listing:
    """The newest version of every process, by key."""
    return search(_is_latest())


def of_deployment(deployment_id: UUID) -> Listing:
    """The versions that a deployment brought."""
    return search(Definition.deployment_id == deployment_id)
