"""What `/api/v1` answers about cases, their items and tasks: the shapes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from api.shapes import Data, Shape
from api.v1.hindrances import HindranceShown
from api.v1.papers import (
    AlertShown,
    CommitmentShown,
    MaterialShown,
    MissingMaterial,
    NoticeShown,
    RatingShown,
    ResultShown,
    StandingIncident,
    SupplementShown,
    ToleranceShown,
    WarningShown,
)
from engine.clock import Light
from engine.states import (
    ClockStatus,
    DeliveryStatus,
    ItemStatus,
    SyncStatus,
    TaskStatus,
)


class Due(Shape):
    """The last day of a time limit."""

    date: date
    #: It rests on a year whose calendar is not published yet.
    provisional: bool


class LedgerEntry(Shape):
    """A pause (特别程序) or an extension (延长) in the ledger of a clock."""

    id: UUID
    kind: str
    on: date
    #: Last paused day; null while it lasts.
    until: date | None
    #: Working days: estimated (a pause) or added (an extension).
    days: int | None
    procedure: str | None
    reason: str | None


class ItemShown(Shape):
    """One item of a case (事项办件)."""

    number: str
    case: str
    code: str
    name: str
    department: str
    origin: str
    mode: str
    status: ItemStatus
    clock: ClockStatus
    delivery: DeliveryStatus
    sync: SyncStatus
    previous_number: str | None
    external_number: str | None
    received_on: date
    accepted_at: datetime | None
    #: clerk, tolerance, or deemed (by law).
    accepted_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    issued_at: datetime | None
    reason: Data | None
    #: What the decision yielded.
    result: Data | None
    promised_due: Due | None
    statutory_due: Due | None
    #: Working days left after today; negative: overdue.
    remaining: int | None
    light: Light | None
    ledger: list[LedgerEntry]
    certificate: ResultShown | None


class TaskShown(Shape):
    """A task (部门任务)."""

    id: UUID
    case: str
    #: Name of who applies; null: a process without a matter.
    applicant: str | None
    item: str | None
    item_name: str | None
    matter: str
    #: null: of a process without a matter.
    hall: str | None
    name: str
    element: str
    #: intake, follow-on, supplement, decision, special-procedure, issuance, rating, post-check or work.
    kind: str
    status: TaskStatus
    groups: list[str]
    assignee: str | None
    priority: int
    light: Light | None
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    completed_by: str | None
    #: Why not all can be done: what the applicant is to correct (`supplement`), or has promised (`material`); why its clock stands still.
    waits_for: list[HindranceShown]


class EarlierItemShown(Shape):
    """An item that the applicant has had handled, or has under way (已办、在办事项), in whatever hall."""

    number: str
    code: str
    name: str
    department: str
    case: str
    matter: str
    hall: str | None
    applicant: str
    status: ItemStatus
    received_on: date
    decided_at: datetime | None
    #: Number of what was issued and still counts; by it the item can be adopted, too.
    certificate: str | None
    #: Whether a bundle may adopt it now.
    adoptable: bool
    #: Number of the bundle that handles it, or has adopted its result.
    used_by: str | None


class TaskDetails(TaskShown):
    """A task with its form."""

    beside = frozenset({"under_way", "waits_for"})
    #: Fields to be filled in; null: any data.
    form: list[dict[str, JsonValue]] | None
    #: What it was completed with.
    data: Data | None
    #: Of an open intake: which of its items other cases of the applicant have under way, the newest first; for clerks and supervisors.
    under_way: list[EarlierItemShown] | None


class FoundBy(Shape):
    """Who has left something in a process: a person, a program, or `engine` where the law had it done."""

    #: Name of the account, and what people call it (empty: there is no such account any more).
    actor: str
    display_name: str
    #: Departments that it works for now, by their codes.
    departments: list[str]
    #: The task in which it was left; null: it was set without one.
    task: str | None
    at: datetime


class Finding(Shape):
    """A variable of a process."""

    name: str
    #: What the forms of the drawing call it; null: a program has left it, or each of them calls it otherwise.
    label: str | None
    value: JsonValue
    #: Who has given it last. Null: the diagram has made it (a script, a table, a mapping), or it is from before this was written down.
    left: FoundBy | None


class Findings(Shape):
    """What was found (已查明情况): what was left in the process of a task before it."""

    data: list[Finding]


class DraftShown(Shape):
    """What was filled in of a task and not handed in yet (暂存); all null: nothing is kept."""

    data: Data | None
    saved_at: datetime | None
    saved_by: str | None


class CaseBrief(Shape):
    """A case in a list."""

    number: str
    matter: str
    hall: str
    applicant: str
    entry: str
    submitted_at: datetime
    ended_at: datetime | None
    #: open, all_granted, partial, none_granted, withdrawn, or adopted (a bundle took its only item).
    outcome: str
    light: Light | None
    #: Code and status of each item.
    items: dict[str, ItemStatus]
    #: Since when it is in the archive, and can only be read.
    archived_at: datetime | None


class CaseShown(Shape):
    """A case (办件), as far as it is yours to see."""

    number: str
    matter: str
    matter_name: str
    hall: str | None
    hall_name: str
    region: str
    #: submit, follow_on or reapply.
    entry: str
    #: Number of the case that this one goes on from.
    previous: str | None
    applicant: Data
    #: A credit code that fails its check: those of the early pilot do, and others were mistyped.
    warnings: list[WarningShown]
    submitted_at: datetime
    submitted_by: str
    ended_at: datetime | None
    #: As in the list.
    outcome: str
    #: Since when it is in the archive, and can only be read.
    archived_at: datetime | None
    #: Published promise of the bundle in working days.
    promised: int | None
    due: Due | None
    remaining: int | None
    light: Light | None
    #: A department sees those that its items are handled by (`used_by` in the table situations).
    answers: Data
    #: Null for a department, which sees its own items only.
    checklist: Data | None
    items: list[ItemShown]
    tasks: list[TaskShown]
    materials: list[MaterialShown]
    #: What is still owed of the items that are shown: a department sees that of its own.
    missing: list[MissingMaterial]
    tolerances: list[ToleranceShown]
    supplements: list[SupplementShown]
    commitments: list[CommitmentShown]
    notices: list[NoticeShown]
    alerts: list[AlertShown]
    #: What stands, the case waiting there; empty when it goes on.
    incidents: list[StandingIncident]
    rating: RatingShown | None


class CaseTaken(CaseShown):
    """A case that was just submitted."""

    #: Which of its items other cases of the applicant have under way, the newest first; for clerks and supervisors, else null.
    under_way: list[EarlierItemShown] | None


class EntryShown(Shape):
    """One line of the journal (流转记录)."""

    at: datetime
    actor: str
    what: str
    details: dict[str, Any]
    #: Place in the chain of its process, and the hash that closes the chain up to here.
    seq: int
    hash: str


class Journal(Shape):
    """What happened, oldest first."""

    data: list[EntryShown]


class TokenShown(Shape):
    """Where something is waited for."""

    element: str
    name: str
    kind: str


class DiagramShown(Shape):
    """A drawing and where the tokens are."""

    key: str
    version: int
    name: str
    xml: str
    tokens: list[TokenShown]
