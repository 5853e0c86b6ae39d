"""The limit of a database: a completion as one statement, which `pgbench` repeats; on SQLite, the change of one row."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from engine.database import Database
from tests.benchmarks import reference
from tests.soak.server import Server

#: What a completion reads, locks and writes, as one statement: a task with its instance and case, five tables written.
_STATEMENT = """
\\set place random(1, {instances})
WITH picked AS (SELECT t.id AS task, i.id AS instance, i.region, i.case_id, i.rev, i.state, i.variables, i.journal_seq, c.number
    FROM places p JOIN tasks t ON t.id = p.task JOIN instances i ON i.id = t.instance_id JOIN cases c ON c.id = i.case_id
    WHERE p.place = :place FOR NO KEY UPDATE OF i, t),
done AS (UPDATE tasks t SET ended_at = now(), completed_by = 'officer2', data = :data FROM picked WHERE t.id = picked.task),
moved AS (UPDATE instances i SET rev = i.rev + 1, state = picked.state, variables = picked.variables,
    journal_seq = i.journal_seq + 1, journal_hash = md5(i.journal_hash) FROM picked WHERE i.id = picked.instance),
told AS (UPDATE activities a SET ended_at = now(), outcome = 'completed' FROM picked WHERE a.instance_id = picked.instance AND a.number IN (3, 4)),
gone AS (DELETE FROM timers USING picked WHERE timers.instance_id = picked.instance AND timers.wait = -1),
written AS (INSERT INTO journal (id, region, case_id, instance_id, seq, at, actor, what, details, hash)
    SELECT gen_random_uuid(), region, case_id, instance, 1000 + journal_seq, now(), 'officer2', 'task completed', '{{"task":"department2"}}', md5(number) FROM picked)
SELECT count(*) FROM picked;
"""


def script(server: Server, tasks: Sequence[UUID]) -> Path:
    """Write down what `pgbench` does to these tasks, which nobody else completes."""
    with Database(server.url()).bind.begin() as connection:
        connection.execute(text("CREATE TABLE places (place integer PRIMARY KEY, task uuid)"))
        connection.execute(text("INSERT INTO places VALUES (:place, :task)"), [{"place": i + 1, "task": t} for i, t in enumerate(tasks)])
    script = server.folder / "completion.sql"
    script.write_text(_STATEMENT.format(instances=len(tasks)), encoding="utf-8")
    script.chmod(0o644)
    return script


def rate(server: Server, script: Path, clients: int, *, seconds: int) -> float:
    """Transactions a second, as on a database that knows its tables: each run changes the same rows, and others have grown meanwhile."""
    with server.connect() as connection:
        connection.execute("VACUUM ANALYZE")
    told = server.run(
        "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(seconds), "-f", str(script),
        "-D", f"data={json.dumps(reference.DATA)}", "-h", str(server.folder), "-p", str(server.port), "-U", "postgres", "postgres",
    )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", told)
    assert found is not None, told
    return float(found[1])


def commits(db: Database, seconds: int) -> float:
    """How often a second one row is changed, each time durably."""
    with db.bind.connect() as connection:
        connection.execute(text("CREATE TABLE places (place integer PRIMARY KEY, visits integer)"))
        connection.execute(text("INSERT INTO places VALUES (1, 0)"))
        connection.commit()
        done, begun = 0, time.perf_counter()
        while (passed := time.perf_counter() - begun) < seconds:
            connection.exec_driver_sql("UPDATE places SET visits = visits + 1 WHERE place = 1")
            connection.commit()
            done += 1
    return done / passed
