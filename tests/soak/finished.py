"""Finished cases (办结的办件) of a matter whose cases are archived at once: there is something to archive when the primary server is lost."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import select, update

from engine import cases, deployments, moments, tasks
from engine.actors import Actor, Role, RoleGrant
from engine.archive_models import ArchivedCase
from engine.case_models import Case
from engine.database import Database
from engine.models import Outbox, Task
from engine.states import TaskStatus
from tests import tiny
from tests.soak.clerks import DATA, applicant

MATTER = "old"
EVERYBODY = Actor(
    name="clerk",
    grants=(RoleGrant(role=Role.DESIGNER), RoleGrant(role=Role.CLERK, hall="changsha"), RoleGrant(role=Role.OFFICER, department="market")),
)
#: Seconds that the archive may take.
PATIENCE = 300


def begin(db: Database, count: int) -> list[str]:
    """Submit so many cases and complete all their tasks.  Returns their numbers."""
    files = tiny.folder({"done": {}}, key=MATTER, archive_days="0")
    named = {name.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content for name, content in files.items()}
    what = cases.Submission(region="430100", matter=MATTER, hall="changsha", applicant=applicant("finished"), answers={})
    with db.transaction() as session:
        deployments.deploy(session, MATTER, named, actor=EVERYBODY)
    with db.transaction() as session:
        numbers = [cases.submit(session, what, actor=EVERYBODY).number for _ in range(count)]
    deadline = time.monotonic() + PATIENCE
    while _complete(db):
        if time.monotonic() > deadline:
            raise TimeoutError("Expected cases to be finished, but they are not")
        time.sleep(0.1)  # meanwhile the scheduler does what comes between two tasks
    with db.transaction() as session:  # a case with a message that nobody has confirmed is not archived
        session.execute(update(Outbox).values(sent_at=moments.now()))
    return numbers


def _complete(db: Database) -> bool:
    """Complete all open tasks.  Returns whether any case is still going on."""
    going_on = select(Case.id).where(Case.matter == MATTER, Case.ended_at.is_(None))
    with db.reading() as session:
        open_ = session.execute(select(Task.id, Task.kind).join(Case, Case.id == Task.case_id).where(Case.matter == MATTER, Task.status == TaskStatus.OPEN)).all()  # fmt: skip
        ended = session.scalar(going_on.limit(1)) is None
    for task_id, kind in open_:
        with db.transaction() as session:
            tasks.complete(session, task_id, actor=EVERYBODY, data=dict(DATA[kind]))
    return not ended or bool(open_)


def archived(db: Database) -> list[str]:
    """Numbers of the archived cases."""
    with db.reading() as session:
        return sorted(session.scalars(select(ArchivedCase.number)))


def put_away(db: Database, words: list[str | Path], environ: Mapping[str, str], numbers: list[str]) -> Iterator[str]:
    """Start the scheduler, wait until it has archived the cases, and yield in words each that is not in the archive, or is there and elsewhere."""
    working = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + PATIENCE
    while len(archived(db)) < len(numbers) and time.monotonic() < deadline and working.poll() is None:
        time.sleep(0.1)
    working.terminate()
    said = working.communicate(timeout=60)[0]
    if archived(db) != sorted(numbers) or working.returncode:
        yield f"Expected {len(numbers)} cases to be put away, but {len(archived(db))} are ({working.returncode}): {said}"
    with db.reading() as session:
        for number in session.scalars(select(Case.number).where(Case.matter == MATTER)):
            yield f"Expected case {number} to be in the archive alone, but it is also where it was"
