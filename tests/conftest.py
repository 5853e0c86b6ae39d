"""What all tests share: fresh databases of both kinds, and no silent skips in CI."""

from __future__ import annotations

import functools
import gc
import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, nullcontext

import pytest

from bpmn import compiler
from engine import deadlines, logs, pages, worklists
from engine.database import Database
from engine.settings import Environment
from tests import databases, distribution, joins, sessions
from tests.locks import Locks
from tests.stage import furnish

#: What takes longest begins first, so that not everybody waits for it in the end.
FIRST = ("tests/concurrency/test_soak.py", "tests/concurrency/", "tests/clients/", "tests/api/cli/")
#: How many more objects there are before Python looks for garbage among the young: what tests keep is looked through again with each
#: hundredth look, which with 700 took one part in forty of their time.
YOUNG = 10_000
_STACK = pytest.StashKey[ExitStack]()
#: What became of drawings that tests deploy again and again; a release (`tests.releases`) has 450.
_examined = functools.lru_cache(maxsize=512)(compiler.examine)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    """Let an end by SIGTERM be as orderly as one by Ctrl-C, for nothing must outlive us; and keep the folders of the tests in memory.

    On a disk each commit to SQLite waits for it: 15 ms, and some tests commit a thousand times.
    """
    stack = config.stash.setdefault(_STACK, ExitStack())
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # of a worker, too: who ends a whole group of processes ends him directly
    if _is_worker(config):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # so we end him; what a shell runs in the background ignores it
    else:
        config.option.basetemp = config.option.basetemp or stack.enter_context(databases.folder("files")) / "tests"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Start PostgreSQL once, here, for all workers of pytest-xdist."""
    if not hasattr(node.config, "postgresql_url"):
        node.config.postgresql_url = node.config.stash[_STACK].enter_context(databases.postgresql_server(tidied=False))
    node.workerinput["postgresql_url"] = node.config.postgresql_url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server of the workers, and remove the folders; after Ctrl-C, too."""
    config.stash[_STACK].close()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage once, when all is collected: that stays, and is not looked through again and again, here and while the tests run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, 10, 10)
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest begin first, and all workers have one order."""
    items.sort(key=lambda item: (_rank(item.nodeid), item.nodeid.split("::")[0]))


def _rank(place: str) -> int:
    return next((rank for rank, begin in enumerate(FIRST) if place.startswith(begin)), len(FIRST))


@pytest.fixture(autouse=True)
def _logs() -> None:
    """Log as in production, whatever the test before has configured; else tracebacks are painted, which takes longer than most tests."""
    logs.configure(Environment.PRODUCTION)


@pytest.fixture(scope="session", autouse=True)
def joins_within_cases() -> Iterator[set[str]]:
    """Look at every statement of every test: no row is joined with one of another case (docs/decisions/0018)."""
    with joins.watched(distribution.BEYOND, distribution.ACROSS) as seen:
        yield seen


@pytest.fixture(scope="session", autouse=True)
def _statements_shared() -> Iterator[None]:
    """Compile a statement once, however many databases it is sent to."""
    with databases.statements_shared():
        yield


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[databases.PostgreSQL]:
    """PostgreSQL, from which fresh databases are to be had."""
    with ExitStack() as stack:
        if _is_worker(request.config):
            url = request.config.workerinput["postgresql_url"]
        else:
            url = stack.enter_context(databases.postgresql_server(tidied=False))
        server = databases.PostgreSQL(url)
        stack.callback(server.close)
        yield server


@pytest.fixture(scope="session")
def sqlite() -> Iterator[databases.SQLite]:
    """SQLite, from which fresh databases are to be had."""
    with databases.folder("sqlite") as folder:
        yield databases.SQLite(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> databases.SQLite | databases.PostgreSQL:
    """Both kinds of database, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def compiled_once() -> Iterator[None]:
    """Compile a drawing once, however many tests deploy it: what becomes of it depends on nothing else, and nobody changes it."""

    def examine(content: bytes, resource: str, *, functions: frozenset[str] | None = None) -> compiler.Examination:
        return _examined(content, resource, functions=None if functions is None else frozenset(functions))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "examine", examine)
        yield


@pytest.fixture
def rare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Say how many rows of a light are few; what was built for another number is forgotten, before and after."""
    built = (worklists._glance, worklists._page, worklists._page_of_cases, deadlines._page)

    def say(rows: int) -> None:
        monkeypatch.setattr(pages, "RARE", rows)
        for each in built:
            each.cache_clear()

    yield say
    for each in built:
        each.cache_clear()


@pytest.fixture
def one_order_of_locks(store: databases.SQLite | databases.PostgreSQL) -> Iterator[None]:
    """Look at the order in which everything is locked (docs/decisions/0014); it is the same on both, so one is enough."""
    locks = Locks()
    with locks.recorded() if isinstance(store, databases.SQLite) else nullcontext():
        yield
    assert list(locks.violations()) == []


@pytest.fixture
def database_url(request: pytest.FixtureRequest, store: databases.SQLite | databases.PostgreSQL) -> Iterator[str]:
    """URL of a migrated database that no other test sees."""
    with store.fresh(warm="database" in request.fixturenames) as url:
        yield url


@pytest.fixture
def furnished_url(store: databases.SQLite | databases.PostgreSQL) -> Iterator[str]:
    """URL of a database with all that is shipped, that no other test sees; deploying takes seconds, so it is done once."""
    with store.branch(furnish).fresh() as url:
        yield url


@pytest.fixture
def empty_database_url(store: databases.SQLite | databases.PostgreSQL) -> Iterator[str]:
    """URL of a database without a schema."""
    with store.empty() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database that no other test sees, opened."""
    opened = databases.opened(database_url)
    yield opened
    sessions.park(opened)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that is skipped has failed."""
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI a file of tests that is skipped has failed.  Each worker begins a folder elsewhere."""
    report = _refuse_skip((yield))
    if isinstance(collector, pytest.Directory) and _is_worker(collector.config):
        report.result = turned(report.result, **collector.config.workerinput)
    return report


def turned(found: list[object], workerid: str, workercount: int, **_: object) -> list[object]:
    """Let a worker begin with its share of what was found.

    To import a file of tests for the first time, with its asserts rewritten, takes as long as all else that collects it; it is kept for all.
    """
    begin = len(found) * int(workerid.removeprefix("gw")) // workercount % (len(found) or 1)
    return found[begin:] + found[:begin]


def _refuse_skip(report):
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Expected to run in CI, but it was skipped: {report.longrepr[-1]}"
    return report
