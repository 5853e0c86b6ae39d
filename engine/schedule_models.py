"""The tables of what the engine begins and carries on by itself, beside its timers and its jobs; they are the schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.keys import Keyed, refers, unique
from engine.models import Base, own_id


class StartTimer(Base):
    """When the newest version of a process starts by itself; the table is the schedule."""

    __tablename__ = "start_timers"
    __table_args__ = (UniqueConstraint("definition_id", "element"),)
    id: Mapped[UUID] = own_id()
    definition_id: Mapped[UUID] = mapped_column(ForeignKey("definitions.id"))
    element: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(index=True)
    #: How far a cycle has come; None: it starts once.
    cycle: Mapped[dict[str, Any] | None]
    #: Attempts that are left; at 0 an incident stands on it.
    retries: Mapped[int] = mapped_column(default=3)
    #: What went wrong last.
    error: Mapped[str | None] = mapped_column(Text)


class Continuation(Keyed, Base):
    """A token that the engine itself carries on (`camunda:asyncBefore/After`), in a transaction of its own."""

    __tablename__ = "continuations"
    __table_args__ = (Index("ix_continuations_due_at", "due_at"), unique("instance_id", "wait"), refers("instance_id", "instances"))
    id: Mapped[UUID] = own_id()
    instance_id: Mapped[UUID]
    wait: Mapped[int]
    element: Mapped[str]
    priority: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    #: Attempts that are left; at 0 an incident stands on it.
    retries: Mapped[int]
    #: How often and when it is tried again, as the diagram says (`camunda:failedJobRetryTimeCycle`).
    retry_cycle: Mapped[str | None]
    error: Mapped[str | None] = mapped_column(Text)
