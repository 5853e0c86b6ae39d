"""What goes in and out: the ground of all models.  Strict: no coercion, no unknown field.

What checks a model is built when it is first used: to build all of them would take a tenth of the time in which a server comes up.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    RootModel,
    ValidationInfo,
    field_validator,
)

from api import remarks

#: One line of text for a column.
Line = Annotated[str, Field(min_length=1, max_length=200)]
#: Some sentences.
Text = Annotated[str, Field(min_length=1, max_length=4000)]
#: Free-form data: the form or the diagram says what belongs in it, and the engine checks.
Data = dict[str, JsonValue]
#: A day that begins and ends, in Beijing, in a year that there is: the first and the last of all do not.
Day = Annotated[date, Field(gt=date.min, lt=date.max)]
T = TypeVar("T")


def _written(given: Any) -> Any:
    """Pass on what may be written as a moment; a number would be taken for seconds since 1970."""
    if isinstance(given, str) and given.replace(".", "").isdecimal():
        raise ValueError("Expected a moment such as 2026-11-25T00:30:00Z, but it is a number")
    return given


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("Expected a moment that the calendar has, but it has none in UTC") from None


#: A moment with its zone, as a database keeps it.
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_utc)]


class Body(BaseModel):
    """What a command takes."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, defer_build=True, json_schema_extra=remarks.describe)


class FormData(RootModel[Data]):
    """The filled-in form; what belongs in it says the form itself, and the engine checks."""

    model_config = ConfigDict(strict=True, defer_build=True)


class Query(BaseModel):
    """What a query asks; its values come as text."""

    model_config = ConfigDict(extra="forbid", defer_build=True, json_schema_extra=remarks.describe)


class Shape(BaseModel):
    """What is answered."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True, json_schema_extra=remarks.describe)
    #: Fields that tell of other things: when these change, what was seen of this one still holds (If-Match).
    beside: ClassVar[frozenset[str]] = frozenset()


class Paged(Query):
    """A query whose answer comes in pages."""

    limit: Annotated[int, Field(ge=1, le=200, description="每页条数 · Rows of a page.")] = 50
    cursor: Annotated[str | None, Field(max_length=400, description="上一页给出的 `next` · `next` of the page before.")] = None


class Dated(Paged):
    """A query for what was within a period."""

    since: Annotated[Day | None, Field(description="从该日起（含） · From this day on, in Beijing.")] = None
    until: Annotated[Day | None, Field(description="到该日止（含） · Until the end of this day, in Beijing.")] = None

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("since")
        if since is not None and until is not None and until < since:
            raise ValueError(f"Expected a period that ends on {since} or later, but it ends on {until}")
        return until


class Page(Shape, Generic[T]):
    """One page, and where the next one begins."""

    data: list[T]
    #: None: this is the last page.
    next: str | None


class Empty(Shape):
    """Nothing more than that it was done."""


class Fault(BaseModel):
    """What is wrong with one field, or with one element of a diagram (`resource`, `element`, `line` …)."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    message: str
    field: str | None = None


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[Fault] | None = None
