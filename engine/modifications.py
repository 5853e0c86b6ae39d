"""Modifications: tokens of a process without a matter are put somewhere else by hand, to mend what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from bpmn.errors import InstanceError
from bpmn.instance import Instance as Process
from bpmn.instance import Instruction, Verb
from engine import execution, journal, models, processes, variables
from engine.actors import Actor
from engine.definitions import Loaded
from engine.errors import InvalidInput
from engine.variables import NOTHING, Given

#: `Verb` is named here for those who may not know `bpmn`.
__all__ = ["Step", "Verb", "modify"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: start somewhere, or cancel what is there."""

    verb: Verb
    #: Id of an element or, along a flow, of that; to cancel: all activations of the element.
    target: str | None = None
    #: To cancel one activation: its number.
    number: int | None = None
    given: Given = NOTHING


def modify(session: Session, instance_id: UUID, steps: Sequence[Step], *, actor: Actor, why: str = "") -> None:
    """Put tokens somewhere else, one step after the other.  Raises NotFound, NotPermitted, InvalidState and InvalidInput."""
    processes.require_plain(session, instance_id, actor, to="modify")
    with execution.running(session, instance_id, actor=actor, even_suspended=True) as run:
        for step in steps:
            variables.put(run, step.given)
        try:
            run.process.modify(*(instruction for step in steps for instruction in _instructions(run.process, step)))
        except InstanceError as error:
            raise InvalidInput(str(error)) from error
        told = [f"{step.verb} {step.target if step.number is None else step.number}" for step in steps]
        journal.record(session, run.row, actor=actor, what="process modified", steps=told, why=why)


def start(
    session: Session, loaded: Loaded, steps: Sequence[Step], *, actor: Actor, region: str, key: str | None, given: Given
) -> models.Instance:
    """Start a process without a matter somewhere else than at its start event; raises as `processes.open_plain` does."""
    if any(step.verb is Verb.CANCEL for step in steps):
        raise InvalidInput("Expected to start somewhere, but nothing is there yet to cancel")
    for step in steps:
        given = variables.together(given, step.given)
    elsewhere = tuple(Instruction(verb=step.verb, target=step.target or "") for step in steps)
    return processes.open_plain(session, loaded, actor=actor, region=region, key=key, given=given, elsewhere=elsewhere)


def _instructions(process: Process, step: Step) -> Iterator[Instruction]:
    """Translate a step: to cancel an element means everything that is there now."""
    if step.verb is not Verb.CANCEL:
        yield Instruction(verb=step.verb, target=step.target or "")
    elif step.number is not None:
        yield Instruction(verb=Verb.CANCEL, target=step.number)
    else:
        there = [token.id for token in process.tokens() if token.element == step.target]
        if not there:
            raise InvalidInput(f"Expected something to cancel at {step.target}, but nothing is there")
        yield from (Instruction(verb=Verb.CANCEL, target=number) for number in there)
