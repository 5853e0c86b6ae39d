"""The tables of the archive: one compact row for each case that has served its time in the tables of what goes on; and what they ran on."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.keys import LAST
from engine.models import Base


class ArchivedCase(Base):
    """A finished case (归档办件): what it is found by, and everything that was written of it."""

    __tablename__ = "archived_cases"
    __mapper_args__ = {"primary_key": ("id",)}  # noqa: RUF012 - SQLAlchemy's own way
    #: The id that the case had.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(50), index=True)
    region: Mapped[str] = mapped_column(String(12), primary_key=True, sort_order=LAST)
    matter: Mapped[str] = mapped_column(String(255), index=True)
    hall: Mapped[str | None] = mapped_column(String(40))
    applicant_number: Mapped[str] = mapped_column(String(40), index=True)
    submitted_by: Mapped[str]
    #: Codes of the departments of its items, each between bars: |food|fire|.
    departments: Mapped[str]
    #: What a list shows: number, matter, applicant, outcome, items …
    brief: Mapped[dict[str, Any]]
    #: Hashes and sizes of its uploaded files, which stay in the store: {hash: bytes}.
    files: Mapped[dict[str, Any]]
    ended_at: Mapped[datetime]
    archived_at: Mapped[datetime]
    #: Every row of the case as JSON, compressed (`engine.archive_documents`), and the SHA-256 of that.
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    #: Whether the versions that it ran on are written down (`ArchivedVersion`); None: its document says them.  Only who looks for that
    #: names the column, which may not be there yet (`archived_versions`).
    versions_kept: Mapped[bool | None] = mapped_column(deferred=True)


class ArchivedVersion(Base):
    """A version of a process that an archived case ran on, of which there may be many."""

    __tablename__ = "archived_versions"
    definition_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Number of the case that was put away first.
    number: Mapped[str] = mapped_column(String(50))
