"""A page of a worklist is what somebody gets who reads all there is and sorts it; to find it takes as long, however much is overdue."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import and_, exists, or_, select, text

from engine import calendars, dials, keys, reads, visibility, worklists
from engine.actors import Role, RoleGrant
from engine.clock import Light
from engine.models import Task, TaskGroup
from engine.worklists import TaskFilter
from tests import tiny
from tests.acceptance import plans
from tests.benchmarks import population

TODAY = date(2026, 3, 2)
TONIGHT = calendars.end_of(TODAY)
NEVER = datetime.max.replace(tzinfo=UTC)
NEAR = range(-6, 7)
MOMENT = timedelta(microseconds=1)
APART = (-MOMENT, MOMENT, timedelta(hours=-16), timedelta(hours=9), timedelta(days=-3), timedelta(days=4))
GROUPS = ("department-market", "department-fire", "window", None)
FILTERS = [
    *({}, {"group": "department-market"}, {"matter": "tiny"}, {"group": "department-market", "matter": "tiny"}, {"hall": "changsha"}),
    *({"due_before": TONIGHT}, {"due_before": TONIGHT + timedelta(days=2)}, {"assignee": "officer-market"}),
]
CASES = 150


def taken_in(stage):
    """Two tasks, of the same department."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 10}, "beta": {"promised": 10}}))
    stage.person("clerk").take_in("tiny")


@pytest.fixture
def case(begun):
    [case] = begun(taken_in)
    return case


@pytest.fixture
def everybody(stage):
    """Who sees all there is."""
    return stage.somebody(RoleGrant(role=Role.ADMIN), name="everybody")


@pytest.fixture
def people(stage, clerk, supervisor, market, everybody):
    of_all_halls = stage.somebody(RoleGrant(role=Role.SUPERVISOR), name="of all halls")
    return [person.actor for person in (clerk, supervisor, market, of_all_halls, everybody)]


def days_of_a_light(chance):
    """As a clock gives them: none before the other, and the later ones may never come."""
    known = chance.choice((0, 1, 2, 3, 3, 3, 3))
    days = [TODAY + timedelta(days=day) for day in sorted(chance.choices(NEAR, k=known))]
    return dict(zip(dials.LIGHTS, (*days, *[None] * (3 - known)), strict=True))


def due(chance, red_from):
    """When its clock turns red, as most is drawn; near that, or near another day; or never."""
    midnight = calendars.start_of(red_from or TODAY + timedelta(days=chance.choice(NEAR)))
    return chance.choice((None, midnight, midnight, midnight, midnight + chance.choice(APART), midnight + chance.choice(APART)))


@pytest.fixture
def chance(stage, case):
    """Many tasks, each with a light, a due date and a place of its own; what is drawn from it further is the same each time."""
    chance = Random(20260302)
    population.multiply(stage.database, case.id, CASES)
    with stage.database.transaction() as session:
        for task in session.scalars(select(Task).where(visibility.OPEN_TASK).order_by(Task.id)):
            for name, day in days_of_a_light(chance).items():
                setattr(task, name, day)
            task.due_at = due(chance, task.red_from)
            task.hall, task.sole_group = chance.choice(("changsha", "changsha", "yuelu", None)), chance.choice(GROUPS)
            task.matter, task.assignee = chance.choice(("tiny", "other")), chance.choice((None, None, "officer-market"))
    return chance


def plainly(stage, actor, wanted):
    """All that somebody sees of what is asked for, in the order of a list."""
    several = and_(Task.sole_group.is_(None), exists().where(keys.its(TaskGroup.task_id, Task), TaskGroup.name == wanted.group))
    query = select(Task).where(Task.status == "open", visibility.sees_task(actor))
    query = query.where(*reads.equal({Task.assignee: wanted.assignee, Task.matter: wanted.matter, Task.hall: wanted.hall}))
    if wanted.group:
        query = query.where(or_(Task.sole_group == wanted.group, several))
    with stage.reading() as session:
        found = [task for task in session.scalars(query) if wanted.light in {None, dials.light(task, TODAY)}]
        if wanted.due_before:
            found = [task for task in found if task.due_at and task.due_at < wanted.due_before]
        return sorted(((task.due_at, task.id) for task in found), key=place)


def place(row):
    return row[0] or NEVER, row[1]


def page(stage, actor, wanted, *, after=None, limit=20):
    with stage.reading() as session:
        return [(task.due_at, task.id) for task in worklists.find_tasks(session, actor, wanted, after=after, limit=limit)]


@pytest.mark.parametrize(("few", "indexed"), [(0, True), (0, False), (2000, True)])
def test_find_tasks__as_if_all_were_read_and_sorted(stage, people, chance, rare, few, indexed):
    """Whatever is asked, page by page, and from any place on, also before the schema has the index of what is due apart from its clock."""
    rare(few)
    if not indexed:
        with stage.database.transaction() as session:
            session.execute(text("DROP INDEX ix_tasks_open_apart"))
    everything = plainly(stage, people[-1], TaskFilter())
    shown = 0
    for actor, filters, light in chance.sample(list(product(people, FILTERS, [None, *Light])), 25):
        wanted = TaskFilter(light=light, **filters)
        expected = plainly(stage, actor, wanted)
        shown += len(expected)
        read = page(stage, actor, wanted)
        while read and len(read) <= len(expected) and (more := page(stage, actor, wanted, after=read[-1])):
            read += more
        assert read == expected, (actor.name, wanted)
        edges = [(TONIGHT, UUID(int=0)), (TONIGHT - MOMENT, UUID(int=2**128 - 1)), (None, UUID(int=0))]
        for after in [*chance.sample(everything, 3), *chance.sample(edges, 1)]:
            assert page(stage, actor, wanted, after=after) == [row for row in expected if place(row) > place(after)][:20], (wanted, after)
    assert shown > 300


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("filters", [{}, {"matter": "tiny"}])
def test_find_tasks__what_is_overdue_is_passed_over(stage, market, everybody, case, rare, filters):
    """Pages of the database that a page of a list touches: in March, when one task in twenty is late, and in August, when nearly all are."""
    rare(0)
    population.multiply(stage.database, case.id, 1500, tables={"cases", "items", "instances", "tasks", "task_groups"})
    population.settle(stage.database)
    touched = {}
    for person, light, month in product((market, everybody), (Light.GREEN, Light.YELLOW), (3, 8)):
        stage.move_to(2026, month, 20)
        with plans.recorded(stage.database) as statements:
            assert len(page(stage, person.actor, TaskFilter(light=light, **filters), limit=2)) == 2
        touched[person.actor.name, light, month] = plans.pages_touched(stage.database, statements)

    assert all(pages < 60 for pages in touched.values()), touched
