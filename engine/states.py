"""Statuses and the moves between them: data, side by side.  `docs/states.md` is generated from this page.

An item has one life cycle and regions beside it (clock, delivery, sync); tolerances, supplements and commitments
have their own.  A case has no status of its own: it is derived from its items (`case_items.outcome`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from engine.errors import InvalidState


class ItemStatus(StrEnum):
    """Life cycle of an item (事项办件)."""

    SUBMITTED = "submitted"  #: 待受理: handed in, nobody has disposed of it
    CORRECTING = "correcting"  #: 补正中: a notice of corrections is out
    REFUSED = "refused"  #: 不受理 or 不予受理: not needed, not our business, or not in legal form
    ACCEPTED = "accepted"  #: 已受理: waits for the dispatcher
    WAITING = "waiting"  #: 等待前置: accepted, but another item must be granted first
    IN_REVIEW = "in_review"  #: 办理中: its own process runs
    GRANTED = "granted"  #: 准予: decided in the applicant's favour, not yet handed out
    DENIED = "denied"  #: 不予许可: decided against, with reason and remedies
    ISSUED = "issued"  #: 已出件: the result is out
    IMPORTED = "imported"  #: 已取得: existed before the case, nothing to do
    WITHDRAWN = "withdrawn"  #: 撤回: the applicant took it back
    RETURNED = "returned"  #: 退件: corrections or tolerated materials did not come
    TERMINATED = "terminated"  #: 终止: ended without decision
    BLOCKED = "blocked"  #: 前置未通过: an item it needs was not granted
    REVOKED = "revoked"  #: 撤销: granted, and taken back: after a breach, or since it should not have been


class ClockStatus(StrEnum):
    """Legal clock of an item (时限)."""

    NOT_STARTED = "not_started"  #: 未开始: not accepted, or waits for a predecessor
    RUNNING = "running"  #: 计时中: working days count
    PAUSED = "paused"  #: 特别程序: none count, the reason is in the ledger
    STOPPED = "stopped"  #: 已停止: decided or ended


class DeliveryStatus(StrEnum):
    """Delivery of an item's result (送达)."""

    NONE = "none"  #: 无: nothing to deliver yet
    PREPARED = "prepared"  #: 已制证: issued, waits for the applicant or the courier
    DELIVERED = "delivered"  #: 已送达
    FAILED = "failed"  #: 送达失败: came back; contact the applicant again


class SyncStatus(StrEnum):
    """What a department's own system says of the item (同步)."""

    LOCAL = "local"  #: 本地: no other system
    ACKED = "acked"  #: 已确认: the department's system reports, and agrees
    DIVERGED = "diverged"  #: 不一致: it reports something that does not fit; a person must look


class ToleranceStatus(StrEnum):
    """A material that may follow later (容缺)."""

    OPEN = "open"  #: 待补: promised, not yet due
    MET = "met"  #: 已补
    OVERDUE = "overdue"  #: 逾期: due has passed, the clock is paused, the grace period runs
    EXPIRED = "expired"  #: 未补: given up, the items that need it were returned or terminated
    WAIVED = "waived"  #: 免补: the items that needed it are gone


class SupplementStatus(StrEnum):
    """A one-time notice of corrections (补正通知)."""

    OPEN = "open"  #: 待补正
    ANSWERED = "answered"  #: 已补正: everything named was handed in
    LAPSED = "lapsed"  #: 补正不来: the period ran out


class CommitmentStatus(StrEnum):
    """A commitment on which something was granted or handed out, and what became of it (告知承诺, 容缺承诺)."""

    MADE = "made"  #: 已承诺: signed, nothing granted on it yet
    VERIFY_DUE = "verify_due"  #: 待核查: granted on the commitment, the check is due
    VERIFIED = "verified"  #: 核查通过
    RECTIFYING = "rectifying"  #: 限期整改: breach found, time to repair
    REVOKED = "revoked"  #: 已撤销: the decision was revoked: breach not repaired, or for another reason that `findings` tells


class TaskStatus(StrEnum):
    """A user task of a diagram (部门任务)."""

    OPEN = "open"  #: 待办
    COMPLETED = "completed"  #: 已完成
    CANCELED = "canceled"  #: interrupted by the diagram, or its instance ended


class InstanceStatus(StrEnum):
    """A process instance."""

    RUNNING = "running"  #: 进行中
    COMPLETED = "completed"  #: 已完成
    FAILED = "failed"  #: its last path has ended by an error that nothing caught
    CANCELED = "canceled"  #: withdrawn, returned, moved to another case, or ended by hand


class JobStatus(StrEnum):
    """A piece of work the engine owes itself."""

    PENDING = "pending"  #: to be run; a job that was done is deleted
    FAILED = "failed"  #: out of retries: an incident says so


_I, _C, _T = ItemStatus, ClockStatus, ToleranceStatus
_LIVE_ENDS = frozenset({_I.WITHDRAWN, _I.RETURNED, _I.TERMINATED})

