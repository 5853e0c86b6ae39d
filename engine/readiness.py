"""Readiness (就绪): whether a node may be given requests."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from engine import schema
from engine.database import Database
from engine.errors import EngineError
from engine.schema import Finding


def look(db: Database) -> Finding:
    """Say whether requests should come here: the database answers, and its schema is one that this version may serve on.

    That may be a newer one: older nodes serve until they are replaced (docs/operating.md).
    """
    try:
        with db.reading() as session:
            found = schema.look(session.connection())
    except EngineError as error:
        return Finding(fit=False, found=str(error))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        return Finding(fit=False, found=f"Expected the database to answer, but {reason}")
    return found if found.fit else replace(found, found=f"Expected a schema that this version can serve on, but {found.found}")
