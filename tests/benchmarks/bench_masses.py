"""A signal to many cases, and many tokens that the engine carries on: `python -m tests.benchmarks.bench_masses`.

On one PostgreSQL with durable commits, by one node without anything else to do.  How many of them are done in a second?
"""

from __future__ import annotations

import argparse
import time

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import definitions, deployments, holdings, processes, scheduler, signals
from engine.database import Database
from engine.floors import Floors
from engine.models import Instance
from engine.pace import Pace
from engine.settings import Settings
from engine.variables import NOTHING
from tests.benchmarks import population, reference, shipped
from tests.bpmn import diagrams as d
from tests.bpmn.definitions import signal


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_masses", description=__doc__)
    words.add_argument("--count", type=int, default=20_000, help="how many there are of each")
    words.add_argument("--batch", type=int, default=Settings.batch, help="cases of one transaction, at most (ONETHING_BATCH)")
    asked = words.parse_args()
    count = asked.count
    made = Table("", *(Column(head, justify="right") for head in ("done", "a second", "our CPU ms each")))
    with shipped.database_server() as server:
        db = Database(server.url(), batch=asked.batch)
        populate(db, "listening", listening(), count, first=1)
        with Session(db.bind) as session:  # as if whoever has thrown it had died: nothing follows this commit
            for hearer in signals.hearers(session, "closed", Instance.id.is_not(None)):
                signals.owe(session, hearer, "closed", {"why": "大雪"})
            holdings.write(session)
            session.commit()
        made.add_row("signals that are owed", *drain(db))
        populate(db, "carried", carried(), count, first=count + 1)
        with db.bind.begin() as connection:
            connection.execute(text("UPDATE continuations SET due_at = now()"))
        made.add_row("tokens to be carried on", *drain(db))
        db.close()
    Console(width=100).print(made)


def listening() -> bytes:
    """A task beside which a signal is heard."""
    content = (d.start("s"), d.user("work", groups="window"), d.boundary("hear", signal("closed"), on="work", interrupting=False))
    return d.diagram(*content, d.end("heard"), d.end("e"), d.flows("s -> work -> e", "hear -> heard"), key="listening")


def carried() -> bytes:
    """A step that the engine takes in a transaction of its own."""
    attrs = {"camunda:expression": "${1}", "camunda:resultVariable": "result", "camunda:asyncBefore": "true"}
    content = (d.start("s"), d.element("serviceTask", "compute", attrs=attrs), d.user("work", groups="window"), d.end("e"))
    return d.diagram(*content, d.flows("s -> compute -> work -> e"), key="carried")


def populate(db: Database, key: str, diagram: bytes, count: int, *, first: int) -> None:
    """Have so many instances of a process."""
    with db.transaction() as session:
        deployments.deploy(session, key, {f"{key}.bpmn": diagram}, actor=reference.DESIGNER)
        loaded = definitions.latest(session, key)
        case_id = processes.open_plain(session, loaded, actor=reference.DESIGNER, given=NOTHING).case_id
    population.multiply(db, case_id, count - 1, first=first, tables=(*population.HOT, "continuations"))
    population.settle(db)


def drain(db: Database) -> list[str]:
    """Do all that is due: how many, in a second, and with how much CPU each."""
    floors, pace, done = Floors(), Pace(hands=2), 0
    begun, before = time.monotonic(), time.process_time()
    while some := scheduler.tick(db, pace=pace, floors=floors):
        done += some
    took, spent = time.monotonic() - begun, time.process_time() - before
    return [f"{done:,}", f"{done / took:,.0f}", f"{1000 * spent / done:.2f}"]


if __name__ == "__main__":
    main()
