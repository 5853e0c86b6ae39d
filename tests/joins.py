"""Whether rows are joined within a case only, so that no statement puts rows of two shards together: told by the statements themselves."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine

from tests import distribution
from tests.listening import listening

#: Tables that grow, and the column of their rows that is the case.
_CASE = {table.name: next(iter(distribution.key_of(table) - {"region"})) for table in distribution.growing()}
_NAMED = re.compile(r"(?:\bFROM|\bJOIN|,)\s+(\w+)(?:\s+AS\s+(\w+))?(?![\w.(])")
_EQUAL = re.compile(r"(\w+)\.(\w+) = (\w+)\.(\w+)\b(?!\s*\()")


def astray(statement: str, beyond: set[tuple[str, str]] = frozenset()) -> Iterator[str]:
    """Tell which tables a statement joins without saying that the rows are of one case; columns that lead `beyond` it may."""
    tables = {alias or name: name for name, alias in _NAMED.findall(statement) if name in _CASE}
    joined = defaultdict(set)
    for one, column, other, there in _EQUAL.findall(statement):
        if one in tables and other in tables and one != other and not {(tables[one], column), (tables[other], there)} & beyond:
            place = _place(tables[one], column), _place(tables[other], there)
            joined[frozenset((one, other))].add(place[0] if place[0] == place[1] else None)
    for pair, by in joined.items():
        if not by >= {"case", "region"}:
            yield f"Expected {' and '.join(sorted(pair))} to be joined within their case, but it is said nowhere in: {statement}"


def _place(table: str, column: str) -> str:
    return "case" if column == _CASE[table] else column


@contextmanager
def watched(beyond: set[tuple[str, str]]) -> Iterator[set[str]]:
    """Fail at a statement that joins rows of two cases, whoever sends it, until the block ends; gives all that were looked at."""
    seen: set[str] = set()

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement not in seen:
            seen.add(statement)
            if found := list(astray(statement, beyond)):
                raise AssertionError("\n".join(found))

    with listening(Engine, before_cursor_execute=look):
        yield seen