TRANSITIONS: Mapping[type[StrEnum], Mapping[StrEnum, frozenset[StrEnum]]] = {
    ItemStatus: {
        _I.SUBMITTED: frozenset({_I.CORRECTING, _I.REFUSED, _I.ACCEPTED, _I.WAITING, _I.RETURNED, _I.WITHDRAWN}),
        _I.CORRECTING: frozenset({_I.SUBMITTED, _I.REFUSED, _I.RETURNED, _I.WITHDRAWN}),
        _I.REFUSED: frozenset(),
        _I.ACCEPTED: frozenset({_I.IN_REVIEW}) | _LIVE_ENDS,
        _I.WAITING: frozenset({_I.ACCEPTED, _I.IN_REVIEW, _I.BLOCKED}) | _LIVE_ENDS,
        _I.IN_REVIEW: frozenset({_I.GRANTED, _I.DENIED}) | _LIVE_ENDS,
        _I.GRANTED: frozenset({_I.ISSUED, _I.RETURNED, _I.TERMINATED, _I.REVOKED}),
        _I.DENIED: frozenset(),
        _I.ISSUED: frozenset({_I.REVOKED}),
        _I.IMPORTED: frozenset({_I.RETURNED, _I.TERMINATED, _I.REVOKED}),
        _I.WITHDRAWN: frozenset(),
        _I.RETURNED: frozenset(),
        _I.TERMINATED: frozenset(),
        _I.BLOCKED: frozenset(),
        _I.REVOKED: frozenset(),
    },
    ClockStatus: {
        _C.NOT_STARTED: frozenset({_C.RUNNING, _C.STOPPED}),
        _C.RUNNING: frozenset({_C.PAUSED, _C.STOPPED}),
        _C.PAUSED: frozenset({_C.RUNNING, _C.STOPPED}),
        _C.STOPPED: frozenset(),
    },
    DeliveryStatus: {
        DeliveryStatus.NONE: frozenset({DeliveryStatus.PREPARED, DeliveryStatus.DELIVERED}),
        DeliveryStatus.PREPARED: frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}),
        DeliveryStatus.DELIVERED: frozenset(),
        DeliveryStatus.FAILED: frozenset({DeliveryStatus.PREPARED, DeliveryStatus.DELIVERED}),
    },
    SyncStatus: {
        SyncStatus.LOCAL: frozenset({SyncStatus.ACKED, SyncStatus.DIVERGED}),
        SyncStatus.ACKED: frozenset({SyncStatus.DIVERGED}),
        SyncStatus.DIVERGED: frozenset({SyncStatus.ACKED}),
    },
    ToleranceStatus: {
        _T.OPEN: frozenset({_T.MET, _T.OVERDUE, _T.WAIVED}),
        _T.OVERDUE: frozenset({_T.MET, _T.EXPIRED, _T.WAIVED}),
        _T.MET: frozenset(),
        _T.EXPIRED: frozenset(),
        _T.WAIVED: frozenset(),
    },
    SupplementStatus: {
        SupplementStatus.OPEN: frozenset({SupplementStatus.ANSWERED, SupplementStatus.LAPSED}),
        SupplementStatus.ANSWERED: frozenset(),
        SupplementStatus.LAPSED: frozenset(),
    },
    CommitmentStatus: {
        CommitmentStatus.MADE: frozenset({CommitmentStatus.VERIFY_DUE, CommitmentStatus.RECTIFYING}),
        CommitmentStatus.VERIFY_DUE: frozenset({CommitmentStatus.VERIFIED, CommitmentStatus.RECTIFYING, CommitmentStatus.REVOKED}),
        CommitmentStatus.RECTIFYING: frozenset({CommitmentStatus.VERIFIED, CommitmentStatus.REVOKED}),
        CommitmentStatus.VERIFIED: frozenset(),
        CommitmentStatus.REVOKED: frozenset(),
    },
    TaskStatus: {
        TaskStatus.OPEN: frozenset({TaskStatus.COMPLETED, TaskStatus.CANCELED}),
        TaskStatus.COMPLETED: frozenset(),
        TaskStatus.CANCELED: frozenset(),
    },
    InstanceStatus: {
        InstanceStatus.RUNNING: frozenset({InstanceStatus.COMPLETED, InstanceStatus.FAILED, InstanceStatus.CANCELED}),
        InstanceStatus.COMPLETED: frozenset(),
        InstanceStatus.FAILED: frozenset(),
        InstanceStatus.CANCELED: frozenset(),
    },
    JobStatus: {
        JobStatus.PENDING: frozenset({JobStatus.FAILED}),
        JobStatus.FAILED: frozenset({JobStatus.PENDING}),
    },
}

#: An item that still keeps its bundle waiting.
UNSETTLED = frozenset({_I.SUBMITTED, _I.CORRECTING, _I.ACCEPTED, _I.WAITING, _I.IN_REVIEW})
#: An item that may be withdrawn: nothing has been decided (domain rule 10).
WITHDRAWABLE = UNSETTLED
#: An item that may be applied for again (domain rule 14).
REAPPLICABLE = frozenset({_I.DENIED, _I.REFUSED, _I.RETURNED, _I.TERMINATED, _I.WITHDRAWN, _I.BLOCKED, _I.REVOKED})
#: An item whose result another item may build on.
FAVOURABLE = frozenset({_I.GRANTED, _I.ISSUED, _I.IMPORTED})
#: An item that nobody at the window has disposed of.
UNANSWERED = frozenset({_I.SUBMITTED, _I.CORRECTING})
#: A clock that has started, and has not stopped for good.
UNDER_WAY = (_C.RUNNING, _C.PAUSED)
#: A tolerated material that is still to come.
OWED = (_T.OPEN, _T.OVERDUE)
#: A commitment that is still to be kept.
UNKEPT = (CommitmentStatus.VERIFY_DUE, CommitmentStatus.RECTIFYING)

S = TypeVar("S", bound=StrEnum)


def move(current: S, target: S, what: str) -> S:
    """Return `target` if the table permits the move, else raise InvalidState: “Expected to …, but …”."""
    if target not in TRANSITIONS[type(current)][current]:
        raise InvalidState(f"Expected to move {what} to {target}, but it is {current}", status=str(current))
    return target
