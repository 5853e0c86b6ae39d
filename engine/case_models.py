"""The tables of the domain: cases, items, clocks, materials, notices, results."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.columns import Promised
from engine.keys import LAST, Keyed, of_case, refers, unique
from engine.models import Base, own_id
from engine.states import ClockStatus, CommitmentStatus, DeliveryStatus, ItemStatus, SupplementStatus, SyncStatus, ToleranceStatus


class Case(Promised, Base):
    """One applicant on the way through one matter (办件).  Its status is derived from its items, never stored."""

    __tablename__ = "cases"
    __table_args__ = (Index("ix_cases_ended", "definition_id", "ended_at"),)
    __mapper_args__ = {"primary_key": ("id",)}  # noqa: RUF012 - SQLAlchemy's own way
    id: Mapped[UUID] = own_id()
    #: 统一申办号
    number: Mapped[str] = mapped_column(String(50), index=True)
    region: Mapped[str] = mapped_column(String(12), primary_key=True, sort_order=LAST)
    matter: Mapped[str] = mapped_column(String(255))
    definition_id: Mapped[UUID] = mapped_column(ForeignKey("definitions.id"))
    hall: Mapped[str | None] = mapped_column(ForeignKey("halls.code"))  #: None: a process without a matter (`is_plain`)
    #: Identity or credit number, for search and for matching items of the same applicant.
    applicant_number: Mapped[str] = mapped_column(String(40), index=True)
    #: kind (person, enterprise), name, id_number, phone, contact, agent …
    applicant: Mapped[dict[str, Any]]
    answers: Mapped[dict[str, Any]]
    #: The one-time notice as it was given: items, materials, rules and versions; frozen at intake.
    checklist: Mapped[dict[str, Any]]
    #: submit, follow_on, reapply, or process (a process without a matter, no applicant's case).
    entry: Mapped[str] = mapped_column(String(20))
    #: The case this one goes on from, when an ended item is applied for again.
    previous_id: Mapped[UUID | None]
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[str]
    #: When the last notice of corrections was answered: the acceptance period runs anew from there.
    resubmitted_at: Mapped[datetime | None]
    #: Start of the bundle's own promise; by the matter's policy.
    clock_started_on: Mapped[date | None]
    #: Promise of the bundle in working days, as published when the case was submitted.
    promised: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    # Read when first asked for, once a transaction: conditions of a diagram ask for them again and again.  Who adds one, expires the list.
    #: In the order they joined, earlier ones with the same code among them.
    items: Mapped[list[Item]] = relationship(
        foreign_keys="(Item.case_id, Item.region)", order_by="(Item.joined_at, Item.number)", viewonly=True
    )
    tolerances: Mapped[list[Tolerance]] = relationship(order_by="Tolerance.id", viewonly=True)

    @property
    def is_plain(self) -> bool:
        """Whether it is a process without a matter: nobody applied for anything (docs/decisions/0005)."""
        return self.hall is None

    @property
    def key(self) -> dict[str, Any]:
        """What every row of the case says (`keys.Keyed`)."""
        return {"region": self.region, "case_id": self.id}


class Item(Promised, Keyed, Base):
    """One department's matter of law within a case (事项办件), or alone in a case of its own."""

    __tablename__ = "items"
    __table_args__ = (
        of_case(),
        Index("ix_items_applicant", "applicant_number", "code"),
        Index("ix_items_external", "department", "external_number"),
    )
    id: Mapped[UUID] = own_id()
    number: Mapped[str] = mapped_column(String(50), index=True)
    #: The case it was taken from when a bundle adopted it.
    adopted_from_id: Mapped[UUID | None]
    #: Number of the item this one applies for again (原申办号).
    previous_number: Mapped[str | None] = mapped_column(String(50))
    code: Mapped[str] = mapped_column(String(80))
    name: Mapped[str]
    department: Mapped[str] = mapped_column(String(40))
    applicant_number: Mapped[str] = mapped_column(String(40))
    hall: Mapped[str | None]  #: of its case: who sees a hall sees its clocks; and so does who submitted it
    submitted_by: Mapped[str | None]
    #: native (of this case), continued (adopted while running), imported (its result existed before).
    origin: Mapped[str] = mapped_column(String(20))
    #: review, commitment, filing, automatic
    mode: Mapped[str] = mapped_column(String(20))
    status: Mapped[ItemStatus]
    clock: Mapped[ClockStatus] = mapped_column(default=ClockStatus.NOT_STARTED)
    delivery: Mapped[DeliveryStatus] = mapped_column(default=DeliveryStatus.NONE)
    sync: Mapped[SyncStatus] = mapped_column(default=SyncStatus.LOCAL)
    #: Its own process instance, once it was started.
    instance_id: Mapped[UUID | None]
    #: When it joined the case it is in now; of two with one code the later counts.
    joined_at: Mapped[datetime]
    #: When the dispatcher of that case took it; None: it has not yet.
    dispatched_at: Mapped[datetime | None]
    #: Last day of the statutory limit, as the clock gives it.
    statutory_on: Mapped[date | None]
    statutory_provisional: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: Limits: [{kind: promised|statutory, days, unit: working|calendar}] as they were when the item was accepted.
    limits: Mapped[list[Any]]
    #: Rules as drawn: predecessors [{item, kind}], on_refusal, extension, post_check, special_days, type, result, issuer.
    rules: Mapped[dict[str, Any]]
    #: Day on which the window had it; whoever adopts it keeps it.
    received_on: Mapped[date]
    accepted_at: Mapped[datetime | None]
    #: clerk (accepted by a person), deemed (by law, nobody answered), tolerance, complete (others of its bundle lacked something).
    accepted_by: Mapped[str | None] = mapped_column(String(20))
    #: Why it was refused, denied, withdrawn, returned: {reason_code, reason, remedies, …}.
    reason: Mapped[dict[str, Any] | None]
    #: What the decision yielded (form data of the department).
    result: Mapped[dict[str, Any] | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    #: Number in the department's own system.
    external_number: Mapped[str | None] = mapped_column(String(80))
    #: Its ledger, read when a timer first asks for it, once a transaction.
    clock_entries: Mapped[list[ClockEntry]] = relationship(order_by="ClockEntry.id", viewonly=True)


class ClockEntry(Keyed, Base):
    """One entry of an item's interval ledger (时限台账)."""

    __tablename__ = "clock_entries"
    __table_args__ = (refers("item_id", "items"),)
    id: Mapped[UUID] = own_id()
    item_id: Mapped[UUID] = mapped_column(index=True)
    #: started, paused, extended, stopped
    kind: Mapped[str] = mapped_column(String(20))
    #: First day that is meant: start day, first paused day, day of the extension, last day.
    on: Mapped[date]
    #: Pauses: the last paused day; None while it lasts.
    until: Mapped[date | None]
    #: Extensions: working days added.  Pauses: working days estimated, as told in writing.
    days: Mapped[int | None]
    #: Pauses: kind of the special procedure (site_inspection, hearing, tolerance_overdue, …).
    procedure: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None]
    notice_id: Mapped[UUID | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    notice: Mapped[Notice | None] = relationship(primaryjoin="foreign(ClockEntry.notice_id) == Notice.id", viewonly=True)


class CalendarYear(Base):
    """The working calendar of one year (工作日历), as published."""

    __tablename__ = "calendar_years"
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    loaded_at: Mapped[datetime]
    loaded_by: Mapped[str]


class Recomputation(Base):
    """A walk over all that runs, on which every clock is counted anew (重算)."""

    __tablename__ = "recomputations"
    id: Mapped[UUID] = own_id()
    #: Id of the last case that was taken, for they are taken in the order of their ids; None: none was yet.
    cursor: Mapped[UUID | None]
    #: Ids of cases that were taken and are not counted yet: a node is at it, has died, or found them held; at the end they are taken again.
    busy: Mapped[list[str]]
    #: How many dates have moved by how many days, and the numbers of what is late because of it.
    report: Mapped[dict[str, Any]]
    requested_at: Mapped[datetime]
    requested_by: Mapped[str]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)


