"""The ways a command is refused.  The docstring of a class is the title that a client reads; the message says the particulars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: How much is kept of what went wrong.
LONGEST = 4000


class EngineError(Exception):
    """The command was refused."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        #: Machine-readable particulars, e.g. `errors=[{"field": …, "message": …}]` or `case="…"`.
        self.details = details


class NotFound(EngineError):  # noqa: N818 - the name is the category that clients know
    """There is no such thing, or it is not yours to see."""


class NotPermitted(EngineError):  # noqa: N818
    """You may see the thing, but not do this to it."""


class InvalidState(EngineError):  # noqa: N818
    """The thing exists, but its status does not allow the command."""


class Suspended(InvalidState):
    """The process instance is suspended: nothing goes on in it until it is activated."""


class Failed(InvalidState):
    """It was tried and failed: all of it was undone, and the attempt is counted."""


class InvalidInput(EngineError):  # noqa: N818
    """The command's data are not acceptable."""

    @classmethod
    def of_field(cls, field: str, message: str) -> InvalidInput:
        """Say what is wrong with one field."""
        return cls.of_fields([(field, message)])

    @classmethod
    def of_fields(cls, wrong: Sequence[tuple[str, str]]) -> InvalidInput:
        """Say what is wrong with which fields: names, each with a sentence; the first sentence is the message."""
        return cls(wrong[0][1], errors=[{"field": field, "message": message} for field, message in wrong])

    def along_with(self, other: InvalidInput) -> InvalidInput:
        """Say both at once."""
        errors = [*self.details.get("errors", ()), *other.details.get("errors", ())]
        return InvalidInput(f"{self.message}. {other.message}", errors=errors)


class Busy(EngineError):  # noqa: N818
    """Somebody else holds the thing just now; try again."""


class Vanished(Busy):
    """What the command refers to was there a moment ago, and is not any more; try again."""


class Unavailable(EngineError):  # noqa: N818
    """The database, or a disk, cannot be reached, or has no room, just now; try again."""


class Unfit(Unavailable):
    """The database is not what this node needs: somebody must see to it."""


class Exhausted(Unavailable):
    """This node has no memory left for it just now; try again."""


class Unsettled(Unavailable):
    """Whether the command was carried out is not known."""


def described(error: BaseException) -> str:
    """Say what went wrong, as it is kept: PostgreSQL keeps no NUL in a text."""
    return f"{type(error).__name__}: {error}"[:LONGEST].replace("\0", "\ufffd")


def said_below(error: BaseException) -> str:
    """What the database says itself of what was in the way, in a line; empty when it says nothing, or when the error tells it already."""
    below = str(getattr(error.__cause__, "orig", "")).strip().partition("\n")[0]
    return "" if below in str(error) else below
