"""`onething deploy`."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from engine.models import Definition, Deployment
from engine.schedule_models import StartTimer
from tests.bpmn import diagrams


@pytest.fixture(autouse=True)
def _migrated(run):
    """Without a calendar the installation is not sound."""
    run("migrate")


@pytest.fixture
def folder(tmp_path):
    """A folder of diagrams: a matter calls an item, and lies before it in the alphabet."""
    good = tmp_path / "workflows"
    for name, activity in {
        "bundle/bundle": diagrams.call("work", of="licence"),
        "items/licence": diagrams.user("work", groups="market"),
    }.items():
        path = good / f"{name}.bpmn"
        path.parent.mkdir(parents=True)
        parts = (diagrams.start("s"), activity, diagrams.end("e"), diagrams.flows("s -> work -> e"))
        path.write_bytes(diagrams.diagram(*parts, key=path.stem))
    return good


def spoil(folder):
    """Draw something that could not run."""
    parts = (
        diagrams.start("s"),
        diagrams.element("scriptTask", "paint", name="上色"),
        diagrams.end("e"),
        diagrams.flows("s -> paint -> e"),
    )
    (folder / "bundle" / "painting.bpmn").write_bytes(diagrams.diagram(*parts, key="painting"))


def count(database, table):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_deploy__folder(run, database, folder):
    result = run("deploy", str(folder))

    assert result.exit_code == 0, result.output
    assert "licence.bpmn" in result.output
    assert (count(database, Deployment), count(database, Definition)) == (2, 2)


def test_deploy__again(run, database, folder):
    for _ in range(2):
        run("deploy", str(folder))

    assert (count(database, Deployment), count(database, Definition)) == (2, 2)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("hours", [1, -1])
def test_deploy__the_clock_of_the_host_is_set(run, database, tmp_path, hours):
    """What is to begin in a day is due in a day by the time of the database, which all nodes go by."""
    timed = (diagrams.element("startEvent", "s", diagrams.timer(duration="P1D")), diagrams.end("e"), diagrams.flows("s -> e"))
    (tmp_path / "daily.bpmn").write_bytes(diagrams.diagram(*timed, key="daily"))
    right = datetime.now(UTC)

    with time_machine.travel(right + timedelta(hours=hours)):
        result = run("deploy", str(tmp_path / "daily.bpmn"))

    assert result.exit_code == 0, result.output
    with database.reading() as session:
        due = session.scalars(select(StartTimer.due_at)).one()
    assert abs(due - (right + timedelta(days=1))) < timedelta(minutes=30)


def test_deploy__one_is_refused(run, database, folder):
    spoil(folder)

    result = run("deploy", str(folder))

    assert result.exit_code == 1
    assert "paint" in result.output
    assert "(deployment " not in result.output  # nothing was deployed, and nothing is said to be
    assert count(database, Deployment) == 0


def test_deploy__nothing_there(run, tmp_path):
    result = run("deploy", str(tmp_path / "nowhere"))

    assert result.exit_code == 1
    assert result.output == f"Error: Expected to find {tmp_path}/nowhere, but there is no such file or folder\n"


def test_deploy__not_migrated(run, folder, empty_database_url):
    result = run("deploy", str(folder), ONETHING_DATABASE_URL=empty_database_url)

    assert result.exit_code == 1
    assert "Run onething migrate." in result.output


def test_deploy__no_path(run):
    assert run("deploy").exit_code == 2


def test_deploy__copy_that_keeps_the_id(run, folder):
    """It has become the newest version of the original; whoever deploys is told so, with what to do."""
    run("deploy", str(folder))
    copy = shutil.copytree(folder / "bundle", folder.parent / "copy")

    again, copied = run("deploy", str(folder)), run("deploy", str(copy))

    assert "[duplicate-key]" not in again.output
    assert copied.exit_code == 0
    assert "but it is a new version of that which was deployed as 'bundle': if this is a copy" in copied.output


def test_deploy__warns(run, folder):
    result = run("deploy", str(folder))

    assert result.exit_code == 0
    assert "licence.bpmn:2: warning: Expected work to name groups that there are" in result.output
    assert "[unknown-group]" in result.output
    assert "warning" in run("deploy", str(folder)).output, "also of what is deployed already"