class Material(Keyed, Base):
    """What was handed in (材料): a file by its content hash, or data."""

    __tablename__ = "materials"
    __table_args__ = (of_case(), unique("case_id", "no"))
    id: Mapped[UUID] = own_id()
    #: Running number within the case, from 1.
    no: Mapped[int]
    #: Requirement that it answers, e.g. `m_plan`.
    code: Mapped[str] = mapped_column(String(80))
    name: Mapped[str]
    filename: Mapped[str | None]
    media_type: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    fields: Mapped[dict[str, Any] | None]
    #: The material of an earlier case that was taken over.
    copied_from_id: Mapped[UUID | None]
    handed_in_at: Mapped[datetime]
    handed_in_by: Mapped[str]


class MaterialLink(Keyed, Base):
    """One material serves one item (材料分发)."""

    __tablename__ = "material_links"
    known_by = ("material_id", "item_id")
    __table_args__ = (refers("item_id", "items"), refers("material_id", "materials"))
    material_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)


_STILL_MISSING = text("status in ('open', 'overdue')")


class Tolerance(Keyed, Base):
    """A missing material that may follow later (容缺)."""

    __tablename__ = "tolerances"
    #: One at a time: an item that is applied for again may need it once more.
    __table_args__ = (
        Index("uq_tolerances_open", "case_id", "code", "region", unique=True, sqlite_where=_STILL_MISSING, postgresql_where=_STILL_MISSING),
        of_case(),
    )
    id: Mapped[UUID] = own_id()
    #: Requirement that is missing, and its name.
    code: Mapped[str] = mapped_column(String(80))
    name: Mapped[str]
    #: Codes of the items that need it.
    used_by: Mapped[list[str]]
    #: BEFORE_DECISION, BEFORE_ISSUE, BEFORE_OPENING, AFTER_ISSUE
    until: Mapped[str] = mapped_column(String(20))
    due_on: Mapped[date]
    #: Working days of grace after `due_on`.
    grace_days: Mapped[int]
    status: Mapped[ToleranceStatus] = mapped_column(default=ToleranceStatus.OPEN)
    reminded_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Supplement(Keyed, Base):
    """A one-time notice of everything that must be corrected (补正通知)."""

    __tablename__ = "supplements"
    __table_args__ = (refers("notice_id", "notices"),)
    id: Mapped[UUID] = own_id()
    notice_id: Mapped[UUID]
    #: [{code, name}] and the defects that are no missing material.
    missing: Mapped[list[Any]]
    defects: Mapped[str | None] = mapped_column(Text)
    due_on: Mapped[date]
    status: Mapped[SupplementStatus] = mapped_column(default=SupplementStatus.OPEN)
    #: A second notice: the supervisor who allowed it.
    allowed_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class Notice(Keyed, Base):
    """A document of law to the applicant (文书): acceptance, corrections, refusal, pause, extension, decision."""

    __tablename__ = "notices"
    __table_args__ = (of_case(), refers("item_id", "items"))
    id: Mapped[UUID] = own_id()
    number: Mapped[str] = mapped_column(String(50), index=True)
    item_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str]
    content: Mapped[dict[str, Any]]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]


