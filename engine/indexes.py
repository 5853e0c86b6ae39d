"""Indexes of lists: what is open, or all cases, in the order in which a list shows them; one for each way to see them (`visibility`).

Those of open rows are partial: they stay small however much is over, and a row that ends costs them nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Index, and_, text
from sqlalchemy.orm import InstrumentedAttribute

from engine import dials
from engine.actors import ENGINE
from engine.archive_models import ArchivedCase
from engine.case_models import Case, CaseMigration, Item
from engine.models import Entry, ExternalTask, Incident, Instance, Task, Timer
from engine.states import UNSETTLED, InstanceStatus

OPEN_TASK = "status = 'open'"
OPEN_CASE = "ended_at IS NULL"
OPEN_ITEM = f"status IN ({', '.join(repr(str(status)) for status in sorted(UNSETTLED))})"


def _open(name: str, *columns: InstrumentedAttribute[Any], where: str, also: ColumnElement[bool] | None = None) -> None:
    condition = text(where) if also is None else and_(text(where), also)
    Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


# Where a list may be asked for one light, its index holds the lights as well, behind the order: what shows another light is passed over
# without a look at its row.  What only a few rows show is found by the light itself: red, or yellow.
_TASK, _ITEM, _CASE = (tuple(getattr(table, name) for name in dials.LIGHTS) for table in (Task, Item, Case))

# Worklists: by hall and group, by group, by hall, all of them; by assignee; of one matter; marks to be given.
_open("ix_tasks_open_in_hall_of_group", Task.hall, Task.sole_group, Task.due_at, Task.id, *_TASK, where=OPEN_TASK)
_open("ix_tasks_open_of_group", Task.sole_group, Task.due_at, Task.id, *_TASK, where=OPEN_TASK)
_open("ix_tasks_open_in_hall", Task.hall, Task.due_at, Task.id, *_TASK, where=OPEN_TASK)
_open("ix_tasks_open_due", Task.due_at, Task.id, *_TASK, where=OPEN_TASK)
_open("ix_tasks_open_assignee", Task.assignee, Task.due_at, Task.id, where=OPEN_TASK)
_open("ix_tasks_open_of_matter", Task.matter, Task.due_at, Task.id, *_TASK, where=OPEN_TASK)
_open("ix_tasks_open_rating", Task.submitted_by, Task.due_at, Task.id, where=f"{OPEN_TASK} AND kind = 'rating'")
_open("ix_tasks_open_light", Task.yellow_from, Task.red_from, where=OPEN_TASK)
_open("ix_tasks_open_red", Task.red_from, where=f"{OPEN_TASK} AND red_from IS NOT NULL")
# Whose light is not found by the day on which it is due, however one comes to see it.
_APART = Task.due_at, Task.id, Task.sole_group, Task.hall, Task.matter, Task.yellow_from, Task.red_from
_open("ix_tasks_open_apart", *_APART, where=OPEN_TASK, also=dials.APART)

# Deadlines: of a hall, of a department, of a channel, all of them.
_open("ix_items_open_in_hall", Item.hall, Item.promised_on, Item.number, Item.id, *_ITEM, where=OPEN_ITEM)
_open("ix_items_open_of_department", Item.department, Item.promised_on, Item.number, Item.id, *_ITEM, where=OPEN_ITEM)
_open("ix_items_open_submitted_by", Item.submitted_by, Item.promised_on, Item.number, where=OPEN_ITEM)
_open("ix_items_open_due", Item.promised_on, Item.number, Item.id, *_ITEM, where=OPEN_ITEM)
_open("ix_items_open_light", Item.yellow_from, Item.red_from, where=OPEN_ITEM)
_open("ix_items_open_red", Item.red_from, where=f"{OPEN_ITEM} AND red_from IS NOT NULL")
_open("ix_cases_open_in_hall_due", Case.hall, Case.promised_on, Case.number, Case.id, *_CASE, where=OPEN_CASE)
_open("ix_cases_open_promised", Case.promised_on, Case.number, Case.id, *_CASE, where=OPEN_CASE)

# What is due once more, after it was tried in vain; few are.
_open("ix_timers_tried", Timer.due_at, where="error IS NOT NULL")

# What stands, the oldest first: incidents are kept when they are resolved, and few are not.
_open("ix_incidents_standing", Incident.id, where="resolved_at IS NULL")

# What somebody did, the newest last; what the engine does is most, and nobody asks for it.
_open("ix_journal_actor", Entry.actor, Entry.at, where=f"actor <> '{ENGINE.name}'")

# What a worker asks for.  Nothing that a fetch writes is in it: where its page has room, a row that is locked leaves no dead entry behind.
Index("ix_external_tasks_arrived", ExternalTask.topic, ExternalTask.created_at)

# Cases in which anything goes on, also when they have ended.
_open("ix_instances_running", Instance.case_id, where=f"status = '{InstanceStatus.RUNNING}'")

# What an instance has called.
Index("ix_instances_parent", Instance.parent_id, Instance.parent_wait)

# Cases, the newest first.
Index("ix_cases_hall", Case.hall, Case.id)
Index("ix_cases_matter", Case.matter, Case.id)
Index("ix_cases_submitted_by", Case.submitted_by, Case.id)
Index("ix_cases_light", Case.yellow_from, Case.red_from)
_open("ix_cases_red", Case.red_from, where="red_from IS NOT NULL")
Index("ix_items_department", Item.department, Item.case_id)
_open("ix_cases_open_hall", Case.hall, Case.id, where=OPEN_CASE)
_open("ix_cases_open", Case.id, where=OPEN_CASE)

# What refers to a version of a process, and cases of a hall: who deletes one looks whether there is any.
Index("ix_instances_definition", Instance.definition_id)
_open("ix_incidents_definition", Incident.definition_id, where="definition_id IS NOT NULL")
Index("ix_case_migrations_from", CaseMigration.from_id)
Index("ix_case_migrations_to", CaseMigration.to_id)
Index("ix_archived_cases_hall", ArchivedCase.hall)

_open("ix_archived_cases_unread", ArchivedCase.ended_at, where="versions_kept IS NULL")

# What has ended in a period and is archived: it is counted by what stands here, without a look at the rows, of which each has its document.
Index("ix_archived_cases_ended", ArchivedCase.ended_at, ArchivedCase.matter, ArchivedCase.hall, ArchivedCase.submitted_by)
