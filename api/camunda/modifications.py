"""Modification of a process instance: what its operators do when something has gone wrong."""

from __future__ import annotations

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
#: Camunda's names, and what each names its target by.
_STARTS = {
    "startBeforeActivity": (Verb.BEFORE, "activityId"),
    "startAfterActivity": (Verb.AFTER, "activityId"),
    "startTransition": (Verb.ALONG, "transitionId"),
}


@bp.post("/process-instance/<found>/modification")
def modify(found: str) -> Response:
    """Start at elements, and cancel what is there, one instruction after the other."""
    given = asked.body()
    instructions = read(given, "instructions")
    with database().transaction() as session:
        instance_id = asked.uuid(found, "Process instance")
        modifications.modify(session, instance_id, instructions, actor=auth.actor(), why=asked.field(given, "annotation", str) or "")
    return answers.nothing()


def read(given: dict[str, Any], name: str) -> list[Instruction]:
    """Read the instructions of a modification, or of a start."""
    if asked.field(given, "skipIoMappings", bool):
        raise InvalidInput("Expected input and output mappings to be carried out, but skipIoMappings is true")
    return [_instruction(one) for one in asked.field(given, name, list) or ()]


def _instruction(given: Any) -> Instruction:
    if not isinstance(given, dict):
        raise InvalidInput(f"Expected instructions as objects, but one is {given!r:.80}")
    if given.get("ancestorActivityInstanceId") is not None:
        raise InvalidInput("Expected an instruction from which the scope follows, but it has ancestorActivityInstanceId")
    kind = asked.needed(given, "type", str)
    if kind == "cancel":
        one = asked.field(given, "activityInstanceId", str) or asked.field(given, "transitionInstanceId", str)
        target = None if one else asked.needed(given, "activityId", str)
        return Instruction(verb=Verb.CANCEL, target=target, number=read_activity_id(one) if one else None)
    if kind not in _STARTS:
        raise InvalidInput(f"Expected an instruction of type cancel, {', '.join(_STARTS)}, but it is {kind!r:.80}")
    verb, name = _STARTS[kind]
    variables = asked.field(given, "variables", dict) or {}
    if any(isinstance(typed, dict) and typed.get("local") for typed in variables.values()):
        raise InvalidInput("Expected variables of the process, but some are local")
    return Instruction(verb=verb, target=asked.needed(given, name, str), given=values.decode(variables))
