"""Hindrances (原因): what a clock, or a task, is shown to wait for."""

from __future__ import annotations

from datetime import date

from api.shapes import Shape
from engine.hindrances import HindranceKind


class HindranceShown(Shape):
    """What something waits for (原因)."""

    kind: HindranceKind
    #: Kind of the pause; name of the material, or in words what else is to be corrected; name of the task, of the item that is not decided,
    #: or of the element that failed; topic of the program.
    name: str
    #: Of a pause.
    reason: str | None
    #: First day; null: of a material, and of an item that is not accepted yet.
    since: date | None
    #: Last day on which the material, or the correction, may come; of a pause, of what the applicant was told that it will take.
    due_on: date | None
    #: Who may do the task; the department of the item, also of one that waits for a program.
    groups: list[str]
    #: Who has claimed the task.
    assignee: str | None
