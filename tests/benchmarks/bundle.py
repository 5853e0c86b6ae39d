"""The reference bundle: the shipped restaurant with five departments at work in parallel, and 2 kB of form data for each decision."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from string import ascii_letters
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import cases, deeds, deployments, folders, holdings, holidays, materials, samples, tasks
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.models import Hall, Job

WORKFLOWS = Path(__file__).parents[2] / "workflows"
CLERK = Actor(name="clerk", grants=(RoleGrant(role=Role.CLERK, hall="changsha"),))
OFFICER = Actor(name="officer", grants=tuple(RoleGrant(role=Role.OFFICER, department=code) for code in samples.DEPARTMENTS))
DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
#: One item of each of five departments, none of which waits for another.
ITEMS = ("food_permit", "signboard", "drainage", "performance", "public_place_hygiene")
SUBMISSION = cases.Submission(
    region="430100",
    matter="open_restaurant",
    hall="changsha",
    applicant={"kind": "enterprise", "name": "长沙湘味小馆餐饮有限公司", "id_number": "91430100MA4L0F1A22", "phone": "13800000001"},
    answers={},
    items=ITEMS,
)
#: What is entered for each kind of task.
DATA = {
    "intake": {"outcome": "accept"},
    "issuance": {"mode": "unified", "delivery": "window"},
    "rating": {"score": 5},
}
#: Decisions, one after the other: each has 2 kB of its own, which no database makes much smaller.
DECISIONS = cycle([{"outcome": "granted", "opinion": "".join(Random(n).choices(ascii_letters + " ", k=1976))} for n in range(8)])
#: What a process does on its own account after the decision of an item: the bundle goes on.
RESUME = "resume"


def deploy(db: Database) -> None:
    """Put the shipped items and the restaurant into an empty database."""
    with db.transaction() as session:
        session.add(Hall(code="changsha", name="长沙市政务服务中心", level="city"))
        holidays.publish_shipped(session, WORKFLOWS / "calendars")
        for folder in folders.read(WORKFLOWS / name for name in ("items", "post-check", "open-restaurant")):
            deployments.deploy(session, folder.name, _with_opinion(folder.resources), actor=DESIGNER)


def submit(db: Database, items: tuple[str, ...] = ITEMS) -> UUID:
    """Submit a complete bundle; gives the id of the case."""
    with db.transaction() as session:
        case = cases.submit(session, replace(SUBMISSION, items=items), actor=CLERK)
        for material in case.checklist["materials"]:
            materials.record(session, case, material["code"], actor=CLERK)
    return case.id


def work(db: Database, case_id: UUID) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give what is to be done next, with its kind, until the case is over.  Each piece must be done before the next is asked for."""
    while True:
        with db.reading() as session:
            owed = list(session.scalars(select(Job.instance_id).where(Job.case_id == case_id, Job.due_at <= datetime.now(UTC))))
            waiting = [(task.kind, task.id) for task in tasks.of_case(session, case_id)]
        if owed:
            yield RESUME, partial(deeds.resume, db, owed[0])
        elif waiting:
            yield waiting[0][0], partial(complete, db, waiting[0][1], waiting[0][0])
        else:
            return


def at_work(db: Database) -> UUID:
    """Submit a bundle and take it in, so that all its departments are at work; gives the id of the case."""
    case_id = submit(db)
    _kind, take_in = next(work(db, case_id))
    take_in()
    return case_id


def complete(db: Database, task_id: UUID, kind: str) -> None:
    """Complete a task in a new session.  What is owed after the commit is left to `work`, so that each can be measured alone."""
    actor = OFFICER if kind == "decision" else CLERK
    with Session(db.bind, expire_on_commit=False) as session:
        tasks.complete(session, task_id, actor=actor, data=next(DECISIONS) if kind == "decision" else DATA[kind])
        holdings.write(session)
        session.commit()


def _with_opinion(resources: dict[str, bytes]) -> dict[str, bytes]:
    """Let the forms of decisions ask for an opinion as well."""
    return {name: _ask(content) if name.startswith("decision") else content for name, content in resources.items()}


def _ask(form: bytes) -> bytes:
    schema = json.loads(form)
    schema["components"].append({"type": "textarea", "id": "Field_opinion", "key": "opinion", "label": "Opinion"})
    return json.dumps(schema).encode()
