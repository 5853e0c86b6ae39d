"""Lists: every noun is listed and counted in one way.  What is asked for is read here, by the tables of filters that the engine keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import orjson
from flask import Blueprint, Response

from api.camunda import answers, asked, tenants, values
from api.transactions import reading
from engine import places
from engine.database import Session
from engine.errors import InvalidInput, NotFound
from engine.filters import Filters, Kind, Order
from engine.places import Place
from engine.variables import OPERATORS, ORDERED, Comparison

#: Rows of a list when the request does not say how many.
LONGEST = 1000
Given = dict[str, Any]
#: What every list takes beside its filters.
_PAGE = frozenset({"firstResult", "maxResults", "sortBy", "sortOrder", "sorting", "tenantIdIn", "withoutTenantId"})
_ORDERS = ("asc", "desc")


class Rows(Protocol):
    """What is found: rows in their order, and how many they are."""

    def rows(self, session: Session, *, first: int = 0, limit: int | None = None) -> Sequence[Any]:
        """So many of the rows, from the `first` on."""

    def count(self, session: Session) -> int:
        """How many they are."""


def serve(
    bp: Blueprint,
    find: Callable[[Session, Given], Rows],
    show: Callable[[Session, Any], Given],
    *,
    at: str = "",
    methods: Collection[str] = ("GET", "POST"),
) -> None:
    """Answer a list and its count; `find` reads what is asked for, `show` presents one row."""

    def list_rows() -> Response:
        first, limit = asked.number("firstResult", 0), asked.number("maxResults", LONGEST)
        with reading() as session:
            rows = find(session, asked.criteria()).rows(session, first=first, limit=limit)
            return answers.json([show(session, row) for row in rows])

    def count_rows() -> Response:
        with reading() as session:
            return answers.json({"count": find(session, asked.criteria()).count(session)})

    name = at.strip("/")
    bp.add_url_rule(at, f"list_{name}", list_rows, methods=methods)
    bp.add_url_rule(f"{at}/count", f"count_{name}", count_rows, methods=methods)


def conditions(given: Given, filters: Filters, *, besides: Collection[str] = ()) -> list[Any]:
    """Give the conditions that are asked for.  A filter that is not known would give another list than was meant, so it is refused."""
    asked.require_few(given, "filters")
    unknown = {name for name, value in given.items() if value is not None} - filters.keys() - _PAGE - set(besides)
    if unknown:
        raise InvalidInput(f"Expected filters that are supported, but got {', '.join(sorted(unknown))}; see docs/reference/engine-rest.md")
    tenants.require_among(asked.several(given, "tenantIdIn") or ())
    return list(_conditions(given, filters))


def order(given: Given, sortable: Collection[str]) -> Order:
    """Read what to sort by: `sortBy` with `sortOrder`, or several of them in `sorting`."""
    one = {name: given[name] for name in ("sortBy", "sortOrder") if given.get(name) is not None}
    entries = given.get("sorting") or ([one] if one else [])
    known = isinstance(entries, list) and all(isinstance(e, dict) and str(e.get("sortBy")) in sortable for e in entries)
    if not known or len(entries) > len(sortable):
        raise InvalidInput(f"Expected to sort by {', '.join(sortable)}, but got {entries!r:.80}")
    if vague := [entry for entry in entries if str(entry.get("sortOrder")) not in _ORDERS]:
        raise InvalidInput(f"Expected sortBy with a sortOrder of {' or '.join(_ORDERS)}, but got {vague[0]!r:.80}")
    return [(str(entry["sortBy"]), entry["sortOrder"] == "desc") for entry in entries]


def comparisons(given: Given, name: str) -> list[Comparison]:
    """Read what variables must be: `name_operator_value,…` in a query, objects with these members in a body."""
    wanted = [] if given.get(name) is None else given[name]
    entries = [_written(text) for text in wanted.split(",")] if isinstance(wanted, str) else wanted
    if not isinstance(entries, list) or not all(isinstance(e, dict) and isinstance(e.get("name"), str) for e in entries):
        raise InvalidInput(f"Expected {name} as a list of name, operator and value, but it is {wanted!r:.80}")
    if unknown := [entry for entry in entries if str(entry.get("operator")) not in OPERATORS]:
        raise InvalidInput(f"Expected {name} to be compared by {', '.join(OPERATORS)}, but got {unknown[0]!r:.80}")
    if vain := [entry for entry in entries if entry["operator"] in ORDERED and isinstance(entry.get("value"), (bool, type(None)))]:
        raise InvalidInput(f"Expected a number or a text to compare by {', '.join(ORDERED)}, but got {vain[0]!r:.80}")
    return [Comparison(name=entry["name"], operator=entry["operator"], value=entry.get("value")) for entry in entries]


def _written(text: str) -> Given:
    """Read `name_operator_value`."""
    name, _, rest = text.partition("_")
    while rest.partition("_")[0] not in OPERATORS and "_" in rest:  # a name may have the sign, too
        more, _, rest = rest.partition("_")
        name = f"{name}_{more}"
    operator, _, value = rest.partition("_")
    return {"name": name, "operator": operator, "value": scalar(value)}


def scalar(value: Any) -> Any:
    """Read a value that a query writes as text: numbers, true and false are what they look like."""
    try:
        found = orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError:
        return value
    return found if isinstance(found, (bool, int, float)) else value


def _conditions(given: Given, filters: Filters) -> Iterator[Any]:
    for name, wanted in filters.items():
        if given.get(name) is None:
            continue
        value = _READ[wanted.kind](given, name)
        if value is not False:  # a filter that is switched off leaves nothing out
            yield wanted.condition(value)


def _id(text: str) -> UUID:
    """Read an id; a text that is none becomes one that nothing has."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _place(text: str) -> Place:
    try:
        return places.read(text)
    except NotFound:
        return places.NOWHERE


def _whole(given: Given, name: str) -> int:
    text = str(given[name])
    if not text.removeprefix("-").isdecimal() or len(text) > len(str(-asked.GREATEST)) or abs(int(text)) > asked.GREATEST:
        raise InvalidInput(f"Expected {name} to be a whole number, but it is {given[name]!r:.80}")
    return int(text)


_READ: Mapping[Kind, Callable[[Given, str], Any]] = {
    Kind.TEXT: lambda given, name: asked.field(given, name, str),
    Kind.TEXTS: asked.several,
    Kind.ID: lambda given, name: _id(asked.field(given, name, str) or ""),
    Kind.IDS: lambda given, name: [_id(one) for one in asked.several(given, name) or ()],
    # What makes the id of a definition unique is behind its key and its version.
    Kind.DEFINITION: lambda given, name: _id((asked.field(given, name, str) or "").rpartition(":")[2]),
    Kind.DEFINITIONS: lambda given, name: [_id(one.rpartition(":")[2]) for one in asked.several(given, name) or ()],
    Kind.PLACE: lambda given, name: _place(asked.field(given, name, str) or ""),
    Kind.PLACES: lambda given, name: [_place(one) for one in asked.several(given, name) or ()],
    Kind.MOMENT: values.moment,
    Kind.WHOLE: _whole,
    Kind.FLAG: asked.true,
}
