"""Entities: objects of SQLAlchemy's session whose changes are written by `writes`, in one statement with everything else.

The session itself would send a statement for each table and each set of columns, and each is a round trip.  The flush is left to it only
where one table is written in more than one way, so that the order of the statements matters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Table, event
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state, set_committed_value

from engine.columns import alike
from engine.models import Base
from engine.writes import OLD, Writes

Known = TypeVar("Known", bound=Base)


def hand_over(session: Session, writes: Writes) -> None:
    """Move the changes of a session into `writes`; where their order matters, let the session flush them now instead."""
    if not _take(session, writes):
        session.flush()


def know(session: Session, kind: type[Known], row: Mapping[str, Any]) -> Known:
    """Make the object of a row that was just read (`row`: {name: value}); if the session has it already, bring that up to date."""
    mapper = kind.__mapper__
    key = mapper.identity_key_from_primary_key(tuple(row[name] for name in _known_by(kind)))
    known: Known | None = session.identity_map.get(key)
    if known is not None:
        session.expire(known)  # its relationships, too: they are read again when they are asked for
        for name, value in row.items():
            set_committed_value(known, name, value)
        return known
    new: Known = mapper.class_manager.new_instance()
    vars(new).update(row)
    state = instance_state(new)
    state.key, state.session_id = key, session.hash_key  # as the mapper does it, but without looking for new objects that it refers to
    session.identity_map.add(state)
    return new


@cache
def attributes(kind: type[Base]) -> Mapping[str, str]:
    """Map the columns of a table to the names that they have in its objects."""
    return {found.columns[0].name: found.key for found in kind.__mapper__.column_attrs}


@cache
def _known_by(kind: type[Base]) -> tuple[str, ...]:
    return tuple(attributes(kind)[column.name] for column in kind.__mapper__.primary_key)


@event.listens_for(Session, "before_flush")
def _flush(session: Session, *_about: object) -> None:
    """Write what is to be flushed in one statement, so that the mapper finds nothing left to do."""
    writes = Writes()
    if _take(session, writes):
        writes.run(session)


def _take(session: Session, writes: Writes) -> bool:
    """Move what is new, changed or deleted into `writes`; False: nothing was moved, since the order matters."""
    new: list[Base]
    changed: list[Base]
    gone: list[Base]
    new, changed, gone = list(session.new), list(session.dirty), list(session.deleted)
    if not (new or changed or gone):
        return True
    if not _in_any_order([new, changed, gone], writes):
        return False
    for entity in sorted(new, key=lambda entity: _place(entity.__table__)):
        _add(entity, writes)
    for entity, values in sorted(((entity, _new_values(entity)) for entity in changed), key=_order):
        _change(entity, values, writes)
    for entity in gone:
        writes.delete(entity.__table__, [_key(entity)])
    _are_written(session, [*new, *changed], gone)
    return True


def _in_any_order(written: Iterable[Collection[Base]], writes: Writes) -> bool:
    """Whether each table is written in one way only, and is plain: without version ids, and with columns named as the attributes."""
    kinds = [kind for entities in written for kind in {type(entity) for entity in entities}]
    tables = [kind.__table__ for kind in kinds] + list({part.table for part in writes.rows})
    return len(set(tables)) == len(tables) and all(map(_is_plain, kinds))


@cache
def _is_plain(kind: type[Base]) -> bool:
    return kind.__mapper__.version_id_col is None and all(column == name for column, name in attributes(kind).items())


def _add(entity: Base, writes: Writes) -> None:
    said = {name: value for name, value in vars(entity).items() if value is not None}
    (row,) = writes.insert(entity.__table__, [said])
    vars(entity).update(row)  # with its defaults


def _new_values(entity: Base) -> dict[str, Any]:
    now, columns, before = vars(entity), entity.__table__.c, instance_state(entity).committed_state
    return {name: now[name] for name, value in before.items() if name in columns and not alike(now[name], value)}


def _order(change: tuple[Base, Mapping[str, Any]]) -> tuple[int, list[str]]:
    """Put changes in one order, which the session does not: each other order would be another statement to build and to prepare."""
    entity, values = change
    return _place(entity.__table__), list(values)


def _change(entity: Base, values: Mapping[str, Any], writes: Writes) -> None:
    if values:
        key = _key(entity)
        writes.update(entity.__table__, [{**{OLD + name: value for name, value in key.items()}, **values}], by=tuple(key), exact=True)


def _key(entity: Base) -> dict[str, Any]:
    """The primary key under which the row is stored."""
    before = instance_state(entity).committed_state
    return {name: before[name] if name in before else getattr(entity, name) for name in _key_of(entity.__table__)}


@cache
def _key_of(table: Table) -> tuple[str, ...]:
    return tuple(str(column.name) for column in table.primary_key)


def _are_written(session: Session, there: Iterable[Base], gone: Iterable[Base]) -> None:
    """Tell the session that these are written, as the mapper does after a flush, so that a savepoint which is rolled back knows them."""
    session._register_persistent({instance_state(entity) for entity in there})  # noqa: SLF001 - there is no other way to say so
    session._remove_newly_deleted({instance_state(entity) for entity in gone})  # noqa: SLF001


@cache
def _place(table: Table) -> int:
    """Return the place of a table among all of them: behind those that it refers to, whose rows must be there first."""
    return Base.metadata.sorted_tables.index(table)
