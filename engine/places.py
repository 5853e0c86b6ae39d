"""Places: where something of an instance stands or goes on (an *execution*, as Camunda calls it)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from engine.errors import NotFound


@dataclass(frozen=True)
class Place:
    """An instance itself, or one of its activations.  As text it is the id of an execution, which needs no table."""

    instance_id: UUID
    #: Number of the activation; None: the instance itself.
    number: int | None = None

    def __str__(self) -> str:
        """Write the id."""
        return str(self.instance_id) if self.number is None else f"{self.instance_id}:{self.number}"


NOWHERE = Place(UUID(int=0))


def read(text: str) -> Place:
    """Read the id of an execution; raises NotFound for what is none."""
    instance_id, separator, number = text.partition(":")
    try:
        return Place(UUID(instance_id), _whole(number) if separator else None)
    except ValueError:
        raise NotFound(f"Execution with id {text} does not exist") from None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 - no instance has more
        raise ValueError(text)
    return int(text)
