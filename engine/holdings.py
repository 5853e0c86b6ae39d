"""Holdings: the instances that a transaction has locked, and what it is going to write of them.

`models.Instance` is for reading.  To change an instance one changes its `Held`; it is written here, together with the rows of its waits, in
one statement where the database can do that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Column
from sqlalchemy.orm import Session

from bpmn.instance import Instance as Awake
from engine import entities, keys, large_values, models
from engine.case_models import Case
from engine.columns import alike
from engine.states import InstanceStatus, TaskStatus
from engine.writes import OLD, Writes


@dataclass(kw_only=True, slots=True)
class Held:
    """The row of an instance, locked and to be written, with what is often asked of its case."""

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
    #: Names of the variables whose values lie in rows of their own, with the hashes of those (`large_values`).
    large: dict[str, str] | None
    types: dict[str, Any]
    started_at: datetime
    ended_at: datetime | None
    end: str | None
    error: str | None
    purge_at: datetime | None
    journal_seq: int
    journal_hash: str
    #: Of its case: number, key of the matter, hall (None: `is_plain`), who submitted it.
    number: str
    matter: str
    hall: str | None
    submitted_by: str
    #: The values of the columns that can change (`_CHANGING`), as the database has them; None: the row is not there yet.
    stored: tuple[Any, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def is_plain(self) -> bool:
        """Whether its case is a process without a matter, as `Case.is_plain` says."""
        return self.hall is None

    @property
    def key(self) -> dict[str, Any]:
        """The columns that every row of its case has: `Notice(**held.key, …)`."""
        return {"region": self.region, "case_id": self.case_id}

    @property
    def place(self) -> dict[str, Any]:
        """The same columns with `old_` before their names, by which `Writes.update` finds rows of its case."""
        return {OLD + "region": self.region, OLD + "case_id": self.case_id}


@dataclass(kw_only=True, slots=True)
class HeldTask:
    """The row of a task, locked with its instance: what must be known to do it."""

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
_NAMES = tuple(name for name in (each.name for each in fields(Held)) if name in INSTANCES.c)
#: Columns that never change.
_FIXED = frozenset({"id", "item_id", "business_key", "started_at"})
_CHANGING = tuple(name for name in _NAMES if name not in _FIXED)
#: The values of the changing columns, in that order.
Values = tuple[Any, ...]
_values: Callable[[Held], Values] = attrgetter(*_CHANGING)
_REV, _VARIABLES, _LARGE = (_CHANGING.index(name) for name in ("rev", "variables", "large"))
_key_of: Callable[[Values], Values] = itemgetter(*(_CHANGING.index(name) for name in keys.KEY))
_OLD_KEY = tuple(OLD + name for name in keys.KEY)
_FOUND_BY = ("id", "rev", *keys.KEY)
#: What a query selects for `Holdings.take`, in the order of the fields of `Held`.
COLUMNS: tuple[Column[Any], ...] = (
    *(INSTANCES.c[name] for name in _NAMES),
    *(Case.__table__.c[name] for name in ("number", "matter", "hall", "submitted_by")),
)
_FIELDS = tuple(each.name for each in fields(Held) if each.init)
#: Under this name a session knows which token states are in memory, if any are kept (`Session.info`): a `Memory`.
LIVE = "live"


class Memory(Protocol):
    """What keeps token states in memory (`live.LiveInstances`), as far as it is asked here."""

    def values_of(self, row: Held) -> dict[str, Any] | None:
        """Give the large values of an instance that is held, by name; None when they are not kept, or may be others."""
        ...


class Holdings:
    """What one transaction holds, and what it is going to write."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.transaction = session.get_transaction()
        self.rows: dict[UUID, Held] = {}
        self.writes = Writes()
        #: Token states that were put back, by the id of their instance: they may stay in memory after the commit.
        self.awake: dict[UUID, Awake] = {}
        #: Ids of the instances that are not written when they are put back, but all at once at the end of `written_together`.
        self.put_off: Collection[UUID] = frozenset()
        #: How many notices there are, by the ids of case and item (None: about the case itself); the number of the next one follows.
        self.notices: dict[tuple[UUID, UUID | None], int] = {}

    def take(self, found: Sequence[Any]) -> Held:
        """Hold an instance that a query of `COLUMNS` has locked.  One that is held already stays as this transaction has left it."""
        if held := self.rows.get(found[0]):
            return held
        row = Held(**dict(zip(_FIELDS, found, strict=True)))
        if row.large:
            row.variables |= self._large_values(row, row.large)
        return self._hold(row)

    def _large_values(self, row: Held, large: Mapping[str, str]) -> dict[str, Any]:
        """Return them by name: from memory, if they are there, else from the database."""
        live: Memory | None = self._session.info.get(LIVE)
        known = live.values_of(row) if live is not None else None
        return large_values.read(self._session, row.id, row.key, large) if known is None else known

    def add(self, row: Held) -> None:
        """Hold a new instance, which has no row yet: `write` inserts it, usually when it is put back."""
        self.rows[row.id] = row

    def bundle(self, case_id: UUID) -> Held:
        """Return the held process of a case itself (not of an item, not called): of several the one that runs."""
        found = [row for row in self.rows.values() if (row.case_id, row.item_id, row.parent_id) == (case_id, None, None)]
        return max(found, key=lambda row: row.ended_at is None)

    def _hold(self, row: Held) -> Held:
        self.rows[row.id] = row
        row.stored = _values(row)
        return row

    def put_back(self, row: Held, process: Awake) -> None:
        """Note that an instance is at rest with this token state, and write it, unless that is put off."""
        self.awake[row.id] = process
        if row.id not in self.put_off:
            self.write()

    def write(self) -> None:
        """Write whatever has changed; raises StaleDataError when somebody has written a row in spite of our lock."""
        now = []
        for row in self.rows.values():
            stored = row.stored
            new = self._now(row, stored)
            now += [(row, new)]
            if stored is None:
                self.writes.insert(INSTANCES, [_whole(row)])
            elif stored != new:
                self.writes.update(INSTANCES, [_update(row.id, stored, new)], by=_FOUND_BY, exact=True)
        if self.writes.rows:
            entities.hand_over(self._session, self.writes)
            self.writes.run(self._session)
            for row, new in now:
                row.stored = new

    def _now(self, row: Held, stored: Values | None) -> Values:
        before = stored[_VARIABLES] if stored else {}
        if row.variables is not before and not alike(row.variables, before):
            row.large = large_values.write(self._session, self.writes, row, before)
        else:
            row.variables = before  # the very same object: so `_update` sees that there is nothing to write
        return _values(row)

    def go_back(self, stored: Mapping[UUID, Values]) -> None:
        """Set everything back to what was `stored` at a savepoint; what was locked since then is not held any more."""
        self.rows = {instance_id: self.rows[instance_id] for instance_id in stored}
        self.writes, self.awake, self.notices = Writes(), {}, {}
        for instance_id, row in self.rows.items():
            row.stored = stored[instance_id]
            for name, value in zip(_CHANGING, stored[instance_id], strict=True):
                setattr(row, name, value)

    @property
    def stored(self) -> Mapping[UUID, Values]:
        """Rows as they were written last."""
        return {row.id: row.stored for row in self.rows.values() if row.stored is not None}


