"""Modification of a process instance: what its operators do when something has gone wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, values
from api.camunda.shown import read_activity_id
from api.transactions import database
from engine import modifications
from engine.errors import InvalidInput
from engine.modifications import Instruction, Verb

bp = Blueprint("modifications", __name__)
#: Camunda's names of instructions, and the field in which each names its target.
_STARTS = {
    "startBeforeActivity": (Verb.BEFORE, "activityId"),
    "startAfterActivity": (Verb.AFTER, "activityId"),
    "startTransition": (Verb.ALONG, "transitionId"),
}


@bp.post("/process-instance/<found>/modification")
def modify(found: str) -> Response:
    """Start at elements, and cancel what is there, one instruction after the other."""
    given = asked.body()
    instructions = read(given, "instructions", of=found)
    with database().transaction() as session:
        instance_id = asked.uuid(found, "Process instance")
        modifications.modify(session, instance_id, instructions, actor=auth.actor(), why=asked.field(given, "annotation", str) or "")
    return answers.nothing()


def read(given: dict[str, Any], name: str, *, of: str | None = None) -> list[Instruction]:
    """Read the instructions of a modification of an instance, or of a start.  There are no listeners that could be skipped."""
    skips = bool(asked.field(given, "skipIoMappings", bool))
    return [replace(_instruction(one, of), skips_mappings=skips) for one in asked.field(given, name, list) or ()]


def _instruction(given: Any, of: str | None) -> Instruction:
    if not isinstance(given, dict):
        raise InvalidInput(f"Expected instructions as objects, but one is {given!r:.80}")
    kind = asked.needed(given, "type", str)
    if kind == "cancel":
        one = asked.field(given, "activityInstanceId", str) or asked.field(given, "transitionInstanceId", str)
        target = None if one else asked.needed(given, "activityId", str)
        return Instruction(verb=Verb.CANCEL, target=target, number=read_activity_id(one) if one else None)
    if kind not in _STARTS:
        raise InvalidInput(f"Expected an instruction of type cancel, {', '.join(_STARTS)}, but it is {kind!r:.80}")
    verb, name = _STARTS[kind]
    typed = asked.field(given, "variables", dict) or {}
    local = {name for name, value in typed.items() if isinstance(value, dict) and value.get("local")}
    return Instruction(
        verb=verb,
        target=asked.needed(given, name, str),
        within=_ancestor(given, of),
        given=values.decode({name: value for name, value in typed.items() if name not in local}),
        local=values.decode({name: value for name, value in typed.items() if name in local}),
    )


def _ancestor(given: dict[str, Any], of: str | None) -> int | None:
    """Read in which activation something is to start; the id of the instance means the process itself."""
    found = asked.field(given, "ancestorActivityInstanceId", str)
    if found is None:
        return None
    if of is None:
        raise InvalidInput(f"Expected to start in a process that has not begun, but ancestorActivityInstanceId is {found!r:.80}")
    return modifications.PROCESS if found == of else read_activity_id(found)
