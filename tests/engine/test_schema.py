"""The schema and the SQL, as docs/scale.md tells them: what lacks the key of distribution, and what is PostgreSQL's own.  Both may only become less."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from sqlalchemy import Column, Identity, Integer, MetaData, Sequence, Table, UniqueConstraint, text

from engine.models import Base
from tests import distribution, joins

CHECKOUT = Path(__file__).parents[2]
ENGINE = CHECKOUT / "engine"
#: What is not everybody's SQL, and the modules that may say it.
OWN = {
    r"ON CONFLICT|on_conflict": {"postgresql", "writes"},
    r"json_(to|build|agg|each|array)|jsonb|JSONB": {"connections", "postgresql"},
    r"\bARRAY\b|unnest": set(),
    r"pg_(try_)?advisory": {"postgresql"},
    r"(lock|statement|session)_timeout": {"connections", "postgresql"},
    r"pg_stat_|pg_prepared_": {"clients"},
    r"datcollversion|pg_database_coll": {"postgresql"},
    r"\"pg_(dump|restore)\"": {"dumps"},
    r"postgresql_where": {"indexes", "case_models"},
    r"skip_locked": {"archives", "batches", "duties", "fetches", "jobs", "recomputing", "start_timers"},
    r"RETURNING|\.returning\(": {"numbers", "outbox", "postgresql"},
}


def lacking(kind):
    return {(table.name, key) for table in distribution.growing() for key in kind(table) if not distribution.key_of(table) <= set(key)}


def test_page__tells_what_lacks_the_key():
    told = re.search(r"<!-- python -m tests.distribution -->\n(.*)<!-- end -->", (CHECKOUT / "docs/scale.md").read_text("utf-8"), re.DOTALL)

    assert told is not None
    assert told[1] == distribution.page()


def test_rows__have_the_key():
    nullable = {f"{table.name}.{name}" for table in distribution.growing() for name in distribution.key_of(table) if table.c[name].nullable}

    assert nullable == set()


def test_keys__contain_the_key():
    assert lacking(distribution.unique) == set()


def test_keys__of_what_is_of_no_case_contain_its_region():
    """Where it says one: it can lie with other things of that region."""
    passing = [table for table in Base.metadata.tables.values() if table.name in distribution.PASSING and "region" in table.c]

    assert [key for table in passing for key in distribution.unique(table) if "region" not in key] == []
    assert [table.name for table in passing] == ["reservations"]


def test_references__contain_the_key():
    """They refer to rows of the same case, and go with them to another one."""
    assert lacking(distribution.references) == set()
    for table in distribution.growing():
        for reference in table.foreign_key_constraints:
            if reference.referred_table.name not in distribution.SHARED | {"cases"}:
                there = [element.column.name for element in reference.elements]
                assert dict(zip(reference.columns.keys(), there, strict=True)).items() >= {"case_id": "case_id", "region": "region"}.items()
                assert (reference.onupdate, reference.deferrable, reference.initially) == ("CASCADE", True, "DEFERRED")


def test_references__the_database_knows_all_others():
    assert {(table.name, name) for table in distribution.growing() for name in distribution.loose(table)} == distribution.BEYOND


def test_references__are_found_by_an_index():
    """Who deletes a row has the database look for those that refer to it: never through all of a table that grows."""
    found = {
        (table.name, columns)
        for table in distribution.growing()
        for columns in distribution.referring(table)
        if not distribution.led_by(table) & set(columns)
    }

    assert found == set()


def test_mapper__knows_rows_by_what_the_database_has_besides_the_key():
    for mapper in Base.registry.mappers:
        known, key = [column.name for column in mapper.primary_key], [column.name for column in mapper.local_table.primary_key]
        assert known == [name for name in key if name in known or name not in {"case_id", "region"}]


def test_shared__names_tables():
    assert set(Base.metadata.tables) >= distribution.SHARED | distribution.PASSING | distribution.CASES


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
    found = {path.stem for path in ENGINE.rglob("*.py") if "migrations" not in path.parts and re.search(words, path.read_text("utf-8"))}

    assert found == OWN[words]


ALIKE = "tasks.case_id = instances.case_id AND instances.region = tasks.region"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (f"SELECT 1 FROM tasks JOIN instances ON instances.id = tasks.instance_id AND {ALIKE} WHERE tasks.id = 1", 0),
        ("SELECT 1 FROM tasks JOIN instances ON instances.id = tasks.instance_id", 1),
        ("SELECT 1 FROM tasks JOIN instances ON instances.id = tasks.instance_id AND tasks.case_id = instances.case_id", 1),
        ("SELECT 1 FROM tasks JOIN cases ON cases.id = tasks.case_id AND cases.region = tasks.region", 0),
        ("SELECT 1 FROM tasks JOIN cases ON cases.id = tasks.id AND cases.region = tasks.region", 1),
        ("SELECT 1 FROM instances AS a, instances AS b WHERE a.parent_id = b.id", 1),
        ("SELECT 1 FROM tasks WHERE EXISTS (SELECT * FROM task_groups WHERE task_groups.task_id = tasks.id)", 1),
        ("SELECT 1 FROM cases WHERE EXISTS (SELECT * FROM cases AS later WHERE later.previous_id = cases.id)", 0),
        ("SELECT 1 FROM instances JOIN definitions ON definitions.id = instances.definition_id", 0),
    ],
)
def test_joins__are_within_a_case(statement, found):
    """Every statement that any test sends is looked at so (`conftest.joins_within_cases`)."""
    assert len(list(joins.astray(statement, distribution.BEYOND))) == found


HERE = "tasks.case_id = %(case)s::UUID AND tasks.region = %(region)s"


@pytest.mark.parametrize(
    ("statement", "held", "found"),
    [
        ("SELECT 1 FROM tasks WHERE tasks.id = %(id)s", False, []),
        ("SELECT 1 FROM tasks WHERE tasks.id = %(id)s", True, ["tasks"]),
        (f"SELECT 1 FROM tasks WHERE {HERE}", True, []),
        ("SELECT 1 FROM tasks WHERE tasks.case_id = ?", True, ["tasks"]),
        ("SELECT 1 FROM tasks WHERE %(one)s::UUID = tasks.case_id AND %(two)s::VARCHAR = tasks.region", True, []),
        ("SELECT 1 FROM cases WHERE cases.id = ? AND cases.region = ?", True, []),
        (f"SELECT 1 FROM tasks JOIN instances ON {ALIKE} WHERE {HERE}", True, []),
        (f"SELECT 1 FROM tasks JOIN instances ON {ALIKE} WHERE instances.id = ?", True, ["instances", "tasks"]),
        (f"SELECT 1 FROM tasks WHERE {HERE} AND tasks.id IN (SELECT task_groups.task_id FROM task_groups)", True, ["task_groups"]),
        ("SELECT 1 FROM definitions WHERE definitions.id = ?", True, []),
        ("UPDATE tasks SET region=?, case_id=? WHERE tasks.id = ?", False, ["tasks"]),
        (f"UPDATE tasks SET name=? WHERE tasks.id = ? AND {HERE}", False, []),
        ("DELETE FROM tasks WHERE tasks.region = ? AND tasks.case_id IN (?)", False, ["tasks"]),
        (
            "WITH a AS (UPDATE tasks AS t SET name = s.name FROM (SELECT 1) AS s WHERE t.region = s.region AND t.case_id = s.c) SELECT 1",
            True,
            [],
        ),
        ("WITH a AS (UPDATE tasks AS t SET name = s.name FROM (SELECT 1) AS s WHERE t.id = s.id) SELECT 1", False, ["tasks"]),
        ("WITH a AS (DELETE FROM jobs AS t USING (SELECT 1) AS s WHERE t.id = s.id AND t.region = s.region) SELECT 1", False, ["jobs"]),
        ("SELECT 1 FROM tasks WHERE tasks.id = %(id)s FOR NO KEY UPDATE OF tasks", False, []),
    ],
)
def test_statements__say_where_their_rows_are(statement, held, found):
    assert joins.anywhere(statement, held=held) == found


def test_functions__that_go_across_cases_are_there():
    told = [name.split(".") for name in distribution.ACROSS]

    assert [name for module, name in told if not callable(getattr(importlib.import_module(f"engine.{module}"), name, None))] == []


def test_joins__are_looked_at(database, joins_within_cases):
    with pytest.raises(AssertionError, match="Expected instances and tasks to be joined within their case"), database.reading() as session:
        session.execute(text(f"SELECT '{database.bind.dialect.name}' FROM tasks JOIN instances ON instances.id = tasks.instance_id"))
    assert joins_within_cases