def _whole(row: Held) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _NAMES} | {"variables": large_values.small(row.variables, row.large)}


def _update(instance_id: UUID, stored: Values, now: Values) -> dict[str, Any]:
    key = _key_of(stored)
    found = {OLD + "id": instance_id, OLD + "rev": stored[_REV], **dict(zip(_OLD_KEY, key, strict=True))}
    row = found | dict(zip(_CHANGING, now, strict=True))
    if key == _key_of(now):
        # An UPDATE that names a key locks it against everybody who refers to it, even if it stays the same: called instances owe us jobs.
        del row["case_id"], row["region"]
    if stored[_VARIABLES] is now[_VARIABLES]:
        del row["variables"], row["large"]  # a column that is not named costs nothing, however large its value
    else:
        row["variables"] = large_values.small(now[_VARIABLES], now[_LARGE])
    return row


_HOLDINGS = "holdings"


def of(session: Session) -> Holdings:
    """Return what the transaction of a session holds; begins one if there is none."""
    transaction = session.get_transaction()
    if transaction is None:
        session.connection()  # begins the one that it belongs to
    found: Holdings | None = session.info[_HOLDINGS] if _HOLDINGS in session.info else None  # noqa: SIM401 - a call less, of what is asked most
    if found is None or found.transaction is not transaction or transaction is None:
        found = session.info[_HOLDINGS] = Holdings(session)
    return found


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """When the block raises, undo what was done in it, in the database and in memory, and nothing of what was done before."""
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
def written_together(session: Session, instances: Collection[UUID]) -> Iterator[None]:
    """Write these instances at the end of the block in one go, instead of each when it is put back.

    They must be of different cases, for none may query rows that another one has not written yet.
    """
    held = of(session)
    held.put_off = frozenset(instances)
    yield
    held.put_off = frozenset()
    held.write()


def awake(session: Session) -> Iterator[tuple[Held, Awake]]:
    """Yield the instances that the session's transaction has put back, each with its token state."""
    found: Holdings | None = session.info.get(_HOLDINGS)
    if found is not None:
        yield from ((found.rows[instance_id], process) for instance_id, process in found.awake.items())


def let_sleep(session: Session) -> None:
    """Forget the token states that were put back until now: none of them stays in memory after the commit."""
    of(session).awake.clear()


def write(session: Session) -> None:
    """Write all that is not written yet.  Must be called before a commit: the session's own flush knows nothing of `Held`."""
    if _HOLDINGS in session.info:
        of(session).write()
    session.flush()
