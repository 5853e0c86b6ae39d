"""Faults of what is stored: uploaded files, deployed ones and entries that are not what they were, and references to what is not there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine import administration, clients, keys, postgresql
from engine.archive_models import ArchivedCase
from engine.case_models import Item, Material
from engine.database import Database
from engine.errors import NotFound
from engine.files import FileStore
from engine.models import Deployment, Instance, Resource
from engine.verification import scans
from engine.verification.faults import Fault, FaultKind


def contents(db: Database) -> Iterator[tuple[str, int]]:
    """Yield what was uploaded, each content once, in the order of their hashes: hash and size in bytes."""
    query = select(Material.sha256, func.max(Material.size)).where(Material.sha256.is_not(None)).group_by(Material.sha256)
    for sha256, size in scans.rows(db, query, Material.sha256):
        yield sha256 or "", size or 0


def named(db: Database) -> Iterator[str]:
    """Yield the hash of every uploaded file that the database names, those of archived cases among them."""
    for sha256, _ in contents(db):
        yield sha256
    for _, files in scans.rows(db, select(ArchivedCase.id, ArchivedCase.files), ArchivedCase.id):
        yield from files


def of_material(files: FileStore, sha256: str, size: int) -> Iterator[Fault]:
    """Read an uploaded file through, and compare it with what was handed in."""
    about = f"material {sha256}"
    try:
        path = files.path(sha256)
        with path.open("rb") as content:
            found, length = hashlib.file_digest(content, "sha256").hexdigest(), path.stat().st_size
    except (NotFound, OSError) as error:
        yield Fault(kind=FaultKind.MATERIAL, about=about, message=str(error))
        return
    if found != sha256:
        message = f"Expected {path} to be what was handed in, {size} bytes, but it has {length} bytes with the hash {found}"
        yield Fault(kind=FaultKind.MATERIAL, about=about, message=message)


def of_resources(session: Session) -> Iterator[Fault]:
    """Compare every deployed file with what was deployed."""
    query = select(Resource, Deployment.name).outerjoin(Deployment, Deployment.id == Resource.deployment_id)
    for resource, deployment in session.execute(query.execution_options(yield_per=50)):
        if hashlib.sha256(resource.content).hexdigest() != resource.sha256:
            about = f"{resource.name} of deployment {deployment} ({resource.deployment_id})"
            yield Fault(kind=FaultKind.RESOURCE, about=about, message="Expected what was deployed, but its hash differs")


def of_references(session: Session) -> Iterator[Fault]:
    """Find rows that refer to what is not there; PostgreSQL sees to most of that itself."""
    query = select(Item.number, Item.instance_id).outerjoin(Instance, keys.its(Item.instance_id, Instance))
    for number, instance in session.execute(query.where(Item.instance_id.is_not(None), Instance.id.is_(None))):
        message = f"Expected its process to be instance {instance}, but there is none"
        yield Fault(kind=FaultKind.REFERENCE, about=f"item {number}", message=message)
    if postgresql.is_behind(session):
        return
    for (damage,) in session.execute(text("PRAGMA integrity_check")):
        if damage != "ok":
            yield Fault(kind=FaultKind.REFERENCE, about="database", message=f"Expected a sound file, but {damage}")
    for table, rowid, parent, _key in session.execute(text("PRAGMA foreign_key_check")):
        message = f"Expected row {rowid} to refer to one of {parent}, but there is none"
        yield Fault(kind=FaultKind.REFERENCE, about=table, message=message)


def of_administration(session: Session) -> Iterator[Fault]:
    """Recompute the chain of what administrators have done."""
    if broken := administration.check(session):
        yield Fault(kind=FaultKind.ADMINISTRATION, about="administration", message=broken)


def of_locks(session: Session, *, overdue: datetime) -> Iterator[Fault]:
    """Find transactions that were begun, and left open: what they hold nobody else gets."""
    if not postgresql.is_behind(session):
        return  # SQLite's locks end with the process that holds them
    connection = session.connection()
    for pid, name, since in clients.forgotten(connection, overdue=overdue):
        message = f"Expected its transaction to end, but it holds what it has locked since {since}"
        yield Fault(kind=FaultKind.LOCK, about=f"session {pid} {name}".strip(), message=message)
    for gid, since in clients.undecided(connection, overdue=overdue):
        message = f"Expected it to be committed or rolled back, but it was only prepared, at {since}"
        yield Fault(kind=FaultKind.LOCK, about=f"transaction {gid}", message=message)
