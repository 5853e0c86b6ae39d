"""Canceling: what is taken away before it is done hands out its output parameters all the same, as in Camunda 7."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpmn import errors
from bpmn.spiff import values

if TYPE_CHECKING:
    from bpmn.spiff.process import Process
    from bpmn.spiff.token import Token


def cancel(process: Process, *tokens: Token) -> None:
    """Take activations away, with all that is in them, once they have handed out what they have: the inner before the outer.

    Raises InstanceError when that fails; then nothing has been taken away, and no variable has changed.
    """
    with process.conditions.all_or_none():
        for token in tokens:
            _hand_out(token)
    for token in tokens:
        process.discard(token)


def _hand_out(token: Token) -> None:
    for inner in token.children:
        _hand_out(inner)
    for parameter in token.task_spec.element.output_parameters if token.under_way else ():
        try:
            values.map_out(token, (parameter,))
        except errors.ExpressionError as error:
            message = f"Expected {token.task_spec.drawn_id} to hand out {parameter.name!r} when it is canceled, but: {error}"
            raise errors.InstanceError(message) from error
