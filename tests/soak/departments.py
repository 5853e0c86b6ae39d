"""Departments that finish within the same ten milliseconds; a trial is one bundle, and `make bench-departments` does many thousands."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from engine import cases, deployments, holidays, logs, samples, tasks
from engine.actors import Actor, Role, RoleGrant
from engine.case_models import Item
from engine.database import Database
from engine.models import Task
from engine.settings import Environment
from engine.states import ItemStatus, TaskStatus
from tests import databases, tiny
from tests.hall import WORKFLOWS

ITEMS = ("alpha", "beta", "gamma", "delta", "epsilon")
#: Within so many seconds they finish.
TOGETHER = 0.01
CLERK = Actor(name="clerk", grants=(RoleGrant(role=Role.CLERK, hall="changsha"),))
OFFICER = Actor(name="officer", grants=(RoleGrant(role=Role.OFFICER, department="market"),))
DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
_APPLICANT = {"kind": "enterprise", "name": "好味餐饮", "id_number": "91430100MA4L000000"}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of one bundle."""

    #: Seconds from a department's command to its answer.
    took: tuple[float, ...]
    errors: tuple[str, ...]
    #: How many items were decided when the last of them had its answer.
    decided: int


def furnish(db: Database) -> None:
    """Deploy a bundle of five items."""
    db.migrate()
    files = {
        name.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content for name, content in tiny.folder({i: {} for i in ITEMS}).items()
    }
    with db.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
        holidays.publish_shipped(session, WORKFLOWS / "calendars")
        deployments.deploy(session, "tiny", files, actor=DESIGNER)


def finish_together(db: Database, *, trials: int, seed: int = 1) -> Iterator[Trial]:
    """Let the departments of a bundle finish at random moments within ten milliseconds, again and again with another bundle."""
    chance = random.Random(seed)
    with ThreadPoolExecutor(len(ITEMS)) as pool:
        for _ in range(trials):
            case_id = _at_work(db)
            start = time.perf_counter() + 0.005
            moments = [start + chance.uniform(0, TOGETHER) for _ in ITEMS]
            ends = list(pool.map(lambda task, moment: _decide(db, task, moment), _decisions(db, case_id), moments))
            yield Trial(
                took=tuple(took for took, _ in ends), errors=tuple(error for _, error in ends if error), decided=_decided(db, case_id)
            )


def finish_alone(db: Database, *, trials: int) -> Iterator[float]:
    """Let one department finish, while the others do nothing; the seconds that it takes."""
    for _ in range(trials):
        yield _decide(db, _decisions(db, _at_work(db))[0], 0.0)[0]


def waiting_for_issuance(db: Database) -> int:
    """How many bundles have come to where everything is handed out."""
    with db.reading() as session:
        return session.scalar(select(func.count()).where(Task.status == TaskStatus.OPEN, Task.kind == "issuance")) or 0


def _at_work(db: Database) -> UUID:
    what = cases.Submission(region="430100", matter="tiny", hall="changsha", applicant=_APPLICANT, answers={})
    with db.transaction() as session:
        case = cases.submit(session, what, actor=CLERK)
    with db.transaction() as session:
        [intake] = tasks.of_case(session, case.id)
        tasks.complete(session, intake.id, actor=CLERK, data={"outcome": "accept"})
    return case.id


def _decisions(db: Database, case_id: UUID) -> list[UUID]:
    with db.reading() as session:
        return [task.id for task in tasks.of_case(session, case_id)]


def _decide(db: Database, task_id: UUID, moment: float) -> tuple[float, str]:
    time.sleep(max(0.0, moment - time.perf_counter()))
    began, error = time.perf_counter(), ""
    try:
        with db.transaction() as session:
            tasks.complete(session, task_id, actor=OFFICER, data={"outcome": "granted"})
    except Exception as wrong:  # noqa: BLE001 - whatever it is, it is told
        error = f"{type(wrong).__name__}: {wrong}"
    return time.perf_counter() - began, error


def _decided(db: Database, case_id: UUID) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).where(Item.case_id == case_id, Item.status == ItemStatus.GRANTED)) or 0


def main(trials: int) -> None:
    """Measure, and print."""
    logs.configure(Environment.PRODUCTION)
    with databases.postgresql_server() as url:
        server = databases.PostgreSQL(url)
        with server.fresh() as fresh:
            db = Database(fresh)
            furnish(db)
            alone = sorted(finish_alone(db, trials=max(trials // 10, 20)))
            together = list(finish_together(db, trials=trials))
            db.close()
        server.close()
    took = sorted(seconds for trial in together for seconds in trial.took)
    errors = [error for trial in together for error in trial.errors]
    table = Table("departments", "completions", "p50 ms", "p99 ms", "most ms", "p50 x", "p99 x", "errors")
    for name, found, wrong in (("one alone", alone, 0), (f"{len(ITEMS)} within {TOGETHER * 1000:g} ms", took, len(errors))):
        half, most = found[len(found) // 2], found[int(len(found) * 0.99)]
        ratios = half / alone[len(alone) // 2], most / alone[int(len(alone) * 0.99)]
        table.add_row(
            name, str(len(found)), *(f"{1000 * s:.1f}" for s in (half, most, found[-1])), *(f"{r:.1f}" for r in ratios), str(wrong)
        )
    Console(width=120).print(table, *errors[:5])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
