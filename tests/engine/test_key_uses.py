"""When a key was used: noted once an hour, in nobody's way, and not at all where the schema has no place for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import text

from engine import accounts, key_uses, samples, schema
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.key_uses import KeyUses
from engine.settings import Environment

ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),))
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def issued(database):
    """Two keys of one account, with what logs in."""
    with database.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
        return [accounts.issue_key(session, "officer-fire", label=label, actor=ADMIN) for label in ("消防系统", "报表")]


def last(db, issued):
    with db.reading() as session:
        used = key_uses.last(session, [row.id for row, _key in issued])
    return [used.get(row.id) for row, _key in issued]


def test_note__once_an_hour(database, issued):
    uses, (_, (_, key)) = KeyUses(), issued
    told = []
    for minutes in (0, 59, 60):
        with time_machine.travel(NINE + timedelta(minutes=minutes), tick=False):
            uses.note(database, key)
            told.append(last(database, issued))

    assert told == [[None, NINE], [None, NINE], [None, NINE + timedelta(hours=1)]]


def test_note__the_database_is_in_the_way(database, issued):
    """It is noted later, and nobody hears of it but the log."""
    uses, ((row, key), _) = KeyUses(), issued
    with database.transaction() as session:
        session.execute(text("ALTER TABLE key_uses RENAME TO key_uses_elsewhere"))

    uses.note(database, key)

    assert uses.is_due(key)
    with database.transaction() as session:
        session.execute(text("ALTER TABLE key_uses_elsewhere RENAME TO key_uses"))
    uses.note(database, key)
    assert last(database, [(row, key)]) != [None]


@pytest.fixture(params=["0026", "0027"])
def older_schema(request, store):
    """A database on which this release serves, but which has no place for uses."""
    with store.at(request.param).fresh() as url:
        db = Database(url)
        with db.transaction() as session:
            samples.seed(session, Environment.DEVELOPMENT)
        yield db
        db.close()


def test_note__the_schema_has_no_place_for_it(older_schema):
    """This release serves as soon as it has what it needs; this comes when nothing older is there any more, and then uses are noted."""
    with older_schema.transaction() as session:
        row, key = accounts.issue_key(session, "officer-fire", label="消防系统", actor=ADMIN)
    uses = KeyUses()

    with time_machine.travel(NINE, tick=False) as traveller:
        uses.note(older_schema, key)

        assert not uses.is_due(key)
        with older_schema.reading() as session:
            assert schema.look(session.connection()).fit
            assert accounts.authenticate_key(session, key).name == "officer-fire"
            assert [each.id for each in accounts.keys(session, "officer-fire", actor=ADMIN)] == [row.id]
        assert last(older_schema, [(row, key)]) == [None]
        assert older_schema.migrate() == ""
        traveller.shift(timedelta(minutes=1))
        assert uses.is_due(key)
        uses.note(older_schema, key)
        assert last(older_schema, [(row, key)]) == [NINE + timedelta(minutes=1)]
