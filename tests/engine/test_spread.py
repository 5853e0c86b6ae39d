"""On a database that is spread over shards everything goes as on any other, and PostgreSQL itself counts where each command writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from engine import verification
from tests import course, distribution, spread

SCALE = Path(__file__).parents[2] / "docs/scale.md"
#: What writes to several shards in one transaction; docs/scale.md says why.
SEVERAL = {"adopt an item", "carry tokens on", "count clocks anew", "fetch many external tasks", "let timers go off", "throw a signal"}


@pytest.fixture(scope="module")
def taken(postgresql):
    with course.taken(postgresql) as taken:
        yield taken


def test_commands__write_to_one_shard(taken):
    written = {name: [each.written for each in transactions if each.written] for name, transactions in taken.told.items()}

    assert {name for name, shards in written.items() if any(len(each) > 1 for each in shards)} == SEVERAL
    assert len(written["adopt an item"][0]) == 2
    assert {name for name, shards in written.items() if not shards} == {"list tasks", "look at a case", "publish a calendar"}


def test_page__tells_where_commands_write(taken):
    """How many statements there were is as it was when the page was made."""
    told = re.search(r"<!-- python -m tests.course -->\n(.*)<!-- end of the course -->", SCALE.read_text("utf-8"), re.DOTALL)

    assert told is not None
    assert [row.split("|")[1:4] for row in told[1].splitlines()] == [row.split("|")[1:4] for row in course.page(taken.told).splitlines()]


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
    assert tables >= {"cases", "instances", "tasks", "activities", "journal", "timers", "external_tasks"}


def test_tables__that_grow_are_all_spread(taken):
    with taken.hall.database.reading() as session:
        count = "SELECT parent.relname, count(*) FROM pg_inherits JOIN pg_class AS parent ON parent.oid = inhparent WHERE relkind = 'p' GROUP BY 1"
        assert dict(map(tuple, session.execute(text(count)))) == {table.name: spread.SHARDS for table in distribution.growing()}


def test_everything__is_whole(taken):
    assert list(verification.verify(taken.hall.database)) == []
