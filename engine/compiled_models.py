"""What is known of deployed files without reading them: their compiled form, what they offer to others by name, what begins with what."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.models import Base


class CompiledFile(Base):
    """The compiled form of a diagram.  It may be lost: whoever misses it compiles the diagram."""

    __tablename__ = "compiled_files"
    #: Of the file.  Versions in which it is the same share it.
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Of the compiler that has made it: nobody else may trust it.
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


class Offer(Base):
    """A form or a decision that a deployment has, as others may name it."""

    __tablename__ = "offers"
    __table_args__ = (Index("ix_offers_newest", "kind", "name", "deployed_at"),)
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id"), primary_key=True)
    #: Name of the file.
    resource: Mapped[str] = mapped_column(String(255), primary_key=True)
    #: form or decision.
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    #: A form has two, its key and its file.
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    deployed_at: Mapped[datetime]


class StartEvent(Base):
    """A message or a signal with which a version begins; it goes when the version is deleted."""

    __tablename__ = "start_events"
    __table_args__ = (Index("ix_start_events_name", "kind", "name"),)
    definition_id: Mapped[UUID] = mapped_column(ForeignKey("definitions.id", ondelete="CASCADE"), primary_key=True)
    #: Id of the start event.
    element: Mapped[str] = mapped_column(String(255), primary_key=True)
    #: message or signal.
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(255))
