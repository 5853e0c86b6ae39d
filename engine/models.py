"""The tables, one page.  Rows speak through `#:`; statuses and their moves are in `states.py`.

Every table that grows carries the key by which it can be spread over databases (`keys`).  Days are local dates
(Beijing), moments are UTC.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, Table, Text, UniqueConstraint, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from engine.columns import MAY_BE_LARGE, Json, Lit, Moment, enum, new_id
from engine.keys import Keyed, found_otherwise, of_case, refers, unique
from engine.states import (
    ClockStatus,
    CommitmentStatus,
    DeliveryStatus,
    InstanceStatus,
    ItemStatus,
    JobStatus,
    SupplementStatus,
    SyncStatus,
    TaskStatus,
    ToleranceStatus,
)


class Base(DeclarativeBase):
    """Common ground of the tables."""

    if TYPE_CHECKING:
        __table__: ClassVar[Table]  # SQLAlchemy maps classes to less, too; here it is always a table
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way
        datetime: Moment,
        dict[str, Any]: Json,
        dict[str, str]: Json,
        list[Any]: Json,
        list[str]: Json,
        ItemStatus: enum(ItemStatus),
        ClockStatus: enum(ClockStatus),
        DeliveryStatus: enum(DeliveryStatus),
        SyncStatus: enum(SyncStatus),
        ToleranceStatus: enum(ToleranceStatus),
        SupplementStatus: enum(SupplementStatus),
        CommitmentStatus: enum(CommitmentStatus),
        TaskStatus: enum(TaskStatus),
        InstanceStatus: enum(InstanceStatus),
        JobStatus: enum(JobStatus),
    }

    def __init__(self, **values: Any) -> None:
        """Make a new row; raises TypeError for what it has no column for."""
        if values.keys() <= _columns(type(self)):
            vars(self).update(values)  # all is new: there is nothing to compare, attribute by attribute, with what it was
        else:
            self.registry.constructor(self, **values)


@cache
def _columns(kind: type[Base]) -> frozenset[str]:
    return frozenset(kind.__mapper__.column_attrs.keys())


def own_id() -> Mapped[UUID]:
    """Identify a row by itself; the later it is made, the greater its id."""
    return mapped_column(primary_key=True, default=new_id)


# ── who ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Department(Base):
    """A department (部门)."""

    __tablename__ = "departments"
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]


class Hall(Base):
    """A government hall (大厅)."""

    __tablename__ = "halls"
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]
    #: city, county, street …
    level: Mapped[str]


# ── what runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Deployment(Base):
    """A set of files that were deployed together; never changed."""

    __tablename__ = "deployments"
    id: Mapped[UUID] = own_id()
    name: Mapped[str]
    source: Mapped[str]
    deployed_at: Mapped[datetime]
    deployed_by: Mapped[str]


class Resource(Base):
    """One file of a deployment."""

    __tablename__ = "resources"
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))


class Definition(Base):
    """One version of one executable process."""

    __tablename__ = "definitions"
    __table_args__ = (UniqueConstraint("key", "version"),)
    id: Mapped[UUID] = own_id()
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id"), index=True)
    key: Mapped[str] = mapped_column(String(255))
    version: Mapped[int]
    name: Mapped[str]
    #: matter, item, or process (neither).
    kind: Mapped[str] = mapped_column(String(20))
    resource: Mapped[str] = mapped_column(String(255))
    #: `camunda:versionTag`: what people call this version, e.g. the regulation that it carries out.
    version_tag: Mapped[str | None] = mapped_column(String(255))
    #: `camunda:historyTimeToLive`, days; None: its history is kept for ever.
    history_days: Mapped[int | None]
    #: `camunda:isStartableInTasklist`: whether people start it from a list.
    startable: Mapped[bool] = mapped_column(default=True)
    #: Whether its start events are written down (`StartEvent`); an earlier release did not do that.
    starts_known: Mapped[bool] = mapped_column(default=False, server_default=false(), index=True)


class Instance(Keyed, Base):
    """A process that runs or has run: its token state and its variables.  To be read; it is written by whoever holds it (`holdings`)."""

    __tablename__ = "instances"
    __table_args__ = (of_case(), refers("item_id", "items"), refers("parent_id", "instances"))
    id: Mapped[UUID] = own_id()
    #: None: the instance of the matter itself.
    item_id: Mapped[UUID | None] = mapped_column(index=True)
    definition_id: Mapped[UUID] = mapped_column(ForeignKey("definitions.id"))
    #: The instance whose call activity waits for this one, and which of its waits that is.
    parent_id: Mapped[UUID | None]
    parent_wait: Mapped[int | None]
    #: What its starter calls it (Camunda's business key); for a case, its number.
    business_key: Mapped[str | None] = mapped_column(String(255), index=True)
    status: Mapped[InstanceStatus] = mapped_column(default=InstanceStatus.RUNNING)
    #: Nobody completes, fetches, fires or correlates anything in it until it is activated again.
    suspended: Mapped[bool] = mapped_column(default=False)
    #: Counts writes; a write that rests on an old one is refused (Busy), whatever became of the lock.
    rev: Mapped[int] = mapped_column(default=0)
    state: Mapped[bytes] = mapped_column(LargeBinary)
    #: The variables, except those that lie apart.
    small: Mapped[dict[str, Any]] = mapped_column("variables", info={MAY_BE_LARGE: True})
    #: Those that do: {name: SHA-256 of its JSON}; None: there are none.
    large: Mapped[dict[str, str] | None]
    #: Variables whose type JSON cannot tell, as Camunda's clients said it: {name: {type, valueInfo?}}.
    types: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: Id of the end event that was reached last.  (Of those that failed in releases before `error`: the code of the error.)
    end: Mapped[str | None]
    #: Code of the last error that nothing caught; one path has ended by it, and others may have gone on.
    error: Mapped[str | None]
    #: When its activities are purged (`camunda:historyTimeToLive`, counted from its end); None: they are kept, or are gone already.
    purge_at: Mapped[datetime | None] = mapped_column(index=True)
    #: Hash of the newest journal entry: the chain is per instance, so departments never wait for each other to write history.
    journal_seq: Mapped[int] = mapped_column(default=0)
    journal_hash: Mapped[str] = mapped_column(String(64), default="")
    apart: Mapped[list[LargeValue]] = relationship(viewonly=True)
    __mapper_args__ = {"primary_key": ("id",), "version_id_col": rev, "version_id_generator": False}  # noqa: RUF012 - SQLAlchemy's own way

    @property
    def variables(self) -> dict[str, Any]:
        """All of its variables."""
        if not self.large:
            return self.small
        found = {value.sha256: value.content for value in self.apart}
        return self.small | {name: found[sha256] for name, sha256 in self.large.items()}


class LargeValue(Keyed, Base):
    """A value that is too large to be written whenever another changes (decision 0023); one or more variables of an instance have it."""

    __tablename__ = "large_values"
    __table_args__ = (refers("instance_id", "instances"),)
    known_by = ("instance_id", "sha256")
    case_id: Mapped[UUID] = found_otherwise()
    instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Of its JSON.
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[Any] = mapped_column(Json, info={MAY_BE_LARGE: True})


class Activity(Keyed, Base):
    """One activation of one element: what an instance went through, as its diagram says it (the journal says it as the law does).

    It is the hottest of all tables: found by its instance, it needs no index of its own.
    """

    __tablename__ = "activities"
    __table_args__ = (refers("instance_id", "instances"),)
    known_by = ("instance_id", "number")
    case_id: Mapped[UUID] = found_otherwise()
    instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Number of the activation within its instance; the wait of a task, a call …
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: Number of the activation around it; None: the process itself.
    scope: Mapped[int | None]
    element: Mapped[str]
    name: Mapped[str]
    #: The tag in BPMN: userTask, startEvent …
    type: Mapped[str] = mapped_column(String(40))
    #: In which write of the instance it began, and as which there: the order of what happened at one moment.
    rev: Mapped[int]
    place: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: completed, or canceled (interrupted, terminated); None while it lasts.
    outcome: Mapped[str | None] = mapped_column(String(20))
    #: Code of the error by which it has ended, since nothing caught that.
    error: Mapped[str | None]


class Task(Lit, Keyed, Base):
    """A user task of a diagram (部门任务)."""

    __tablename__ = "tasks"
    __table_args__ = (unique("instance_id", "wait"), refers("instance_id", "instances"), refers("item_id", "items"))
    id: Mapped[UUID] = own_id()
    item_id: Mapped[UUID | None]
    instance_id: Mapped[UUID]
    wait: Mapped[int]
    element: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None] = mapped_column(Text)
    #: `onething.kind`: what completing it means; `work` when nothing more than going on.
    kind: Mapped[str] = mapped_column(String(40))
    matter: Mapped[str] = mapped_column(String(255))
    hall: Mapped[str | None]  #: of the case: clerks see the tasks of their hall only; None: of a process without a matter
    submitted_by: Mapped[str | None]  #: of the case: a channel gives the marks of those who applied through it
    sole_group: Mapped[str | None] = mapped_column(String(80))  #: its candidate group; None: it has several, or none (`TaskGroup`)
    status: Mapped[TaskStatus] = mapped_column(default=TaskStatus.OPEN)
    assignee: Mapped[str | None] = mapped_column(String(80), index=True)
    #: Who answers for it, when somebody else does it; nothing follows from it.
    owner: Mapped[str | None] = mapped_column(String(80))
    #: pending (the owner has asked the assignee), resolved (it is back with its owner), or None.
    delegation: Mapped[str | None] = mapped_column(String(20))
    priority: Mapped[int] = mapped_column(default=50)
    due_at: Mapped[datetime | None]
    #: When somebody should look at it (`camunda:followUpDate`); nothing follows from it.
    follow_up_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    #: When somebody changed it last, other than by completing it.
    updated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    completed_by: Mapped[str | None]
    data: Mapped[dict[str, Any] | None] = mapped_column(info={MAY_BE_LARGE: True})


class TaskGroup(Keyed, Base):
    """A candidate group of a task."""

    __tablename__ = "task_groups"
    known_by = ("task_id", "name")
    case_id: Mapped[UUID] = found_otherwise()
    __table_args__ = (refers("task_id", "tasks"),)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)


class TaskUser(Keyed, Base):
    """A candidate user of a task."""

    __tablename__ = "task_users"
    known_by = ("task_id", "name")
    case_id: Mapped[UUID] = found_otherwise()
    __table_args__ = (refers("task_id", "tasks"),)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)


class ExternalTask(Keyed, Base):
    """A service task that waits for a worker, who holds it by a lock that runs out."""

    __tablename__ = "external_tasks"
    __table_args__ = (unique("instance_id", "wait"), refers("instance_id", "instances"), refers("item_id", "items"))
    id: Mapped[UUID] = own_id()
    item_id: Mapped[UUID | None]
    instance_id: Mapped[UUID]
    wait: Mapped[int]
    element: Mapped[str]
    topic: Mapped[str] = mapped_column(String(255))
    priority: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime]
    #: Who fetched it last.
    worker: Mapped[str | None] = mapped_column(String(255))
    #: Until then nobody else may fetch it; None: it is free.
    lock_expires_at: Mapped[datetime | None]
    #: Attempts that are left after a failure; None: none has failed yet.  At 0 an incident stands on it.
    retries: Mapped[int | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    error_details: Mapped[str | None] = mapped_column(Text)


class Timer(Keyed, Base):
    """A timer of a diagram; the table is the schedule.  No due date: it sleeps until its expression gives one."""

    __tablename__ = "timers"
    __table_args__ = (unique("instance_id", "wait"), Index("ix_timers_due_at", "due_at"), refers("instance_id", "instances"))
    id: Mapped[UUID] = own_id()
    instance_id: Mapped[UUID]
    wait: Mapped[int]
    element: Mapped[str]
    #: Number of the activation that has it; None: the process itself.
    holder: Mapped[int | None]
    due_at: Mapped[datetime | None]
    #: Attempts that are left to let it go off; at 0 an incident stands on it.
    retries: Mapped[int] = mapped_column(default=3)
    #: What went wrong last.
    error: Mapped[str | None] = mapped_column(Text)


class Subscription(Keyed, Base):
    """A message or a signal that an instance waits for."""

    __tablename__ = "subscriptions"
    __table_args__ = (unique("instance_id", "wait"), refers("instance_id", "instances"))
    id: Mapped[UUID] = own_id()
    instance_id: Mapped[UUID]
    wait: Mapped[int]
    element: Mapped[str]
    #: Number of the activation that waits; None: the process itself.
    holder: Mapped[int | None]
    #: message or signal.
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(255), index=True)


class Job(Keyed, Base):
    """Work the engine owes itself: written with its cause, run after the commit or by the scheduler."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_due", "status", "due_at"), refers("instance_id", "instances"))
    id: Mapped[UUID] = own_id()
    instance_id: Mapped[UUID] = mapped_column(index=True)
    #: What is to be done: one of the kinds in `engine.jobs`, which say what the payload has.
    kind: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any]]
    status: Mapped[JobStatus] = mapped_column(default=JobStatus.PENDING)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)


