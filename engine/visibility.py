"""Visibility: which tasks, cases, items and alerts an actor may see.

There are several reasons to see something, called *ways*.  Each is a condition, and a branch of a list (`pages`); something is visible when
one of them holds.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, literal_column, or_, true

from engine import keys
from engine.actors import Actor, Role
from engine.case_models import Alert, Case, Item
from engine.models import Task, TaskGroup, TaskUser
from engine.pages import each
from engine.states import UNSETTLED, TaskStatus

Ways = list[ColumnElement[bool]]


class There(NamedTuple):
    """Which rare kinds of tasks there are at all: ways that lead only to one of which there is none are left out of a query."""

    #: Tasks that name the actor.
    named: bool = True
    #: Open tasks that belong to no hall.
    nowhere: bool = True
    #: Open tasks that have several candidate groups, or none.
    several: bool = True


#: Nobody has looked: there may be all of them.
_ANYTHING = There()
#: Conditions of partial indexes, which are only used where the statement itself says so.
OPEN_TASK = Task.status == literal_column(f"'{TaskStatus.OPEN}'")
RATING = Task.kind == literal_column("'rating'")
#: Tasks of a process without a matter: they belong to no hall, only to their groups.
_NOWHERE = Task.hall.is_(None)
OPEN_ITEM = Item.status.in_([literal_column(f"'{status}'") for status in sorted(UNSETTLED)])


def what_is_there(actor: Actor) -> list[ColumnElement[bool]]:
    """Ask what `There` says, field by field: most actors are never named, and mostly each open task has a hall and a single group."""
    of_open_tasks = (exists().where(OPEN_TASK, which) for which in (_NOWHERE, Task.sole_group.is_(None)))
    return [exists().where(TaskUser.name == actor.name), *of_open_tasks]


def ways_to_tasks(actor: Actor, group: str | None = None, *, there: There) -> Ways:
    """Give the ways to what an actor has claimed or is named in, and to the tasks of his groups in his halls.

    Supervisors see all tasks of their halls and those of no hall, administrators all there are.  `group`: only tasks that have that
    candidate group; `there`: which rare kinds of tasks there are.
    """
    own = [Task.assignee == actor.name, *([_is_named(actor)] if there.named else [])]
    return _ways_to_tasks(actor, own=own, group=group, there=there)


def sees_task(actor: Actor) -> ColumnElement[bool]:
    """Keep the tasks that an actor sees."""
    return or_(*_ways_to_tasks(actor, own=[Task.assignee == actor.name, _is_named(actor)]))


def may_claim(actor: Actor) -> ColumnElement[bool]:
    """Keep the tasks that an actor would see without having claimed them."""
    return or_(*_ways_to_tasks(actor, own=[_is_named(actor)]))


def is_of_groups() -> ColumnElement[bool]:
    """Keep the tasks that have a candidate group."""
    return or_(Task.sole_group.is_not(None), exists().where(keys.its(TaskGroup.task_id, Task)))


def ways_to_cases(actor: Actor) -> Ways:
    """Give the ways to the cases that an actor has submitted, to those of his halls, and to those with an item of his departments."""
    halls, departments = actor.halls(), actor.departments()
    if halls is None:
        return [true()]
    items = exists().where(keys.same_case(Item, Case))
    of_departments = [items] if departments is None else [items.where(which) for which in each(Item.department, departments)]
    return [Case.submitted_by == actor.name, *each(Case.hall, halls), *of_departments]


def sees_case(actor: Actor) -> ColumnElement[bool]:
    """Keep the cases that an actor sees."""
    return or_(*ways_to_cases(actor))


def ways_to_items(actor: Actor) -> Ways:
    """Give the ways to items of the cases that an actor has submitted, to those of his halls, and to those of his departments."""
    halls, departments = actor.halls(), actor.departments()
    if halls is None or departments is None:
        return [true()]
    return [Item.submitted_by == actor.name, *each(Item.hall, halls), *each(Item.department, departments)]


def sees_alert(actor: Actor) -> ColumnElement[bool]:
    """Keep the alerts, joined with their cases, that an actor sees.

    All alerts of cases that he has submitted and of those of his halls; of other cases, the alerts about items of his departments.
    """
    halls, departments = actor.halls(), actor.departments()
    if halls is None:
        return true()
    of_items = [Alert.item_id.is_not(None)] if departments is None else each(Alert.department, departments)
    return or_(Case.submitted_by == actor.name, *each(Case.hall, halls), *of_items)


def _ways_to_tasks(actor: Actor, *, own: Ways, group: str | None = None, there: There = _ANYTHING) -> Ways:
    every: Ways = _of_groups([group], there=there) if group is not None else [true()]  # a way that leads to many tasks is split by these
    if actor.has(Role.ADMIN):
        return every
    asked = or_(*every)
    halls = actor.halls()
    in_hall = [*each(Task.hall, halls), *([_NOWHERE] if there.nowhere else [])] if halls is not None else [true()]
    departments = {name for name in actor.groups() if name.startswith("department-")}
    departmental = _of_groups(departments, group, there=there)
    # What is one's own is so in whatever hall.
    own = [and_(way, asked) for way in own]
    if actor.has(Role.SUPERVISOR):
        return [*(and_(hall, way) for hall in in_hall for way in every), *departmental, *own]
    at_hand = actor.groups() - departments | {"*"}
    mine = [and_(hall, way) for hall in in_hall for way in _by_sole_group(at_hand, group)]
    if in_hall and there.several:
        mine.append(and_(or_(*in_hall), _among_several(at_hand, group)))
    nobodys = _nobodys(actor) if there.nowhere else []
    return [*mine, *departmental, *own, *(and_(way, asked) for way in (*_own_rating(actor), *nobodys))]


def _of_groups(groups: Collection[str], asked: str | None = None, *, there: There) -> Ways:
    """Give the ways to tasks that have one of these candidate groups, and the group that is `asked` for as well."""
    return [*_by_sole_group(groups, asked), *([_among_several(groups, asked)] if there.several else [])] if groups else []


def _by_sole_group(groups: Collection[str], asked: str | None) -> Ways:
    return each(Task.sole_group, [name for name in groups if asked in {None, name}])


def _among_several(groups: Collection[str], asked: str | None) -> ColumnElement[bool]:
    mine = exists().where(keys.its(TaskGroup.task_id, Task), or_(*each(TaskGroup.name, groups)))
    also = () if asked is None else (exists().where(keys.its(TaskGroup.task_id, Task), TaskGroup.name == asked),)
    return and_(Task.sole_group.is_(None), mine, *also)


def _is_named(actor: Actor) -> ColumnElement[bool]:
    return exists().where(keys.its(TaskUser.task_id, Task), TaskUser.name == actor.name)


def _own_rating(actor: Actor) -> Ways:
    """A channel brings the mark of the applicant for whom it submitted; everything else is done at the window."""
    if not actor.has(Role.CHANNEL):
        return []
    return [and_(RATING, Task.submitted_by == actor.name)]


def _nobodys(actor: Actor) -> Ways:
    """In a process without a matter, whoever may start it may also do tasks that are for nobody: without candidate, without assignee."""
    if not actor.has(Role.DESIGNER, Role.SYSTEM):
        return []
    meant = (exists().where(keys.its(row.task_id, Task)) for row in (TaskGroup, TaskUser))
    return [and_(_NOWHERE, Task.sole_group.is_(None), Task.assignee.is_(None), *(~each for each in meant))]
