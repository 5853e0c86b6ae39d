"""Variables of process instances, of executions and of tasks: all are asked for in one way."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, values
from api.transactions import database, reading
from engine import arranging, disclosures, places, processes, task_lists
from engine.database import Session
from engine.errors import InvalidInput, NotFound
from engine.variables import Given, Seen

bp = Blueprint("variables", __name__)


@dataclass(frozen=True, kw_only=True)
class Holders:
    """Things that have variables, each known by an id in the address: how their variables are read and written."""

    read: Callable[[Session, str], Seen]
    #: Sets some, and deletes others.
    write: Callable[[Session, str, Given], None]


def _of_execution(*, local: bool) -> Holders:
    """What is seen from an execution, or its own (`local`); an instance is one, too."""

    def read(session: Session, found: str) -> Seen:
        place = places.read(found)
        row = processes.get(session, place.instance_id, auth.actor())
        return disclosures.at(session, row, place.number, actor=auth.actor(), local=local)

    def write(session: Session, found: str, given: Given) -> None:
        processes.set_variables(session, places.read(found), given, local=local, actor=auth.actor())

    return Holders(read=read, write=write)


def _of_task(*, local: bool) -> Holders:
    """What is seen from a task, or its own (`local`)."""

    def read(session: Session, found: str) -> Seen:
        listed = task_lists.get(session, _task(found), actor=auth.actor())
        return disclosures.at(session, listed.instance, listed.task.wait, actor=auth.actor(), local=local)

    def write(session: Session, found: str, given: Given) -> None:
        arranging.set_variables(session, _task(found), given, local=local, actor=auth.actor())

    return Holders(read=read, write=write)


def _task(found: str) -> UUID:
    return asked.uuid(found, "Task")


def _serve(at: str, of: Holders) -> None:
    """Answer for what is at an address: all variables, one, its content; setting and removing some, or one."""

    def show_all(found: str) -> Response:
        deserialize = asked.flag("deserializeValues", default=True)
        with reading() as session:
            seen = of.read(session, found)
            return answers.json(values.encode_all(seen.values, seen.types, deserialize=deserialize))

    def show(found: str, name: str) -> Response:
        deserialize = asked.flag("deserializeValue", default=True)
        with reading() as session:
            value, kind = _one(of.read(session, found), name)
        return answers.json(values.encode(value, kind, deserialize=deserialize))

    def download(found: str, name: str) -> Response:
        with reading() as session:
            return _content(name, *_one(of.read(session, found), name))

    def change(found: str, given: dict[str, Any], gone: list[Any]) -> Response:
        told = replace(values.decode(given), gone=frozenset(map(str, gone)))
        with database().transaction() as session:
            of.write(session, found, told)
        return answers.nothing()

    def change_some(found: str) -> Response:
        given = asked.body()
        return change(found, asked.field(given, "modifications", dict) or {}, asked.field(given, "deletions", list) or [])

    for path, method, view in (
        (at, "GET", show_all),
        (at, "POST", change_some),
        (f"{at}/<name>", "GET", show),
        (f"{at}/<name>", "PUT", lambda found, name: change(found, {name: asked.body()}, [])),
        (f"{at}/<name>", "DELETE", lambda found, name: change(found, {}, [name])),
        (f"{at}/<name>/data", "GET", download),
    ):
        bp.add_url_rule(path, f"{method} {path}", view, methods=[method])


def _one(seen: Seen, name: str) -> tuple[Any, dict[str, Any] | None]:
    if name not in seen.values:
        raise NotFound(f"Variable {name} does not exist there")
    return seen.values[name], seen.types.get(name)


def _content(name: str, value: Any, kept: dict[str, Any] | None) -> Response:
    """Give the content of a variable: of a file, or of bytes."""
    kind = values.encode(value, kept)["type"]  # what it has become, whatever it was given as
    if kind not in {"File", "Bytes"}:
        raise InvalidInput(f"Expected variable {name} to be a File or Bytes, but it is {kind}")
    # Whatever it says that it is, a browser shall save it, and not show it.
    made = Response(base64.b64decode(value or ""), content_type="application/octet-stream")
    called = (kept or {}).get("valueInfo", {}).get("filename", name)
    made.headers.set("Content-Disposition", "attachment", filename="".join(filter(str.isprintable, called)))  # a header is one line
    return made


_serve("/process-instance/<found>/variables", _of_execution(local=False))
_serve("/execution/<found>/localVariables", _of_execution(local=True))
_serve("/task/<found>/variables", _of_task(local=False))
_serve("/task/<found>/localVariables", _of_task(local=True))
