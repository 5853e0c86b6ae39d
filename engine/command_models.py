"""The tables of commands that may be repeated: what was answered, and what a submission is to be."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.keys import LAST, found_otherwise
from engine.models import Base


class IdempotentAnswer(Base):
    """The first answer to a command, given again when the command is repeated; it lies beside what the command has written.

    Two commands about two cases that come with one key at the very same moment have one each.
    """

    __tablename__ = "idempotent_answers"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[UUID] = found_otherwise()
    region: Mapped[str] = mapped_column(String(12), primary_key=True, sort_order=LAST)
    #: SHA-256 of method, path and body: the same key for another command is refused.
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime] = mapped_column(index=True)


class Reservation(Base):
    """What a submission with an Idempotency-Key is to be: who repeats it meets the first one, and no number is lost."""

    __tablename__ = "reservations"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    region: Mapped[str] = mapped_column(String(12), primary_key=True)
    #: Id and number of its case, once that is there.
    case_id: Mapped[UUID]
    number: Mapped[str] = mapped_column(String(50))
    taken_at: Mapped[datetime] = mapped_column(index=True)
