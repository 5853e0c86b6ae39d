"""Fetches (取任务): a worker asks for external tasks, and has those that it is given until their lock runs out.

Free tasks are found quickly however many others have come and gone before them: where to search, the process remembers (`remains`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, and_, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from engine import external_tasks, keys, moments, postgresql, reads, remains, variables
from engine.actors import Actor
from engine.external_tasks import Found
from engine.models import Definition, ExternalTask, Instance

_TASKS = ExternalTask.__table__
_COLUMNS = tuple(_TASKS.c[name] for name in ("id", *keys.KEY, "instance_id", "item_id", "topic", "priority", "created_at"))
#: How many candidates are named in one go, and how many are read at least: an instance may be large.
LOOK, READ = 1000, 10


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One topic that a worker asks for."""

    topic: str
    lock: timedelta
    business_key: str | None = None
    definition_ids: frozenset[UUID] | None = None
    definition_keys: frozenset[str] | None = None
    version_tag: str | None = None
    #: Variables that must have these values.
    variables: Mapping[str, Any] = field(default_factory=dict)

    def takes(self, task: Found) -> bool:
        """Whether a task is what is asked for."""
        return (
            task.task.topic == self.topic
            and self.business_key in {None, task.instance.business_key}
            and (self.definition_ids is None or task.definition.id in self.definition_ids)
            and (self.definition_keys is None or task.definition.key in self.definition_keys)
            and self.version_tag in {None, task.definition.version_tag}
            and variables.have(task.instance.variables, self.variables)
        )

    def condition(self, task: type[ExternalTask]) -> ColumnElement[bool]:
        """Condition: the same in SQL, apart from the variables."""
        said = {task.topic: self.topic, Instance.business_key: self.business_key, Definition.version_tag: self.version_tag}
        asked = reads.equal(said)
        if self.definition_ids is not None:
            asked.append(Definition.id.in_(self.definition_ids))
        if self.definition_keys is not None:
            asked.append(Definition.key.in_(self.definition_keys))
        return and_(*asked)


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """What a worker asks for."""

    worker: str
    limit: int
    wanted: tuple[Wanted, ...]
    by_priority: bool = False
    #: Oldest first, newest first, or as it comes.
    oldest_first: bool | None = None

    @property
    def topics(self) -> set[str]:
        """The topics that it asks for."""
        return {wanted.topic for wanted in self.wanted}

    @property
    def alike(self) -> str:
        """Return what is asked for, as a text: two fetches of one account that have the same text would be given the same tasks."""
        return repr([replace(wanted, lock=timedelta()) for wanted in self.wanted])


def is_there(session: Session, what: Fetch, *, actor: Actor) -> bool:
    """Whether a fetch would give something, without locking anything.  Raises NotPermitted."""
    actor.require(*external_tasks.WORKERS, to="fetch external tasks")
    _look(session, what.topics)
    return next(_candidates(session, what, actor), None) is not None


def fetch(session: Session, what: Fetch, *, actor: Actor) -> list[tuple[Found, Wanted]]:
    """Lock free tasks for a worker, at most `what.limit`; returns each with the topic asked for.  Raises NotPermitted.

    Of two who fetch at once each gets other tasks.
    """
    actor.require(*external_tasks.WORKERS, to="fetch external tasks")
    fetched: list[tuple[Found, Wanted]] = []
    for found, wanted in _candidates(session, what, actor):
        now = moments.now()
        # Whoever fetches or completes it in this moment has it: it is skipped, not waited for.
        free = select(ExternalTask).where(keys.its(ExternalTask.id, found.task), _is_free(now)).execution_options(populate_existing=True)
        task = session.scalar(free.with_for_update(skip_locked=True, key_share=True))
        if task is None:
            continue
        task.worker, task.lock_expires_at = what.worker, now + wanted.lock
        fetched.append((found, wanted))
        if len(fetched) >= what.limit:
            break
    return fetched


def ready_topics(session: Session, topics: Collection[str]) -> set[str]:
    """Return those of some topics of which a task may be fetched now."""
    if not topics:
        return set()
    _look(session, topics)
    task = _free(session, topics)
    query = select(task.topic).join(Instance, keys.its(task.instance_id, Instance)).where(~Instance.suspended)
    return set(session.scalars(query.distinct()))


def _is_free(now: datetime) -> ColumnElement[bool]:
    unlocked = or_(ExternalTask.lock_expires_at.is_(None), ExternalTask.lock_expires_at <= now)
    return unlocked & or_(ExternalTask.retries.is_(None), ExternalTask.retries > 0)


def _look(session: Session, topics: Collection[str]) -> None:
    """Look through the queues of the topics, if it is time (`remains`); also for tasks that are locked, which may be free soon."""
    memory = remains.memory(session)
    for topic in topics:
        memory.look(session, ExternalTask, topic)


def _free(session: Session, topics: Collection[str]) -> type[ExternalTask]:
    """Select the free tasks of some topics, in a part of the statement that PostgreSQL evaluates by itself, before anything is joined.

    Otherwise a planner that believes the table to be empty, while it has millions of dead rows, might read a whole index for its order.
    """
    free = _is_free(moments.now())
    found = union_all(*(select(*_COLUMNS).where(free, *place) for place in _places(session, topics)))
    return aliased(ExternalTask, postgresql.by_itself(found.cte("free")))


def _places(session: Session, topics: Collection[str]) -> Iterator[list[ColumnElement[bool] | TextClause]]:
    """Yield conditions for where tasks of some topics may be: those that have come since the last look, and those that waited then.

    The first is a range of the index, the second some points.  They are not joined by OR, for which the whole index might be read.
    """
    known = {topic: remains.memory(session).of(ExternalTask, topic) for topic in sorted(topics)}
    yield [or_(*(and_(ExternalTask.topic == topic, ExternalTask.created_at >= found.since) for topic, found in known.items()))]
    older = {moment for found in known.values() for moment in found.older}
    yield [ExternalTask.topic.in_(known), reads.among(session, ExternalTask.created_at, older)]


def _candidates(session: Session, what: Fetch, actor: Actor) -> Iterator[tuple[Found, Wanted]]:
    """Yield the free tasks that fit what is asked for, in the order asked for, each with its topic."""
    ids = _named(session, what, actor)
    several = max(what.limit, READ)
    for some in (ids[first : first + several] for first in range(0, len(ids), several)):
        task = aliased(ExternalTask, postgresql.by_itself(select(_TASKS).where(_TASKS.c.id.in_(some)).cte("named")))
        rows = session.execute(external_tasks.search(actor, task))
        there = {task.id: Found(task=task, instance=instance, definition=definition) for task, instance, definition in rows}
        for found in (there[one] for one in some if one in there):
            wanted = next((w for w in what.wanted if w.takes(found)), None)
            if wanted is not None:
                yield found, wanted


def _named(session: Session, what: Fetch, actor: Actor) -> list[UUID]:
    """Return the ids of the free tasks that fit, apart from the variables, in the order asked for."""
    task = _free(session, what.topics)
    query = external_tasks.search(actor, task).with_only_columns(task.id, maintain_column_froms=True)
    query = query.where(~Instance.suspended, or_(*(wanted.condition(task) for wanted in what.wanted)))
    first = [task.priority.desc()] if what.by_priority else []
    named = query.order_by(*first, task.created_at.desc() if what.oldest_first is False else task.created_at, task.id)
    # Of many ids few may have the variables that are asked for: then there is no limit, and tasks are read until enough are found.
    some = any(not wanted.variables for wanted in what.wanted)
    return list(session.scalars(named.limit(max(LOOK, what.limit)) if some else named))
