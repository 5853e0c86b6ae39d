"""The outbox: what must leave the process, written with its cause and fetched by whoever carries it out (messages, couriers, boards).

Delivery is at least once: a carrier fetches, carries, and confirms by id; what was not confirmed is fetched again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import keys, moments, reads, remains, writes
from engine.actors import Actor, Role
from engine.case_models import Case
from engine.models import Outbox


class Topic(StrEnum):
    """What a message is about, and thereby who carries it."""

    NOTICE = "notice"  #: 文书: to the applicant
    ALERT = "alert"  #: 督办: to the department and the supervisors
    ISSUANCE = "issuance"  #: 出件: to the courier, the kiosk, the certificate store
    RECONTACT = "recontact"  #: 重新联系: a delivery came back


def owe(session: Session, case: Case, topic: Topic, **payload: Any) -> Outbox:
    """Owe a message to the world."""
    message = Outbox(**case.key, topic=topic, payload={"case": case.number, **payload}, created_at=moments.now())
    session.add(message)
    return message


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as it is to be carried now."""

    id: UUID
    topic: str
    #: What was written; but `to`, where it says to whom, is how the applicant is reached by now.
    payload: dict[str, Any]
    created_at: datetime


def unsent(session: Session, *, actor: Actor, topic: Topic | None = None, limit: int = 100) -> list[Message]:
    """Messages that nobody has confirmed yet, oldest first."""
    actor.require(Role.SYSTEM, Role.CHANNEL, Role.ADMIN, to="fetch messages")
    memory = remains.memory(session)
    memory.look(session, Outbox, topic)
    known = memory.of(Outbox, topic)
    query = select(Outbox, Case.applicant).join(Case, keys.same_case(Outbox, Case)).where(*remains.waiting(Outbox, topic))
    query = query.order_by(Outbox.created_at, Outbox.id)
    there = query.where(reads.among(session, Outbox.created_at, known.older)).limit(limit)
    older = session.execute(there).all() if known.older else ()
    rows = [*older, *session.execute(query.where(Outbox.created_at >= known.since).limit(limit - len(older)))]
    return [_addressed(row, applicant) for row, applicant in rows]


def confirm(session: Session, ids: Collection[UUID], *, actor: Actor) -> int:
    """Note that messages were carried out; how many were still open.  Confirming twice does nothing."""
    actor.require(Role.SYSTEM, Role.CHANNEL, Role.ADMIN, to="confirm messages")
    done = update(Outbox).where(Outbox.id.in_(ids), Outbox.sent_at.is_(None)).values(sent_at=moments.now())
    confirmed = session.execute(done.returning(Outbox.case_id, Outbox.region)).all()
    if confirmed:
        writes.note(session, confirmed[0]._asdict())
    return len(confirmed)


def _addressed(row: Outbox, applicant: dict[str, Any]) -> Message:
    # Where it goes is asked when it goes: a department that has written meanwhile holds its item, and does not see the new number.
    now = {"to": applicant.get("phone")} if "to" in row.payload else {}
    return Message(id=row.id, topic=row.topic, payload=row.payload | now, created_at=row.created_at)
