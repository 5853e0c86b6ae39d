"""Functions that a diagram may call in its conditions and timers.  They read the rows at the moment of the question.

`NAMES` is what the lint knows; `LIVE` names those whose timers move with the world (a clock is paused, a material comes in).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.orm import Session

from bpmn.waits import Context
from engine import (
    bundle_clock,
    calendars,
    case_items,
    definitions,
    dials,
    holidays,
    item_clock,
    matters,
    moments,
    periods,
    procedures,
)
from engine.actors import ENGINE, Actor
from engine.case_models import Case, Item
from engine.clock import Clock, DayUnit, Ledger, LimitKind, TimeLimit
from engine.definitions import Loaded
from engine.errors import InvalidInput
from engine.states import UNSETTLED, ClockStatus, ItemStatus
from engine.subjects import Subject

#: An item that was adopted while it runs is taken by the dispatcher, too.
_DISPATCHABLE = frozenset({ItemStatus.ACCEPTED, ItemStatus.WAITING, ItemStatus.IN_REVIEW})


@dataclass(kw_only=True)
class World:
    """What the functions read: one case, seen from the process of the matter or of one item."""

    session: Session
    loaded: Loaded
    subject: Subject
    actor: Actor | None
    business_key: str | None
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
        if item is None or item.dispatched_at is not None or item.status not in _DISPATCHABLE:
            return False
        return not case_items.open_predecessors(self.case, item)

    def settled(self) -> bool:
        """Every item is decided or ended, and no tolerance is open."""
        return all(item.status not in UNSETTLED for item in case_items.live(self.case)) and not self.tolerance_open()

    def tolerance_open(self) -> bool:
        """A tolerated material is still missing."""
        return bool(case_items.open_tolerances(self.case))

    def tolerance(self, what: str) -> datetime | None:
        """Next moment at which an open tolerance must be reminded (`remind`), is overdue (`due`), or is given up (`grace`)."""
        if what not in {"remind", "due", "grace"}:
            raise InvalidInput(f"Expected tolerance('remind'), ('due') or ('grace'), but got {what!r}")
        calendar = holidays.calendar(self.session)
        when = (periods.tolerance_due(calendar, tolerance, what) for tolerance in case_items.open_tolerances(self.case))
        return min(filter(None, when), default=None)

    def acceptance_due(self) -> datetime:
        """End of the fifth working day after receipt of the item that waits longest for an answer, or after its corrections came in."""
        received = [case_items.received_on(self.case, item) for item in case_items.unanswered(self.case)]
        return periods.answer_due(self.session, min(received, default=case_items.received_on(self.case)))

    def supplement_due(self) -> datetime | None:
        """End of the period given in the open notice of corrections; once all is there, of the five days that the window has."""
        return periods.supplement_due(self.session, self.case, [item.code for item in case_items.unanswered(self.case)])

    def issue_by(self) -> datetime | None:
        """When a unified issuance has waited long enough for the rest: first result that could go out + longest wait, if that is lawful."""
        decided = [item.decided_at for item in case_items.issuable(self.case) if item.decided_at]
        if not decided:
            return None
        wait = min(matters.of(self.session, self.case).longest_wait, periods.DELIVERY_DAYS)
        return calendars.end_of(holidays.calendar(self.session).add(calendars.local_date(min(decided)), wait))

    def issuance_due(self) -> datetime | None:
        """End of the tenth working day after the first result that has not gone out could (行政许可法 art. 44)."""
        free = [case_items.ready_on(self.case, item) for item in case_items.issuable(self.case)]
        return periods.issuance_due(self.session, min(free)) if free else None

    def issuable(self) -> bool:
        """Something is granted, not issued, and no missing material holds it."""
        return bool(case_items.issuable(self.case))

    def deadline(self, kind: str) -> datetime | None:
        """The item's `promised` or `statutory` deadline, or the moment it turns yellow (`warning`); in a matter, the bundle's.

        A clock that has stopped in time gives none.  One that has stopped too late gives the date that it had then: a later calendar
        changes nothing in it.
        """
        if kind not in {"promised", "statutory", "warning"}:
            raise InvalidInput(f"Expected deadline('promised'), ('statutory') or ('warning'), but got {kind!r}")
        if (stopped := self._stopped()) is not None:
            due = dials.kept(self.item or self.case).moment(kind)
            return due if due is not None and due <= stopped else None
        if self.item is None:
            return bundle_clock.count(self.session, self.case).moment(kind)
        return item_clock.count(self.session, self.item, item_clock.ledger(self.session, self.item)).moment(kind)

    def _stopped(self) -> datetime | None:
        """When the clock has stopped, if it has."""
        if self.item is None or self.item.clock is not ClockStatus.STOPPED:
            return None if self.item else self.case.ended_at
        ledger = item_clock.ledger(self.session, self.item)
        return calendars.start_of(ledger.stopped_on) if ledger and ledger.stopped_on else None

    def workdays(self, days: float) -> datetime | None:
        """End of the n-th working day after the token came here; paused days of the item's clock do not count."""
        return self._after(days, DayUnit.WORKING)

    def calendardays(self, days: float) -> datetime | None:
        """End of the n-th calendar day after the token came here, or of the next working day; paused days do not count, as above."""
        return self._after(days, DayUnit.CALENDAR)

    def _after(self, days: float, unit: DayUnit) -> datetime | None:
        since = calendars.local_date(self.context.since or self.context.now)
        kept = item_clock.ledger(self.session, self.item) if self.item and not self._in_procedure() else None
        pauses = tuple(replace(p, since=max(p.since, since)) for p in kept.pauses if p.until is None or p.until >= since) if kept else ()
        ledger, limit = Ledger(started_on=since, pauses=pauses), TimeLimit(kind=LimitKind.PROMISED, days=int(days), unit=unit)
        due = Clock(ledger=ledger, limit=limit, calendar=holidays.calendar(self.session)).due()
        return calendars.end_of(due.date) if due else None

    def _in_procedure(self) -> bool:
        """Whether the time of a special procedure is asked for: it pauses the clock itself, and would wait for itself for ever."""
        asking = self.context.asking
        return asking is not None and self.loaded.definition.elements[asking].properties.get("onething.kind") == procedures.KIND

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
        number = self.business_key if self.item is None else self.item.number
        return {
            "businessKey": number,
            "processBusinessKey": number,
            "processDefinitionId": str(self.loaded.id),
            "tenantId": None,
        }

    def decide(self, ref: str, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Evaluate a decision table for a business rule task."""
        return definitions.decision(self.session, self.loaded, ref).evaluate(variables, self.context.functions)


LIVE = frozenset({"tolerance", "acceptance_due", "supplement_due", "issue_by", "issuance_due", "deadline", "workdays", "calendardays"})
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
CAMUNDA = {"dateTime": "now", "currentUser": "current_user", "currentUserGroups": "current_groups", "authenticatedUserId": "current_user"}
NAMES = LIVE | CAMUNDA.keys() | {"ready", "settled", "tolerance_open", "issuable", "now", "today", "execution"}


class Functions(Mapping[str, Callable[..., Any]]):
    """What an instance may call, by name.  Most commands call nothing: each is made when it is asked for."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """Give a function; raises KeyError."""
        if name not in NAMES:
            raise KeyError(name)
        function: Callable[..., Any] = getattr(self._world, CAMUNDA.get(name, name))
        return function

    def __iter__(self) -> Iterator[str]:
        """Yield their names."""
        return iter(NAMES)

    def __len__(self) -> int:
        """How many there are."""
        return len(NAMES)


def context(
    session: Session, loaded: Loaded, subject: Subject, actor: Actor | None = None, *, business_key: str | None, called: bool
) -> Context:
    """Make what an instance may ask of the world while it runs; `called`: whether another instance has called it."""
    world = World(session=session, loaded=loaded, subject=subject, actor=actor, business_key=business_key)
    asked: dict[str, Any] = {"functions": Functions(world), "decide": world.decide, "live": LIVE}
    made = Context(now=moments.now(), gone=(DBAPIError, PendingRollbackError, MemoryError), called=called, **asked)
    world.context = weakref.proxy(made)  # else both would be a circle: it stays, with the session, until Python looks for circles
    return made
