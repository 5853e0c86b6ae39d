"""Compiled files: what the compiler has made of a diagram is kept in the database, so that a process that comes up need not do it again.

It is found by the hash of the diagram and the fingerprint of the compiler, and by nothing else: what another release has compiled is not
there for this one, which compiles the diagram instead, and whose scheduler keeps what comes of it (`sweep`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Row, and_, delete, or_, select
from sqlalchemy.orm import Session

from bpmn import compiled, compiler
from bpmn.definition import Definition
from bpmn.errors import DocumentError
from bpmn.lint.bundle import DIAGRAMS
from engine import database, deployed, moments, offers
from engine.compiled_models import CompiledFile
from engine.database import Database
from engine.models import Resource

#: Diagrams that are compiled in one go, each of which takes some milliseconds.
BATCH = 20
#: How long the forms of other compilers stay: their nodes may still be there, or come back.
OTHERS = timedelta(days=30)
log = structlog.get_logger()
_IS_DIAGRAM = deployed.ends_with(DIAGRAMS)


def read(session: Session, deployment_id: UUID, file: str) -> list[Definition]:
    """Return the processes of a diagram; it is only looked at when this compiler has not compiled it yet."""
    query = select(Resource.sha256).where(Resource.deployment_id == deployment_id, Resource.name == file)
    kept = select(CompiledFile.content).where(_mine(), CompiledFile.sha256 == query.scalar_subquery())
    content = session.scalar(kept)
    if content is not None:
        return list(compiled.read(content))
    return compiler.compile(session.scalars(query.with_only_columns(Resource.content)).one(), file)


def keep(session: Session, sha256: str, processes: list[Definition]) -> None:
    """Keep what this compiler has made of a diagram."""
    if session.get(CompiledFile, (sha256, compiled.fingerprint())) is None:
        row = CompiledFile(sha256=sha256, fingerprint=compiled.fingerprint(), content=compiled.write(processes), made_at=moments.now())
        session.add(row)
        session.flush()


def sweep(db: Database) -> int:
    """Compile what this compiler has not compiled yet, and delete what is of no use any more; how many diagrams were looked at.

    What earlier releases have deployed while this one came up is found so, too.  Any number of nodes may do so at the same time.
    """
    with db.transaction() as session:
        database.deploy_alone(session)
        offers.complete(session)
        _forget(session)
    done, last = 0, ""
    while rows := _missing(db, last):
        with db.transaction() as session:
            database.deploy_alone(session)
            for row in rows:
                _compile(session, row)
        done, last = done + len(rows), rows[-1].sha256
    return done


def _missing(db: Database, last: str) -> Sequence[Row[str, str, bytes]]:
    """Diagrams that this compiler has not compiled yet, a batch of them, from the one that follows `last`."""
    with db.reading() as session:
        its_form = and_(CompiledFile.sha256 == Resource.sha256, _mine())
        query = select(Resource.sha256, Resource.name, Resource.content).outerjoin(CompiledFile, its_form)
        query = query.where(_IS_DIAGRAM, CompiledFile.sha256.is_(None), Resource.sha256 > last)
        return session.execute(query.order_by(Resource.sha256).limit(BATCH)).all()


def _compile(session: Session, row: Row[str, str, bytes]) -> None:
    try:
        keep(session, row.sha256, compiler.compile(row.content, row.name))
    except DocumentError as error:  # what an earlier release took, and this one does not: who needs it is told
        log.warning("a deployed diagram is refused", file=row.name, reason=str(error))


def _forget(session: Session) -> None:
    """Delete what other compilers have made long ago, and what was made of files that are gone."""
    old = and_(CompiledFile.fingerprint != compiled.fingerprint(), CompiledFile.made_at < moments.now() - OTHERS)
    session.execute(delete(CompiledFile).where(or_(old, CompiledFile.sha256.not_in(select(Resource.sha256)))))


def _mine() -> ColumnElement[bool]:
    return CompiledFile.fingerprint == compiled.fingerprint()
