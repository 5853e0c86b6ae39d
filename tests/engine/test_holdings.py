"""Holdings: what is held is one object, is written in one go, and is as it was when something is taken back."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from engine import execution, holdings, instances, journal, variables
from engine.actors import ENGINE
from engine.models import Entry, Hall, Instance
from engine.variables import Given
from tests import tiny
from tests.benchmarks import reference
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d


@pytest.fixture
def running(database):
    """A process with three of five departments at work."""
    reference.deploy(database)
    return reference.begin(database)


def entries(database, instance):
    with database.reading() as session:
        return list(session.scalars(select(Entry.what).where(Entry.instance_id == instance).order_by(Entry.seq)))


def verified(database, instance):
    with database.reading() as session:
        entries = session.scalars(select(Entry).where(Entry.instance_id == instance).order_by(Entry.seq)).all()
        return journal.check(session.get_one(Instance, instance), entries)


def test_lock__twice_is_one(database, running):
    with database.transaction() as session:
        first = instances.lock(session, running)
        first.types = {"a": "Date"}
        assert instances.lock(session, running) is first


def test_lock__in_the_next_transaction_of_a_session(database, running):
    with Session(database.bind) as session:
        first = instances.lock(session, running)
        session.commit()
        assert instances.lock(session, running) is not first


def test_commit__a_journal_without_more(database, running):
    with database.transaction() as session:
        journal.record(session, instances.lock(session, running), actor=ENGINE, what="looked at")
    assert entries(database, running)[-1] == "looked at"
    assert verified(database, running) is None


def test_rollback__nothing_is_written(database, running):
    before = entries(database, running)
    with Session(database.bind) as session:
        journal.record(session, instances.lock(session, running), actor=ENGINE, what="looked at")
    assert entries(database, running) == before


def test_savepoint__takes_back_what_is_held(database, running):
    with database.transaction() as session:
        row = instances.lock(session, running)
        journal.record(session, row, actor=ENGINE, what="before")
        with suppress(ZeroDivisionError), holdings.savepoint(session):
            journal.record(session, row, actor=ENGINE, what="within")
            row.types = {"a": 1 / 0}
        assert row.types == {}
        journal.record(session, row, actor=ENGINE, what="after")
    assert entries(database, running)[-2:] == ["before", "after"]
    assert verified(database, running) is None


def test_write__somebody_wrote_in_spite_of_the_lock(database, running):
    with Session(database.bind) as session:
        row = instances.lock(session, running)
        session.execute(update(Instance).where(Instance.id == running).values(rev=Instance.rev + 1))
        row.types = {"a": "Date"}
        with pytest.raises(StaleDataError, match="Expected to update 1 rows of instances, but 0 were there"):
            holdings.write(session)


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (False, 0), (1, 1.0), ({"a": [1, "b"]}, {"a": [True, "b"]}), ([1] * 9_000, [True] * 9_000)]
)
def test_write__what_python_takes_for_the_same(database, running, before, after):
    """To Python true is 1, and 1 is 1.0; to whoever reads it, it is not."""
    for value in (before, after):
        with database.transaction() as session, execution.running(session, running, actor=ENGINE) as run:
            variables.change(run, Given(values={"x": value}))

    with database.reading() as session:
        assert repr(session.get_one(Instance, running).variables["x"]) == repr(after)


@pytest.mark.parametrize("result", ["x", None])
def test_write__a_number_of_more_than_64_bits(stage, designer, result):
    """No database keeps one; FEEL calculates with 34 digits, and what it gives is kept as what it is about."""
    if result:
        body = d.script("t", "99999999999 * 99999999999", language="feel", result=result)
    else:
        body = d.user("t", ext=defs.parameters(inputs={"x": "=99999999999 * 99999999999"}))
    stage.deploy("p", p_bpmn=d.diagram(d.start("s"), body, d.end("e"), d.flows("s -> t -> e"), key="p"))

    instance = designer.start("p")

    if result:
        assert stage.instance(instance).variables == {"x": 9999999999800000000001.0}
    else:
        designer.complete(stage.of(instance), "t")
        assert str(stage.instance(instance).status) == "completed"


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_write__others_may_refer_to_it_meanwhile(database, running):
    """What was called owes it a job, and does not wait for whoever holds it, at whatever point."""
    with database.transaction() as session:
        instances.lock(session, running).types = {"a": "Date"}
        holdings.write(session)
        with database.transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            refer = select(Instance.id).where(Instance.id == running).with_for_update(read=True, key_share=True)
            assert other.scalar(refer) == running


def test_add__what_happens_to_it_before_it_is_put_back(stage, clerk):
    """What a new process sets after its first step is kept, though that had the instance written before."""
    reminded = tiny.item(
        "alpha",
        d.start("s"),
        d.external("remind", topic="onething.remind"),
        d.script("count", "${1 + 1}", result="counted"),
        tiny.decision("alpha"),
        d.end("e"),
        d.flows("s -> remind -> count -> decide -> e"),
    )
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": reminded}))

    case = clerk.take_in("tiny")

    [alpha] = stage.all(Instance, case, item_id=stage.item(case, "alpha").id)
    assert alpha.variables["counted"] == 2


@pytest.mark.parametrize("way", ["reading", "snapshot"])
def test_what_only_reads__keeps_nothing(database, way):
    """Also what somebody has changed in an object by mistake; and what was read can be looked at afterwards."""
    with database.transaction() as session:
        session.add(Hall(code="h", name="大厅", level="city"))

    with getattr(database, way)() as session:
        found = session.get(Hall, "h")
        found.name = "别的"

    assert (found.code, found.name) == ("h", "别的")
    with database.reading() as session:
        assert session.get(Hall, "h").name == "大厅"
