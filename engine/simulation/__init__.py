"""Simulations (仿真): a database in memory that is furnished to try drawings out in, and what goes on in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.simulation import drawing
from bpmn.simulation.coverage import Coverage
from bpmn.simulation.trails import Arrival, Key
from engine import (
    bundle_clock,
    calendars,
    case_items,
    definitions,
    deployments,
    holidays,
    item_clock,
    moments,
    samples,
    stories,
    upgrades,
)
from engine.account_models import Account, Grant
from engine.actors import Actor, Role, RoleGrant
from engine.case_models import Case
from engine.database import Database
from engine.errors import InvalidInput
from engine.folders import Folder
from engine.instances import WITNESS
from engine.models import Definition, Department, Instance, Resource
from engine.passwords import WELL_KNOWN
from engine.runs import Run
from engine.settings import Environment

#: Whoever deploys here.
DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
#: How much of a database is kept together, and how much is compared at once, bytes.
PAGE, MANY = 4096, 32 * 4096
#: Account that does what is left to programs.
WORKER = "worker"


@dataclass(frozen=True, kw_only=True)
class Activation:
    """A token came to an element."""

    process: str
    element: str
    #: What people call the element.
    name: str
    type: str
    #: Flow that it came by.
    flow: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a witness has seen of one database."""

    known: frozenset[tuple[UUID, int]] = frozenset()
    #: Where tokens are, by process.
    arrivals: Mapping[str, Mapping[Key, Arrival]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Witness:
    """Sees every activation in a database."""

    #: What of the processes that are asked about was reached.
    coverage: dict[str, Coverage] = field(default_factory=dict)
    #: Activations since they were last taken, in order.
    fresh: list[Activation] = field(default_factory=list)
    #: Activations that were seen, by instance and number.
    known: set[tuple[UUID, int]] = field(default_factory=set)

    def watch(self, database: Database) -> None:
        """Begin to see."""
        database.info[WITNESS] = self.see

    def see(self, run: Run) -> None:
        """Note what has begun in a run."""
        process = run.loaded.definition
        for activity in run.process.history():
            covered, is_new = self.coverage.get(process.key), (run.row.id, activity.id) not in self.known
            if covered is not None:
                covered.trails.see(run.row.id, activity, is_new=is_new)
            if not is_new:
                continue
            self.known.add((run.row.id, activity.id))
            if covered is not None:
                covered.see(activity.element, activity.flow)
            element = process.elements[activity.element]
            if element.drawn:
                self.fresh.append(
                    Activation(
                        process=process.key,
                        element=element.id,
                        name=element.name or element.id,
                        type=str(element.type),
                        flow=activity.flow,
                        at=activity.started_at,
                    )
                )

    def take(self) -> list[Activation]:
        """Take what was seen since the last time."""
        taken, self.fresh = self.fresh, []
        return taken

    def remember(self) -> Seen:
        """Remember what has been seen in the database until now."""
        arrivals = {key: dict(covered.trails.arrivals) for key, covered in self.coverage.items()}
        return Seen(known=frozenset(self.known), arrivals=arrivals)

    def recall(self, seen: Seen) -> None:
        """Look at another database from now on, of which this was `seen`: numbers of activations that came later may come again."""
        self.known = set(seen.known)
        self.fresh.clear()
        for key, covered in self.coverage.items():
            covered.trails.arrivals = dict(seen.arrivals.get(key, {}))


def furnish(database: Database, around: Iterable[Folder], own: Iterable[Folder], *, years: Path) -> None:
    """Make the tables, load calendars and sample accounts, and deploy: other folders as far as they can be, then the designer's own, all.

    Raises InvalidInput with all findings about his own.
    """
    upgrades.create(database.bind)
    with database.transaction() as session:
        holidays.publish_shipped(session, years)
        samples.seed(session, Environment.DEVELOPMENT)
        for folder in around:
            try:
                deployments.deploy(session, folder.name, folder.resources, actor=DESIGNER, source="around")
            except InvalidInput:
                continue  # it is not what is tried out; whoever needs it says so
        for folder in own:
            deployments.deploy(session, folder.name, folder.resources, actor=DESIGNER, source="own")
        _staff(session)


def _staff(session: Session) -> None:
    """Give every department that an item names an officer."""
    known = set(session.scalars(select(Department.code)))
    items = deployments.Items(session)
    named = {item.process.properties.get("onething.department", "") for item in items.values()}
    for code in sorted(named - known - {""}):
        session.add(Department(code=code, name=code))
        name = f"officer-{code}"
        account = Account(name=name, display_name=name, password_hash=WELL_KNOWN.hash(name), created_at=moments.now())
        session.add(account)
        session.flush()
        session.add(Grant(account_id=account.id, role=Role.OFFICER, department=code))


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A process that is tried out."""

    key: str
    name: str
    file: str
    content: bytes
    coverage: Coverage

    def drawing(self) -> str:
        """Draw what was reached, as SVG; empty for a diagram without a picture."""
        known = {each.id for each in self.coverage.drawn}
        return drawing.draw(self.content, self.file, known=known, reached=self.coverage.reached)


def tried(session: Session, own: Iterable[Folder], *, only: str | None = None) -> list[Tried]:
    """List the processes that the diagrams in some folders (or in one file of them) define, matters first."""
    files = {name for folder in own for name in folder.resources if only in (None, name)}
    rows = session.scalars(select(Definition).where(Definition.resource.in_(files)).order_by(Definition.version)).all()
    newest = sorted({row.key: row for row in rows}.values(), key=lambda row: (row.kind != "matter", row.key))
    return [
        Tried(
            key=row.key,
            name=row.name,
            file=row.resource,
            content=session.get_one(Resource, (row.deployment_id, row.resource)).content,
            coverage=Coverage(process=loaded.definition, stories=stories.of(session, loaded)),
        )
        for row, loaded in ((row, definitions.get(session, row.id)) for row in newest)
    ]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Working days (or calendar days, where that is promised) of one clock."""

    #: Name of the item, or of the matter.
    name: str
    promised: int
    used: int


def figures(session: Session) -> list[Figure]:
    """Compare what was promised with what was used, for every bundle and every item whose clock has started."""
    today, found = calendars.local_date(moments.now()), []
    for case in session.scalars(select(Case).order_by(Case.id)):
        clocks_of = [(definitions.get(session, case.definition_id).name, bundle_clock.of(session, case))]
        live = case_items.live(case)
        ledgers = item_clock.ledgers(session, [item.id for item in live])
        clocks_of.extend((item.name, item_clock.of(session, item, ledgers.get(item.id))) for item in live)
        for name, clock in clocks_of:
            if clock is not None:
                found.append(Figure(name=name, promised=clock.total_days(), used=clock.used(today)))
    return found


def root(session: Session) -> Instance:
    """Return the instance that nothing called, the newest of several; there must be one."""
    query = select(Instance).where(Instance.parent_id.is_(None)).order_by(Instance.started_at.desc(), Instance.id)
    return session.scalars(query.limit(1)).one()


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy of a database in memory; where there is an earlier copy to compare it with, only the pages that differ."""

    size: int
    pages: Mapping[int, bytes]
    base: bytes = b""

    @property
    def whole(self) -> bytearray:
        """All of it."""
        content = bytearray(self.base)
        del content[self.size :]
        content.extend(bytes(self.size - len(content)))
        for place, page in self.pages.items():
            content[place : place + len(page)] = page
        return content


def keep(database: Database, base: bytes = b"") -> Copy:
    """Copy a database in memory: what differs from the base."""
    content = _connection(database).serialize()
    changed = {place: content[place : place + PAGE] for place in _differences(content, base)}
    return Copy(size=len(content), pages=changed, base=base)


def _differences(content: bytes, base: bytes) -> Iterator[int]:
    """Where the pages are that differ; most do not, and are compared many at a time."""
    for many in range(0, len(content), MANY):
        if content[many : many + MANY] != base[many : many + MANY]:
            for place in range(many, min(many + MANY, len(content)), PAGE):
                if content[place : place + PAGE] != base[place : place + PAGE]:
                    yield place


def restore(database: Database, kept: Copy) -> None:
    """Let a database in memory be as it was when it was copied."""
    _connection(database).deserialize(kept.whole)


def _connection(database: Database) -> sqlite3.Connection:
    raw = database.bind.raw_connection()
    try:
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection), "a simulation runs on SQLite in memory"
        return connection
    finally:
        raw.close()
