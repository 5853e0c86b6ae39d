"""Versions of processes, as rows: searched without being compiled."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.models import Definition


def get(session: Session, definition_id: UUID) -> Definition:
    """Return one version; raises NotFound."""
    row = session.get(Definition, definition_id)
    if row is None:
        raise NotFound(f"No matching process definition with id {definition_id}")
    return row


def search(
    session: Session,
    *,
    key: str | None = None,
    version: int | None = None,
    deployment_id: UUID | None = None,
    definition_id: UUID | None = None,
    latest: bool = False,
) -> list[Definition]:
    """Versions by what is known of them, in the order of keys and versions; `latest`: the newest of each key."""
    query = select(Definition).order_by(Definition.key, Definition.version)
    wanted = {Definition.key: key, Definition.version: version, Definition.deployment_id: deployment_id, Definition.id: definition_id}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if latest:
        newest = select(Definition.key, func.max(Definition.version)).group_by(Definition.key)
        found = {(row[0], row[1]) for row in session.execute(newest)}
        return [row for row in session.scalars(query) if (row.key, row.version) in found]
    return list(session.scalars(query))
