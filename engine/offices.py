"""Departments (部门) and halls (大厅): who decides, and where people come.

Their codes stay as they are, for diagrams and cases have them; one goes when nothing has its code any more that may go on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, delete, exists, func, insert, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bpmn.definition import Binding
from engine import administration, definitions, holidays, jobs, keys, postgresql
from engine.account_models import Account, Grant
from engine.actors import Actor, Role
from engine.archive_models import ArchivedCase
from engine.case_models import Case, Item
from engine.definitions import Loaded
from engine.errors import Busy, InvalidInput, InvalidState, NotFound
from engine.models import Definition, Department, Hall, Instance, Job, Task, TaskGroup
from engine.states import InstanceStatus
from engine.visibility import OPEN_ITEM, OPEN_TASK

Office = TypeVar("Office", Department, Hall)
#: What can stand in a list of candidate groups (`department-fire,window`) and in an address.
_CODE = re.compile(r"\w[\w.-]{0,39}")
#: How often it is asked whether those have done who are at work, and how long it is waited then, seconds.
_LOOKS, _PAUSE = 300, 0.1
#: How many of a kind are named that are in the way.
_NAMED = 5


def put_department(session: Session, code: str, *, actor: Actor, name: str) -> tuple[Department, bool]:
    """Make a department, or give it another name; tells also whether it was made.  Once more changes nothing."""
    actor.require(Role.ADMIN, to="make or rename a department")
    department, made = _put(session, Department, code, name=name)
    administration.record(session, f"department {'made' if made else 'named'}", actor=actor, department=code, name=name)
    return department, made


def put_hall(session: Session, code: str, *, actor: Actor, name: str, level: str) -> tuple[Hall, bool]:
    """Make a hall, or give it another name and level (city, county, street …); tells also whether it was made."""
    actor.require(Role.ADMIN, to="make or rename a hall")
    hall, made = _put(session, Hall, code, name=name, level=level)
    administration.record(session, f"hall {'made' if made else 'named'}", actor=actor, hall=code, name=name, level=level)
    return hall, made


def delete_department(session: Session, code: str, *, actor: Actor) -> Department:
    """Take a department away; the roles of disabled accounts there go along, and what has ended keeps its code.

    Raises NotFound, InvalidState as long as somebody has a role there, an item or a task of it is open, or a process names it in its newest
    version or in one that still runs, is called or is to begin, and Busy when somebody who begins a case, or is at work, does not come to
    an end.
    """
    actor.require(Role.ADMIN, to="delete a department")
    _get(session, Department, code)
    _require_nothing(Department, code, _of_department(session, code))  # before anybody has to wait for us
    _wait_for_who_is_at_work(session, to=f"delete department {code}")
    # What somebody begins just now, by a version that was the newest when he began, nobody else can see yet.
    holidays.wait_for_beginners(session, to=f"delete department {code}")
    gone = _delete(session, Department, code, _of_department(session, code), Grant.department == code)
    administration.record(session, "department deleted", actor=actor, department=code, name=gone.name)
    return gone


def delete_hall(session: Session, code: str, *, actor: Actor) -> Hall:
    """Take a hall away; the roles of disabled accounts there go along.

    Raises NotFound, and InvalidState as long as somebody has a role there, or a case is of it, ended and archived ones among them.
    """
    actor.require(Role.ADMIN, to="delete a hall")
    found = {
        "accounts": _few(session, _holders(Grant.hall == code)),
        "cases": _few(session, select(Case.number).where(Case.hall == code)),
        "archived cases": _few(session, select(ArchivedCase.number).where(ArchivedCase.hall == code)),
    }
    gone = _delete(session, Hall, code, found, Grant.hall == code)
    administration.record(session, "hall deleted", actor=actor, hall=code, name=gone.name)
    return gone


def listing(session: Session, kind: type[Office], *, after: str = "", limit: int = 50) -> Sequence[Office]:
    """List departments or halls by code, from the one that follows `after`."""
    return session.scalars(select(kind).where(kind.code > after).order_by(kind.code).limit(limit)).all()


def names(session: Session, kind: type[Office]) -> dict[str, str]:
    """Names of all departments, or halls, by code."""
    return dict(session.execute(select(kind.code, kind.name)).all())


def require(session: Session, kind: type[Office], code: str, *, field: str) -> None:
    """Raise InvalidInput unless there is a department or a hall of this code; of one that is called so, the code is said."""
    known = {each.code: each.name for each in session.scalars(select(kind).order_by(kind.code))}
    if code not in known:
        meant = [other for other, name in known.items() if code in name][:_NAMED]
        what = kind.__name__.lower()
        hint = f"write {' or '.join(meant)}" if meant else f"GET /{what}s lists them"
        raise InvalidInput.of_field(field, f"Expected the code of a {what}, but {code!r:.80} is none: {hint}")


def _put(session: Session, kind: type[Office], code: str, **values: str) -> tuple[Office, bool]:
    if not _CODE.fullmatch(code):
        message = f"Expected a code of letters, digits, dots, dashes and underscores, 40 at most, but got {code!r:.100}"
        raise InvalidInput.of_field("code", message)
    connection, table = session.connection(), kind.__table__
    change = update(table).where(table.c.code == code).values(values)
    made = not connection.execute(change).rowcount
    if made:
        try:
            with connection.begin_nested():
                connection.execute(insert(table).values(code=code, **values))
        except IntegrityError:  # somebody else made it in the same moment
            connection.execute(change)
            made = False
    return session.get_one(kind, code, populate_existing=True), made


def _of_department(session: Session, code: str) -> dict[str, list[str]]:
    group = f"department-{code}"
    grouped = exists().where(keys.same_case(TaskGroup, Task), TaskGroup.task_id == Task.id, TaskGroup.name == group)
    return {
        "accounts": _few(session, _holders(Grant.department == code)),
        "open items": _few(session, select(Item.number).where(OPEN_ITEM, Item.department == code)),
        "open tasks": _few(session, select(Task.name).where(OPEN_TASK, or_(Task.sole_group == group, grouped))),
        "processes": list(_processes(session, code, group))[:_NAMED],
    }


def _wait_for_who_is_at_work(session: Session, *, to: str) -> None:
    """Wait for all who hold a process now: they may be calling another one, in a version that was the newest when they began.

    We hold nothing meanwhile, so nobody waits for us.  Whoever begins later calls the newest version.
    """
    connection = session.connection()
    if not postgresql.is_behind(connection):
        return
    there = postgresql.at_work(connection, Instance.__tablename__)
    for _ in range(_LOOKS):
        if not there & postgresql.at_work(connection, Instance.__tablename__):
            return
        time.sleep(_PAUSE)
    raise Busy(f"Expected to {to} when all who work just now have done, but somebody does not come to an end; try again")


def _get(session: Session, kind: type[Office], code: str) -> Office:
    row = session.get(kind, code)
    if row is None:
        raise NotFound(f"Expected {kind.__name__.lower()} {code}, but there is none of that code")
    return row


def _require_nothing(kind: type[Office], code: str, found: dict[str, list[str]]) -> None:
    if told := "; ".join(f"{what} {', '.join(names)}" for what, names in found.items() if names):
        raise InvalidState(f"Expected nothing to refer to {kind.__name__.lower()} {code}, but there are {told}")


def _delete(session: Session, kind: type[Office], code: str, found: dict[str, list[str]], its: ColumnElement[bool]) -> Office:
    """Delete a row that nothing is found of, with its grants; whoever comes to refer to it meanwhile makes the database refuse it."""
    row = _get(session, kind, code)
    _require_nothing(kind, code, found)
    session.execute(delete(Grant).where(its))
    session.delete(row)
    session.flush()
    return row


def _holders(its: ColumnElement[bool]) -> Select[Any]:
    return select(Account.name).join(Grant, Grant.account_id == Account.id).where(its, Account.disabled.is_(False)).distinct()


def _few(session: Session, query: Select[Any]) -> list[str]:
    return list(session.scalars(query.limit(_NAMED)))


def _processes(session: Session, code: str, group: str) -> Iterator[str]:
    """Processes that name a department, as their own or as a candidate group: in the newest version, or in one that runs or is to."""
    keys_of_all = session.scalars(select(Definition.key).distinct().order_by(Definition.key)).all()
    newest = [definitions.latest(session, key).id for key in keys_of_all]
    runs = exists().where(Instance.definition_id == Definition.id, Instance.status == InstanceStatus.RUNNING)
    old = session.scalars(select(Definition.id).where(runs).order_by(Definition.key, Definition.version)).all()
    known = list(dict.fromkeys((*newest, *old, *_owed(session))))
    for which in known:
        found = definitions.get(session, which)
        known += (each for each in _bound(session, found) if each not in known)  # and is looked at in its turn
        groups = {each.source for element in found.definition.elements.values() for each in element.candidate_groups}
        if found.definition.properties.get("onething.department") == code or group in groups:
            yield found.key if which in newest else f"{found.key} (version {found.version})"


def _owed(session: Session) -> Iterator[UUID]:
    """Versions that begin when what is owed is done: a signal has been thrown, or it has failed and waits for another attempt."""
    before = '{"definition":"'  # which is told before all else
    said = func.substr(type_coerce(Job.payload, Text), len(before) + 1, len(str(UUID(int=0))))
    for which in session.scalars(select(said).where(Job.kind == jobs.BEGIN).distinct()):
        if session.get(Definition, UUID(which)) is not None:  # one that was deleted begins no more
            yield UUID(which)


def _bound(session: Session, caller: Loaded) -> Iterator[UUID]:
    """Versions that a process calls whatever is deployed later; what a case computes is not known yet."""
    for element in caller.definition.elements.values():
        if element.called is not None and element.binding is not Binding.LATEST:
            version = element.called_version.source if element.called_version else None
            if found := definitions.bound(session, caller, element.called.source, element.binding, version):
                yield found
