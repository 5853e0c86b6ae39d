"""Waits: what an instance that has come to rest is waiting for.  The engine turns them into rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

#: Variables that come with a command, if any.
Values = Mapping[str, Any] | None


class WaitKind(StrEnum):
    """What a token waits for: what must happen so that it goes on."""

    USER_TASK = "user_task"  #: somebody completes it
    EXTERNAL_TASK = "external_task"  #: a worker (or the engine itself) completes its topic
    MESSAGE = "message"  #: message catch, message boundary, receive task
    TIMER = "timer"  #: catch or boundary
    CALL = "call"  #: another instance ends
    SIGNAL = "signal"  #: signal catch, signal boundary; a broadcast reaches all that wait for it
    JOB = "job"  #: the engine goes on by itself, in a transaction of its own (`camunda:asyncBefore/After`)
    CONDITION = "condition"  #: a variable changes; the instance sees that itself
    ESCALATION = "escalation"  #: the instance that called this one answers whether it goes on
    ERROR = "error"  #: an error that nothing here catches: the instances that called this one answer whether one of them does
    INCIDENT = "incident"  #: an expression or a decision failed here; `retry` tries again


#: None at all.
NO_VARIABLES: Mapping[str, Any] = {}


class Wait(NamedTuple):  # a frozen dataclass takes twice as long to make, and each command makes some
    """One thing an instance waits for."""

    #: Unique within the instance for ever, stable over snapshots: a small integer.
    id: int
    kind: WaitKind
    #: Id of the element in the diagram.
    element: str
    #: When the token arrived here.
    since: datetime
    #: Message or signal name, topic, called process id, code of the escalation or error, evaluated.
    name: str | None = None
    #: Timers: when due.  None: not known yet (a bound expression that gives null sleeps until it gives a date).
    due_at: datetime | None = None
    #: Timers: whether it is due again after `fire` (cycles, and bound timers that do not interrupt).
    repeats: bool = False
    #: Boundary events: the wait id of the activity they stand on.
    attached_to: int | None = None
    #: The activation that waits: an event that watches does so in another one.  None: the process itself.
    holder: int | None = None
    #: User tasks, evaluated: groups, users, assignee, due date, follow-up date.
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    assignee: str | None = None
    #: User tasks, evaluated: what it is called (its id where it has no name), and what is said about it.
    title: str | None = None
    description: str | None = None
    task_due_at: datetime | None = None
    follow_up_at: datetime | None = None
    #: User tasks (50 when nothing is written), external tasks and jobs (0 then).
    priority: int = 50
    #: Calls: variables and business key for the callee, and which version of it (number or tag, by the element's binding).
    variables: Mapping[str, Any] = NO_VARIABLES
    business_key: str | None = None
    version: str | None = None
    #: Jobs: the retries that the diagram asks for, an ISO 8601 cycle.
    retry_cycle: str | None = None
    #: Incidents: what failed, in words.  Errors: what is said about it.
    error: str | None = None


@dataclass(kw_only=True, slots=True)  # one that is frozen takes twice as long to make
class Glance:
    """What waits, at a glance, by its id: a bound timer that fails is a timer here, for nothing is evaluated."""

    kinds: dict[int, WaitKind] = field(default_factory=dict)
    #: When tasks and timers are due, in ISO 8601; without those whose date moves with the world.
    dates: dict[int, str | None] = field(default_factory=dict)


@dataclass(kw_only=True)
class Context:
    """What an instance may ask of the world while it runs.  Nothing else reaches it."""

    #: The time that is passed in; aware, UTC.
    now: datetime
    #: Functions that expressions may call, by name (`${ready('food_permit')}`).
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    #: Evaluates a decision table: (decision id, variables) → list of result rows.
    decide: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]] | None = None
    #: Names of functions whose value moves with the world: a timer that calls one is *bound*, it is evaluated
    #: anew whenever waits are read, until it fires.
    live: frozenset[str] = frozenset()
    #: What the world raises when it is gone itself: then there is no answer to be wrong, and the command is over.
    gone: tuple[type[Exception], ...] = ()
    #: Whether another instance has called this one: only then an escalation or an error that nothing catches here goes out.
    called: bool = False
    #: Set while a timer's expression is evaluated: when the token arrived there (`workdays(5)` counts from it).
    since: datetime | None = None
    #: Set beside it: the element whose time is asked for, of a boundary event the activity that it stands on.
    asking: str | None = None


class Activity(NamedTuple):
    """One activation of one element, for the history."""

    #: The wait id when there was one, else a number from the same sequence.
    id: int
    element: str
    started_at: datetime
    ended_at: datetime | None
    #: completed, canceled (interrupted, terminated), or None while active.
    outcome: str | None
    #: Code of the error by which it has ended, since nothing caught that.
    error: str | None = None
    #: The activation around it; None: the process itself.
    scope: int | None = None
    #: Id of the flow it came by; None: it did not come by one.
    flow: str | None = None
    #: At a join: ids of the activations of the other tokens, which ended in this one.
    joined: tuple[int, ...] = ()
    #: Its local variables when it ended.
    local: Mapping[str, Any] = NO_VARIABLES


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A signal that an instance has thrown; its own catch events have it already, the engine tells all others."""

    name: str
    variables: Mapping[str, Any]