class Incident(Keyed, Base):
    """Something failed and waits for a person or a retry; the case waits, others go on.  What could not begin is of no case."""

    __tablename__ = "incidents"
    __table_args__ = (Index("ix_incidents_instance", "instance_id", "wait"), refers("instance_id", "instances"), refers("job_id", "jobs"))
    id: Mapped[UUID] = own_id()
    #: None: no instance has begun, since that is what failed.
    instance_id: Mapped[UUID | None]
    #: The process that could not start by itself; None: that of the instance.
    definition_id: Mapped[UUID | None] = mapped_column(ForeignKey("definitions.id"))
    #: The wait it stands on, or None when a job failed for good.
    wait: Mapped[int | None]
    job_id: Mapped[UUID | None]
    element: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


class Outbox(Keyed, Base):
    """Something that must leave the process: delivered at least once, idempotent by its id."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_unsent", "sent_at", "created_at"), of_case())
    id: Mapped[UUID] = own_id()
    topic: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Entry(Keyed, Base):
    """One line of the journal (流转记录): append-only, chained by hash within its instance."""

    __tablename__ = "journal"
    case_id: Mapped[UUID] = found_otherwise()
    __table_args__ = (Index("ix_journal_case", "case_id", "at"), unique("instance_id", "seq"), refers("instance_id", "instances"))
    id: Mapped[UUID] = own_id()
    instance_id: Mapped[UUID]
    seq: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    #: In the law's words, e.g. `item accepted`.
    what: Mapped[str]
    details: Mapped[dict[str, Any]]
    hash: Mapped[str] = mapped_column(String(64))


class Counter(Base):
    """Running number, e.g. of cases of a day."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
