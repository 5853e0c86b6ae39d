"""Reading what stands open in a whole database, and what each of it can be answered with: the moves of a simulation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from bpmn.definition import Definition, Element, ElementType, EventType
from bpmn.simulation import samples, telling
from bpmn.simulation.samples import Along, Sample
from bpmn.simulation.stories import Stories
from bpmn.simulation.telling import Telling
from bpmn.waits import WaitKind
from engine import accounts, calendars, case_items, checklists, definitions, lifecycle, moments, steps, stories, tasks
from engine.case_models import Case, Item
from engine.definitions import Loaded
from engine.models import ExternalTask, Incident, Instance, Subscription, Task, TaskGroup, Timer
from engine.simulation import likeness
from engine.simulation.standing import Open, OpenTask, OpenTimer, OpenVariable, OpenWork, Standing
from engine.states import UNSETTLED, WITHDRAWABLE, InstanceStatus, TaskStatus

#: Code that is raised where every one is caught.
ANY = "sample"
#: Accounts of the groups that are no department's.
_PEOPLE = {"window": "clerk", "supervisor": "supervisor"}
#: What is asked of a whole database at each rest of a walk.
_RUNNING = select(Instance).where(Instance.status == InstanceStatus.RUNNING).order_by(Instance.id)
_ITEMS = select(Item).order_by(Item.joined_at, Item.number)
_CASE = select(Case).where(Case.number == bindparam("number"))
_TASKS = select(Task).where(Task.status == TaskStatus.OPEN).order_by(Task.id)
_WORK = select(ExternalTask).order_by(ExternalTask.id)
_TIMERS = select(Timer).where(Timer.due_at.is_not(None), Timer.retries > 0).order_by(Timer.due_at, Timer.id)
_SUBSCRIPTIONS = select(Subscription).order_by(Subscription.id)
_INCIDENTS = select(Incident).where(Incident.instance_id.is_not(None), Incident.resolved_at.is_(None)).order_by(Incident.id)


class Reader:
    """Reads what is open; the samples of a task are worked out once."""

    def __init__(self) -> None:
        self._telling: dict[UUID, Telling] = {}
        self._stories: dict[UUID, Stories] = {}
        self._samples: dict[UUID, tuple[Sample, ...]] = {}
        self._people: dict[str, str] = {}

    def read(self, session: Session, number: str = "") -> Standing:
        """Read everything that is open, oldest first; and what can be done to the case of that number."""
        found = Standing()
        # Whatever is open is at a running instance, and perhaps an item's: these are read once, and held while the session lives.
        running, items = session.scalars(_RUNNING).all(), session.scalars(_ITEMS).all()
        if number:
            _read_case(session, session.scalars(_CASE, {"number": number}).one(), items, found)
        _read_waits(session, found)
        self._read_work(session, found)
        found.likeness = (found.likeness, likeness.of(session, found, running, items))
        for instance in running:
            found.variables += self._variables(instance, definitions.get(session, instance.definition_id))
        return found

    def _read_work(self, session: Session, found: Standing) -> None:
        """Read what people and programs have to do."""
        open_tasks = session.scalars(_TASKS).all()
        groups = tasks.groups(session, open_tasks)
        found.tasks = [self._task(session, task, tuple(groups[task.id])) for task in open_tasks]
        for work in session.scalars(_WORK):
            if not steps.is_ours(work.topic):
                found.work.append(self._work(session, work))

    def _variables(self, instance: Instance, loaded: Loaded) -> Iterator[OpenVariable]:
        """Yield what the conditional events of a process look at: nobody knows which of them wait, and changing a variable does no harm."""
        for element in loaded.definition.elements.values():
            for name in sorted(element.event.condition.names) if element.event and element.event.condition else ():
                others = [value for value in self.telling(loaded)[name] if value != instance.variables.get(name)]
                yield OpenVariable(instance=instance.id, process=loaded.key, element=element.id, name=name, values=tuple(others))

    def telling(self, loaded: Loaded) -> Telling:
        """Values that a process tells apart."""
        if loaded.id not in self._telling:
            asked = telling.asked(loaded.definition, loaded.decisions)
            self._telling[loaded.id] = telling.values(loaded.definition, asked)
        return self._telling[loaded.id]

    def _along(self, session: Session, loaded: Loaded, element: str, instance: Instance) -> Along:
        """Know the paths that lead on from an element."""
        return partial(self._of_process(session, loaded).samples, element, variables=instance.variables)

    def _of_process(self, session: Session, loaded: Loaded) -> Stories:
        if loaded.id not in self._stories:
            self._stories[loaded.id] = stories.of(session, loaded)
        return self._stories[loaded.id]

    def _task(self, session: Session, task: Task, groups: tuple[str, ...]) -> OpenTask:
        item = session.get(Item, task.item_id) if task.item_id else None
        _, loaded = _of(session, task.instance_id)
        return OpenTask(
            **_common(session, task),
            groups=groups,
            by=self._somebody(session, task, groups),
            item=item.code if item else None,
            due_at=task.due_at,
            samples=self._samples_of(session, task),
            errors=_caught(loaded.definition, task.element, EventType.ERROR),
            escalations=_caught(loaded.definition, task.element, EventType.ESCALATION),
        )

    def _somebody(self, session: Session, task: Task, groups: tuple[str, ...]) -> str:
        """Name an account that may do a task; empty when there is none."""
        wanted = [task.assignee] if task.assignee else [_PEOPLE.get(group, group.replace("department-", "officer-")) for group in groups]
        for name in wanted:
            if name not in self._people:
                self._people[name] = name if accounts.find(session, name) is not None else ""
        return next((self._people[name] for name in wanted if self._people[name]), "")

    def _samples_of(self, session: Session, task: Task) -> tuple[Sample, ...]:
        if task.id not in self._samples:
            instance, loaded = _of(session, task.instance_id)
            form = definitions.form(session, loaded, loaded.definition.elements[task.element])
            along = self._along(session, loaded, task.element, instance)
            if form is None:
                found = samples.combined(self._unfilled(loaded), along)
            else:
                told, now = self.telling(loaded), moments.now().astimezone(calendars.BEIJING)
                found = samples.of_form(form, instance.variables, told, now=now, along=along)
            self._samples[task.id] = tuple(found)
        return self._samples[task.id]

    def _work(self, session: Session, work: ExternalTask) -> OpenWork:
        instance, loaded = _of(session, work.instance_id)
        along = self._along(session, loaded, work.element, instance)
        return OpenWork(
            **_common(session, work),
            what=work.topic,
            samples=tuple(samples.combined(self._reported(session, loaded, work.element), along)),
            errors=_caught(loaded.definition, work.element, EventType.ERROR),
        )

    def _reported(self, session: Session, loaded: Loaded, element: str) -> Telling:
        """Telling values of the variables that a program may set: those that no form fills, and those that are read before one does."""
        early = self._of_process(session, loaded).writes.early(element)
        return {**self._unfilled(loaded), **{name: some for name, some in self.telling(loaded).items() if name in early}}

    def _unfilled(self, loaded: Loaded) -> Telling:
        """Telling values of the variables that no form of the process fills."""
        filled = {each.key for element in loaded.definition.elements.values() if (form := loaded.form(element)) for each in form.fields}
        return {name: some for name, some in self.telling(loaded).items() if name not in filled}


def _read_waits(session: Session, found: Standing) -> None:
    """Read what waits for time, a message or a signal, and what has failed."""
    for timer in session.scalars(_TIMERS):
        if timer.due_at is not None:
            found.timers.append(OpenTimer(**_common(session, timer), due_at=timer.due_at))
    for subscription in session.scalars(_SUBSCRIPTIONS):
        kind = found.messages if subscription.kind == WaitKind.MESSAGE else found.signals
        kind.append(Open(**_common(session, subscription), what=subscription.name))
    for incident in session.scalars(_INCIDENTS):
        found.incidents.append(Open(**_common(session, incident), what=incident.message))


def _read_case(session: Session, case: Case, items: Iterable[Item], found: Standing) -> None:
    set_committed_value(case, "items", [item for item in items if item.case_id == case.id])
    live = case_items.live(case)
    undecided = [item.code for item in live if item.status in UNSETTLED]
    found.items = {item.code for item in live}
    found.withdrawable = [(item.number, item.code) for item in live if item.status in WITHDRAWABLE and item.accepted_at]
    handed_in = lifecycle.handed_in(session, case)
    found.likeness = likeness.of_case(session, case, handed_in)
    found.missing = [material["code"] for material in checklists.missing(case.checklist, handed_in, undecided)]


def let_anybody(session: Session, task_id: UUID) -> None:
    """Open a task to everybody: its groups, or who it is assigned to, have no account here."""
    task = session.get_one(Task, task_id)
    task.assignee = None
    if session.get(TaskGroup, (task_id, "*")) is None:
        session.add(TaskGroup(**task.key, task_id=task_id, name="*"))
    tasks.regroup(session, task)


def _common(session: Session, row: Any) -> dict[str, Any]:
    _, loaded = _of(session, row.instance_id)
    element = loaded.definition.elements[row.element]
    return {
        "id": row.id,
        "instance": row.instance_id,
        "process": loaded.key,
        "element": element.id,
        "name": element.name or element.id,
        "host": _host(loaded.definition, element),
    }


def _of(session: Session, instance_id: UUID) -> tuple[Instance, Loaded]:
    instance = session.get_one(Instance, instance_id)
    return instance, definitions.get(session, instance.definition_id)


def _host(process: Definition, element: Element) -> str | None:
    around = process.elements.get(element.parent or "")
    if around is None or around.type is not ElementType.EVENT_SUBPROCESS or element.type is not ElementType.START_EVENT:
        return element.attached_to
    return around.parent or process.key


def _caught(process: Definition, element: str, kind: EventType) -> tuple[str, ...]:
    """Codes of errors (or escalations) that are caught on an activity or around it."""
    found: list[str] = []
    around: str | None = element
    while around is not None:
        parent = process.elements[around].parent
        catching = [each.event for each in (*process.boundaries(around), *process.event_starts(parent)) if each.event]
        found += [event.name or ANY for event in catching if event.type is kind]
        around = parent
    return tuple(dict.fromkeys(found))
