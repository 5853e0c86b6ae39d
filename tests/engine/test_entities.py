"""Entities: what has changed in objects goes out in one statement, and the session knows them afterwards as after the mapper's own flush."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from engine import holdings
from engine.case_models import Case, ClockEntry, Item, Notice, Tolerance
from engine.columns import new_id
from engine.models import Counter, Definition, Department, Deployment, Hall, Instance
from engine.reads import Reading
from engine.states import ItemStatus, ToleranceStatus
from tests.benchmarks.meter import counted

NOON = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)
DAY = date(2026, 3, 2)
ITEM = {
    "code": "i",
    "name": "事项",
    "department": "fire",
    "applicant_number": "a",
    "origin": "native",
    "mode": "review",
    "status": ItemStatus.IN_REVIEW,
    "joined_at": NOON,
    "limits": [{"days": 5}],
    "rules": {},
    "received_on": DAY,
}
MISSING = {"code": "m", "name": "‘", "used_by": ["i"], "until": "BEFORE_ISSUE", "due_on": DAY, "grace_days": 3}
RARE = {
    "promised_on": DAY,
    "promised_provisional": True,
    "yellow_from": DAY,
    "accepted_at": NOON,
    "decided_by": "officer",
    "reason": {"‘": ["\x00", 1.5, None]},
    "result": {},
    "instance_id": new_id(),
    "previous_number": '‘"\\',
}


@pytest.fixture
def session(database):
    with Session(database.bind) as session:
        session.add(Department(code="fire", name="消防"))
        session.commit()
        yield session


@pytest.fixture
def case(database):
    """A case with two items; everything that an item may say, one of them says."""
    key = {"region": "430100", "case_id": new_id()}
    deployment = Deployment(id=new_id(), name="d", source="s", deployed_at=NOON, deployed_by="designer")
    names = {"key": "m", "version": 1, "name": "m", "kind": "matter", "resource": "m.bpmn"}
    definition = Definition(id=new_id(), deployment_id=deployment.id, **names)
    with database.transaction() as session:
        about = {"number": "n", "matter": "m", "definition_id": definition.id, "applicant_number": "a", "entry": "submit"}
        given = {"applicant": {"name": "甲"}, "answers": {}, "checklist": {"items": []}, "submitted_at": NOON, "submitted_by": "clerk"}
        session.add_all([deployment, definition, Case(id=key["case_id"], region=key["region"], **about, **given)])
        session.add_all(Item(number=f"n-{place}", **key, **ITEM, **more) for place, more in enumerate(({}, RARE)))
    return key["case_id"]


def names(session):
    """As the database has them."""
    with session.no_autoflush:
        return {row.code: row.name for row in session.execute(select(Department.code, Department.name))}


def sent(database, session, work=None):
    with counted(database.bind) as sample:
        (work or session.flush)()
    return sample.statements


def test_new__with_what_there_is_no_column_for():
    with pytest.raises(TypeError, match="colour"):
        Department(code="fire", name="消防", colour="red")


def test_new__with_what_it_refers_to():
    notice = Notice(number="n")

    assert ClockEntry(kind="paused", notice=notice).notice is notice


def test_flush__tables_together(database, session):
    session.get_one(Department, "fire").name = "消防救援"
    session.add_all([Hall(code="a", name="大厅", level="city"), Hall(code="b", name="大厅", level="city"), Counter(name="c", value=1)])

    assert len(sent(database, session)) == {"postgresql": 1, "sqlite": 3}[database.bind.dialect.name]

    assert names(session) == {"fire": "消防救援"}
    assert session.scalars(select(Hall.code).order_by(Hall.code)).all() == ["a", "b"]
    assert not (session.new)
    assert not (session.dirty)
    assert not (session.deleted)


def test_flush__with_what_is_written_otherwise(database, session):
    session.add(Counter(name="c", value=1))
    holdings.of(session).writes.insert(Hall.__table__, [{"code": "a", "name": "大厅", "level": "city"}])

    with counted(database.bind) as sample:
        holdings.write(session)

    assert len(sample.statements) == {"postgresql": 1, "sqlite": 2}[database.bind.dialect.name]
    assert session.get_one(Hall, "a")
    assert session.get_one(Counter, "c")


def test_flush__a_table_in_two_ways(session, case):
    """A material is missing once at a time: the one that is met makes room for the next, so the order matters, and the mapper knows it."""
    first, second = (Tolerance(region="430100", case_id=case, **MISSING) for _ in range(2))
    session.add(first)
    session.commit()
    first.status = ToleranceStatus.MET
    session.add(second)
    session.commit()
    assert (first.status, second.status) == (ToleranceStatus.MET, ToleranceStatus.OPEN)


def test_flush__a_table_that_is_written_otherwise_too(session):
    session.get_one(Department, "fire").name = "先"
    writes = holdings.of(session).writes
    writes.update(Department.__table__, [{"old_code": "fire", "name": "后"}], by=("code",))
    holdings.write(session)
    assert names(session) == {"fire": "后"}


def test_flush__in_the_same_order(database, session):
    """The session has what was changed in any order; each would be another statement."""
    halls = [Hall(code=str(place), name="大厅", level="city") for place in range(8)]
    session.add_all(halls)
    session.flush()
    found = set()
    for trial in range(8):
        session.get_one(Department, "fire").name = str(trial)
        for place, hall in enumerate(halls):
            setattr(hall, ("name", "level")[(place + trial) % 2], str(trial))
        found.add(tuple(sent(database, session)))
    assert len(found) == 1


def test_flush__nothing_has_changed(database, session):
    fire = session.get_one(Department, "fire")
    fire.name = "another"
    fire.name = "消防"
    assert session.dirty
    assert sent(database, session) == []


@pytest.mark.parametrize("beside", [False, True])
def test_flush__what_python_takes_for_the_same(database, session, case, beside):
    """Whether it goes out in one statement, or the mapper sends it, since another row of the table is new."""
    item = session.scalars(select(Item).where(Item.number == "n-0")).one()
    item.result = {"amount": 1, "paid": [0]}
    session.commit()
    assert item.result == {"amount": 1.0, "paid": [False]}  # it has been read, and Python sees no difference
    item.result = {"amount": 1.0, "paid": [False]}
    if beside:
        session.add(Item(number="n-2", region="430100", case_id=case, **ITEM))
    session.commit()

    with database.reading() as other:
        assert repr(other.get_one(Item, item.id).result) == repr({"amount": 1.0, "paid": [False]})


def test_flush__defaults_are_known_afterwards(database, session, case):
    new = Tolerance(region="430100", case_id=case, **MISSING)
    session.add(new)
    session.flush()

    assert sent(database, session, lambda: (new.id, new.status, new.ended_at)) == []
    assert (new.status, new.ended_at) == (ToleranceStatus.OPEN, None)
    session.commit()
    with database.reading() as other:
        found = other.get_one(Tolerance, new.id)
        assert {name: getattr(found, name) for name in MISSING} == MISSING
        assert (found.status, found.ended_at) == (ToleranceStatus.OPEN, None)


def test_flush__a_row_that_has_gone_meanwhile(session):
    fire = session.get_one(Department, "fire")
    session.execute(update(Department).values(code="water").execution_options(synchronize_session=False))
    fire.name = "another"
    with pytest.raises(StaleDataError, match="Expected to update 1 rows of departments, but 0 were there"):
        session.flush()


def test_delete__and_then_it_is_unknown(session):
    fire = session.get_one(Department, "fire")
    session.delete(fire)
    session.flush()
    assert inspect(fire).deleted
    assert session.get(Department, "fire") is None


def test_savepoint__what_was_new_is_forgotten(session):
    water = Department(code="water", name="水务")
    with suppress(ZeroDivisionError), session.begin_nested():
        session.add(water)
        session.flush()
        assert names(session).keys() == {"fire", "water"}
        raise ZeroDivisionError
    assert water not in session
    assert names(session).keys() == {"fire"}


def test_savepoint__what_was_changed_is_read_anew(session):
    fire = session.get_one(Department, "fire")
    with suppress(ZeroDivisionError), session.begin_nested():
        fire.name = "another"
        session.flush()
        raise ZeroDivisionError
    assert fire.name == "消防"


def test_savepoint__what_was_gone_is_there_again(session):
    fire = session.get_one(Department, "fire")
    with suppress(ZeroDivisionError), session.begin_nested():
        session.delete(fire)
        session.flush()
        raise ZeroDivisionError
    assert fire in session
    assert session.get_one(Department, "fire") is fire


def test_savepoint__refused_by_the_database(session):
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(Department(code="fire", name="again"))
    session.add(Department(code="water", name="水务"))
    session.commit()
    assert names(session) == {"fire": "消防", "water": "水务"}


def test_rollback__is_as_it_was(session):
    fire, water = session.get_one(Department, "fire"), Department(code="water", name="水务")
    fire.name = "another"
    session.add(water)
    session.flush()
    session.rollback()
    assert fire.name == "消防"
    assert water not in session


def test_reading__is_what_the_mapper_reads(database, case):
    for kind in (Case, Item, Deployment, Definition):
        query = select(kind).order_by(kind.id)
        with database.reading() as session, database.reading() as other:
            (found,) = Reading(query).all(session, {})
            columns = kind.__table__.c.keys()
            there = [[getattr(entity, name) for name in columns] for entity in found]
            assert there == [[getattr(entity, name) for name in columns] for entity in other.scalars(query)]
            assert len(there) == (2 if kind is Item else 1)
            assert all(entity in session and not inspect(entity).modified for entity in found)


def test_reading__a_column_that_is_called_otherwise(database, case):
    """The variables of an instance are those that are small, and perhaps others."""
    reading = Reading(select(Instance))
    with database.transaction() as session:
        names = {"definition_id": session.scalars(select(Definition.id)).one(), "state": b"\x00s", "small": {"a": 1}, "started_at": NOON}
        session.add(Instance(id=new_id(), region="430100", case_id=case, **names))

    with Session(database.bind) as session:
        ((first,),) = reading.all(session, {})
        assert (first.small, first.variables, first.state, inspect(first).modified) == ({"a": 1}, {"a": 1}, b"\x00s", False)
        session.commit()
        with database.transaction() as other:
            other.execute(update(Instance).values(small={"a": 2}))
        ((again,),) = reading.all(session, {})
        assert (again is first, first.variables) == (True, {"a": 2})


def test_reading__together(database, case):
    reading = Reading(
        select(Item).where(Item.case_id == case).order_by(Item.number),
        select(Tolerance).where(Tolerance.case_id == case),
        select(func.count(Item.id)).where(Item.case_id == case),
    )
    with database.reading() as session, counted(database.bind) as sample:
        items, tolerances, counts = reading.all(session, {})
        assert len(sample.statements) == {"postgresql": 1, "sqlite": 3}[database.bind.dialect.name]
    assert (len(items), tolerances, counts) == (2, [], [2])


def test_reading__what_is_known_is_read_anew(database, case):
    reading = Reading(select(Item).where(Item.case_id == case).order_by(Item.number))
    with Session(database.bind) as session:
        ((first, _second),) = reading.all(session, {})
        first_id, first.department, first.result = first.id, "here", {"a": 1}
        session.commit()
        with database.transaction() as other:
            other.execute(update(Item).where(Item.id == first_id).values(department="there"))
        ((again, _second),) = reading.all(session, {})
        assert again is first
        assert (first.department, first.result) == ("there", {"a": 1})
        assert not session.dirty


def test_reading__what_was_changed_here_is_written_first(database, case):
    reading = Reading(select(Item).where(Item.case_id == case).order_by(Item.number))
    with Session(database.bind) as session:
        ((first, _second),) = reading.all(session, {})
        first.department = "here"
        assert reading.all(session, {})[0][0].department == "here"


def test_reading__can_be_written(database, case):
    """An object that was read so is like any other."""
    with database.transaction() as session:
        (items,) = Reading(select(Item).where(Item.case_id == case)).all(session, {})
        for item in items:
            item.department = "here"
    with database.reading() as session:
        assert set(session.scalars(select(Item.department).where(Item.case_id == case))) == {"here"}
