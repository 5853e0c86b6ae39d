"""What is of a case lies where the case lies, and goes where it goes: whoever moves it, and whoever wrote it."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import insert, inspect, or_, select, update

from engine import instances, keys, upgrades, verification
from engine.case_models import ClockEntry, Item, MaterialLink
from engine.models import Activity, Entry, Incident, Instance, Task, TaskGroup
from tests import distribution
from tests.engine.test_adoptions import running_alone, tiny_matter
from tests.stage import MONDAY

__all__ = ["tiny_matter"]
#: The schema before there was a key.
BEFORE = "0018"
#: The newest one on which nodes serve that know none.
EXPANDED = "0020"


@pytest.fixture
def adopted(stage, clerk, tiny_matter):
    """An item and the bundle that is to have it; it was taken in alone, in another region."""
    _, item = running_alone(clerk, stage, region="430104")
    bundle = clerk.take_in("tiny", items=["beta"], materials=["lease"])
    return item, bundle


def places(stage, item):
    """Tables with rows about an item, its process and its tasks, and where these lie."""
    found = {}
    with stage.reading() as session:
        tasks = session.scalars(select(Task.id).where(Task.instance_id == item.instance_id)).all()
        there = inspect(session.connection()).get_table_names()
        for table in (table for table in distribution.growing() if table.name in there):
            about = {"instance_id": [item.instance_id], "item_id": [item.id], "task_id": tasks}
            mine = [table.c[name].in_(ids) for name, ids in about.items() if name in table.c]
            rows = session.execute(select(table.c.case_id, table.c.region).where(or_(*mine))).all() if mine else ()
            found |= {table.name: {tuple(row) for row in rows}} if rows else {}
    return found


def test_adopt__everything_goes_along(stage, clerk, market, adopted):
    item, bundle = adopted

    clerk.adopt(bundle, item.number)

    there = places(stage, item)
    assert there == {table: {(bundle.id, "430100")} for table in there}
    assert there.keys() >= {"activities", "clock_entries", "instances", "journal", "material_links", "task_groups", "tasks"}


@pytest.fixture
def older_nodes(stage, adopted):
    """The schema is the newest on which nodes serve that know no key; `adopted` is there."""
    with upgrades.migrating(stage.database.bind) as config:
        command.downgrade(config, EXPANDED)


@pytest.mark.usefixtures("older_nodes")
def test_older_node__what_it_writes_gets_its_key(stage, adopted):
    """It knows no region, and of a candidate group no case."""
    item, _ = adopted
    task, group = as_it_knows(Task, without={"region"}), as_it_knows(TaskGroup, without={"region", "case_id"})
    with stage.database.transaction() as session:
        known = session.execute(select(task).where(task.c.instance_id == item.instance_id)).mappings().first()
        new = {**known, "id": uuid4(), "wait": 1000}
        session.execute(insert(task).values(new))
        session.execute(insert(group).values(task_id=new["id"], name="window"))

    with stage.reading() as session:
        rows = [
            session.execute(select(row.region, row.case_id).where(of == new["id"])).one()
            for row, of in ((Task, Task.id), (TaskGroup, TaskGroup.task_id))
        ]
    assert rows == [("430104", item.case_id)] * 2


@pytest.mark.usefixtures("older_nodes")
def test_older_node__adopts(stage, adopted):
    item, bundle = adopted

    adopt_as_before(stage, item, bundle)

    there = places(stage, item)
    assert there == {table: {(bundle.id, "430100")} for table in there}


def adopt_as_before(stage, item, bundle):
    """Say table by table to which case rows go, as the releases did that knew no key."""
    with stage.database.transaction() as session:
        for model, of in ((Instance, "id"), (Activity, "instance_id"), (Task, "instance_id"), (ClockEntry, "item_id"), (Item, "id")):
            table = as_it_knows(model, without={"region"})
            mine = table.c[of] == (item.id if model is Item or of == "item_id" else item.instance_id)
            moved = {"case_id": bundle.id} | ({"parent_id": None} if model is Instance else {})
            session.execute(update(table).where(mine).values(moved))


def as_it_knows(model, *, without):
    """A table as the release before knows it."""
    return sa.table(model.__tablename__, *(sa.column(c.name, c.type) for c in model.__table__.c if c.name not in without))


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("older_nodes")
def test_older_node__incident_of_no_case(stage):
    """It knows it by null, whoever has written it; when no such node is left, it gets its key."""
    told = {"element": "start", "message": "", "raised_at": MONDAY}
    older = {**told, "id": uuid4(), "case_id": None, "region": None}
    with stage.database.transaction() as session:
        session.execute(insert(as_it_knows(Incident, without=set())).values(older))
        session.add(newer := Incident(**told, **keys.NOBODY))

    with stage.reading() as session:
        both = select(Incident.case_id, Incident.region).where(Incident.id.in_([older["id"], newer.id]))
        assert session.execute(both).all() == [(None, None)] * 2

    stage.database.migrate()

    with stage.reading() as session:
        assert session.execute(both).all() == [tuple(keys.NOBODY.values())] * 2


@pytest.mark.usefixtures("older_nodes")
def test_migrate__materials_that_an_older_node_left_behind_when_it_adopted(stage, adopted):
    item, bundle = adopted
    mine = select(MaterialLink.case_id).where(MaterialLink.item_id == item.id)
    adopt_as_before(stage, item, bundle)
    with stage.reading() as session:
        assert set(session.scalars(mine)) == {bundle.id}  # and the materials are of the case in which it came alone

    stage.database.migrate()

    with stage.reading() as session:
        assert session.scalars(mine).all() == []


def test_migrate__down_and_up_with_what_an_adoption_had_left_behind(stage, clerk, adopted):
    item, bundle = adopted
    alone = item.case_id
    clerk.adopt(bundle, item.number)
    before = places(stage, item)
    with upgrades.migrating(stage.database.bind) as config:
        command.downgrade(config, BEFORE)
    entry = as_it_knows(Entry, without={"region"})
    with stage.database.transaction() as session:  # so it was until then
        session.execute(update(entry).where(entry.c.instance_id == item.instance_id).values(case_id=alone))

    stage.database.migrate()

    assert places(stage, item) == before
    assert list(verification.verify(stage.database)) == []


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("tiny_matter")
def test_statements__after_a_lock_are_looked_at(stage, clerk):
    """A second instance is found by an id alone, although the transaction holds a case already (`tests.joins`)."""
    one, other = (stage.bundle(clerk.take_in("tiny", items=["beta"], materials=["lease"])) for _ in range(2))

    refused = pytest.raises(AssertionError, match=r"Expected instances\.lock to say of which case rows of cases, instances are")
    with stage.database.transaction() as session, refused:
        list(map(partial(instances.lock, session), (one.id, other.id)))


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_commands__write_rows_of_one_case_unless_they_adopt(stage, clerk, market, adopted, transactions):
    item, bundle = adopted
    clerk.adopt(bundle, item.number)
    for name in ("alpha审批", "beta审批"):
        market.complete(bundle, name, outcome="granted")
    clerk.complete(bundle, "统一出件")
    later = clerk.take_in("tiny", items=["beta"], materials=["lease"])
    clerk.handle("withdraw", stage.item(later, "beta"), reason="不办了")

    assert stage.statuses(bundle) == {"alpha": "issued", "beta": "issued"}
    assert {len(cases) for cases, _ in transactions} == {1, 2}
    assert all("item adopted by a bundle" in told for cases, told in transactions if len(cases) > 1)
    assert sum(len(cases) == 1 for cases, _ in transactions) >= 6
