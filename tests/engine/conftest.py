"""A furnished installation for every test of the domain, on both databases; time stands at Monday, 2 March 2026, until it is moved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import cached_property

import pytest
import time_machine
from sqlalchemy import select

from engine import moments, samples
from engine.actors import Actor, RoleGrant
from engine.case_models import Case
from engine.database import Database
from tests import databases, distribution, sessions
from tests.listening import listening
from tests.stage import MONDAY, Beginning, Person, Stage, furnish

Store = databases.SQLite | databases.PostgreSQL


class Copied(Stage):
    """A stage whose database is copied when it is used first, from what the test begins with: what is shipped, unless there is more."""

    def __init__(self, store: Store, traveller: time_machine.Coordinates, stack: ExitStack, *, patched: bool) -> None:
        self.traveller, self.checking = traveller, True
        self._source, self._stack, self._patched = store.branch(furnish), stack, patched

    @cached_property
    def database(self) -> Database:
        database = databases.opened(self._stack.enter_context(self._source.fresh(warm=True)))
        self._stack.callback(sessions.park, database)
        return database

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has been done yet, and no time has passed."""
        return "database" not in vars(self) and MONDAY <= moments.now() < MONDAY + timedelta(minutes=1)

    def person(self, name: str) -> Person:
        """Somebody with a sample account; while it is as it was made nobody need be asked for it."""
        if not self.is_untouched or name not in samples.ACCOUNTS:
            return super().person(name)
        display_name, role, department, hall = samples.ACCOUNTS[name]
        return Person(self, Actor(name=name, display_name=display_name, grants=(RoleGrant(role=role, department=department, hall=hall),)))

    def begin(self, beginning: Beginning) -> None:
        """Go on from where a beginning has ended."""
        assert self.is_untouched, "Expected to begin before anything else is done"
        self._source = self._source.branch(beginning.fill)
        self.traveller.move_to(beginning.ended_at)

    def deploy(self, name: str, **files: bytes) -> None:
        """Deploy a folder; what another test has begun with, too, is deployed once more and then copied: it takes longer than most commands."""
        begins = self.is_untouched and not self._patched  # what is patched for one test must not come to another
        what = (self._source, name, tuple(files.items()))
        if begins and what in _deployed:
            self.begin(_deployed[what])
            return
        super().deploy(name, **files)
        if begins:
            _deployed[what] = Beginning(lambda stage: stage.deploy(name, **files))


#: What tests have begun with, by where it was deployed.
_deployed: dict[tuple[Store, str, tuple[tuple[str, bytes], ...]], Beginning] = {}


@pytest.fixture
def stage(request: pytest.FixtureRequest, store: Store, compiled_once: None) -> Iterator[Stage]:
    """An installation with people in it."""
    with time_machine.travel(MONDAY, tick=True) as traveller, ExitStack() as stack:
        yield Copied(store, traveller, stack, patched="monkeypatch" in request.fixturenames)


@pytest.fixture
def begun(stage: Copied) -> Callable[[Callable[[Stage], object]], Sequence[Case]]:
    """Let a test go on from where a beginning has ended, in a copy of its database; the cases there."""

    def begin(play: Callable[[Stage], object]) -> Sequence[Case]:
        stage.begin(_beginning(play))
        with stage.reading() as session:
            return session.scalars(select(Case).order_by(Case.number)).all()

    return begin


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
