"""The tests' own ground: databases are fresh, and CI skips nothing."""

import gc
import os
import signal
import subprocess
import sys
import time
from itertools import chain
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, inspect, text

from engine.database import Database
from tests.conftest import FIRST, YOUNG, pytest_collection_modifyitems, turned

pytest_plugins = ["pytester"]


def test_collect__what_takes_longest_begins_first(pytestconfig):
    assert all((pytestconfig.rootpath / begin).exists() for begin in FIRST)
    items = [SimpleNamespace(nodeid=id_) for id_ in ("tests/bpmn/test_a.py::one", "tests/api/cli/test_b.py::one", f"{FIRST[0]}::one")]

    pytest_collection_modifyitems(items)

    assert [item.nodeid.split("/")[1] for item in items] == ["concurrency", "api", "bpmn"]


@pytest.mark.parametrize("files", [0, 1, 2, 7])
def test_collect__each_worker_begins_elsewhere_and_all_have_one_order(files):
    found = [[SimpleNamespace(nodeid=f"tests/bpmn/test_{file}.py::{name}") for name in ("one", "another")] for file in range(files)]

    # The fourth takes the place of one that has died.
    collected = [list(chain(*turned(found, f"gw{number}", 3, testrunuid="x"))) for number in range(4)]

    assert len({each[0].nodeid for each in collected if each}) == min(files, 3)
    for each in collected:
        pytest_collection_modifyitems(each)
        assert each == list(chain(*found))


def test_collect__tests_are_not_looked_through_for_garbage(request):
    assert gc.isenabled()
    assert gc.get_threshold()[0] == YOUNG
    assert not any(each is request.node for each in gc.get_objects())


def test_database__migrated(database):
    tables = set(inspect(database.bind).get_table_names())

    assert {"alembic_version", "instances", "journal"} <= tables


@pytest.mark.parametrize("time", ["first", "second"])
def test_database__nobody_else_sees_it(database, time):
    with database.transaction() as session:
        session.execute(text("CREATE TABLE left_behind (id INTEGER)"))

    assert "left_behind" in inspect(database.bind).get_table_names()


def test_fresh__connection_left_open(store):
    with store.fresh() as url:
        forgotten = create_engine(url)
        connection = forgotten.connect()
        connection.execute(text("SELECT 1"))

    connection.invalidate()  # it came to the end of `fresh` nevertheless: no later test hangs
    forgotten.dispose()


def test_fresh__two_at_once(postgresql):
    with postgresql.fresh() as one, postgresql.fresh() as another:
        assert one != another


def test_empty_database__has_no_tables(empty_database_url):
    opened = Database(empty_database_url)

    assert inspect(opened.bind).get_table_names() == []
    opened.close()


@pytest.mark.parametrize(
    "code",
    [
        "import pytest\ndef test_one(): pytest.skip('no time')",
        "import pytest\n@pytest.mark.skip(reason='no time')\ndef test_one(): pass",
        "import pytest\npytest.skip('no time', allow_module_level=True)",
        "import pytest\npytest.importorskip('no_such_module', reason='no time')",
    ],
)
@pytest.mark.parametrize("ci", ["true", ""])
def test_skip__in_ci_and_elsewhere(pytester, monkeypatch, code, ci):
    pytester.makeconftest("from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport")
    pytester.makepyfile(code)
    monkeypatch.setenv("CI", ci)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    if ci:
        result.stdout.fnmatch_lines(["*Expected to run in CI, but it was skipped: *no time*"])
        assert result.ret in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED}
    else:
        result.assert_outcomes(skipped=1)


@pytest.mark.parametrize("end", [os.kill, os.killpg])
def test_end__by_a_signal_to_us_or_to_all(pytester, pytestconfig, monkeypatch, end):
    """What a test has begun is ended by its worker, which is told by us, or by the same signal; in the background, too."""
    pytester.makeconftest("from tests.conftest import pytest_configure, pytest_unconfigure")
    pytester.makepyfile(
        "from pathlib import Path\nfrom time import sleep\n"
        "def test_one():\n    Path('begun').touch()\n    try: sleep(60)\n    finally: Path('ended').touch()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    in_background = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
    unused = [f"-pno:{plugin}" for plugin in ("cacheprovider", "schemathesis", "hypothesispytest")]  # to import them takes a second or two
    words = [*in_background, sys.executable, "-m", "pytest", "-n", "1", *unused]
    with subprocess.Popen(words, cwd=pytester.path, stdout=subprocess.DEVNULL, start_new_session=True) as run:
        _await(pytester.path / "begun")
        end(run.pid, signal.SIGTERM)

    _await(pytester.path / "ended")


def _await(file):
    for _ in range(600):
        if file.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"Expected {file.name} within a minute, but it has not come")
