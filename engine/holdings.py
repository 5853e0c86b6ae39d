"""Holdings: instances that this transaction has locked.  Nobody else writes them until it ends, and here nobody else does either.

`models.Instance` is for reading; an instance is written by whoever holds it, with everything that is projected from it, in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Column
from sqlalchemy.orm import Session

from bpmn.instance import Instance as Process
from engine import entities, keys, large_values, models
from engine.case_models import Case
from engine.columns import alike
from engine.states import InstanceStatus, TaskStatus
from engine.writes import OLD, Writes


@dataclass(kw_only=True, slots=True)
class Held:
    """The row of an instance, and what it must know of its case."""

    id: UUID
    region: str
    case_id: UUID
    item_id: UUID | None
    definition_id: UUID
    parent_id: UUID | None
    parent_wait: int | None
    business_key: str | None
    status: InstanceStatus
    suspended: bool
    rev: int
    state: bytes
    variables: dict[str, Any]
    #: Which of them lie apart (`large_values`).
    large: dict[str, str] | None
    types: dict[str, Any]
    started_at: datetime
    ended_at: datetime | None
    end: str | None
    error: str | None
    purge_at: datetime | None
    journal_seq: int
    journal_hash: str
    #: Of its case: number, key of the matter, hall (None: a process without a matter), who submitted it.
    number: str
    matter: str
    hall: str | None
    submitted_by: str

    @property
    def key(self) -> dict[str, Any]:
        """What every row of its case says (`keys.Keyed`)."""
        return {"region": self.region, "case_id": self.case_id}

    @property
    def place(self) -> dict[str, Any]:
        """Where rows of its case lie that are to be changed."""
        return {OLD + "region": self.region, OLD + "case_id": self.case_id}


@dataclass(kw_only=True, slots=True)
class HeldTask:
    """A task that is held with its instance: what must be known to do it."""

    id: UUID
    instance_id: UUID
    wait: int
    element: str
    name: str
    kind: str
    hall: str | None
    status: TaskStatus
    assignee: str | None
    delegation: str | None


INSTANCES = models.Instance.__table__
_NAMES = tuple(name for name in (field.name for field in fields(Held)) if name in INSTANCES.c)
#: What never changes in an instance.
_FIXED = frozenset({"id", "item_id", "business_key", "started_at"})
_CHANGING = tuple(name for name in _NAMES if name not in _FIXED)
#: Their values, in that order.
Values = tuple[Any, ...]
_values: Callable[[Held], Values] = attrgetter(*_CHANGING)
_REV, _VARIABLES, _LARGE = (_CHANGING.index(name) for name in ("rev", "variables", "large"))
_key_of: Callable[[Values], Values] = itemgetter(*(_CHANGING.index(name) for name in keys.KEY))
_OLD_KEY = tuple(OLD + name for name in keys.KEY)
_FOUND_BY = ("id", "rev", *keys.KEY)
#: What a query selects for `Holdings.take`, in the order of the fields.
COLUMNS: tuple[Column[Any], ...] = (
    *(INSTANCES.c[name] for name in _NAMES),
    *(Case.__table__.c[name] for name in ("number", "matter", "hall", "submitted_by")),
)
_FIELDS = tuple(field.name for field in fields(Held))


class Holdings:
    """What one transaction holds, and what it is going to write."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.transaction = session.get_transaction()
        self.rows: dict[UUID, Held] = {}
        self.writes = Writes()
        #: Token states that were put back with their rows.
        self.awake: dict[UUID, Process] = {}
        #: Instances that are written at the end only, with all else.
        self.put_off: Collection[UUID] = frozenset()
        #: How many notices there are about what is held: about an item of a case, or (None) the case itself.
        self.notices: dict[tuple[UUID, UUID | None], int] = {}
        #: Rows as the database has them.
        self._stored: dict[UUID, Values] = {}

    def take(self, found: Sequence[Any]) -> Held:
        """Hold what `COLUMNS` has found under its lock; what is held already is as this transaction has left it."""
        if held := self.rows.get(found[0]):
            return held
        row = Held(**dict(zip(_FIELDS, found, strict=True)))
        if row.large:
            row.variables |= large_values.read(self._session, row)
        return self._hold(row)

    def add(self, row: Held) -> None:
        """Hold a new instance; it is written with whatever is next, mostly when it is put back: what refers to it may come before."""
        self.rows[row.id] = row

    def bundle(self, case_id: UUID) -> Held:
        """The process of a case's matter, which is held; of several the one that runs."""
        found = [row for row in self.rows.values() if (row.case_id, row.item_id, row.parent_id) == (case_id, None, None)]
        return max(found, key=lambda row: row.ended_at is None)

    def _hold(self, row: Held) -> Held:
        self.rows[row.id] = row
        self._stored[row.id] = _values(row)
        return row

    def put_back(self, row: Held, process: Process) -> None:
        """Let the token state of a row be at rest."""
        self.awake[row.id] = process
        if row.id not in self.put_off:
            self.write()

    def write(self) -> None:
        """Write whatever has changed; raises StaleDataError when somebody has written a row in spite of our lock."""
        now = {}
        for instance_id, row in self.rows.items():
            stored = self._stored.get(instance_id)
            now[instance_id] = new = self._now(row, stored)
            if stored is None:
                self.writes.insert(INSTANCES, [_whole(row)])
            elif stored != new:
                self.writes.update(INSTANCES, [_update(instance_id, stored, new)], by=_FOUND_BY, exact=True)
        if self.writes.rows:
            entities.hand_over(self._session, self.writes)
            self.writes.run(self._session)
            self._stored = now

    def _now(self, row: Held, stored: Values | None) -> Values:
        before = stored[_VARIABLES] if stored else {}
        if row.variables is not before and not alike(row.variables, before):
            row.large = large_values.put(self._session, self.writes, row, before)
        else:
            row.variables = before  # by which it is known that there is nothing to write
        return _values(row)

    def go_back(self, stored: Mapping[UUID, Values]) -> None:
        """Let rows be as they were `stored`; what was locked since is not held any more."""
        self.rows = {instance_id: self.rows[instance_id] for instance_id in stored}
        self._stored, self.writes, self.awake, self.notices = dict(stored), Writes(), {}, {}
        for instance_id, row in self.rows.items():
            for name, value in zip(_CHANGING, stored[instance_id], strict=True):
                setattr(row, name, value)

    @property
    def stored(self) -> Mapping[UUID, Values]:
        """Rows as they were written last."""
        return dict(self._stored)


