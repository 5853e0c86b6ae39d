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
from engine.modifications import Step, Verb

bp = Blueprint("modifications", __name__)
#: Camunda's names, and what each names its target by.
_STARTS = {
    "startBeforeActivity": (Verb.BEFORE, "activityId"),
    "startAfterActivity": (Verb.AFTER, "activityId"),
    "startTransition": (Verb.ALONG, "transitionId"),
}
#: What would make a modification another one than is carried out here.
_UNSUPPORTED = ("ancestorActivityInstanceId",)


@bp.post("/process-instance/<found>/modification")
def modify(found: str) -> Response:
    """Start at elements, and cancel what is there, one instruction after the other."""
    given = asked.body()
    steps = read(given, "instructions")
    with database().transaction() as session:
        instance_id = asked.uuid(found, "Process instance")
        modifications.modify(session, instance_id, steps, actor=auth.actor(), why=asked.field(given, "annotation", str) or "")
    return answers.nothing()


def read(given: dict[str, Any], name: str) -> list[Step]:
    """Read the instructions of a modification, or of a start."""
    if asked.field(given, "skipIoMappings", bool):
        raise InvalidInput("Expected input and output mappings to be carried out, but skipIoMappings is true")
    return [_step(instruction) for instruction in asked.field(given, name, list) or ()]


def _step(instruction: Any) -> Step:
    if not isinstance(instruction, dict):
        raise InvalidInput(f"Expected instructions as objects, but one is {instruction!r:.80}")
    if unsupported := [name for name in _UNSUPPORTED if instruction.get(name) is not None]:
        raise InvalidInput(f"Expected an instruction that the scope follows from, but it has {unsupported[0]}")
    kind = asked.needed(instruction, "type", str)
    if kind == "cancel":
        one = asked.field(instruction, "activityInstanceId", str) or asked.field(instruction, "transitionInstanceId", str)
        target = None if one else asked.needed(instruction, "activityId", str)
        return Step(verb=Verb.CANCEL, target=target, number=read_activity_id(one) if one else None)
    if kind not in _STARTS:
        raise InvalidInput(f"Expected an instruction of type cancel, {', '.join(_STARTS)}, but it is {kind!r:.80}")
    verb, name = _STARTS[kind]
    variables = asked.field(instruction, "variables", dict) or {}
    if any(isinstance(typed, dict) and typed.get("local") for typed in variables.values()):
        raise InvalidInput("Expected variables of the process, but some are local")
    return Step(verb=verb, target=asked.needed(instruction, name, str), given=values.decode(variables))
