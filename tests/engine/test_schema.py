"""The schema and the SQL, as docs/scale.md tells them: what lacks the key of distribution, and what is PostgreSQL's own.  Both may only become less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Column, Identity, Integer, MetaData, Sequence, Table, UniqueConstraint

from engine.models import Base
from tests import distribution

CHECKOUT = Path(__file__).parents[2]
ENGINE = CHECKOUT / "engine"
#: How many keys and unique constraints, and how many references, do not contain the case: a new table adds none, and whoever mends one says so here.
KEYS, REFERENCES = 44, 34
#: What is not everybody's SQL, and the modules that may say it.
OWN = {
    r"ON CONFLICT|on_conflict": {"postgresql", "writes"},
    r"json_(to|build|agg|each|array)|jsonb|JSONB": {"postgresql"},
    r"\bARRAY\b|unnest": set(),
    r"pg_(try_)?advisory": {"postgresql"},
    r"(lock|statement|session)_timeout": {"postgresql"},
    r"pg_stat_|pg_prepared_": {"postgresql"},
    r"\"pg_(dump|restore)\"": {"dumps"},
    r"postgresql_where": {"indexes", "case_models"},
    r"skip_locked": {"adoptions", "archives", "external_tasks", "jobs", "recomputing", "start_timers", "timers", "worker"},
    r"RETURNING|\.returning\(": {"numbers", "outbox", "postgresql"},
}


def lacking(kind):
    return [(table.name, key) for table in distribution.growing() for key in kind(table) if distribution.case_of(table) not in key]


def test_page__tells_what_lacks_the_key():
    told = re.search(r"<!-- python -m tests.distribution -->\n(.*)<!-- end -->", (CHECKOUT / "docs/scale.md").read_text("utf-8"), re.DOTALL)

    assert told is not None
    assert told[1] == distribution.page()


def test_keys__a_new_one_contains_the_case():
    assert len(lacking(distribution.unique)) == KEYS
    assert len(lacking(distribution.references)) == REFERENCES


def test_shared__names_tables():
    assert set(Base.metadata.tables) >= distribution.SHARED | distribution.CASES


def test_unique__what_is_said_of_a_column_an_index_or_a_constraint():
    table = Table(
        "things",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("case_id", Integer),
        Column("number", Integer, unique=True),
        Column("name", Integer, index=True),
        Column("code", Integer, index=True, unique=True),
        UniqueConstraint("case_id", "name"),
    )

    assert sorted(distribution.unique(table)) == [("case_id", "name"), ("code",), ("id",), ("number",)]


def test_ids__come_from_no_sequence():
    counted = [
        str(column)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column is table.autoincrement_column or isinstance(column.default, Sequence) or isinstance(column.server_default, Identity)
    ]

    assert counted == []


@pytest.mark.parametrize("words", OWN)
def test_sql__what_is_not_everybodys_stays_where_it_is(words):
    found = {path.stem for path in ENGINE.glob("*.py") if re.search(words, path.read_text("utf-8"))}

    assert found == OWN[words]
