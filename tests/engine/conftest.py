"""A furnished installation for every test of the domain, on both databases; time stands at Monday, 2 March 2026, until it is moved."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from engine import moments, samples
from engine.actors import Actor, RoleGrant
from engine.case_models import Case
from engine.database import Database
from engine.models import Instance
from tests import databases, distribution
from tests.listening import listening
from tests.locks import Locks
from tests.stage import MONDAY, Beginning, Person, Stage, furnish

Store = databases.SQLite | databases.PostgreSQL


class Copied(Stage):
    """A stage whose database is copied when it is used first, from what the test begins with: what is shipped, unless there is more."""

    def __init__(self, store: Store, traveller: time_machine.Coordinates, stack: ExitStack, *, locks: Locks, patched: bool) -> None:
        self.traveller, self.checking = traveller, True
        self._source, self._stack, self._locks, self._patched = store.branch(furnish), stack, locks, patched

    @cached_property
    def database(self) -> Database:
        database = databases.opened(self._stack.enter_context(self._source.fresh()))
        self._stack.callback(database.close)
        return database

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has been done yet, and no time has passed."""
        return "database" not in vars(self) and MONDAY <= moments.now() < MONDAY + timedelta(minutes=1)

    def person(self, name: str) -> Person:
        """Somebody with a sample account; while it is as it was made nobody need be asked for it."""
        if not self.is_untouched or name not in samples.ACCOUNTS:
            return Beginner(self, super().person(name).actor)
        display_name, role, department, hall = samples.ACCOUNTS[name]
        return Beginner(self, Actor(name=name, display_name=display_name, grants=(RoleGrant(role=role, department=department, hall=hall),)))

    def somebody(self, *grants: RoleGrant, name: str = "somebody") -> Person:
        """Somebody with these grants."""
        return Beginner(self, Actor(name=name, grants=grants))

    def begin(self, beginning: Beginning) -> None:
        """Go on from where a beginning has ended, and with the locks that it has taken."""
        assert self.is_untouched, "Expected to begin before anything else is done"
        beginning.begins_at, before = moments.now(), len(self._locks.courses)
        self._source = self._source.branch(beginning.fill)
        if made := self._locks.courses[before:]:
            beginning.courses = made
        else:
            self._locks.courses += beginning.courses
        self.traveller.move_to(beginning.ended_at)

    def first(self, what: tuple[Any, ...], do: Callable[[Stage], Any]) -> Any:
        """Do something.

        What another test has begun with, too, is done once more and then copied: it takes longer than most tests.
        """
        if not self.is_untouched or self._patched:  # what is patched for one test must not come to another
            return do(self)
        about = (self._source, self._locks.listens, pickle.dumps(what))
        if about not in _firsts:
            done = do(self)
            _firsts[about] = Beginning(do)
            return done
        self.begin(_firsts[about])
        return pickle.loads(pickle.dumps(_firsts[about].given))  # nobody changes what the others get

    def deploy(self, name: str, **files: bytes) -> None:
        """Deploy a folder."""
        self.first((name, files), lambda stage: Stage.deploy(stage, name, **files))


#: What tests have begun with: where, whether their locks were looked at, and what they did.
_firsts: dict[tuple[Store, bool, bytes], Beginning] = {}


@pytest.fixture(scope="module", autouse=True)
def _beginnings_of_a_file() -> Iterator[None]:
    """Keep what tests begin with for the next file only if nothing was done before it: each database has its 600 files."""
    yield
    made = {source.branches.get(first.fill) for (source, *_), first in _firsts.items()}
    for (source, *more), first in list(_firsts.items()):
        if source in made:
            source.forget(first.fill)
            del _firsts[source, *more]


class Beginner(Person):
    """Somebody whose commands are copied while the test begins (`Copied.first`)."""

    def submit(self, matter: str, **what: Any) -> Case:
        """Submit a case."""
        return self._first("submit", matter, **what)

    def start(self, key: str, **variables: Any) -> Instance:
        """Start a process without a matter."""
        return self._first("start", key, **variables)

    def complete(self, case: Case, name: str, **data: Any) -> None:
        """Complete the oldest open task of that name."""
        what = ("complete", self.actor, case.id, name, data)
        self.stage.first(what, lambda stage: Person(stage, self.actor).complete(case, name, **data))

    def _first(self, verb: str, what: str, **more: Any) -> Any:
        return self.stage.first((verb, self.actor, what, more), lambda stage: getattr(Person(stage, self.actor), verb)(what, **more))


@pytest.fixture
def stage(request: pytest.FixtureRequest, store: Store, compiled_once: None) -> Iterator[Stage]:
    """An installation with people in it."""
    with time_machine.travel(MONDAY, tick=True) as traveller, ExitStack() as stack:
        locked = "one_order_of_locks" in request.fixturenames
        locks = request.getfixturevalue("one_order_of_locks") if locked else Locks()
        yield Copied(store, traveller, stack, locks=locks, patched="monkeypatch" in request.fixturenames)


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
