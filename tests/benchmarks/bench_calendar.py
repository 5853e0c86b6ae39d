"""Correcting a year of the calendar: `python -m tests.benchmarks.bench_calendar`.

So many bundles of one item, which were accepted over half a year, on one PostgreSQL with durable commits: two clocks each, with a task and
the two timers that follow them.  A year is corrected so that all of them move, and then once more so that none does.  How long does one
node take to count all of them anew, with as many transactions under way as it has?  The database itself makes the copies.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from datetime import date, timedelta
from typing import Any

import time_machine
from rich.console import Console
from rich.table import Column, Table

from api.cli.work import HANDS
from engine import publications, recomputing, scheduler
from engine.database import Database
from engine.pace import Pace
from tests import tiny
from tests.benchmarks import population, shipped
from tests.bpmn import diagrams as d
from tests.stage import MONDAY, WORKFLOWS, Stage, found

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_calendar", description=__doc__)
    words.add_argument("--cases", type=int, default=500_000, help="open cases; each has two clocks")
    words.add_argument("--hands", type=int, default=HANDS, help="transactions that are under way at a time")
    asked = words.parse_args()
    heads = ("clocks", "moved", "timers", "seconds", "clocks a second", "our CPU µs each")
    console = Console(width=120)
    made = Table(Column("a year is corrected"), *(Column(head, justify="right") for head in heads))
    with shipped.database_server(conf="max_wal_size = 4GB\n") as server:
        db = Database(server.url())
        begun = time.monotonic()
        populate(db, asked.cases)
        console.print(f"{asked.cases:,} cases ({time.monotonic() - begun:.0f} s)")
        for label in ("everything moves", "nothing moves"):
            made.add_row(label, *correct(db, wednesdays(2026), Pace(hands=asked.hands)))
        db.close()
    console.print(made)


def populate(db: Database, cases: int) -> None:
    """Have so many bundles at work."""
    with time_machine.travel(MONDAY, tick=True) as traveller:
        found(db)
        stage = Stage(db, traveller)
        stage.checking = False
        stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 5, "statutory": 10}}, promised="7", processes={"alpha": watched()}))
        clerk = stage.person("clerk")
        case = clerk.submit("tiny")
        clerk.complete(case, "一窗受理", outcome="accept")
    population.multiply(db, case.id, cases - 1)
    population.settle(db)


def watched() -> bytes:
    """Decided beside two timers that follow its clock."""
    content = (d.start("accepted"), tiny.decision("alpha"), d.end("decided"), d.end("seen"), d.end("over"))
    early = d.timer_boundary("early", on="decide", date="${deadline('warning')}", interrupting=False)
    late = d.timer_boundary("late", on="decide", date="${deadline('promised')}", interrupting=False)
    return tiny.item("alpha", *content, early, late, d.flows("accepted -> decide -> decided", "early -> seen", "late -> over"))


def wednesdays(year: int) -> list[date]:
    """Every Wednesday of a year: whatever takes five working days, has one among them."""
    return [day for n in range(365) if (day := date(year, 1, 1) + timedelta(days=n)).weekday() == 2]


def correct(db: Database, days_off: list[date], pace: Pace) -> list[str]:
    """Publish the year with more days off, and count everything anew."""
    document: dict[str, Any] = json.loads((WORKFLOWS / "calendars" / f"{days_off[0].year}.json").read_bytes())
    there = {day["date"] for day in document["days"]}
    more = [{"date": str(day), "weekday": WEEKDAYS[day.weekday()], "kind": "day_off", "holiday": "调整"} for day in days_off]
    document["days"] += [day for day in more if day["date"] not in there]
    with db.transaction() as session:
        publications.publish_year(session, document, actor=shipped.ADMIN)
    begun, before = time.monotonic(), cpu()
    while scheduler.recompute(db, pace):
        pass
    took, spent = time.monotonic() - begun, cpu() - before
    with db.reading() as session:
        report = recomputing.of_late(session, actor=shipped.ADMIN)[0].report
    clocks = report["clocks"]
    figures = (clocks, report.get("moved", 0), report.get("timers", 0), round(took), round(clocks / took))
    return [*(f"{figure:,}" for figure in figures), f"{1e6 * spent / clocks:.0f}"]


def cpu() -> float:
    """Seconds of CPU of this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    main()
