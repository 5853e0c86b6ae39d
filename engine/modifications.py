"""Modifications: tokens of a process without a matter are put somewhere else by hand, to mend what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from bpmn.errors import InstanceError
from bpmn.instance import Instance as Awake
from bpmn.instructions import PROCESS, Verb
from bpmn.instructions import Instruction as Single
from engine import callers, execution, journal, processes, variables
from engine.actors import Actor
from engine.definitions import Loaded
from engine.errors import InvalidInput
from engine.holdings import Held
from engine.runs import Origin, Run
from engine.states import InstanceStatus
from engine.variables import NOTHING, Given

#: `Verb` and `PROCESS` are named here for those who may not know `bpmn`.
__all__ = ["PROCESS", "Instruction", "Verb", "end", "modify", "start"]


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """Start somewhere, or cancel what is there."""

    verb: Verb
    #: Id of an element or, along a flow, of that; to cancel: all activations of the element.
    target: str | None = None
    #: To cancel one activation: its number.
    number: int | None = None
    #: To start: the activation around it in which; None: it follows from what runs.
    within: int | None = None
    given: Given = NOTHING
    #: To start: local variables of what starts.
    local: Given = NOTHING
    #: Whether no input and output parameters are carried out.
    skips_mappings: bool = False


def modify(session: Session, instance_id: UUID, instructions: Sequence[Instruction], *, actor: Actor, why: str = "") -> None:
    """Put tokens somewhere else, one instruction after the other.  Raises NotFound, NotPermitted, InvalidState and InvalidInput.

    A process whose last token is canceled is ended as by `end`: canceled, with the call that waits for it.  While it is suspended, tokens
    may be taken away, but nothing starts: that raises Suspended.
    """
    processes.require_plain(session, instance_id, actor, to="modify")
    if any(instruction.verb is Verb.CANCEL for instruction in instructions):
        callers.hold(session, instance_id)  # they may be ended with it
    _modify(session, instance_id, instructions, actor=actor, why=why)


def end(session: Session, instance_id: UUID, *, actor: Actor, reason: str, mappings: bool = True) -> None:
    """End a process without a matter; one that was called ends with the call that waits for it, as in Camunda 7.

    What had called it goes on with whatever else runs there; when nothing does, it is canceled, too, and so on.  What is canceled hands out
    its output parameters, unless it is not to (`mappings`).  Raises NotFound, NotPermitted, InvalidState.
    """
    found, _ = processes.require_plain(session, instance_id, actor, to="end")
    if found.parent_id is None or found.status is not InstanceStatus.RUNNING:
        processes.end(session, instance_id, actor=actor, reason=reason, mappings=mappings)
        return
    call = Instruction(verb=Verb.CANCEL, number=found.parent_wait, skips_mappings=not mappings)
    modify(session, found.parent_id, [call], actor=actor, why=reason)


def _modify(session: Session, instance_id: UUID, instructions: Sequence[Instruction], *, actor: Actor, why: str) -> None:
    cancels = all(instruction.verb is Verb.CANCEL for instruction in instructions)
    with execution.running(session, instance_id, actor=actor, even_suspended=cancels) as run:
        _carry_out(run, instructions)
        told = [
            f"{instruction.verb} {instruction.target if instruction.number is None else instruction.number}" for instruction in instructions
        ]
        journal.record(session, run.row, actor=actor, what="process modified", instructions=told, why=why)
        if run.process.emptied:
            journal.record(session, run.row, actor=actor, what="process ended", reason=why)
    if run.process.emptied and run.row.parent_id is not None:
        # It has not come to its end, so its caller does not go on behind the call.
        call = Instruction(verb=Verb.CANCEL, number=run.row.parent_wait, skips_mappings=not run.mappings)
        _modify(session, run.row.parent_id, [call], actor=actor, why=why)


def _carry_out(run: Run, instructions: Sequence[Instruction]) -> None:
    for instruction in instructions:
        variables.change(run, instruction.given)
    run.mappings = not any(instruction.skips_mappings for instruction in instructions)
    singles = [(single, one.local) for one in instructions for single in _singles(run.process, one)]
    try:
        numbers = run.process.modify(*(single for single, _ in singles))
    except InstanceError as error:
        raise InvalidInput(str(error)) from error
    for number, (_, local) in zip(numbers, singles, strict=True):
        run.row.types = run.row.types | variables.local_types(number, local)


def start(
    session: Session,
    loaded: Loaded,
    instructions: Sequence[Instruction],
    *,
    actor: Actor,
    business_key: str | None,
    given: Given,
) -> Held:
    """Start a process without a matter somewhere else than at its start event; raises as `processes.open_plain` does."""
    if any(instruction.verb is Verb.CANCEL for instruction in instructions):
        raise InvalidInput("Expected to start somewhere, but nothing is there yet to cancel")
    for instruction in instructions:
        given = variables.merged(given, instruction.given)
    elsewhere = tuple(_start(instruction) for instruction in instructions)
    origin = Origin(business_key=business_key, elsewhere=elsewhere)
    return processes.open_plain(session, loaded, actor=actor, given=given, origin=origin)


def _start(instruction: Instruction) -> Single:
    return Single(
        verb=instruction.verb,
        target=instruction.target or "",
        within=instruction.within,
        local=instruction.local.values,
        skips_mappings=instruction.skips_mappings,
    )


def _singles(process: Awake, instruction: Instruction) -> Iterator[Single]:
    """Take an instruction apart: to cancel an element means everything that is there now."""
    if instruction.verb is not Verb.CANCEL:
        yield _start(instruction)
    elif instruction.number is not None:
        yield Single(verb=Verb.CANCEL, target=instruction.number, skips_mappings=instruction.skips_mappings)
    else:
        there = [token.id for token in process.tokens() if token.element == instruction.target]
        if not there:
            raise InvalidInput(f"Expected something to cancel at {instruction.target}, but nothing is there")
        yield from (Single(verb=Verb.CANCEL, target=number, skips_mappings=instruction.skips_mappings) for number in there)
