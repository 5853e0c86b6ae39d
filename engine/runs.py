"""Runs: an instance in our hands, with all that belongs to it; and how a new one comes about.

What is done with a run is in `instances` and `execution`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from bpmn.instance import Instance as Awake
from bpmn.instructions import Instruction
from bpmn.waits import Glance, Wait, WaitKind
from engine.actors import Actor
from engine.case_models import Case, Item
from engine.definitions import Loaded
from engine.errors import InvalidState
from engine.holdings import Held
from engine.states import ItemStatus
from engine.subjects import Subject


@dataclass(kw_only=True)
class Run:
    """An instance in our hands: locked, awake, and not yet put back."""

    session: Session
    actor: Actor
    row: Held
    loaded: Loaded
    process: Awake
    subject: Subject
    #: What it waited for when it was taken up, of what may have changed since; the rows of the database say the same.
    before: Glance
    #: Status of the item when the instance was taken up; None: it has no item, or has just begun.
    found_as: ItemStatus | None = None
    #: Waits that came up in this run, and for which the engine has done its part already.  The kind is kept, too: a wait that fails is an
    #: incident under the same id.
    handled: dict[int, WaitKind] = field(default_factory=dict)
    #: What it waits for since it was put back; None: it was not put back yet.
    now: Glance | None = None
    #: Runs of the instances that it has called during this run; they were put back already.
    called: list[Run] = field(default_factory=list)
    #: Jobs for its caller (kind, payload) that are written after the jobs for its signals, since the signals were thrown first.
    later: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: Whether output parameters are set by what is canceled in the instances that it has called.
    mappings: bool = True
    #: What the applicant is told when a called instance is canceled, and the item that was being handled there ends without decision.
    why: str = "流程未等其办结即已继续"
    #: The code of the error, if a called instance is canceled because of one.
    error: str | None = None

    @property
    def case(self) -> Case:
        """The case that it belongs to."""
        return self.subject.case

    @property
    def item(self) -> Item | None:
        """The item whose process this is; None: the process of the matter."""
        return self.subject.item

    def require_item(self, what: str) -> Item:
        """Return the item; raises InvalidState when there is none, saying that `what` makes sense in the process of an item only."""
        if self.item is None:
            raise InvalidState(f"Expected {what} to stand in the process of an item, but {self.loaded.key} is none")
        return self.item

    @property
    def is_bundle(self) -> bool:
        """Whether this is the process of the case itself, not of an item, and not called: whoever holds it governs what all items share."""
        return self.row.item_id is None and self.row.parent_id is None

    @property
    def is_matter(self) -> bool:
        """Whether this is the process of the case itself (`is_bundle`), and somebody applied for it (not `Held.is_plain`)."""
        return self.row.hall is not None and self.row.item_id is None and self.row.parent_id is None

    def canceled(self, kind: WaitKind) -> set[int]:
        """Return the ids of waits of a kind that were canceled in this run, whether they had come up before it or in it (`handled`)."""
        return {wait for wait in self.process.canceled() if kind in {self.before.kinds.get(wait), self.handled.get(wait)}}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How an instance comes about."""

    #: The call activity that waits for it, with its instance.
    parent: tuple[Held, Wait] | None = None
    #: What its starter calls it; in a case this does not count, for there the business key is the number of the case.
    business_key: str | None = None
    #: Id of the start event, if it is one for a message, a signal or a time; None: the plain one.
    at: str | None = None
    #: Where it begins, if not at a start event.
    elsewhere: tuple[Instruction, ...] = ()


#: Nothing has called it, it has no business key, and it begins at its plain start event.
ALONE = Origin()
