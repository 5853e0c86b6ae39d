"""A run of a case with a called process: each is an instance of its own, in a database, loaded anew for every step.

What the engine owes from one to the other is done after each step, as its scheduler does.
"""

from __future__ import annotations

import itertools
from functools import partial
from uuid import uuid4

from sqlalchemy import select

from engine import broadcasts, definitions, deployments, escalations, execution, instances, pieces, processes, scheduler
from engine.actors import Actor, Role, RoleGrant
from engine.broadcasts import Thrown
from engine.case_models import Case
from engine.models import Activity, Incident, Instance
from engine.states import InstanceStatus
from engine.variables import Given
from tests.conformance import drawing, playing

DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
MARKS = {None: "+", "completed": "", "canceled": "-"}


class Play:
    """One run: the instance that was started, and those that it calls."""

    def __init__(self, database, case):
        self.database, self.known = database, {}
        key = f"process-{uuid4().hex}"
        with database.transaction() as session:
            deployments.deploy(session, key, dict(_files(case.drawing, key)), actor=DESIGNER)
        self.key = key

    def start(self, step):
        """Start the process that calls."""
        with self.database.transaction() as session:
            loaded = definitions.latest(session, self.key)
            row = processes.open_plain(session, loaded, actor=DESIGNER, given=Given(values=step.variables))
            self.case_id, self.row_id = row.case_id, row.id
        return self.look()

    def play(self, step):
        """Do one step, and what the engine owes after it."""
        if step.verb == "signal":
            thrown = Thrown(name=step.words[0], given=Given(values=step.variables))
            pieces.do(self.database, partial(broadcasts.throw, signal=thrown, actor=DESIGNER))
            return self.look()
        with self.database.transaction() as session:
            if step.verb == "message":
                execution.throw(session, session.get_one(Case, self.case_id), step.words[0], actor=DESIGNER, variables=step.variables)
            else:
                self._act(session, step)
        return self.look()

    def _act(self, session, step):
        """Do what only concerns the instance that the element of the step is in."""
        element = step.words[0].partition("#")[0]
        rows = self.rows(session)
        row = next((row for row in rows if any(wait.element == element for wait in instances.look(session, row).waits())), rows[0])
        with execution.running(session, row.id, actor=DESIGNER) as run:
            if step.verb == "escalate":
                escalations.raise_at(run, playing.at(run.process, step, *playing.WORK).id, step.words[1], step.variables)
            else:
                playing.STEPS[step.verb](run.process, step)

    def look(self):
        """Say what has changed: in the instance that was started, then in those that it has called, one after the other."""
        scheduler.drain(self.database)
        with self.database.reading() as session:
            changed = [f"{mark}{element}" for row in self.rows(session, every=True) for mark, element in self._changes(session, row)]
        return " ".join(changed)

    def _changes(self, session, row):
        broken = set(session.scalars(select(Incident.wait).where(Incident.instance_id == row.id, Incident.resolved_at.is_(None))))
        drawn = definitions.get(session, row.definition_id).definition.elements
        order = select(Activity).where(Activity.instance_id == row.id).order_by(Activity.number)
        for activity in session.scalars(order):
            mark = "!" if activity.number in broken else MARKS[activity.outcome]
            if drawn[activity.element].drawn and self.known.get((row.id, activity.number)) != mark:
                self.known[row.id, activity.number] = mark
                yield mark, activity.element if activity.error is None else f"{activity.element}!{activity.error}"

    def rows(self, session, *, every=False):
        """Instances of the run, the oldest first; those that still run, or all."""
        of_run = {row.id: row for row in session.scalars(select(Instance).where(Instance.case_id == self.case_id))}

        def depth(row):
            return 1 + depth(of_run[row.parent_id]) if row.parent_id in of_run else 0

        def age(row):  # ids of the same millisecond come in any order
            return row.id.int >> 80, depth(row), row.parent_wait or 0

        return [row for row in sorted(of_run.values(), key=age) if every or row.status is InstanceStatus.RUNNING]

    def stands(self):
        """Return the instance that was started; nothing that it has called outlasts it."""
        with self.database.reading() as session:
            first, *called = self.rows(session, every=True)
            running = [row for row in called if row.status is InstanceStatus.RUNNING]
            assert not running or first.status is InstanceStatus.RUNNING, "what was called outlasts what has called it"
            return first


def _files(lines, key):
    """The diagrams of a case: the process that calls, and each that is drawn below a line `process other`."""
    own, lines = [], list(lines)
    while lines:
        line = lines.pop(0)
        if line.startswith("process "):
            inside = [deeper[4:] for deeper in itertools.takewhile(lambda other: other.startswith("    "), lines)]
            del lines[: len(inside)]
            called = line.removeprefix("process ").strip()
            yield f"{called}.bpmn", drawing.draw(inside, key=called)
        else:
            own.append(line)
    yield "process.bpmn", drawing.draw(own, key=key)
