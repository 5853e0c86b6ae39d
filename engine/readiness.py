"""Readiness (就绪): whether a node may be given requests."""

from __future__ import annotations

import functools

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from engine import database
from engine.database import Database
from engine.errors import EngineError


def obstacles(db: Database) -> list[str]:
    """Say why no request should come here; nothing when the database answers and its schema is at the head.

    A schema that a newer version has brought further is none: older nodes serve on it until they are replaced (docs/operating.md).
    """
    try:
        with db.reading() as session:
            current = MigrationContext.configure(session.connection()).get_current_revision()
    except (SQLAlchemyError, EngineError) as error:
        return [f"Expected the database to answer, but {str(getattr(error, 'orig', error)).strip().splitlines()[0]}"]
    known = _revisions()
    if current is None or current in known[1:]:
        return [f"Expected the schema to be {known[0]}, but it is {current or 'none'}; run onething migrate"]
    return []


@functools.cache
def _revisions() -> tuple[str, ...]:
    """Revisions that this version knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(database.alembic_config()).walk_revisions())
