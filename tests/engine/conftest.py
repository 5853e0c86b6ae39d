"""A furnished installation for every test of the domain, on both databases; time stands at Monday, 2 March 2026, until it is moved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest
import time_machine
from sqlalchemy import select

from engine.case_models import Case
from tests import databases, distribution
from tests.listening import listening
from tests.stage import MONDAY, Beginning, Person, Stage, furnish


@pytest.fixture
def stage(furnished_url: str, compiled_once: None) -> Iterator[Stage]:
    """An installation with people in it."""
    with time_machine.travel(MONDAY, tick=True) as traveller:
        database = databases.opened(furnished_url)
        yield Stage(database, traveller)
        database.close()


@pytest.fixture
def begun(stage: Stage, store: databases.SQLite | databases.PostgreSQL) -> Iterator[Callable[[Callable[[Stage], object]], Sequence[Case]]]:
    """Let a test go on from where a beginning has ended, in a copy of its database; the cases there."""
    with ExitStack() as stack:

        def begin(play: Callable[[Stage], object]) -> Sequence[Case]:
            beginning = _beginning(play)
            stage.database.close()
            stage.database = databases.opened(stack.enter_context(store.branch(furnish).branch(beginning.fill).fresh()))
            stack.callback(stage.database.close)
            stage.traveller.move_to(beginning.ended_at)
            with stage.reading() as session:
                return session.scalars(select(Case).order_by(Case.number)).all()

        yield begin


#: Each is known by what it plays, and its databases by its method.
_beginning = functools.cache(Beginning)


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
