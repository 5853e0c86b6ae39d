"""The table of large values: what instances have beside their own rows (docs/decisions/0023)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine.columns import MAY_BE_LARGE, Json
from engine.keys import Keyed, found_otherwise, refers
from engine.models import Base


class LargeValue(Keyed, Base):
    """A value that one or more variables of an instance have, and that is too large to be written whenever another changes."""

    __tablename__ = "large_values"
    __table_args__ = (refers("instance_id", "instances"),)
    known_by = ("instance_id", "sha256")
    case_id: Mapped[UUID] = found_otherwise()
    instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Of its JSON.
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[Any] = mapped_column(Json, info={MAY_BE_LARGE: True})
