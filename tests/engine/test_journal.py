from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from engine import journal
from engine.models import Entry, Instance
from tests import tiny


@pytest.fixture
def case(stage, clerk, market):
    """A bundle of two items, one of them decided."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    case = clerk.take_in("tiny")
    stage.travel(2026, 3, 3)
    market.complete(case, "alpha审批", outcome="granted", certificate_no="A-1")
    return case


def tamper(stage, statement):
    with stage.database.transaction() as session:
        session.execute(statement)


def verified(stage, instance):
    with stage.reading() as session:
        return journal.check(session.get_one(Instance, instance.id), entries(stage, instance))


def entries(stage, instance):
    with stage.reading() as session:
        return session.scalars(select(Entry).where(Entry.instance_id == instance.id).order_by(Entry.seq)).all()


def test_record__in_the_laws_words(stage, case):
    told = [(entry.actor, entry.what) for entry in stage.journal(case)]

    assert told[0] == ("clerk", "case submitted")
    assert ("clerk", "case accepted") in told
    assert ("officer-market", "item granted") in told
    assert told.index(("clerk", "case accepted")) < told.index(("officer-market", "item granted"))


def test_record__chained_within_its_instance(stage, case):
    """Departments never wait for each other to write history."""
    alpha, beta = (stage.own_process(stage.item(case, code)) for code in ("alpha", "beta"))

    assert [entry.seq for entry in entries(stage, alpha)] == [1, 2, 3]
    assert [entry.seq for entry in entries(stage, beta)] == [1]
    assert verified(stage, alpha) is None
    assert verified(stage, stage.bundle(case)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"details": {"item": "another"}},
        {"actor": "nobody"},
        {"what": "item denied"},
        {"hash": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_check__an_entry_was_changed(stage, case, change):
    alpha = stage.own_process(stage.item(case, "alpha"))
    tamper(stage, update(Entry).where(Entry.instance_id == alpha.id, Entry.seq == 2).values(**change))

    assert "entry 2" in verified(stage, alpha)


def test_check__an_entry_was_moved_in_time(stage, case):
    alpha = stage.own_process(stage.item(case, "alpha"))
    at = entries(stage, alpha)[1].at - timedelta(days=1)
    tamper(stage, update(Entry).where(Entry.instance_id == alpha.id, Entry.seq == 2).values(at=at))

    assert "entry 2" in verified(stage, alpha)


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_check__an_entry_was_taken_out(stage, case, seq):
    alpha = stage.own_process(stage.item(case, "alpha"))
    tamper(stage, delete(Entry).where(Entry.instance_id == alpha.id, Entry.seq == seq))

    assert verified(stage, alpha) is not None


def test_check__an_entry_and_its_hash_were_changed(stage, case):
    """Who changes one must change all that follow, and the hash that stands on the instance."""
    alpha = stage.own_process(stage.item(case, "alpha"))
    first, second, _ = entries(stage, alpha)
    forged = journal.digest(first.hash, 2, second.at, "nobody", second.what, second.details)
    tamper(stage, update(Entry).where(Entry.id == second.id).values(actor="nobody", hash=forged))

    assert "entry 3" in verified(stage, alpha)


def test_check__two_were_exchanged(stage, case):
    alpha = stage.own_process(stage.item(case, "alpha"))
    for old, new in ((1, 9), (2, 1), (9, 2)):
        tamper(stage, update(Entry).where(Entry.instance_id == alpha.id, Entry.seq == old).values(seq=new))

    assert verified(stage, alpha) is not None


def test_record__refused_command_leaves_no_trace(stage, market, case):
    beta = stage.own_process(stage.item(case, "beta"))

    with pytest.raises(Exception, match="Expected a denial with"):
        market.complete(case, "beta审批", outcome="denied")

    assert [entry.seq for entry in entries(stage, beta)] == [1]
