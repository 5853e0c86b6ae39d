"""`onething migrate-cases`."""

import json
import re
import signal
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from engine import definitions, deployments, processes, versions
from engine.case_models import Case, Draft
from engine.database import Database
from engine.models import Definition, Instance, Task
from engine.variables import Given
from tests import invariants
from tests.bpmn.diagrams import diagram, end, flows, start, tag, timer_boundary, user
from tests.hall import OPERATOR

KEPT = {"camunda:historyTimeToLive": "P180D"}
OLD = (start("s"), user("review", name="审查", groups="market"), end("e"), flows("s -> review -> e"))
NEW = (
    start("s"), user("review", name="复审", groups="market"), timer_boundary("late", on="review", duration="P3D", interrupting=False), user("look"), end("e"),
    flows("s -> review -> look -> e", "late -> e"),
)  # fmt: skip
FORM = tag("camunda:formData", tag("camunda:formField", attrs={"id": "opinion", "type": "string"}))
GONE = (start("s"), user("look", groups="market"), end("e"), flows("s -> look -> e"))


class Installation:
    """One with running instances of the first version of a process."""

    def __init__(self, url):
        self.database = Database(url)

    def deploy(self, *content):
        with self.database.transaction() as session:
            deployments.deploy(session, "check", {"check.bpmn": diagram(*content, key="check", name="核验", attrs=KEPT)}, actor=OPERATOR)

    def begin(self, count):
        """Start instances of the first version."""
        with self.database.transaction() as session:
            oldest = definitions.get(session, versions.find(session, "check", 1).id)
            for _ in range(count):
                processes.open_plain(session, oldest, actor=OPERATOR, given=Given(values={}))

    def versions(self):
        """Version of each instance, oldest first."""
        query = select(Definition.version).join(Instance, Instance.definition_id == Definition.id).order_by(Instance.id)
        with self.database.reading() as session:
            return list(session.scalars(query))

    def numbers(self):
        with self.database.reading() as session:
            return list(session.scalars(select(Case.number).order_by(Case.id)))

    def tasks(self):
        with self.database.reading() as session:
            return set(session.scalars(select(Task.name)))


@pytest.fixture
def here(run, environ):
    run("migrate")
    here = Installation(environ["ONETHING_DATABASE_URL"])
    here.deploy(*OLD)
    here.begin(3)
    here.deploy(*NEW)
    here.deploy(*GONE)
    yield here
    here.database.close()


def test_migrate_cases__says_what_would_become_of_them(run, here):
    result = run("migrate-cases", "check", "--from", "1", "--to", "2")

    assert result.exit_code == 0, result.output
    assert re.search(r"│ 审查 \(review\) +│ 复审 \(review\) +│ 保留 kept", result.stdout)
    assert re.search(r"│ – +│ late +│ 开始监听 started: new at review", result.stdout)
    assert result.stdout.endswith("3 instances, 0 done, 0 refused\n")
    assert re.search(r"办件 cases .* 100%", result.stderr)
    assert here.versions() == [1, 1, 1]


def test_migrate_cases__says_what_a_draft_loses(run, here):
    here.deploy(start("s"), user("review", name="审查", ext=FORM, groups="market"), end("e"), flows("s -> review -> e"))
    with here.database.transaction() as session:
        task = session.scalars(select(Task).order_by(Task.id).limit(1)).one()
        session.add(Draft(task_id=task.id, **task.key, data={"fee": "免"}, saved_at=datetime.now(UTC), saved_by="li"))

    result = run("migrate-cases", "check", "--from", "1", "--to", "4")

    assert result.exit_code == 0, result.output
    assert re.search(r"注意 note: The draft of 审查 loses fee: Expected fields of the form only", result.stdout)