class Commitment(Keyed, Base):
    """A signed promise of the applicant (承诺): tolerance, or informed commitment with a check afterwards.

    A tolerance is promised for the whole case; broken after issue, it is written down for each item that was handed out on it.
    """

    __tablename__ = "commitments"
    __table_args__ = (of_case(), refers("item_id", "items"))
    id: Mapped[UUID] = own_id()
    item_id: Mapped[UUID | None]
    #: tolerance, informed
    kind: Mapped[str] = mapped_column(String(20))
    signed_by: Mapped[str]
    signed_at: Mapped[datetime]
    verify_due_on: Mapped[date | None]
    status: Mapped[CommitmentStatus] = mapped_column(default=CommitmentStatus.MADE)
    findings: Mapped[str | None] = mapped_column(Text)


class Package(Keyed, Base):
    """What is handed out together (出件)."""

    __tablename__ = "packages"
    __table_args__ = (of_case(),)
    id: Mapped[UUID] = own_id()
    #: unified, classified, comprehensive; split: unified, but the longest wait was over.
    mode: Mapped[str] = mapped_column(String(20))
    delivery: Mapped[str] = mapped_column(String(20))
    recipient: Mapped[str | None]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]


class Result(Keyed, Base):
    """A certificate or other document that a decision produced (结果证照)."""

    __tablename__ = "results"
    __table_args__ = (unique("item_id"), refers("item_id", "items"), refers("package_id", "packages"))
    id: Mapped[UUID] = own_id()
    item_id: Mapped[UUID]
    package_id: Mapped[UUID]
    number: Mapped[str] = mapped_column(String(50), index=True)  # the department's: two of them may give the same
    name: Mapped[str]
    issuer: Mapped[str]
    holder: Mapped[str]
    issued_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]


