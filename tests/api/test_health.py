"""What those see who watch over a node: whether it lives, whether it is ready, what it counts, and which request was which."""

import json
import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
import time_machine
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text, update
from sqlalchemy.orm.exc import StaleDataError

from api.app import create_app
from engine import meters, outages, readiness, schema
from engine.errors import Busy
from engine.settings import Settings
from tests.api.bundle import submit


@pytest.fixture
def store(sqlite):
    """One kind of database is enough here: nothing depends on it."""
    return sqlite


def test_live__also_without_a_database(tmp_path):
    app = create_app(Settings(database_url="postgresql://nobody@127.0.0.1:9/none", data_dir=tmp_path))

    assert app.test_client().get("/health/live").json == {"status": "live"}
    ready = app.test_client().get("/health/ready")
    assert ready.status_code == 503
    assert ready.json["detail"] == "Expected the database to answer, but it cannot be reached just now; try again. " + readiness.ASK
    meters = measured(app.test_client().get("/metrics").text)
    assert meters["onething_database_up"] == {(): 0}


def test_ready(app, nobody):
    assert nobody.page("/health/ready").json == {"status": "ready"}

    app.extensions["draining"].set()

    answer = nobody.page("/health/ready")
    assert (answer.status_code, answer.json["detail"]) == (503, "Expected to go on serving, but this node is stopping")
    assert nobody.page("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("revision", "oldest", "status", "told"),
    [
        ("0001", "0001", 503, "Expected a schema that this version can serve on, but schema 0001, newest"),
        ("9999", "9998", 503, "Expected a schema that this version can serve on, but schema 9999 is newer than this version"),
        ("9999", schema.NEWEST, 200, "schema 9999 is newer than this version, which may serve on it for the time being"),
    ],
    ids=["behind", "too far ahead", "ahead: older nodes serve until they are replaced"],
)
def test_ready__schema(app, nobody, revision, oldest, status, told):
    with app.extensions["database"].transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        session.execute(update(schema.Compatibility).values(oldest=oldest))

    answer = nobody.page("/health/ready")

    assert answer.status_code == status
    assert answer.json["note" if status == 200 else "detail"].startswith(told)


def test_health__however_much_there_is_to_do(app, nobody):
    """All turns are taken."""
    turns, taken = app.extensions["turns"]._turns, 0
    while turns.acquire(blocking=False):
        taken += 1
    asking = threading.Thread(target=lambda: nobody.page("/health/live"), daemon=True)

    asking.start()

    asking.join(timeout=30)
    turns.release(taken)  # the application serves the next test
    assert not asking.is_alive()


def measured(text):
    """Values by name and labels."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_metrics__what_was_done(clerk, nobody):
    before = measured(nobody.page("/metrics").text)
    submit(clerk)
    (task,) = clerk.get("/tasks").json["data"]
    assert clerk.post(f"/tasks/{task['id']}/complete", {"outcome": "accept"}).status_code == 200
    clerk.get("/nothing")

    after = measured(nobody.page("/metrics").text)

    def more(name, *labels):
        return after[name][labels] - before.get(name, {}).get(labels, 0)

    assert more("onething_tasks_completed_total", "open_restaurant") == 1
    assert more("onething_request_seconds_count", "POST", "/api/v1/tasks/<uuid:task_id>/complete", "200") == 1
    assert more("onething_request_seconds_count", "any", "none", "404") == 1
    assert more("onething_commit_seconds_count") >= 2
    assert more("onething_turn_seconds_count") >= 2
    assert after["onething_definitions_cached"][()] >= 1
    assert after["onething_database_up"] == {(): 1}


def test_metrics__what_is_due(app, nobody, tick):
    with app.extensions["database"].transaction() as session:
        session.execute(
            text(
                "INSERT INTO start_timers (id, definition_id, element, due_at) SELECT id, id, 's', '2026-03-02 00:30:00' FROM definitions LIMIT 1"
            )
        )

    found = measured(nobody.page("/metrics").text)

    assert found["onething_queue_depth"] == {("jobs",): 0, ("timers",): 0, ("continuations",): 0, ("start_timers",): 1, ("outbox",): 0}
    assert 1800 <= found["onething_queue_lateness_seconds"][("start_timers",)] < 1900
    assert found["onething_incidents_standing"] == {(): 0}
    assert found["onething_calendar_days"] == {(): 304}


def test_metrics__of_the_newest_backup(app, nobody, clerk):
    """How old it is; without one, for how long there has been something to lose: one alarm goes by both.  A moment ahead is no age."""

    def age():
        return measured(nobody.page("/metrics").text)["onething_backup_age_seconds"][()]

    assert age() == 0
    submit(clerk)
    with time_machine.travel("2026-03-12T09:00:00+08:00", tick=False):
        assert 9.9 * 86400 <= age() <= 10 * 86400
        files = app.extensions["files"]
        files.note_backup(datetime(2026, 3, 11, 1, tzinfo=UTC))
        assert age() == 86400
        files.note_backup(datetime(2026, 3, 13, tzinfo=UTC))
        assert age() == 0


@pytest.mark.parametrize(
    ("token", "headers", "address", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "::1", 200),
        ("", {}, "10.0.0.7", 403),
        ("", {"X-Forwarded-For": "10.0.0.7"}, "127.0.0.1", 403),
        ("k" * 16, {}, "127.0.0.1", 403),
        ("k" * 16, {"Authorization": "Bearer " + "x" * 16}, "127.0.0.1", 403),
        ("k" * 16, {"Authorization": "Bearer " + "k" * 16}, "10.0.0.7", 200),
    ],
)
def test_metrics__who_may_read_them(database_url, tmp_path, token, headers, address, status):
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path, metrics_token=token))

    answer = app.test_client().get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})

    assert answer.status_code == status


def test_metrics__of_several_processes(database_url, tmp_path):
    """Whoever shares a folder is counted together."""
    program = (
        "import sys; from pathlib import Path; from engine import gauges, meters\n"
        "from engine.database import Database; from engine.files import FileStore\n"
        "meters.OUTAGE.labels('Busy').inc()\n"
        "sys.stdout.buffer.write(gauges.exposition(Database(sys.argv[1]), FileStore(Path(sys.argv[2]))))"
    )
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    told = [
        subprocess.run(
            [sys.executable, "-c", program, database_url, str(tmp_path / "materials")],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]

    assert [measured(each)["onething_outages_total"] for each in told] == [{("Busy",): 1}, {("Busy",): 2}]


def test_metrics__of_a_process_that_comes_up(nobody, tmp_path, monkeypatch):
    """Its file is there before it has a size."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "counter_1.db").touch()

    assert nobody.page("/metrics").status_code == 200


@pytest.mark.parametrize(("given", "taken"), [("abc-1", True), ("a b", False), ("x" * 129, False), ("", False)])
def test_request_id__in_and_out(admin, capsys, given, taken):
    """Every line of the log of a request carries its id, and the answer does."""
    answer = admin.post("/halls", {}, headers={"X-Request-ID": given} if given else {})

    told = answer.headers["X-Request-ID"]
    assert told == given if taken else re.fullmatch("[0-9a-f]{32}", told)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["request"] for line in lines if line["event"] == "command"] == [told]


def test_outages__are_counted():
    def counted():
        return meters.OUTAGE.labels("Busy")._value.get()

    before = counted()
    with pytest.raises(Busy), outages.told():
        raise StaleDataError

    assert counted() - before == 1