def _whole(row: Held) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _NAMES} | {"variables": large_values.small(row.variables, row.large)}


def _update(instance_id: UUID, stored: Values, now: Values) -> dict[str, Any]:
    key = _key_of(stored)
    found = {OLD + "id": instance_id, OLD + "rev": stored[_REV], **dict(zip(_OLD_KEY, key, strict=True))}
    row = found | dict(zip(_CHANGING, now, strict=True))
    if key == _key_of(now):
        # A key that is only mentioned is locked against everybody who refers to it: those that were called, and owe a job at their commit.
        del row["case_id"], row["region"]
    if stored[_VARIABLES] is now[_VARIABLES]:
        del row["variables"], row["large"]  # what a column is not told stays where it is, however large
    else:
        row["variables"] = large_values.small(now[_VARIABLES], now[_LARGE])
    return row


_HOLDINGS = "holdings"


def of(session: Session) -> Holdings:
    """What the session's transaction holds."""
    transaction = session.get_transaction()
    if transaction is None:
        session.connection()  # begins the one that it belongs to
    found: Holdings | None = session.info[_HOLDINGS] if _HOLDINGS in session.info else None  # noqa: SIM401 - a call less, of what is asked most
    if found is None or found.transaction is not transaction or transaction is None:
        found = session.info[_HOLDINGS] = Holdings(session)
    return found


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """Undo what the block does when it raises, and that alone."""
    held = of(session)
    held.write()
    stored = held.stored
    try:
        with session.begin_nested():
            yield
    except BaseException:
        held.go_back(stored)
        raise


@contextmanager
def together(session: Session, instances: Collection[UUID]) -> Iterator[None]:
    """Write these instances at the end of the block, in one go: they are of different cases, and know nothing of each other."""
    held = of(session)
    held.put_off = frozenset(instances)
    yield
    held.put_off = frozenset()
    held.write()


def awake(session: Session) -> Iterator[tuple[Held, Process]]:
    """Token states that the session's transaction has put back last, with their rows."""
    found: Holdings | None = session.info.get(_HOLDINGS)
    if found is not None:
        yield from ((found.rows[instance_id], process) for instance_id, process in found.awake.items())


def let_sleep(session: Session) -> None:
    """Forget the token states that were put back until now: they need not stay in memory."""
    of(session).awake.clear()


def write(session: Session) -> None:
    """Write whatever the session has not written yet; nobody else does it before a commit."""
    if _HOLDINGS in session.info:
        of(session).write()
    session.flush()
