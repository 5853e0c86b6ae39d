"""The end of a trial: compare what the database holds with every command that was sent, and with what it was answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text

from engine import models, verification
from engine.case_models import Case
from engine.command_models import IdempotentAnswer
from engine.database import Database
from engine.states import TaskStatus
from tests.soak import model
from tests.soak.clerks import CREATED, SERVED, Command


def check(db: Database, commands: Iterable[Command]) -> Iterator[str]:
    """Yield in words whatever is not as the answers said."""
    commands = list(commands)
    yield from _submissions(db, [c for c in commands if c.path == "/cases"])
    yield from _completions(db, [c for c in commands if c.path != "/cases"])
    yield from _answers(db, commands)
    yield from model.replay(db, commands)
    yield from _rest(db)
    for fault in verification.verify(db, patience=timedelta(0)):
        yield f"{fault.kind}: {fault.about}: {fault.message}"


def _submissions(db: Database, commands: list[Command]) -> Iterator[str]:
    """Each case was submitted by one command, and each submission that was acknowledged is one case."""
    with db.reading() as session:
        cases = Counter(applicant["name"].split()[-1] for applicant in session.scalars(select(Case.applicant).where(model.APPLIED_FOR)))
    yield from compare("case", commands, cases, CREATED)


def _completions(db: Database, commands: list[Command]) -> Iterator[str]:
    """Each completed task was completed by one command, and stands in the journal once."""
    with db.reading() as session:
        tasks = session.execute(
            select(models.Task.id, models.Task.data, models.Task.instance_id, models.Task.element, models.Task.status)
        ).all()
        told = Counter(
            (entry.instance_id, entry.details["element"])
            for entry in session.scalars(select(models.Entry).where(models.Entry.what == "task completed"))
        )
    done = [task for task in tasks if task.status is TaskStatus.COMPLETED]
    yield from compare("completion", commands, Counter(str((task.data or {}).get("mark")) for task in done), SERVED)
    marks = {str(task.id): (task.data or {}).get("mark") for task in done}
    for command in commands:
        if command.status == SERVED and marks.get(task_id(command)) != command.key:
            yield f"Expected task {task_id(command)} to be completed by {command.key}, but it was by {marks.get(task_id(command))}"
    places: dict[tuple[UUID, str], int] = defaultdict(int)
    for task in done:
        places[task.instance_id, task.element] += 1
    for place in places.keys() | told.keys():
        if places[place] != told[place]:
            yield f"Expected {places[place]} completions of {place} in the journal, but found {told[place]}"


def task_id(command: Command) -> str:
    return command.path.split("/")[2]


def compare(what: str, commands: list[Command], found: Counter[str], good: int) -> Iterator[str]:
    """Yield each command that had its effect more or less often than its answer says.

    `found` counts the effects by the key of the command; `good` is the status with which an effect is acknowledged.
    """
    known = {command.key: command for command in commands}
    for key in found.keys() - known.keys():
        yield f"Expected every {what} to have been asked for, but nobody asked for {key}"
    for key, command in known.items():
        times = found[key]
        if command.status == good and times != 1:
            yield f"Expected acknowledged {what} {key} to have taken effect once, but it did {times} times"
        if command.status is None and times > 1:
            yield f"Expected {what} {key}, which nobody answered, to have taken effect once at most, but it did {times} times"
        if command.status not in {None, good} and times:
            yield f"Expected refused {what} {key} ({command.status}) to have done nothing, but it did"


def _answers(db: Database, commands: list[Command]) -> Iterator[str]:
    """For each effect an answer is kept in the same case: whoever sends the command again gets it, also if the first answer was lost."""
    with db.reading() as session:
        kept = {row.key: row for row in session.scalars(select(IdempotentAnswer))}
        done = {
            case.applicant["name"].split()[-1]: (case.region, case.id) for case in session.scalars(select(Case).where(model.APPLIED_FOR))
        }
        done |= {(task.data or {}).get("mark"): (task.region, task.case_id) for task in session.scalars(select(models.Task))}
    for command in commands:
        if not command.attempts:  # it was carried out before anybody was here
            continue
        answer = kept.get(command.key)
        if command.status in {CREATED, SERVED} and (answer is None or answer.status != command.status):
            yield f"Expected answer {command.status} to be kept for {command.key}, but it is {answer and answer.status}"
        if command.key in done and (answer is None or (answer.region, answer.case_id) != done[command.key]):
            yield f"Expected {command.key} to have its answer beside what it did, but it has {'none' if answer is None else 'it elsewhere'}"


def _rest(db: Database) -> Iterator[str]:
    """No job is left, no incident stands, and nobody holds a lock."""
    with db.reading() as session:
        for job in session.scalars(select(models.Job)):
            yield f"Expected no job to be left, but {job.kind} of {job.instance_id} is: {job.status}, {job.attempts} attempts, {job.error}"
        for incident in session.scalars(select(models.Incident).where(models.Incident.resolved_at.is_(None))):
            yield f"Expected no incident, but {incident.instance_id} has one: {incident.message}"
        held = "select count(*) from pg_locks where pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database())"
        if count := session.scalar(text(held)):
            yield f"Expected no lock to be held, but there are {count}"
