"""The reference process, as other engines are measured with: intake → five departments at once, each with a deadline → issue.

It is one instance with task rows, timers, full history, journal and rights; a completion carries 2 kB of form data, and is measured when
half of the departments are done.
"""

from __future__ import annotations

import json
from uuid import UUID

from sqlalchemy import select

from engine import definitions, deployments, processes, tasks
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.models import Task
from engine.states import TaskStatus
from engine.variables import Given
from tests.bpmn import diagrams
from tests.bpmn.diagrams import end, flows, parallel, start, timer_boundary, user

KEY = "reference"
BRANCHES = 5
#: How many departments are done before one is measured.
DONE = 2
DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
CLERK = Actor(name="clerk", grants=(RoleGrant(role=Role.CLERK, hall="changsha"),))
FORM = {
    "type": "default",
    "id": "decision",
    "components": [
        {
            "type": "select",
            "id": "f1",
            "key": "outcome",
            "label": "Outcome",
            "values": [{"label": v, "value": v} for v in ("granted", "denied")],
        },
        {"type": "textarea", "id": "f2", "key": "opinion", "label": "Opinion", "validate": {"maxLength": 2_000_000}},
    ],
}
DATA = {"outcome": "granted", "opinion": "The premises were found as described. " * 52}


def officer(branch: int) -> Actor:
    """Somebody of the department of a branch."""
    return Actor(name=f"officer{branch}", grants=(RoleGrant(role=Role.OFFICER, department=f"d{branch}"),))


def diagram(branches: int = BRANCHES) -> bytes:
    """Draw it, with so many departments."""
    form = {"attrs": {"camunda:formRef": "decision", "camunda:formRefBinding": "deployment"}}
    content = [
        start("begin"),
        user("intake", groups="window"),
        parallel("fork"),
        parallel("join"),
        user("issue", groups="window"),
        end("done"),
    ]
    paths = ["begin -> intake -> fork", "join -> issue -> done"]
    for branch in range(branches):
        task, late = f"department{branch}", f"late{branch}"
        content += [user(task, groups=f"department-d{branch}", **form), timer_boundary(late, on=task, duration="P30D", interrupting=False)]
        content += [user(f"urge{branch}", groups=f"department-d{branch}"), end(f"urged{branch}")]
        paths += [f"fork -> {task} -> join", f"{late} -> urge{branch} -> urged{branch}"]
    return diagrams.diagram(*content, flows(*paths), key=KEY)


def form() -> bytes:
    """The form of a decision, as a file."""
    return json.dumps(FORM).encode()


def deploy(db: Database, branches: int = BRANCHES) -> UUID:
    """Put it into a database; gives the id of the definition."""
    with db.transaction() as session:
        resources = {"reference.bpmn": diagram(branches), "decision.form": form()}
        deployments.deploy(session, "reference", resources, actor=DESIGNER)
        return definitions.latest(session, KEY).id


def begin(db: Database, *, done: int = DONE, dossier: str = "") -> UUID:
    """Start one, which has a dossier, and bring it to where `done` departments are; gives the id of the instance."""
    with db.transaction() as session:
        loaded = definitions.latest(session, KEY)
        given = Given(values={"applicant": "长沙湘味小馆"} | ({"dossier": dossier} if dossier else {}))
        instance = processes.open_plain(session, loaded, actor=DESIGNER, given=given).id
    complete(db, standing(db, instance)["intake"], CLERK, {})
    for branch in range(done):
        complete(db, standing(db, instance)[f"department{branch}"], officer(branch), DATA)
    return instance


def standing(db: Database, instance: UUID) -> dict[str, UUID]:
    """Ids of the open tasks of an instance, by element."""
    with db.reading() as session:
        query = select(Task.element, Task.id).where(Task.instance_id == instance, Task.status == TaskStatus.OPEN)
        return dict(tuple(found) for found in session.execute(query))


def next_tasks(url: str, count: int) -> list[UUID]:
    """Bring so many instances to where some departments are done; gives the task of the next one of each."""
    db = Database(url)
    found = [standing(db, begin(db))[f"department{DONE}"] for _ in range(count)]
    db.close()
    return found


def complete(db: Database, task: UUID, actor: Actor, data: dict[str, object]) -> None:
    """Complete a task in a session of its own."""
    with db.transaction() as session:
        tasks.complete(session, task, actor=actor, data=data)
