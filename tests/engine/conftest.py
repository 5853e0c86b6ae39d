"""A furnished installation for every test of the domain, on both databases; time stands at Monday, 2 March 2026, until it is moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests import databases, distribution
from tests.listening import listening
from tests.stage import MONDAY, Person, Stage


@pytest.fixture
def stage(furnished_url: str, compiled_once: None) -> Iterator[Stage]:
    """An installation with people in it."""
    with time_machine.travel(MONDAY, tick=True) as traveller:
        database = databases.opened(furnished_url)
        yield Stage(database, traveller)
        database.close()


@pytest.fixture
def clerk(stage: Stage) -> Person:
    return stage.person("clerk")


@pytest.fixture
def supervisor(stage: Stage) -> Person:
    return stage.person("supervisor")


@pytest.fixture
def market(stage: Stage) -> Person:
    """An officer of the market supervision."""
    return stage.person("officer-market")


@pytest.fixture
def fire(stage: Stage) -> Person:
    """An officer of the fire brigade."""
    return stage.person("officer-fire")


@pytest.fixture
def designer(stage: Stage) -> Person:
    return stage.person("designer")


@pytest.fixture
def transactions(stage):
    """Of each transaction, the cases of the rows that it has written, and what it told the journal; the database itself watches."""
    seen, bind = [], stage.database.bind
    with bind.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE written (place TEXT, what TEXT)")
        for table in distribution.growing():
            for verb, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
                told = [
                    f"{row}.{'id' if table.name in distribution.CASES else 'case_id'}",
                    f"{row}.what" if table.name == "journal" else "NULL",
                ]
                connection.exec_driver_sql(
                    f"CREATE TRIGGER watch_{verb}_{table.name} AFTER {verb} ON {table.name} BEGIN INSERT INTO written VALUES ({', '.join(told)}); END"
                )

    def look(connection):
        rows = connection.connection.cursor().execute("DELETE FROM written RETURNING place, what").fetchall()
        seen.append(tuple({row[index] for row in rows} - {None} for index in (0, 1)))

    with listening(bind, commit=look):
        yield seen
