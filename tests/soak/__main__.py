"""`make soak DURATION=600 SEED=7`: one trial, as long as asked for."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.table import Table

from engine import logs
from engine.settings import Environment
from tests.soak import trial
from tests.soak.trial import Plan, Report


def main() -> int:
    """Try, and tell; 1 when something is wrong."""
    words = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    words.add_argument("--seconds", type=float, default=60, help="how long things go wrong")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--nodes", type=int, default=3)
    words.add_argument("--clerks", type=int, default=50)
    words.add_argument("--cases", type=int, default=1000)
    words.add_argument("--batch", type=int, default=Plan.batch, help="of how many cases a transaction does what is due (ONETHING_BATCH)")
    asked = words.parse_args()
    logs.configure(Environment.PRODUCTION)
    report = trial.run(Plan(**vars(asked)))
    _show(report)
    return 1 if report.faults else 0


def _show(report: Report) -> None:
    console = Console(width=140)
    table = Table("what went wrong", "times")
    for what, times in report.happened.most_common():
        table.add_row(what, str(times))
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(report.answers.items()))
    console.print(table)
    console.print(f"network of the nodes: {report.network}; {sum(report.answers.values())} commands in {report.cases} cases")
    console.print(f"answers: {answers}; {report.repeated} commands were repeated")
    console.print(f"answered within: p50 {report.share(0.5):.2f} s, p99 {report.share(0.99):.2f} s, the last {report.share(1):.2f} s")
    uploads = ", ".join(f"{count} × {how}" for how, count in sorted(report.uploads.items()))
    console.print(f"uploads: {uploads}; {report.given} tasks behind alarms were given to programs")
    for fault in report.faults:
        console.print(f"FAULT {fault}", markup=False)
    console.print(f"{len(report.faults)} faults")


if __name__ == "__main__":
    sys.exit(main())
