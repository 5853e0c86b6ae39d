"""What earlier releases have written is loaded for ever, and goes on; and they go on themselves while a newer schema is under them."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
import zstandard
from alembic import command
from sqlalchemy import inspect, select, update

from engine import (
    accounts,
    archive_search,
    archives,
    cases,
    database,
    dossiers,
    items,
    moments,
    scheduler,
    schema,
    tasks,
    upgrades,
    verification,
)
from engine.archive_models import ArchivedCase
from engine.case_models import Case, Item
from engine.database import Database
from engine.errors import EngineError
from engine.models import Instance, Outbox, Task
from engine.states import InstanceStatus, TaskStatus
from tests.hall import OPERATOR
from tests.releases import SNAPSHOTS, WRITTEN

RELEASES = sorted(SNAPSHOTS.glob("schema-*.db.zst"))
#: A minute after they were written.
MINUTE_LATER = WRITTEN + timedelta(minutes=1)
#: Revisions of the schema that were released: by these releases are known (docs/decisions/0020).
RELEASED = ("0009", "0013", "0015", "0019", "0021", "0027", "0028")
#: By what older nodes put rows, so that the database must know it as unique.
UPSERTED = {("timers", ("instance_id", "wait")), ("activities", ("instance_id", "number"))}


@pytest.fixture(scope="module", params=RELEASES, ids=lambda path: path.name.removesuffix(".db.zst"))
def migrated(request, tmp_path_factory):
    """The file of the database of a release, a minute after it was written, brought to the newest schema."""
    path = tmp_path_factory.mktemp("release") / "migrated.db"
    path.write_bytes(zstandard.decompress(request.param.read_bytes()))
    with time_machine.travel(MINUTE_LATER):
        release = Database(f"sqlite:///{path}")
        release.migrate()
        release.close()
    return path


@pytest.fixture
def old(migrated, tmp_path, compiled_once):
    """The database of a release, brought to the newest schema; most releases have the same drawings."""
    path = shutil.copyfile(migrated, tmp_path / "old.db")
    with time_machine.travel(MINUTE_LATER) as traveller:
        old = Database(f"sqlite:///{path}")
        old.traveller = traveller
        yield old
        old.close()


def statuses(db):
    with db.reading() as session:
        return Counter(session.scalars(select(Instance.status)))


def test_release__is_whole_and_goes_on(old):
    """Journals, token states and rows fit together as they did; what waits for people and workers is done, what waits for time comes."""
    before = statuses(old)
    assert before[InstanceStatus.RUNNING] >= 100
    assert faults(old) == []

    _finish(old)

    assert faults(old) == []
    assert statuses(old)[InstanceStatus.RUNNING] < before[InstanceStatus.RUNNING] / 2
    with old.reading() as session:
        [bundle] = session.scalars(select(Case).where(Case.matter == "open_restaurant"))
        assert "food_permit" in {item.code for item in bundle.items}


def test_release__its_bundle_is_archived(old):
    """Brought to its end, and put away when its time is over: it is read as it was before."""
    for who, name, data in TO_THE_END:
        _do(old, who, name, **data)
    with old.transaction() as session:
        session.execute(update(Outbox).values(sent_at=moments.now()))  # whoever carries messages has done so
        number = session.scalars(select(Case.number).where(Case.matter == "open_restaurant", Case.ended_at.is_not(None))).one()
    before = _shown(old, number)

    old.traveller.shift(timedelta(days=1826))
    archives.sweep(old)

    with old.reading() as session:
        assert session.scalars(select(ArchivedCase.number).where(ArchivedCase.number == number)).all() == [number]
        assert session.scalars(select(Case.number).where(Case.number == number)).all() == []
    assert _shown(old, number) == before
    assert [fault for fault in faults(old) if number in str(fault)] == []

    _revoke(old, number)  # and comes back, for that

    assert [what for _, what, _ in _shown(old, number)[2]].count("item revoked") == 1
    assert [fault for fault in faults(old) if number in str(fault)] == []


def _revoke(db, number):
    with db.transaction() as session, archive_search.holding(session, number) as holding:
        permit = holding.scalars(select(Item.number).where(Item.code == "food_permit")).one()
    with db.transaction() as session:
        market = accounts.load(session, "officer-market")
        items.revoke(session, items.get(session, permit, market, retrieving=True), reason="以欺骗手段取得", actor=market)


#: What is left to do in the bundle of a snapshot.
TO_THE_END = [
    ("officer-market", "营业执照人工核验", {"outcome": "granted"}),
    ("officer-market", "食品经营许可审批", {"outcome": "granted"}),
    ("clerk", "统一出件", {"mode": "unified", "delivery": "window"}),
    ("officer-fire", "事后核查", {"outcome": "verified", "findings": "属实"}),
    ("clerk", "好差评", {"score": 5}),
]


def _do(db, who, name, **data):
    with db.transaction() as session:
        task = session.scalars(select(Task).where(Task.name == name, Task.status == TaskStatus.OPEN, Task.hall.is_not(None))).one()
        tasks.complete(session, task.id, actor=accounts.load(session, who), data=data)


def _shown(db, number):
    with db.reading() as session, archive_search.holding(session, number) as holding:
        actor = accounts.load(session, "supervisor")
        row = cases.get(holding, number, actor)
        found = dossiers.read(holding, row, actor)
        return (
            [(item.number, item.status, item.result) for item in found.items],
            [(result.number, result.issued_at) for result in found.results],
            [(entry.at, entry.what, entry.hash) for entry in dossiers.journal(holding, row, actor)],
        )


def faults(db):
    return [(fault.kind, fault.about, fault.message) for fault in verification.verify(db)]


def _finish(db):
    """Complete what people and workers can, until nothing new comes of it; then let a year pass."""
    for _ in range(5):
        with db.reading() as session:
            open_tasks = session.scalars(select(Task.id).where(Task.status == TaskStatus.OPEN, Task.hall.is_(None))).all()
        for task in open_tasks:
            try:
                with db.transaction() as session:
                    tasks.complete(session, task, actor=OPERATOR, data={}, by_form=False)
            except EngineError:  # a task that another has interrupted, or whose outcome the diagram cannot go on from
                continue
        scheduler.drain(db)
    db.traveller.shift(timedelta(days=365))
    scheduler.drain(db)


def test_releases__each_is_kept():
    assert [path.name for path in RELEASES] == [f"schema-{revision}.db.zst" for revision in RELEASED]


def columns(bind):
    """Of each table: column → (nullable, has a default)."""
    found = inspect(bind)
    return {
        table: {column["name"]: (column["nullable"], column["default"] is not None) for column in found.get_columns(table)}
        for table in found.get_table_names()
    }


def unique(bind):
    found = inspect(bind)
    return {
        (table, tuple(each["column_names"]))
        for table in found.get_table_names()
        for each in (*found.get_unique_constraints(table), *(index for index in found.get_indexes(table) if index["unique"]))
    } | {(table, tuple(found.get_pk_constraint(table)["constrained_columns"])) for table in found.get_table_names()}


def last_for(revision):
    """The newest schema on which nodes of a release may serve: from then on something that they use is taken away."""
    known = schema.revisions()[: schema.revisions().index(revision) + 1]
    serving = itertools.takewhile(lambda script: schema.oldest(script) in {None, *known}, schema.scripts())
    return list(serving)[-1].revision


def test_schema__which_releases_may_serve():
    serve_until = dict.fromkeys(RELEASED, "0020") | {"0021": "0026"} | dict.fromkeys(("0027", "0028"), schema.NEWEST)

    assert {revision: last_for(revision) for revision in RELEASED} == serve_until


@pytest.fixture(scope="module")
def schemas(sqlite):
    """Of each schema that releases serve first or last: its columns, and what is unique; one database passes through them all."""
    asked, found = {*RELEASED, *map(last_for, RELEASED)}, {}
    with sqlite.empty() as url:
        bind = database.connect(url)
        for revision in schema.revisions():
            if revision in asked:
                with upgrades.migrating(bind) as config:
                    command.upgrade(config, revision)
                found[revision] = columns(bind), unique(bind)
        bind.dispose()
    return found


@pytest.mark.parametrize("revision", RELEASED)
def test_schema__older_nodes_go_on(schemas, revision):
    """Expand, migrate, contract: until it is contracted, the schema has all that a release reads and writes, and asks for nothing that
    it does not give.
    """
    (before, unique_before), (after, unique_after) = schemas[revision], schemas[last_for(revision)]

    for table, had in before.items():
        if table == "alembic_version":
            continue
        has = after[table]
        assert had.keys() <= has.keys()
        for name, (nullable, default) in has.items():
            expected = nullable or default or (name in had and not had[name][0])
            assert expected, f"Expected {table}.{name} to be null or to have a default, as older nodes do not write it"
        rules = [set(names) for name, names in unique_before if name == table]
        for new in {names for name, names in unique_after if name == table}:  # within a case is no new rule for what was unique in all
            assert any(rule <= set(new) for rule in rules), f"Expected no new unique rule on {table}, but {new} is one"
        assert UPSERTED & unique_before <= unique_after
