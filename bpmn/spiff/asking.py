"""Asking: what an instance evaluates may be anybody's, and may fail in any way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bpmn import errors
from bpmn.waits import Context

Answer = TypeVar("Answer")


def ask(context: Context, question: Callable[[], Answer]) -> Answer:
    """Ask the world; whatever it raises is an incident of the element, never the loss of the command, unless the world is gone."""
    try:
        return question()
    except errors.BpmnError:
        raise
    except Exception as error:
        if isinstance(error, context.gone):
            raise
        raise errors.ExpressionError(f"Expected an answer, but {type(error).__name__}: {error}") from error
