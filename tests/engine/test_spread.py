"""On a database that is spread over shards everything goes as on any other, and PostgreSQL itself counts where each command writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from engine import verification
from engine.case_models import Case, Material
from tests import course, distribution, spread
from tests.hall import Person, Refused
from tests.twice import at_once

SCALE = Path(__file__).parents[2] / "docs/scale.md"
#: What writes to several shards in one transaction unless cases are written one by one, and what does so always; docs/scale.md says why.
TOGETHER = {
    *("carry tokens on", "correlate a message with all", "count clocks anew", "fetch many external tasks", "let timers go off"),
    *("throw a signal", "throw a signal in a process"),
}
ALWAYS = {"adopt an item"}


@pytest.fixture(scope="module")
def taken(postgresql):
    with course.taken(postgresql) as taken:
        yield taken


def test_commands__write_to_one_shard(taken):
    alone, together = (written(taken.all[way]) for way in (course.ALONE, course.TOGETHER))

    assert several(alone) == ALWAYS
    assert several(together) == TOGETHER
    assert len(alone["adopt an item"][0]) == 2
    assert {name for name, shards in alone.items() if not shards} == {"list tasks", "look at a case"}
    assert not any(each.beside for told in taken.all.values() for transactions in told.values() for each in transactions)


def written(told):
    """Of each command, the shards to which its transactions wrote."""
    return {name: [each.written for each in transactions if each.written] for name, transactions in told.items()}


def several(shards):
    """Commands of which a transaction wrote to several."""
    return {name for name, found in shards.items() if any(len(each) > 1 for each in found)}


def test_page__tells_where_commands_write(taken):
    """How many statements there were is as it was when the page was made."""
    told = re.search(r"<!-- python -m tests.course -->\n(.*)<!-- end of the course -->", SCALE.read_text("utf-8"), re.DOTALL)

    assert told is not None
    assert [row.split("|")[1:5] for row in told[1].splitlines()] == [row.split("|")[1:5] for row in course.page(taken.all).splitlines()]


def test_rows__lie_together_with_their_case(taken):
    """Whatever is of a case lies in the shard in which the case lies, and all shards have something."""
    found = {}
    with taken.hall.database.reading() as session:
        for table in distribution.growing():
            case = next(iter(distribution.key_of(table) - {"region"}))
            rows = session.execute(text(f"SELECT DISTINCT {case}, CAST(CAST(tableoid AS regclass) AS text) FROM {table.name}"))
            for of, partition in rows:
                found.setdefault(of, {}).setdefault(int(partition.removeprefix(f"{table.name}_")), set()).add(table.name)

    assert all(len(shards) == 1 for shards in found.values())
    assert len({next(iter(shards)) for shards in found.values()}) > 1
    tables = set().union(*(tables for shards in found.values() for tables in shards.values()))
    assert tables >= {"cases", "instances", "tasks", "activities", "journal", "timers", "external_tasks", "idempotent_answers"}


def test_tables__that_grow_are_all_spread(taken):
    with taken.hall.database.reading() as session:
        count = "SELECT parent.relname, count(*) FROM pg_inherits JOIN pg_class AS parent ON parent.oid = inhparent WHERE relkind = 'p' GROUP BY 1"
        assert dict(map(tuple, session.execute(text(count)))) == {table.name: spread.SHARDS for table in distribution.growing()}


def rows(hall, table):
    with hall.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_submission__twice_at_once(taken):
    """Nothing of them is one by itself but what was reserved for them: they meet at their case."""
    hall = taken.hall
    before = rows(hall, Case)

    one, two = at_once(hall.database, lambda: Person(hall, "clerk").post("/cases", course.BUNDLE, key="submission"))

    assert one == two
    assert rows(hall, Case) == before + 1


def test_command_that_may_succeed_twice__twice_at_once(taken):
    hall = taken.hall
    case = taken.clerk.submit(**course.BUNDLE)
    before = rows(hall, Material)

    path = f"/cases/{case['number']}/materials"
    one, two = at_once(hall.database, lambda: Person(hall, "clerk").post(path, {"code": "m_plan"}, key=path))

    assert one == two
    assert rows(hall, Material) == before + 1


def test_command__repeated_after_its_item_was_adopted(taken):
    """What it did is over, and the item has gone to another shard, where it could be done once more."""
    clerk, market = taken.clerk, taken.market
    alone, there = taken.elsewhere(set(), lambda: clerk.submit(**course.BUNDLE | {"matter": "food_permit", "materials": course.FOOD}))
    clerk.complete(alone, "一窗受理", outcome="accept")
    number = alone["items"][0]["number"]
    pause = f"/items/{number}/pause", {"kind": "hearing", "reason": "听证", "days": 3}
    first = market.post(*pause, key="pause")
    market.post(f"/items/{number}/resume", {})
    bundle, _ = taken.elsewhere(there, lambda: clerk.submit(**course.BUNDLE, items=["fire_check_commit"], materials=course.FIRE))
    clerk.complete(bundle, "一窗受理", outcome="accept")
    adopt = f"/cases/{bundle['number']}/adopt", {"item_no": number}
    adopted = clerk.post(*adopt, key="adopt")

    assert market.post(*pause, key="pause") == first
    assert clerk.post(*adopt, key="adopt") == adopted
    assert market.get(f"/items/{number}")["clock"] == "running"
    assert market.post(*pause, key="another")["clock"] == "paused"


def test_commands__with_a_key_write_to_one_shard(taken):
    """What the course does not do; what is about a case writes where that lies, and keeps its answer there."""
    clerk, market, admin, watch = taken.clerk, taken.market, taken.hall["admin"], taken.watch
    watch.take()
    case = clerk.submit(**course.BUNDLE | {"matter": "food_permit", "materials": course.FOOD})
    (there,) = [each.written for each in watch.take() if each.written]
    (message,) = [each["id"] for each in admin.get("/messages", limit=500)["data"] if each["payload"]["case"] == case["number"]]
    task, item = f"/tasks/{clerk.task(case, '一窗受理')['id']}", f"/items/{case['items'][0]['number']}"
    commands = [
        (admin, "/messages/confirm", {"ids": [message]}),
        (clerk, f"{task}/claim", None),
        (clerk, f"{task}/release", None),
        (clerk, f"{task}/complete", {"outcome": "accept"}),
        (market, f"{item}/extend", {"days": 3, "approver": "organ_head", "reason": "延期"}),
        (clerk, f"/cases/{case['number']}/withdraw", {"reason": "不办了"}),
        (admin, "/accounts", {"name": "new"}),
    ]
    for who, path, body in commands:
        watch.take()
        who.post(path, body, key=path)
        told = [each for each in watch.take() if each.written]
        written = [each.written for each in told]
        assert all(len(shards) == 1 for shards in written) if path == "/accounts" else written == [there] * len(written), path
        # What is administered is counted, too.
        assert {table for each in told for table in each.beside} == ({"counters"} if path == "/accounts" else set()), path
        assert written, path


def test_key__with_a_command_about_another_case(taken):
    clerk = taken.clerk
    one, there = taken.elsewhere(set(), lambda: clerk.submit(**course.BUNDLE))
    other, _ = taken.elsewhere(there, lambda: clerk.submit(**course.BUNDLE))
    clerk.post(f"/cases/{one['number']}/materials", {"code": "m_plan"}, key="used")

    with pytest.raises(Refused, match="belongs to another command"):
        clerk.post(f"/cases/{other['number']}/materials", {"code": "m_plan"}, key="used")

    assert len(clerk.get(f"/cases/{other['number']}/materials")["data"]) == 0


def test_everything__is_whole(taken):
    assert list(verification.verify(taken.hall.database)) == []
