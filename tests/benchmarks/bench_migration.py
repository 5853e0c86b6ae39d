"""A release is brought to a large database while people work: `python -m tests.benchmarks.bench_migration`.

Two writers complete tasks without a pause, first with the code of the release before, while what is new is added; then with this code, while
what only older nodes use is taken away.  Somebody reads all tables for a while meanwhile, as a backup does.  How long the slowest command
took says how long anybody was kept waiting.

With `--alone 0018` nobody works: how long each migration takes from that schema on, and how much disk.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from alembic import command
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import select, text

from engine import schema, upgrades
from engine.database import Database
from engine.models import Base, Instance
from tests import releases
from tests.benchmarks import population, reference
from tests.benchmarks.growth import CONF
from tests.soak.server import Server

BEFORE = "0021"
HERE = Path(__file__).parents[2]
#: Seconds that are measured beside no migration, and how long somebody reads during one.
QUIET, READING = 10, 15
#: Bytes that were written to the log.
_LOG = "SELECT pg_current_wal_lsn() - '0/0'"
#: What a case of the reference process has rows in.
TABLES = (*population.HOT, "activities", "journal", "jobs", "material_links")


def main() -> None:
    """Print how long commands took."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_migration", description=__doc__)
    words.add_argument("--cases", type=int, default=100_000)
    words.add_argument("--alone", metavar="REVISION")
    asked = words.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onething-migration-", ignore_cleanup_errors=True)))
        older = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onething-older-")))
        releases.unpack(BEFORE, older)
        server = Server(folder, conf=CONF)
        server.found()
        server.start()
        stack.callback(server.stop)
        db = Database(server.url())
        stack.callback(db.close)
        counted = _populate(db, asked.cases, asked.alone or BEFORE)
        if asked.alone:
            table = _table("migration", ("seconds", "MB of the database", "MB of its log"))
            for row in _alone(db, asked.alone):
                table.add_row(*row)
            _print(table, counted)
            return
        table = _table("seconds; commands: milliseconds", ("took", "commands", "median", "p99", "slowest", "failed"))
        for code, to, departments in ((older, schema.needed(), ("d0", "d1")), (HERE, schema.NEWEST, ("d2", "d3"))):
            for row in _measured(db, server.url(), code, to, departments):
                table.add_row(*row)
        _print(table, counted)


def _table(first: str, heads: Sequence[str]) -> Table:
    return Table(first, *(Column(head, justify="right") for head in heads))


def _print(table: Table, counted: Mapping[str, int]) -> None:
    table.title = ", ".join(f"{count:,} {name}" for name, count in counted.items())
    Console(width=130).print(table)


def _alone(db: Database, before: str) -> Iterator[tuple[str, ...]]:
    """Migrate step by step while nobody works."""
    yield before, "", f"{_asked(db, 'SELECT pg_database_size(current_database())') / 1e6:,.0f}", ""
    for revision in schema.revisions()[schema.revisions().index(before) + 1 :]:
        log, began = _asked(db, _LOG), time.perf_counter()
        _bring(db, revision)
        took = time.perf_counter() - began
        size = _asked(db, "SELECT pg_database_size(current_database())")
        yield revision, f"{took:.1f}", f"{size / 1e6:,.0f}", f"{(_asked(db, _LOG) - log) / 1e6:,.0f}"


def _asked(db: Database, query: str) -> float:
    with db.reading() as session:
        return float(session.scalar(text(query)) or 0)


def _populate(db: Database, cases: int, before: str) -> dict[str, int]:
    """Fill the schema of a release before; gives how many rows there are."""
    _bring(db, schema.needed())
    reference.deploy(db)
    instance = reference.begin(db, done=0)
    with db.reading() as session:
        case = session.scalars(select(Instance.case_id).where(Instance.id == instance)).one()
    population.multiply(db, case, cases, tables=TABLES)
    with upgrades.migrating(db.bind) as config:
        command.downgrade(config, before)
    population.settle(db)
    with db.reading() as session:
        return {name: session.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in ("activities", "timers", "tasks")}


def _bring(db: Database, revision: str) -> None:
    with upgrades.migrating(db.bind) as config:
        command.upgrade(config, revision)


def _measured(db: Database, url: str, code: Path, to: str, departments: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Migrate while writers with this code and a reader are at work."""
    with _writers(url, code, departments) as lines:
        time.sleep(3)  # until they have come up
        began = time.time()
        time.sleep(QUIET)
        migrating = time.time()
        with _reader(url):
            _bring(db, to)
        done = time.time()
        time.sleep(1)
    yield _row(f"release {schema.NEWEST if code == HERE else BEFORE}", began, migrating, lines)
    yield _row(f"meanwhile, to {to}", migrating, done, lines)


@contextmanager
def _writers(url: str, code: Path, departments: tuple[str, ...]) -> Iterator[list[str]]:
    """Let departments work until the block ends; gives what they say."""
    said: list[str] = []
    words = [sys.executable, str(Path(__file__).with_name("writer.py")), url]
    there = os.environ | {"PYTHONPATH": str(code)}
    writers = [subprocess.Popen([*words, each], env=there, stdout=subprocess.PIPE, text=True) for each in departments]
    listeners = [threading.Thread(target=said.extend, args=(writer.stdout,)) for writer in writers]
    for listener in listeners:
        listener.start()
    yield said
    for writer in writers:
        writer.kill()
        writer.wait()
    for listener in listeners:
        listener.join()


@contextmanager
def _reader(url: str) -> Iterator[None]:
    """Read every table in one transaction, and stay in it for a while."""
    db = Database(url)

    def read() -> None:
        with db.snapshot() as session:
            for table in Base.metadata.tables:
                if table != "compatibility":
                    session.execute(text(f'SELECT FROM "{table}" LIMIT 1'))
            time.sleep(READING)

    reading = threading.Thread(target=read)
    reading.start()
    time.sleep(1)
    yield
    reading.join()
    db.close()


def _row(label: str, since: float, until: float, lines: list[str]) -> tuple[str, ...]:
    told = [line.split(maxsplit=2) for line in lines]
    ours = [(float(took), ended) for began, took, ended in told if since <= float(began) + float(took) and float(began) <= until]
    took = sorted(1000 * seconds for seconds, _ in ours)
    figures = (median(took), took[int(0.99 * len(took))], took[-1])
    failed = sum(ended.strip() != "done" for _, ended in ours)
    return (label, f"{until - since:.0f}", str(len(ours)), *(f"{figure:.0f}" for figure in figures), str(failed))


if __name__ == "__main__":
    main()
