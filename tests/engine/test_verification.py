"""Verification: what is whole has no faults, and each thing that is damaged by hand is found, and nothing else."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import delete, event, insert, select, text, update

from engine import definitions, holidays, instances, verification
from engine.case_models import Case, Material
from engine.database import Database
from engine.errors import Unavailable
from engine.files import FileStore
from engine.kept import Kept
from engine.models import Activity, Entry, ExternalTask, Incident, Instance, Job, Resource, Subscription, Task, Timer
from engine.schedule_models import Continuation
from engine.verification import Part, instance_rows
from engine.verification.faults import ADVICE, FaultKind
from tests import databases, everywhere, rows, tiny
from tests.benchmarks.meter import counted
from tests.documents import JPEG, PDF, PNG
from tests.stage import WORKFLOWS

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NEVER = datetime(2036, 3, 2, 9, tzinfo=UTC)
UNFETCHED = {"worker": None, "lock_expires_at": NEVER}


@pytest.fixture(scope="module")
def filled(sqlite):
    """Databases with one instance that waits everywhere, and the one that it has called."""

    def fill(url):
        database = Database(url)
        with time_machine.travel(NOW), database.transaction() as session:
            holidays.publish_shipped(session, WORKFLOWS / "calendars")
        with time_machine.travel(NOW):
            everywhere.begin(database)
        database.close()

    return sqlite.branch(fill)


@pytest.fixture
def database(filled):
    with filled.fresh() as url, time_machine.travel(NOW + timedelta(minutes=1)):
        database = databases.opened(url)
        yield database
        database.close()


@pytest.fixture
def root(database):
    """The instance that waits everywhere."""
    with database.reading() as session:
        return session.scalars(select(Instance).where(Instance.parent_id.is_(None))).one()


def tamper(database, statement):
    """Write past the engine, and past the rules of the database."""
    with database.bind.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.executescript("PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON")
        connection.execute(statement)
        connection.commit()
        raw.executescript("PRAGMA foreign_keys=ON; PRAGMA ignore_check_constraints=OFF")


def found(database, **options):
    return [(fault.kind, fault.message) for fault in verification.verify(database, **options)]


def test_verify__whole(database):
    assert found(database) == []


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_verify__whole_on_postgresql(database_url):
    """And what another session holds without end is found."""
    database = Database(database_url)
    instance = everywhere.begin(database)
    assert found(database) == []

    with database.transaction() as session:
        session.get_one(Instance, instance.id, with_for_update=True)
        [message] = [message for kind, message in found(database, patience=timedelta(0)) if kind is FaultKind.LOCK]

    assert "Expected its transaction to end" in message
    database.close()


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        (update(Entry).where(Entry.seq == 1).values(actor="nobody"), FaultKind.JOURNAL, "entry 1 .* its hash differs"),
        (delete(Entry), FaultKind.JOURNAL, "Expected 1 entries of instance .*, but found 0"),
        (update(Entry).values(seq=2), FaultKind.JOURNAL, "Expected entry 1 of instance .*, but found 2"),
        (delete(Task).where(Task.element == "work"), FaultKind.PROJECTION, "Expected the open task at work .* none"),
        (update(Task).where(Task.element == "review").values(status="completed"), FaultKind.PROJECTION, "Expected the open task at review"),
        (update(Task).where(Task.element == "review").values(element="other"), FaultKind.PROJECTION, "to be at review .* other"),
        (delete(ExternalTask), FaultKind.PROJECTION, "Expected the external task at system .* none"),
        (delete(Timer), FaultKind.PROJECTION, "Expected the timer at late .* none"),
        (update(Timer).values(due_at=NEVER), FaultKind.PROJECTION, "Expected the timer at late .* due 2026-03-05 .* 2036"),
        (update(Timer).values(due_at=None), FaultKind.PROJECTION, "Expected the timer at late .* due None"),
        (delete(Subscription).where(Subscription.kind == "message"), FaultKind.PROJECTION, "Expected the subscription to a message at message"),
        (delete(Subscription).where(Subscription.kind == "signal"), FaultKind.PROJECTION, "Expected the subscription to a signal at signal"),
        (delete(Continuation), FaultKind.PROJECTION, "Expected the continuation at carried .* none"),
        (delete(Incident), FaultKind.PROJECTION, "Expected an incident to stand at failed"),
        (update(Incident).values(resolved_at=NOW), FaultKind.PROJECTION, "Expected an incident to stand at failed"),
        (delete(Activity).where(Activity.element == "review"), FaultKind.PROJECTION, "at review to last, but the history"),
        (update(Activity).where(Activity.element == "s").values(ended_at=None), FaultKind.PROJECTION, "at s to be over"),
        (update(Continuation).values(retries=0), FaultKind.STUCK, "Expected an incident to say that carried has failed"),
        (update(ExternalTask).values(retries=0), FaultKind.STUCK, "Expected an incident to say that system has failed"),
        (update(ExternalTask).values(**UNFETCHED), FaultKind.LOCK, "Expected a worker to hold the external task at system"),
        (update(Resource).where(Resource.name == "callee.bpmn").values(content=b"<x/>"), FaultKind.RESOURCE, "its hash differs"),
    ],
)  # fmt: skip
def test_verify__one_thing_is_damaged(database, damage, kind, message):
    tamper(database, damage)

    faults = found(database)

    assert {kind for kind, _ in faults} == {kind}
    assert any(re.search(message, each) for _, each in faults), faults


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({"state": b"damaged"}, FaultKind.STATE, "Expected to read its token state"),
        ({"journal_hash": "0" * 64}, FaultKind.JOURNAL, "Expected 1 entries"),
        ({"status": "completed"}, FaultKind.PROJECTION, "Expected it to run, but it is completed"),
        ({"definition_id": uuid4()}, FaultKind.STATE, "Expected to read its token state"),
        ({"variables": text("'{'")}, FaultKind.STATE, "Expected to read its rows, but JSONDecodeError"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_verify__an_instance_is_damaged(database, root, values, kind, message):
    """The others are looked at all the same."""
    tamper(database, update(Instance).where(Instance.id == root.id).values(**values))
    tamper(database, delete(Task).where(Task.element == "work"))

    faults = list(verification.verify(database))

    assert any(re.search(message, fault.message) for fault in faults if fault.kind is kind), faults
    assert [fault.message for fault in faults if "(callee)" in fault.about and "open task" in fault.message] != []


@pytest.mark.parametrize(
    ("late", "message"),
    [
        ({"status": "pending", "due_at": NOW - timedelta(hours=1)}, r"Expected job .* \(refresh\) to be done at 2026-03-02 08"),
        ({"status": "failed", "due_at": NOW}, r"Expected an incident to say that job .* \(refresh\) has failed"),
    ],
    ids=["late", "failed"],
)
def test_verify__a_job_that_nobody_does(database, root, late, message):
    job = {"id": uuid4(), **root.key, "instance_id": root.id, "kind": "refresh", "payload": {}, "attempts": 0}
    tamper(database, insert(Job).values(**job, **late))

    [(kind, found_)] = found(database)

    assert kind is FaultKind.STUCK
    assert re.search(message, found_)


def test_verify__what_was_due_has_not_happened(database):
    """Nobody is late within his patience, and nothing is due in what stands still."""
    with time_machine.travel(NOW + timedelta(days=3, minutes=9)):
        late = [message for _, message in found(database)]
        assert [message.split(" to ")[0] for message in late] == ["Expected the token at carried"]
        assert any("Expected the timer at late" in message for _, message in found(database, patience=timedelta(minutes=5)))
        tamper(database, update(Instance).values(suspended=True))
        assert found(database, patience=timedelta(minutes=5)) == []


def test_verify__a_call_that_nobody_answers(database, root):
    """What was called has ended, and the job that says so is gone."""
    with database.reading() as session:
        child = session.scalars(select(Instance).where(Instance.parent_id == root.id)).one()
    tamper(database, update(Instance).where(Instance.id == child.id).values(status="canceled"))

    assert any("to tell the call at called that it has ended, but no job does" in message for _, message in found(database))

    tamper(database, update(Instance).where(Instance.id == child.id).values(parent_wait=999, status="running"))
    messages = [message for _, message in found(database)]
    assert "Expected the call at called to wait for an instance, but there is none" in messages
    assert any("Expected a call to wait for instance" in message for message in messages)


def test_verify__references_to_nothing(database, root):
    with database.transaction() as session:
        rows.new_item(session, session.get_one(Case, root.case_id), instance_id=uuid4())
    tamper(database, update(Task).where(Task.element == "review").values(item_id=uuid4()))

    messages = [message for kind, message in found(database) if kind is FaultKind.REFERENCE]

    assert re.search("Expected its process to be instance .* there is none", messages[0])
    assert re.search("Expected row .* to refer to one of items", messages[1])


def test_verify__materials(database, root, tmp_path):
    """A file that is gone, and one that has another content, are told by their hash; each is read once, however often it was handed in."""
    files, seen = FileStore(tmp_path), []
    kept = [files.keep(io.BytesIO(content), name) for content, name in ((PDF, "a.pdf"), (PNG, "b.png"), (JPEG, "c.jpg"))]
    with database.transaction() as session:
        for no, file in enumerate((*kept, kept[0]), start=1):
            handed_in = {"code": "m", "name": "m", "handed_in_at": NOW, "handed_in_by": "clerk", **root.key, "no": no}
            session.add(Material(**handed_in, filename="plan.pdf", media_type="application/pdf", size=file.size, sha256=file.sha256))
    assert found(database, files=files) == []
    files.path(kept[1].sha256).unlink()
    files.path(kept[2].sha256).write_bytes(b"another")

    faults = list(verification.verify(database, files=files, watch=lambda part, *_: seen.append(part)))

    assert {fault.about for fault in faults} == {f"material {file.sha256}" for file in kept[1:]}
    assert {fault.kind for fault in faults} == {FaultKind.MATERIAL}
    assert seen.count(Part.MATERIALS) == verification.amounts(database)[Part.MATERIALS] == 3


def test_verify__a_batch_at_a_time(database, monkeypatch):
    """Statements and memory depend on the batch, not on the database; whoever was interrupted goes on where he was."""
    monkeypatch.setattr(verification, "BATCH", 3)
    for _ in range(3):
        everywhere.begin(database)
    seen = []

    faults = list(verification.verify(database, watch=lambda part, more, last: seen.append((part, more, last))))

    steps = [(more, last) for part, more, last in seen if part is Part.INSTANCES]
    assert ([more for more, _ in steps], faults) == ([3, 3, 2], [])
    tamper(database, delete(Entry))
    assert len(found(database)) == 4
    assert len(found(database, after=steps[1][1])) == 1


def test_verify__only_reads(database):
    written = []
    event.listen(database.bind, "before_cursor_execute", lambda _c, _cursor, statement, *_: written.append(statement.split()[0]))

    assert found(database) == []

    assert set(written) <= {"BEGIN", "SELECT", "PRAGMA"}


@pytest.mark.parametrize("column", ["answers", "submitted_at"])
def test_verify__a_case_that_cannot_be_read(database, root, column):
    """Also where no token of its instances asks for it."""
    tamper(database, text(f"UPDATE cases SET {column} = '{{' WHERE id = (SELECT case_id FROM instances WHERE parent_id IS NULL)"))

    kinds, messages = zip(*found(database), strict=True)

    assert set(kinds) == {FaultKind.STATE}
    assert all(message.startswith("Expected to read its rows, but ") for message in messages)


def test_verify__as_many_statements_for_two_cases_as_for_one(stage, clerk):
    """Also where timers look at the clocks of their items."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    statements = []
    for _ in range(2):
        clerk.take_in("tiny")
        assert found(stage.database) == []  # what is deployed is read once
        with counted(stage.database.bind) as meter:
            assert found(stage.database) == []
        statements.append(len(meter.statements))

    assert statements[0] == statements[1]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("module", "name"), [(instance_rows, "read"), (instances, "look")])
def test_verify__the_database_goes_away(database_url, monkeypatch, module, name):
    """That is no fault of those that were just looked at, for which a backup would be restored."""
    database, undisturbed = Database(database_url), getattr(module, name)
    everywhere.begin(database)

    def disturbed(session, *about):
        monkeypatch.setattr(module, name, undisturbed)
        with database.bind.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": session.scalar(text("SELECT pg_backend_pid()"))})
        return undisturbed(session, *about)

    monkeypatch.setattr(definitions, "_loaded", Kept(definitions.LIMIT, lambda _: 1))  # as in a process that has just begun
    monkeypatch.setattr(module, name, disturbed)
    with pytest.raises(Unavailable):
        found(database)

    assert found(database) == []
    database.close()


def test_advice__for_every_kind():
    assert set(ADVICE) == set(FaultKind)


def test_verify__a_timer_that_looks_too_early(database):
    """An older release leaves such: it goes off for nothing, and has the right day then."""
    tamper(database, update(Timer).values(due_at=NOW + timedelta(seconds=1)))

    assert found(database) == []
