"""Filters: what a list may be asked for, under Camunda's names; each is a condition about rows, and says what kind of value it takes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, literal, or_, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.errors import NotFound
from engine.places import Place


class Kind(StrEnum):
    """What kind of value a filter takes."""

    TEXT = "text"
    TEXTS = "texts"
    ID = "id"
    IDS = "ids"
    DEFINITION = "definition"  #: id of a definition, as Camunda writes it
    DEFINITIONS = "definitions"
    MOMENT = "moment"
    WHOLE = "whole"
    PLACE = "place"  #: id of an execution
    PLACES = "places"
    FLAG = "flag"  #: true asks, false does not


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One filter."""

    kind: Kind
    condition: Callable[[Any], ColumnElement[bool]]


Column = InstrumentedAttribute[Any]
Filters = Mapping[str, Filter]
#: By what a list may be sorted, under Camunda's names.
Sortable = Mapping[str, Column]
#: Names to sort by, each with whether it descends.
Order = Sequence[tuple[str, bool]]


def equal(column: Column, kind: Kind = Kind.TEXT) -> Filter:
    """Keep what has the value."""
    return Filter(kind=kind, condition=lambda value: column == _kept(value))


def among(column: Column, kind: Kind = Kind.TEXTS) -> Filter:
    """Keep what has one of the values."""
    return Filter(kind=kind, condition=column.in_)


def like(column: Column) -> Filter:
    """Keep what looks like it; `%` stands for anything."""
    return Filter(kind=Kind.TEXT, condition=column.like)


def least(column: Column) -> Filter:
    """Keep what is that much, or more."""
    return Filter(kind=Kind.WHOLE, condition=lambda value: column >= _kept(value))


def most(column: Column) -> Filter:
    """Keep what is that much, or less."""
    return Filter(kind=Kind.WHOLE, condition=lambda value: column <= _kept(value))


def _kept(value: Any) -> Any:
    """Let a number be as great as it is: one that is too great for a column is none of its values, and no fault."""
    return literal(value, BigInteger) if type(value) is int else value


def before(column: Column) -> Filter:
    """Keep what was earlier."""
    return Filter(kind=Kind.MOMENT, condition=lambda moment: column < moment)


def after(column: Column) -> Filter:
    """Keep what was later."""
    return Filter(kind=Kind.MOMENT, condition=lambda moment: column > moment)


def located(instances: Column, numbers: Any) -> Filter:
    """Keep what is at an execution; the one of an instance itself stands for everything in it."""

    def condition(place: Place) -> ColumnElement[bool]:
        here: ColumnElement[bool] = instances == place.instance_id
        return here if place.number is None else and_(here, numbers == place.number)

    return Filter(kind=Kind.PLACE, condition=condition)


def when(condition: Callable[[], ColumnElement[bool]]) -> Filter:
    """Keep what is so, now."""
    return Filter(kind=Kind.FLAG, condition=lambda _flag: condition())


def any_of(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Keep the rows that fulfil at least one of these conditions; without any condition, all rows."""
    return or_(*conditions) if conditions else true()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Rows that are asked for, in their order."""

    query: Select[*tuple[Any, ...]]
    #: What no column tells.
    fits: Callable[[Any], bool] | None = None

    def rows(self, session: Session, *, first: int = 0, limit: int | None = None) -> Sequence[Any]:
        """So many of the rows, from the `first` on."""
        if self.fits is None:
            return session.execute(self.query.offset(first).limit(limit)).all()
        stop = None if limit is None else first + limit
        return list(itertools.islice(filter(self.fits, session.execute(self.query)), first, stop))

    def one(self, session: Session, otherwise: str) -> Any:
        """The one row that there is; raises NotFound, which says `otherwise`, when there is none."""
        for row in self.rows(session):
            return row
        raise NotFound(otherwise)

    def count(self, session: Session) -> int:
        """How many they are."""
        if self.fits is None:
            counted = self.query.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
            return session.execute(counted).scalar_one()
        return sum(map(self.fits, session.execute(self.query)))


def ordered(query: Select[*tuple[Any, ...]], sortable: Sortable, order: Order, *, last: Column) -> Select[*tuple[Any, ...]]:
    """Sort by what is asked for; what is equal, by `last`."""
    columns = [sortable[name].desc() if descending else sortable[name] for name, descending in order]
    return query.order_by(*columns, last)
