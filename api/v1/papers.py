"""What `/api/v1` answers about the papers of a case: materials, promises, notices, certificates, marks."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import JsonValue

from api.shapes import Data, Shape
from engine.states import CommitmentStatus, SupplementStatus, ToleranceStatus


class ResultShown(Shape):
    """A certificate or another document that was handed out (结果证照)."""

    number: str
    name: str
    issuer: str
    holder: str
    issued_at: datetime
    voided_at: datetime | None


class RejectionShown(Shape):
    """What a department has said of a material that is not what was promised (材料退回)."""

    #: Number of the item for which it is owed again.
    item: str
    reason: str
    #: Until when the applicant is to bring it again, as he was told.
    due_on: date
    rejected_at: datetime


class MaterialShown(Shape):
    """A material that was handed in (材料)."""

    no: int
    code: str
    name: str
    filename: str | None
    media_type: str | None
    size: int | None
    sha256: str | None
    fields: Data | None
    handed_in_at: datetime
    handed_in_by: str
    #: Departments that say that this copy is not good, each with the reason; empty: none.
    rejections: list[RejectionShown]


class MissingMaterial(Shape):
    """A material that the applicant must still hand in."""

    code: str
    name: str
    #: It may follow later (容缺).
    tolerable: bool
    used_by: list[str]


class ToleranceShown(Shape):
    """A missing material that may follow later (容缺)."""

    code: str
    name: str
    used_by: list[str]
    until: str
    #: The last day, as it holds now.
    due_on: date
    #: The day that the applicant was told before, which a calendar has made a day off since (民法典 art. 203); null: it is the same.
    moved_from: date | None
    grace_days: int
    #: Last day of these, on which what is overdue may still come; without them `due_on`.
    grace_until: date
    status: ToleranceStatus


class SupplementShown(Shape):
    """A one-time notice of corrections (补正)."""

    missing: list[dict[str, JsonValue]]
    defects: str | None
    #: As of a tolerance.
    due_on: date
    moved_from: date | None
    status: SupplementStatus
    allowed_by: str | None


class CommitmentShown(Shape):
    """A signed promise (承诺)."""

    kind: str
    signed_by: str
    signed_at: datetime
    verify_due_on: date | None
    status: CommitmentStatus
    findings: str | None


class NoticeShown(Shape):
    """A document of law (文书)."""

    number: str
    kind: str
    title: str
    content: Data
    issued_at: datetime
    issued_by: str


class AlertShown(Shape):
    """A supervision event (电子监察)."""

    kind: str
    light: str
    department: str | None
    message: str
    raised_at: datetime


class StandingIncident(Shape):
    """Something that failed, where the case waits until it is tried again (POST /incidents/{id}/retry)."""

    id: UUID
    element: str
    message: str
    raised_at: datetime


class RatingShown(Shape):
    """The applicant's mark (好差评)."""

    score: int
    comment: str | None
    rated_at: datetime


class WarningShown(Shape):
    """What was taken as it was given, and should be looked at again."""

    #: Where it stands, such as `applicant.id_number`.
    field: str
    message: str
