"""A race: the five departments of a bundle decide within the same ten milliseconds.  A trial is one bundle."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy import func, select

from engine import cases, deployments, holidays, samples, tasks
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.models import Task
from engine.settings import Environment
from engine.states import TaskStatus
from tests import tiny
from tests.hall import WORKFLOWS
from tests.soak.model import ITEMS

#: Seconds within which the departments decide, and seconds from the moment when they are told to the first that may decide.
TOGETHER, LEAD = 0.01, 0.005
CLERK = Actor(name="clerk", grants=(RoleGrant(role=Role.CLERK, hall="changsha"),))
OFFICER = Actor(name="officer", grants=(RoleGrant(role=Role.OFFICER, department="market"),))
DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
_APPLICANT = {"kind": "enterprise", "name": "好味餐饮", "id_number": "91430100MA4L000000"}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What was measured with one bundle."""

    #: Seconds from a department's command to its answer.
    took: tuple[float, ...]
    #: Seconds from the first command to the last answer.
    lasted: float
    errors: tuple[str, ...]


#: When a department sent its command and when it had the answer, in seconds of `perf_counter` (the same for all processes), and the error if
#: there was one, else an empty text.
End = tuple[float, float, str]
#: Completes tasks, each at its own moment (seconds of `perf_counter`), beside each other.
Crew = Callable[[Sequence[UUID], Sequence[float]], Sequence[End]]


def furnish(db: Database) -> None:
    """Make the schema, the sample accounts and the calendars, and deploy a bundle of five items."""
    db.migrate()
    files = {
        name.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content for name, content in tiny.folder({i: {} for i in ITEMS}).items()
    }
    with db.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
        holidays.publish_shipped(session, WORKFLOWS / "calendars")
        deployments.deploy(session, "tiny", files, actor=DESIGNER)


def finish_together(cases_: Iterable[Sequence[UUID]], crew: Crew, *, seed: int = 1) -> Iterator[Trial]:
    """For each bundle let its departments decide at random moments within ten milliseconds."""
    chance = random.Random(seed)
    for decisions in cases_:
        start = time.perf_counter() + LEAD
        ends = crew(decisions, [start + chance.uniform(0, TOGETHER) for _ in decisions])
        yield Trial(
            took=tuple(ended - began for began, ended, _ in ends),
            lasted=max(ended for _, ended, _ in ends) - min(began for began, _, _ in ends),
            errors=tuple(error for _, _, error in ends if error),
        )


def finish_alone(cases_: Iterable[Sequence[UUID]], crew: Crew) -> Iterator[Trial]:
    """Let the departments decide one after the other, while the others do nothing."""
    for decisions in cases_:
        for decision in decisions:
            yield from finish_together([[decision]], crew)


def put_to_work(db: Database, bundles: int) -> None:
    """Submit bundles and accept them, so that their departments have something to decide."""
    what = cases.Submission(region="430100", matter="tiny", hall="changsha", applicant=_APPLICANT, answers={})
    for _ in range(bundles):
        with db.transaction() as session:
            case = cases.submit(session, what, actor=CLERK)
            [intake] = tasks.of_case(session, case.id)
            tasks.complete(session, intake.id, actor=CLERK, data={"outcome": "accept"})


def decisions(db: Database) -> list[list[UUID]]:
    """Ids of the open tasks of decisions, one list for each case."""
    query = select(Task.case_id, Task.id).where(Task.status == TaskStatus.OPEN, Task.kind == "decision").order_by(Task.case_id, Task.id)
    with db.reading() as session:
        found = session.execute(query).all()
    return [[task_id for _, task_id in group] for _, group in itertools.groupby(found, key=lambda row: row[0])]


def waiting_for_issuance(db: Database) -> int:
    """How many bundles wait to have their results handed out: all departments of these have decided."""
    with db.reading() as session:
        return session.scalar(select(func.count()).where(Task.status == TaskStatus.OPEN, Task.kind == "issuance")) or 0


def decide(db: Database, task_id: UUID, moment: float) -> End:
    """Wait for the moment, and grant the item of the task."""
    time.sleep(max(0.0, moment - time.perf_counter()))
    began, error = time.perf_counter(), ""
    try:
        with db.transaction() as session:
            tasks.complete(session, task_id, actor=OFFICER, data={"outcome": "granted"})
    except Exception as wrong:  # noqa: BLE001 - whatever it is, it is told
        error = f"{type(wrong).__name__}: {wrong}"
    return began, time.perf_counter(), error


@contextmanager
def threads(db: Database) -> Iterator[Crew]:
    """Give a crew of threads: departments that work at one node."""
    with ThreadPoolExecutor(len(ITEMS)) as pool:
        yield lambda ids, moments: list(pool.map(partial(decide, db), ids, moments))
