"""Standing (待办): everything that is open in a database, as values; `reading` makes them of the rows, `likeness` tells them apart."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bpmn.simulation.samples import Sample


@dataclass(frozen=True, kw_only=True)
class Place:
    """An element of an instance."""

    instance: UUID
    process: str
    element: str


@dataclass(frozen=True, kw_only=True)
class Open(Place):
    """Something that waits at an element."""

    id: UUID
    #: What people call the element; message or topic where it waits for one.
    name: str
    what: str = ""
    #: Activity that it would break off, or that goes on beside it: on its border it stands, or in it as an event subprocess.
    host: str | None = None
    #: Codes of the errors and the escalations that somebody can raise here, since the drawing catches them.
    errors: tuple[str, ...] = ()
    escalations: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OpenTask(Open):
    """A task that waits for a person."""

    groups: tuple[str, ...]
    #: Account of somebody who may do it.
    by: str
    #: Code of the item that it belongs to.
    item: str | None
    due_at: datetime | None
    samples: tuple[Sample, ...]


@dataclass(frozen=True, kw_only=True)
class OpenWork(Open):
    """Work for a program."""

    samples: tuple[Sample, ...]


@dataclass(frozen=True, kw_only=True)
class OpenTimer(Open):
    """A timer that will run out."""

    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class OpenVariable(Place):
    """A variable that a conditional event looks at."""

    name: str
    values: tuple[Any, ...]


@dataclass(kw_only=True)
class Standing:
    """Everything that is open."""

    tasks: list[OpenTask] = field(default_factory=list)
    work: list[OpenWork] = field(default_factory=list)
    messages: list[Open] = field(default_factory=list)
    signals: list[Open] = field(default_factory=list)
    #: The soonest first.
    timers: list[OpenTimer] = field(default_factory=list)
    variables: list[OpenVariable] = field(default_factory=list)
    #: What failed, in words.
    incidents: list[Open] = field(default_factory=list)
    #: Items that could be taken back: number and code; codes of all items; whether materials are missing.
    withdrawable: list[tuple[str, str]] = field(default_factory=list)
    items: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    #: The same wherever the same can come of it.
    likeness: Hashable = None

    @property
    def waiting(self) -> list[Open]:
        """Everything that waits for somebody, for something, or for time."""
        return [*self.tasks, *self.work, *self.messages, *self.signals, *self.timers]
