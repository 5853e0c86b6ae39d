"""Functions that a diagram may call in its conditions and timers.  They read the rows at the moment of the question.

`NAMES` is what the lint knows; `LIVE` names those whose timers move with the world (a clock is paused, a material comes in).
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.orm import Session

from bpmn.waits import Context
from engine import calendars, clock, clocks, definitions, dials, holidays, matters, moments, periods
from engine.actors import ENGINE, Actor
from engine.case_models import Case, Item, Tolerance
from engine.clock import Dial, Ledger, LimitKind, TimeLimit
from engine.definitions import Loaded
from engine.errors import InvalidInput
from engine.states import FAVOURABLE, UNSETTLED, ClockStatus, ItemStatus, ToleranceStatus
from engine.subjects import Subject

#: An item that was adopted while it runs is taken by the dispatcher, too.
_DISPATCHABLE = frozenset({ItemStatus.ACCEPTED, ItemStatus.WAITING, ItemStatus.IN_REVIEW})
_OPEN = frozenset({ToleranceStatus.OPEN, ToleranceStatus.OVERDUE})


@dataclass(kw_only=True)
class World:
    """What the functions read: one case, seen from the process of the matter or of one item."""

    session: Session
    loaded: Loaded
    subject: Subject
    actor: Actor | None
    #: What the instance is called (its business key).
    key: str | None
    #: What asks; it has the functions, and therefore this.
    context: Context = field(init=False)

    @property
    def case(self) -> Case:
        """The case."""
        return self.subject.case

    @property
    def item(self) -> Item | None:
        """The item whose process asks; None: the matter's."""
        return self.subject.item

    def ready(self, code: str) -> bool:
        """An item is accepted, not started, and what it needs is settled in its favour."""
        item = next((item for item in reversed(self.case.items) if item.code == code), None)  # the later of two
        return item is not None and item.dispatched_at is None and item.status in _DISPATCHABLE and not open_predecessors(self.case, item)

    def settled(self) -> bool:
        """Every item is decided or ended, and no tolerance is open."""
        return all(item.status not in UNSETTLED for item in live_items(self.case)) and not self.tolerance_open()

    def tolerance_open(self) -> bool:
        """A tolerated material is still missing."""
        return bool(open_tolerances(self.case))

    def tolerance(self, what: str) -> datetime | None:
        """Next moment at which an open tolerance must be reminded (`remind`), is overdue (`due`), or is given up (`grace`)."""
        calendar = holidays.calendar(self.session)
        missing = open_tolerances(self.case)
        if what == "remind":
            moments = [calendars.start_of(calendar.add(periods.last_day(calendar, t.due_on), -1)) for t in missing if t.reminded_at is None]
        elif what == "due":
            moments = [calendars.end_of(periods.last_day(calendar, t.due_on)) for t in missing if t.status is ToleranceStatus.OPEN]
        elif what == "grace":
            overdue = [t for t in missing if t.status is ToleranceStatus.OVERDUE]
            moments = [calendars.end_of(calendar.add(periods.last_day(calendar, t.due_on), t.grace_days)) for t in overdue]
        else:
            raise InvalidInput(f"Expected tolerance('remind'), ('due') or ('grace'), but got {what!r}")
        return min(moments, default=None)

    def acceptance_due(self) -> datetime:
        """End of the fifth working day after receipt of the item that waits longest for an answer, or after its corrections came in."""
        received = min((received_on(self.case, item) for item in unanswered(self.case)), default=received_on(self.case))
        return periods.answer_due(self.session, received)

    def supplement_due(self) -> datetime | None:
        """End of the period given in the open notice of corrections; once all is there, of the five days that the window has."""
        return periods.supplement_due(self.session, self.case, [item.code for item in unanswered(self.case)])

    def issue_by(self) -> datetime | None:
        """When a unified issuance has waited long enough for the rest: first result that could go out + longest wait, if that is lawful."""
        decided = [item.decided_at for item in issuable_items(self.case) if item.decided_at]
        if not decided:
            return None
        wait = min(matters.of(self.session, self.case).longest_wait, periods.DELIVERY_DAYS)
        return calendars.end_of(holidays.calendar(self.session).add(calendars.local_date(min(decided)), wait))

    def issuance_due(self) -> datetime | None:
        """End of the tenth working day after the first result that has not gone out could (行政许可法 art. 44)."""
        free = [ready_on(self.case, item) for item in issuable_items(self.case)]
        return periods.issuance_due(self.session, min(free)) if free else None

    def issuable(self) -> bool:
        """Something is granted, not issued, and no missing material holds it."""
        return bool(issuable_items(self.case))

    def deadline(self, kind: str) -> datetime | None:
        """The item's `promised` or `statutory` deadline, or the moment it turns yellow (`warning`); in a matter, the bundle's.

        Of a clock that has stopped in time, none; of one that has stopped too late, what it was: no calendar that comes later changes that.
        """
        if kind not in {"promised", "statutory", "warning"}:
            raise InvalidInput(f"Expected deadline('promised'), ('statutory') or ('warning'), but got {kind!r}")
        if (stopped := self._stopped()) is not None:
            due = dials.moment(kind, dials.kept(self.item or self.case), dials.statutory(self.item) if self.item else None)
            return due if due is not None and due <= stopped else None
        if self.item is None:
            return bundle_deadline(self.session, self.case, kind)
        return clocks.warning(self.session, self.item) if kind == "warning" else clocks.deadline(self.session, self.item, LimitKind(kind))

    def _stopped(self) -> datetime | None:
        """When the clock has stopped, if it has."""
        if self.item is None or self.item.clock is not ClockStatus.STOPPED:
            return None if self.item else self.case.ended_at
        ledger = clocks.ledger(self.session, self.item)
        return calendars.start_of(ledger.stopped_on) if ledger and ledger.stopped_on else None

    def workdays(self, days: float) -> datetime | None:
        """End of the n-th working day after the token came here; paused days of the item's clock do not count."""
        since = calendars.local_date(self.context.since or self.context.now)
        kept = clocks.ledger(self.session, self.item) if self.item else None
        pauses = tuple(replace(p, since=max(p.since, since)) for p in kept.pauses if p.until is None or p.until >= since) if kept else ()
        ledger = Ledger(started_on=since, pauses=pauses)
        due = clock.due(ledger, TimeLimit(kind=LimitKind.PROMISED, days=int(days)), holidays.calendar(self.session))
        return calendars.end_of(due.date) if due else None

    def now(self) -> datetime:
        """The moment of the question, in the legal local time."""
        return self.context.now.astimezone(calendars.BEIJING)

    def today(self) -> date:
        """The day of the question, in the legal local time."""
        return self.now().date()

    def current_user(self) -> str | None:
        """Name of whoever brought the instance here; null when it was the engine itself."""
        return self.actor.name if self.actor and self.actor != ENGINE else None

    def current_groups(self) -> list[str]:
        """Task groups of whoever brought the instance here."""
        return sorted(self.actor.groups()) if self.actor and self.actor != ENGINE else []

    def execution(self) -> dict[str, Any]:
        """What Camunda 7 calls the execution: its business key is the number of the item or the case, or what its starter called it."""
        number = self.key if self.item is None else self.item.number
        return {
            "businessKey": number,
            "processBusinessKey": number,
            "processDefinitionId": str(self.loaded.id),
            "tenantId": None,
        }

    def decide(self, ref: str, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Evaluate a decision table for a business rule task."""
        return definitions.decision(self.session, self.loaded, ref).evaluate(variables, self.context.functions)


LIVE = frozenset({"tolerance", "acceptance_due", "supplement_due", "issue_by", "issuance_due", "deadline", "workdays"})
#: Variables that the engine itself hands to processes, beside the answers of the situation.
VARIABLES = frozenset(
    {
        "applicant_kind",
        "applicant_name",
        "credit_code_valid",
        "id_number_valid",
        "licence_status",
        "department",
        "item",
        "joining",
        "post_check_days",
    }
)
#: What Camunda 7 calls by names of its own.
_CAMUNDA = {"dateTime": "now", "currentUser": "current_user", "currentUserGroups": "current_groups", "authenticatedUserId": "current_user"}
NAMES = LIVE | _CAMUNDA.keys() | {"ready", "settled", "tolerance_open", "issuable", "now", "today", "execution"}
_functions = attrgetter(*(_CAMUNDA.get(name, name) for name in NAMES))


def context(session: Session, loaded: Loaded, subject: Subject, actor: Actor | None = None, *, key: str | None, called: bool) -> Context:
    """What an instance may ask of the world while somebody runs it; `key`: what it is called, `called`: whether by another instance."""
    world = World(session=session, loaded=loaded, subject=subject, actor=actor, key=key)
    functions = dict(zip(NAMES, _functions(world), strict=True))
    asked: dict[str, Any] = {"functions": functions, "decide": world.decide, "live": LIVE}
    made = Context(now=moments.now(), gone=(DBAPIError, PendingRollbackError), called=called, **asked)
    world.context = weakref.proxy(made)  # in a circle, both would stay, and the session with them, until Python looks for such
    return made


def live_items(case: Case) -> list[Item]:
    """The items of a case, in the order they joined; of two with one code (applied for again, adopted) only the later."""
    return list({item.code: item for item in case.items}.values())


def unanswered(case: Case) -> list[Item]:
    """Items of the case that nobody at the window has disposed of."""
    return [item for item in live_items(case) if item.status in {ItemStatus.SUBMITTED, ItemStatus.CORRECTING}]


def received_on(case: Case, item: Item | None = None) -> date:
    """Day of receipt, from which the window's five days count: an item's own, or that of the whole case.

    Corrections begin it anew; what joined while they were out is received with them.
    """
    corrected = calendars.local_date(case.resubmitted_at) if case.resubmitted_at else date.min
    return max(item.received_on if item else calendars.local_date(case.submitted_at), corrected)


def open_predecessors(case: Case, item: Item) -> list[Item]:
    """Items that hold this one back: binding predecessors in the case that are not settled in its favour."""
    needed = [p["item"] for p in item.rules.get("predecessors", []) if p["kind"] in matters.BINDING]
    if not needed:
        return []
    continues = item.rules.get("on_refusal") == "CONTINUE"
    found = [other for other in live_items(case) if other.code in needed]
    return [p for p in found if p.status not in FAVOURABLE and not (continues and p.status not in UNSETTLED)]


def open_tolerances(case: Case) -> list[Tolerance]:
    """Tolerated materials that are still missing, by due date."""
    return sorted((t for t in case.tolerances if t.status in _OPEN), key=lambda t: (t.due_on, t.id))


def holds(case: Case, item: Item, *, at: frozenset[str]) -> list[Tolerance]:
    """Open tolerances that hold the item back at a point: `at` is a set of BEFORE_… policies."""
    return [t for t in open_tolerances(case) if item.code in t.used_by and t.until in at]


#: What must be there before a result may be handed out.
BEFORE_ISSUE = frozenset({"BEFORE_DECISION", "BEFORE_ISSUE"})


def issuable_items(case: Case) -> list[Item]:
    """Items that are granted, not issued, and not held by a missing material."""
    granted = [item for item in live_items(case) if item.status is ItemStatus.GRANTED]
    return [item for item in granted if not holds(case, item, at=BEFORE_ISSUE)]


def ready_on(case: Case, item: Item) -> date:
    """Day from which a granted result can go out: that of the decision, or on which the last missing material that held it came in."""
    held = [t.ended_at for t in case.tolerances if t.ended_at and item.code in t.used_by and t.until in BEFORE_ISSUE]
    return calendars.local_date(max([item.decided_at or moments.now(), *held]))


def bundle_ledger(case: Case | Row[Any]) -> tuple[Ledger, TimeLimit] | None:
    """The bundle's own clock and its promise; None when it has no promise, or has not started."""
    if case.clock_started_on is None or case.promised is None:
        return None
    stopped = calendars.local_date(case.ended_at) if case.ended_at else None
    return Ledger(started_on=case.clock_started_on, stopped_on=stopped), TimeLimit(kind=LimitKind.PROMISED, days=case.promised)


def bundle_dial(session: Session, case: Case) -> Dial | None:
    """What the bundle's own clock gives."""
    found = bundle_ledger(case)
    return clock.dial(*found, holidays.calendar(session)) if found else None


def bundle_deadline(session: Session, case: Case, kind: str) -> datetime | None:
    """The moment at which the bundle's published promise has run out, or (`warning`) turns yellow."""
    found = bundle_ledger(case)
    if found is None or kind == "statutory":
        return None
    calendar = holidays.calendar(session)
    if kind == "warning":
        day = clock.turns_yellow(*found, calendar)
        return calendars.start_of(day) if day else None
    due = clock.due(*found, calendar)
    return calendars.end_of(due.date) if due else None
