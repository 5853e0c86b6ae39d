"""`make soak-migrate`: the primary is killed, or cut off, in the midst of `onething migrate`, while nodes serve; not part of `make test`.

Somebody holds a table, so that the command stands still at a statement, half of its work done; then a standby takes the place of the primary,
and the command is given once more.  Nodes of the release before serve while what is new is added, and nodes of this one while what only
older ones use is taken away.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from rich.console import Console
from sqlalchemy import delete, text

from api.cli import Hindered
from engine import administration, logs, schema, upgrades
from engine.database import Database
from engine.migrations import online
from engine.models import Counter
from engine.settings import Environment
from tests import databases, releases
from tests.soak import checks, trial
from tests.soak.clerks import Board
from tests.soak.networks import Loopback
from tests.soak.nodes import ONETHING, ROOT, Node
from tests.soak.server import DATABASE, Server
from tests.soak.standbys import Cluster
from tests.soak.trial import Plan

OLDER = "0021"
#: What they do not know, in diagrams: an incident at the first case that comes so far.
NEWER = b' camunda:dueDate="${issuance_due()}"'
#: What older nodes keep no answer beside, for they do not say where it is.
BESIDE = "to have its answer beside what it did"
INVALID = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
WORKING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name LIKE '{}%' AND state = 'active' AND query LIKE '{}%'"
)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When the primary is lost."""

    #: Schema with which it begins.
    before: str
    #: What somebody holds, and how, so that the command stands still at this statement.
    table: str
    mode: str
    statement: str
    how: str


MOMENTS = (
    # An index is half-built: it is there, and no good.
    Moment(before=OLDER, table="external_tasks", mode="ROW EXCLUSIVE", statement="CREATE INDEX CONCURRENTLY ix_external_tasks", how="kill"),
    # 0026 has made its table, and waits for those who use another.
    Moment(before=OLDER, table="instances", mode="ACCESS SHARE", statement="ALTER TABLE instances ADD COLUMN", how="isolate"),
    # 0027 has said which nodes may serve.
    Moment(
        before="0026",
        table="idempotent_answers",
        mode="ROW EXCLUSIVE",
        statement="CREATE UNIQUE INDEX CONCURRENTLY pk_idempotent_answers",
        how="isolate",
    ),
    # It has its index, and is about to exchange the keys.
    Moment(before="0026", table="idempotent_answers", mode="ACCESS SHARE", statement="ALTER TABLE idempotent_answers ALTER", how="kill"),
)


def run(moment: Moment, seconds: float, seed: int) -> list[str]:
    """Lose the primary once; what is wrong."""
    with ExitStack() as stack:
        folder = stack.enter_context(databases.folder("soak-migrate"))
        folder.chmod(0o755)
        cluster = Cluster(folder, stack)
        keys = _furnish(cluster.servers[0], moment.before)
        code = releases.unpack(OLDER, folder / "older") if moment.before == OLDER else ROOT
        nodes = [_node(stack, cluster, number, folder, code) for number in range(2)]
        for node in nodes:
            node.await_answer()
        board = Board([(node.host, node.port) for node in nodes], keys, more=1000)
        with trial.at_windows(board, Plan(seed=seed, clerks=10)):
            time.sleep(seconds)
            primary, faults = _lose_primary(cluster, moment, nodes[0].environ)
            faults += _told(nodes[0].environ, 0, "left where it is" if code != ROOT else "The schema is the newest.")
            faults += trial.await_service(board)
        db = Database(primary.url(DATABASE))
        stack.callback(db.close)
        faults += trial.await_rest(db) + [wrong for node in nodes for wrong in node.stop()]
        faults += _told(nodes[0].environ, 0, "The schema is the newest.")
        faults += board.wrong + [fault for fault in checks.check(db, board.commands) if code == ROOT or BESIDE not in fault]
        return faults + _remains(db)


def _furnish(server: Server, before: str) -> dict[str, str]:
    db = Database(server.make_database())
    keys = trial.furnish(db, without=NEWER)
    with upgrades.migrating(db.bind) as config:
        command.downgrade(config, before)
    with db.transaction() as session:  # the entries have gone with their table
        session.execute(delete(Counter).where(Counter.name == administration.COUNTER))
    db.close()
    return keys


def _node(stack: ExitStack, cluster: Cluster, number: int, folder: Path, code: Path) -> Node:
    there = {"ONETHING_DATABASE_URL": cluster.url(), "PYTHONPATH": str(code)}
    node = Node(number, cluster.proxies[0], Loopback(number), folder, alone=False, **there)
    node.start()
    stack.callback(node.kill)
    return node


def _lose_primary(cluster: Cluster, moment: Moment, environ: dict[str, str]) -> tuple[Server, list[str]]:
    """Have the command stand still, and another server take the place of the first; gives that, and what is wrong."""
    first, working = cluster.servers[0], WORKING.format(DATABASE, schema.NAME, moment.statement)
    holding = Database(first.url(DATABASE))
    with holding.bind.connect() as holder, first.connect() as session:
        holder.execute(text("SET idle_in_transaction_session_timeout = 0"))
        holder.execute(text(f"LOCK TABLE {moment.table} IN {moment.mode} MODE"))
        migrating = _migrating(environ)
        while list(session.execute(working)) != [(1,)]:
            if migrating.poll() is not None:
                return first, [f"Expected to stand still at {moment.statement}, but it ended: {migrating.communicate()[0]}"]
            time.sleep(0.01)
        cluster.fail(moment.how)
        primary = cluster.promote()
        said = migrating.communicate(timeout=60)[0]
        holder.invalidate()
    holding.close()
    hindered = migrating.returncode == Hindered.exit_code
    return primary, [] if hindered else [f"Expected to be told to migrate again, but it ended with {migrating.returncode}: {said}"]


def _migrating(environ: dict[str, str]) -> subprocess.Popen[str]:
    ours = environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([ONETHING, "migrate"], env=ours, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _told(environ: dict[str, str], status: int, words: str) -> list[str]:
    migrating = _migrating(environ)
    said = migrating.communicate(timeout=online.PATIENCE)[0]
    good = migrating.returncode == status and words in said
    return [] if good else [f"Expected migrate to say that {words!r}, but it ended with {migrating.returncode}: {said}"]


def _remains(db: Database) -> list[str]:
    """The schema is what the models say, and nothing that was half-built is left."""
    with upgrades.migrating(db.bind) as config:
        command.check(config)
    with db.reading() as session:
        return [f"Expected no index to be half-built, but {name} is" for name in session.scalars(text(INVALID))]


def main() -> int:
    """Lose the primary at each moment; 1 when something is wrong."""
    words = argparse.ArgumentParser(prog="python -m tests.soak.upgrades", description=__doc__)
    words.add_argument("--seconds", type=float, default=5, help="how long the clerks work before")
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    logs.configure(Environment.PRODUCTION)
    wrong = 0
    for moment in MOMENTS:
        faults = run(moment, asked.seconds, asked.seed)
        Console(width=140).print(f"{moment.how} at {moment.statement} …: {len(faults)} faults", *faults, sep="\n", markup=False)
        wrong += len(faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