class Alert(Keyed, Base):
    """A supervision event (电子监察): a reminder, an overdue item, an acceptance by silence."""

    __tablename__ = "alerts"
    __table_args__ = (of_case(), refers("item_id", "items"))
    id: Mapped[UUID] = own_id()
    item_id: Mapped[UUID | None]
    #: yellow, red; green: it was taken back
    light: Mapped[str] = mapped_column(String(10))
    #: reminder, overdue, retracted, deemed_acceptance, tolerance_overdue, second_supplement …
    kind: Mapped[str] = mapped_column(String(40))
    department: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str]
    raised_at: Mapped[datetime]


class Rating(Keyed, Base):
    """The applicant's mark (好差评), once a case; a missing mark is never counted as good."""

    __tablename__ = "ratings"
    known_by = ("case_id",)
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    __table_args__ = (CheckConstraint("score between 1 and 5", name="score"), of_case())
    #: 1 (very dissatisfied) to 5 (very satisfied).
    score: Mapped[int]
    comment: Mapped[str | None] = mapped_column(Text)
    rated_at: Mapped[datetime]
    rated_by: Mapped[str]


class DepartmentEvent(Keyed, Base):
    """Something a department's own system reported of an item; each event id counts once in a case."""

    __tablename__ = "department_events"
    known_by = ("department", "event_id")
    __table_args__ = (refers("item_id", "items"),)
    department: Mapped[str] = mapped_column(String(40), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    item_id: Mapped[UUID]
    received_at: Mapped[datetime]


class Comment(Keyed, Base):
    """What somebody remarks on a task (批注)."""

    __tablename__ = "comments"
    __table_args__ = (refers("task_id", "tasks"),)
    id: Mapped[UUID] = own_id()
    task_id: Mapped[UUID] = mapped_column(index=True)
    author: Mapped[str] = mapped_column(String(80))
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Draft(Keyed, Base):
    """What is filled in of a task and not handed in yet (暂存).  When the task has ended it is nobody's, and retention deletes it."""

    __tablename__ = "task_drafts"
    known_by = ("task_id",)
    __table_args__ = (refers("task_id", "tasks"),)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]
    saved_by: Mapped[str] = mapped_column(String(80))


class LocalVariables(Keyed, Base):
    """Local variables of an activation that is over, as they were in the end."""

    __tablename__ = "local_variables"
    known_by = ("instance_id", "number")
    __table_args__ = (refers("instance_id", "instances"),)
    instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Number of the activation within its instance.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    variables: Mapped[dict[str, Any]]
    #: Those whose type JSON cannot tell: {name: {type, valueInfo?}}.
    types: Mapped[dict[str, Any]]


class CaseMigration(Keyed, Base):
    """One instance that was moved to another version of its diagram, and what it was before (docs/decisions/0009)."""

    __tablename__ = "case_migrations"
    __table_args__ = (refers("instance_id", "instances"),)
    id: Mapped[UUID] = own_id()
    #: What was moved by one command, and is undone by one.
    batch: Mapped[UUID] = mapped_column(index=True)
    instance_id: Mapped[UUID]
    from_id: Mapped[UUID] = mapped_column(ForeignKey("definitions.id"))
    to_id: Mapped[UUID] = mapped_column(ForeignKey("definitions.id"))
    #: Token state before, and the rows that stood for its waits: {table: [row]}.
    state: Mapped[bytes] = mapped_column(LargeBinary)
    rows: Mapped[dict[str, Any]]
    #: `rev` of the instance when it had been moved: while it is the same, nothing has gone on since.
    rev: Mapped[int]
    moved_at: Mapped[datetime]
    moved_by: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]