def test_migrate_cases__moves_them_and_moves_them_back(run, here):
    moved = run("migrate-cases", "check", "--from", "1", "--to", "2", "--execute")

    assert moved.exit_code == 0, moved.output
    assert moved.stdout.endswith("3 instances, 3 done, 0 refused\n")
    assert (here.versions(), here.tasks()) == ([2, 2, 2], {"复审"})
    invariants.check(here.database)

    (batch,) = re.findall(r"--undo (\S+)\)", moved.stderr)
    undone = run("migrate-cases", "--undo", batch)

    assert undone.stdout.endswith("3 instances, 3 done, 0 refused\n")
    assert (here.versions(), here.tasks()) == ([1, 1, 1], {"审查"})
    invariants.check(here.database)


def test_migrate_cases__some_of_them(run, here):
    number = here.numbers()[1]

    result = run("migrate-cases", "check", "--from", "1", "--to", "2", "--case", number, "--execute")

    assert result.exit_code == 0, result.output
    assert here.versions() == [1, 2, 1]


def test_migrate_cases__json(run, here):
    result = run("migrate-cases", "check", "--from", "1", "--to", "2", "--format", "json", "--execute")

    assert re.search(r"办件 cases .* 100%", result.stderr)  # apart from the report, so that this can be read by programs
    reports = json.loads(result.stdout)
    assert [(report["about"]["case"], report["done"], report["reasons"]) for report in reports] == [(n, True, []) for n in here.numbers()]
    assert [(step["element"], step["to"], step["verdict"]) for step in reports[0]["steps"]] == [
        ("review", "review", "kept"),
        (None, "late", "started"),
    ]


def test_migrate_cases__refused(run, here):
    result = run("migrate-cases", "check", "--from", "1", "--to", "3", "--execute")

    assert result.exit_code == 1
    assert "3 × Expected “审查” (review) in the new version, but it is not there: say with --map review=… what" in result.stdout
    assert result.stdout.endswith("3 instances, 0 done, 3 refused\n")
    assert here.versions() == [1, 1, 1]


def test_migrate_cases__mapped(run, here):
    result = run("migrate-cases", "check", "--from", "1", "--to", "3", "--map", "review=look", "--execute")

    assert result.exit_code == 0, result.output
    assert (here.versions(), here.tasks()) == ([3, 3, 3], {"look"})


@pytest.mark.parametrize(
    ("words", "status", "refusal"),
    [
        ((), 2, "Expected KEY, --from and --to, or --undo BATCH"),
        (("check", "--from", "1"), 2, "Expected KEY, --from and --to, or --undo BATCH"),
        (("check", "--from", "1", "--to", "2", "--map", "review"), 2, "Expected OLD=NEW, but got 'review'"),
        (("check", "--from", "1", "--to", "2", "--map", "review=nowhere"), 1, "but one of them is none"),
        (("check", "--from", "1", "--to", "9"), 1, "Expected to find version 9 of check"),
        (("check", "--from", "1", "--to", "2", "--case", "4711"), 1, "Expected 4711 to be handled by version 1 of check"),
        (("--undo", "019cac0f-2697-71db-bc54-f7ade475fe7a"), 1, "but it has moved nothing"),
        (("--undo", "nonsense"), 2, "is not a valid UUID"),
    ],
)
def test_migrate_cases__not_understood(run, here, words, status, refusal):
    result = run("migrate-cases", *words)

    assert (result.exit_code, result.stdout) == (status, "")
    assert refusal in result.stderr
    assert here.versions() == [1, 1, 1]


def test_migrate_cases__killed_in_the_middle(run, begin, here):
    """Each case is whole, the old or the new; giving the command again takes up the rest."""
    here.begin(60)
    words = ("migrate-cases", "check", "--from", "1", "--to", "2", "--execute")
    command = begin(*words)
    command.until("batch")
    while here.versions().count(2) < 5:  # it is on its way
        assert command.process.poll() is None, "it was done before it could be killed"
    command.process.send_signal(signal.SIGKILL)
    command.process.wait()

    between = here.versions()
    assert 5 <= between.count(2) < len(between)
    invariants.check(here.database)
    again = run(*words)

    assert again.exit_code == 0, again.output
    assert set(here.versions()) == {2}
    assert again.stdout.endswith(f"{between.count(1)} instances, {between.count(1)} done, 0 refused\n")
    invariants.check(here.database)
