"""The checks at the end of a trial find every way in which a history can be broken; and nothing is wrong with one that is not."""

from __future__ import annotations

import copy
import re
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import cast, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from api.app import create_app
from engine import postgresql
from engine.case_models import Case, Item
from engine.columns import new_id
from engine.command_models import IdempotentAnswer
from engine.database import Database
from engine.models import Entry, Incident, Instance, Job, Task, Timer
from engine.moments import now
from engine.passwords import WELL_KNOWN
from engine.settings import Settings
from tests.soak import checks, model, trial
from tests.soak.clerks import Board, Clerk, Command

#: Where the case is left: everything is handed out, and a rating is asked for.
STEPS = 7


class Local(Clerk):
    """A clerk who sits at the server."""

    def __init__(self, board, app):
        super().__init__(board, 0, seed=1)
        self.client = app.test_client()

    def _send(self, method, who, path, body=None, key=""):
        headers = {"Authorization": f"Bearer {self.board.keys[who]}"} | ({"Idempotency-Key": key} if key else {})
        answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        return answer.status_code, answer.json


@pytest.fixture(scope="module")
def history(postgresql, tmp_path_factory):
    """Databases in which one case has gone its way, and another was submitted before; and the commands."""
    commands = []

    def fill(url):
        db = Database(url)
        keys = trial.furnish(db)
        before = trial.submit(db, 1)
        app = create_app(Settings(database_url=url, data_dir=tmp_path_factory.mktemp("history")), passwords=WELL_KNOWN)
        board = Board([], keys, more=1, before=before)
        clerk = Local(board, app)
        clerk._submit()
        for _ in range(STEPS):
            clerk._go_on(board.open[-1])
        commands.extend(board.commands)
        app.extensions["database"].close()
        db.close()

    return postgresql.branch(fill), commands


@pytest.fixture
def db(history):
    with history[0].fresh() as url:
        opened = Database(url)
        yield opened
        opened.close()


@pytest.fixture
def commands(history):
    return copy.deepcopy(history[1])


def found(db, commands):
    return list(checks.check(db, commands))


def do(db, statement):
    with db.bind.begin() as connection:
        return connection.execute(statement)


def test_check__nothing_is_wrong(db, commands):
    assert Counter(command.kind for command in commands) == {"": 2, "intake": 1, "decision": 5, "issuance": 1}
    assert {command.status for command in commands} == {200, 201}
    assert found(db, commands) == []


def test_check__nobody_was_told_of_what_was_done(db, commands):
    """That is as good: a client has gone home, and its command was carried out all the same."""
    for command in commands[1:]:
        command.status = None

    assert found(db, commands) == []


def test_check__nobody_was_told_and_what_was_done_has_no_answer(db, commands):
    """Who asks once more would do it once more."""
    for command in commands:
        command.status = None
    do(db, delete(IdempotentAnswer))

    lost = [fault for fault in found(db, commands) if "to have its answer beside what it did, but it has none" in fault]
    assert len(lost) == sum(command.attempts > 0 for command in commands)


def test_check__acknowledged_submission_is_lost(db, commands):
    commands.append(Command(key="lost", who="clerk", path="/cases", body={}, status=201, answer={"number": "lost"}, attempts=1))

    faults = found(db, commands)

    assert "Expected acknowledged case lost to have taken effect once, but it did 0 times" in faults
    assert any(fault.startswith("Expected case lost to stand at") and fault.endswith("it stands at None") for fault in faults)


def test_check__acknowledged_completion_is_lost(db, commands):
    number = commands[-1].case
    with db.reading() as session:
        task = session.scalars(select(Task.id).where(Task.kind == "rating")).one()
    commands.append(Command(key="lost", who="clerk", path=f"/tasks/{task}/complete", body={}, kind="rating", case=number, status=200))

    faults = found(db, commands)

    assert "Expected acknowledged completion lost to have taken effect once, but it did 0 times" in faults
    assert any(fault.startswith(f"Expected case {number} to stand at") for fault in faults)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (200, "Expected acknowledged completion {} to have taken effect once, but it did 2 times"),
        (None, "Expected completion {}, which nobody answered, to have taken effect once at most, but it did 2 times"),
        (409, r"Expected refused completion {} \(409\) to have done nothing, but it did"),
    ],
)
def test_check__completion_took_effect_twice(db, commands, status, says):
    twice = next(command for command in commands if command.kind == "decision")
    once = next(command for command in commands if command.kind == "issuance")
    twice.status = status
    do(db, update(Task).where(cast(Task.data, JSONB)["mark"].astext == once.key).values(data={"mark": twice.key}))

    faults = found(db, commands)

    assert any(re.fullmatch(says.format(twice.key), fault) for fault in faults), faults


