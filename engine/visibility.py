"""Visibility: whose a task, a case, a clock is, as the ways in which an actor may come to see it.

Each way is a branch of a list (`pages`); something is visible when any of them leads to it.
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
    """What there is among open tasks that not every place has: what there is none of need not be looked for."""

    #: Tasks that name who asks.
    named: bool = True
    #: Open ones of no hall.
    nowhere: bool = True
    #: Open ones of several groups, or of none.
    several: bool = True


_ANYTHING = There()
#: Conditions of partial indexes, which are only used where the statement itself says so.
OPEN_TASK = Task.status == literal_column(f"'{TaskStatus.OPEN}'")
RATING = Task.kind == literal_column("'rating'")
#: A process without a matter belongs to no hall: to its groups alone.
_NOWHERE = Task.hall.is_(None)
OPEN_ITEM = Item.status.in_([literal_column(f"'{status}'") for status in sorted(UNSETTLED)])


def what_is_there(actor: Actor) -> list[ColumnElement[bool]]:
    """Tell what there is (`There`); most are never named, and in most places no task is of no hall, or of several groups."""
    of_open_tasks = (exists().where(OPEN_TASK, which) for which in (_NOWHERE, Task.sole_group.is_(None)))
    return [exists().where(TaskUser.name == actor.name), *of_open_tasks]


def ways_to_tasks(actor: Actor, group: str | None = None, *, there: There) -> Ways:
    """One's own; those of one's groups in one's halls; supervisors and administrators see all of a hall.

    `group`: only of that; `there`: what else there is.
    """
    own = [Task.assignee == actor.name, *([_is_named(actor)] if there.named else [])]
    return _ways_to_tasks(actor, own=own, group=group, there=there)


def sees_task(actor: Actor) -> ColumnElement[bool]:
    """Keep the tasks that an actor sees."""
    return or_(*_ways_to_tasks(actor, own=[Task.assignee == actor.name, _is_named(actor)]))


def may_claim(actor: Actor) -> ColumnElement[bool]:
    """Keep the tasks that an actor sees, whoever has claimed them."""
    return or_(*_ways_to_tasks(actor, own=[_is_named(actor)]))


def is_of_groups() -> ColumnElement[bool]:
    """Keep the tasks that have a candidate group."""
    return or_(Task.sole_group.is_not(None), exists().where(keys.its(TaskGroup.task_id, Task)))


def ways_to_cases(actor: Actor) -> Ways:
    """Cases of one's halls; those with an item of one's department; those one submitted."""
    halls, departments = actor.halls(), actor.departments()
    if halls is None:
        return [true()]
    items = exists().where(keys.together(Item, Case))
    of_departments = [items] if departments is None else [items.where(which) for which in each(Item.department, departments)]
    return [Case.submitted_by == actor.name, *each(Case.hall, halls), *of_departments]


def sees_case(actor: Actor) -> ColumnElement[bool]:
    """Keep the cases that an actor sees."""
    return or_(*ways_to_cases(actor))


def ways_to_items(actor: Actor) -> Ways:
    """Items of one's departments, of the cases of one's halls, and of those one submitted."""
    halls, departments = actor.halls(), actor.departments()
    if halls is None or departments is None:
        return [true()]
    return [Item.submitted_by == actor.name, *each(Item.hall, halls), *each(Item.department, departments)]


def sees_alert(actor: Actor) -> ColumnElement[bool]:
    """Keep the alerts, joined with their cases, that an actor sees: all of a case that is his to see whole, else those of his items."""
    halls, departments = actor.halls(), actor.departments()
    if halls is None:
        return true()
    of_items = [Alert.item_id.is_not(None)] if departments is None else each(Alert.department, departments)
    return or_(Case.submitted_by == actor.name, *each(Case.hall, halls), *of_items)


def _ways_to_tasks(actor: Actor, *, own: Ways, group: str | None = None, there: There = _ANYTHING) -> Ways:
    every: Ways = _of_groups([group], there=there) if group is not None else [true()]  # a wide way is one for each of these
    if actor.has(Role.ADMIN):
        return every
    asked = or_(*every)
    halls = actor.halls()
    in_hall = [*each(Task.hall, halls), *([_NOWHERE] if there.nowhere else [])] if halls is not None else [true()]
    departments = {name for name in actor.groups() if name.startswith("department-")}
    departmental = _of_groups(departments, group, there=there)
    # Who is named is meant, in whatever hall.
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
    """Ways to the tasks of some candidate groups, of those that also have the group that is asked for."""
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
    """Whoever starts a process without a matter to try it out does the tasks there that are nobody's, too."""
    if not actor.has(Role.DESIGNER, Role.SYSTEM):
        return []
    meant = (exists().where(keys.its(row.task_id, Task)) for row in (TaskGroup, TaskUser))
    return [and_(_NOWHERE, Task.sole_group.is_(None), Task.assignee.is_(None), *(~each for each in meant))]