def test_check__somebody_elses_completion(db, commands):
    """Two commands have completed each other's tasks."""
    one, other = [command for command in commands if command.kind == "decision"][:2]
    for command, key in ((one, other.key), (other, one.key)):
        do(db, update(Task).where(Task.id == checks.task_id(command)).values(data={"mark": key}))

    assert f"Expected task {checks.task_id(one)} to be completed by {one.key}, but it was by {other.key}" in found(db, commands)


OWED = select(Instance.region, Instance.case_id, Instance.id).where(Instance.parent_id.is_(None)).limit(1)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            update(Case).values(applicant={"name": "好味餐饮 nobody"}),
            "Expected every case to have been asked for, but nobody asked for nobody",
        ),
        (delete(IdempotentAnswer), "Expected answer 20. to be kept for .*, but it is None"),
        (update(IdempotentAnswer).values(status=0), "Expected answer 20. to be kept for .*, but it is 0"),
        (update(IdempotentAnswer).values(region=""), "Expected .* to have its answer beside what it did, but it has it elsewhere"),
        (update(Item).where(Item.status == "issued").values(status="granted"), "Expected case .* to stand at .*'issued': 5"),
        (update(Case).values(ended_at=None), "Expected case .* to stand at .*ended=True"),
        (update(Task).where(Task.kind == "intake").values(status="canceled"), "Expected case .* to stand at .*'intake': 1"),
        (update(Task).where(Task.kind == "intake").values(status="canceled"), "projection: .*Expected the open task at intake"),
        (delete(Timer), "projection: .*Expected the timer at .*, but there is none"),
        (update(Timer).values(due_at=now() + timedelta(days=999)), "projection: .*Expected the timer at .* to be due"),
        (update(Entry).where(Entry.seq == 1).values(actor="nobody"), "journal: .*its hash differs"),
        (delete(Entry).where(Entry.what == "task completed"), "Expected 1 completions of .* in the journal, but found 0"),
        (delete(Entry).where(Entry.what == "task completed"), "journal: .*Expected"),
    ],
)
def test_check__one_thing_is_damaged(db, commands, damage, says):
    assert do(db, damage).rowcount > 0

    faults = found(db, commands)

    assert any(re.search(says, fault) for fault in faults), faults


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            insert(Job).values(kind="resume", status="pending", due_at=now(), payload={}),
            "Expected no job to be left, but resume of .* pending",
        ),
        (
            insert(Job).values(kind="refresh", status="failed", due_at=now(), payload={}),
            "Expected no job to be left, but refresh of .* failed",
        ),
        (insert(Incident).values(element="", message="stuck", raised_at=now()), "Expected no incident, but .* has one: stuck"),
    ],
)
def test_check__something_is_stuck(db, commands, row, says):
    with db.reading() as session:
        region, case_id, instance_id = session.execute(OWED).one()
    do(db, row.values(id=new_id(), region=region, case_id=case_id, instance_id=instance_id))

    faults = found(db, commands)

    assert any(re.search(says, fault) for fault in faults), faults


@pytest.mark.parametrize("lock", ["select id from instances for update", "select pg_advisory_lock(1)"])
def test_check__a_lock_is_left(db, commands, lock):
    with db.bind.connect() as somebody:
        postgresql.let_idle(somebody)  # it may take long until all is looked at
        somebody.execute(text(lock))

        faults = found(db, commands)

    assert any(re.search("Expected no lock to be held, but there are", fault) for fault in faults), faults


@pytest.mark.parametrize(
    ("done", "standing"),
    [
        ({}, ({"intake": 1}, {"submitted": 5}, False)),
        ({"intake": 1}, ({"decision": 5}, {"in_review": 5}, False)),
        ({"intake": 1, "decision": 3}, ({"decision": 2}, {"granted": 3, "in_review": 2}, False)),
        ({"intake": 1, "decision": 5}, ({"issuance": 1}, {"granted": 5}, False)),
        ({"intake": 1, "decision": 5, "issuance": 1}, ({"rating": 1}, {"issued": 5}, True)),
        ({"intake": 1, "decision": 5, "issuance": 1, "rating": 1}, ({}, {"issued": 5}, True)),
    ],
)
def test_after(done, standing):
    tasks, items, ended = standing

    assert model.after(done) == model.Standing(tasks=tasks, items=items, ended=ended)


@pytest.mark.parametrize("done", [{"intake": 2}, {"decision": 1}, {"intake": 1, "decision": 4, "issuance": 1}, {"nothing": 1}])
def test_after__that_cannot_be(done):
    with pytest.raises(ValueError, match="one after the other, but"):
        model.after(done)
