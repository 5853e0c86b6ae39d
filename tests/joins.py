"""Whether rows are joined within a case only, and are looked for and changed where their case lies: told by the statements themselves.

So no statement puts rows of two shards together, and what a command does after its first one goes to one shard.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

from sqlalchemy import Connection, Engine

from tests import distribution
from tests.listening import listening

ROOT = Path(__file__).parents[1]
TESTS = "tests"
#: Modules that send what others ask for.
SENDING = {"database", "entities", "filters", "holdings", "keys", "reads", "recordsets", "writes"}
#: Where a test gives a command: it may give several in one transaction.
Command = tuple[CodeType, int] | None
#: Under this name a connection knows that its transaction has locked a row of a case, and for which command.
HELD = "holds a row of a case"
#: Tables that grow, and the column of their rows that is the case.
_CASE = {table.name: next(iter(distribution.key_of(table) - {"region"})) for table in distribution.growing()}
_KEY = {"case", "region"}
_NAMES: dict[CodeType, str | None] = {}
_CHANGED = re.compile(r"(?<!FOR )(?<!KEY )\b(?:UPDATE|DELETE FROM)\s+(\w+)")
_LOCKING = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b")
_NAMED = re.compile(r"(?:\bFROM|\bJOIN|,)\s+(\w+)(?:\s+AS\s+(\w+))?(?![\w.(])")
_EQUAL = re.compile(r"(\w+)\.(\w+) = (\w+)\.(\w+)\b(?!\s*\()")
_GIVEN = re.compile(r"(\w+)\.(\w+) = (?:\?|%\(|s\.)|(?:\?|%\(\w+\)s(?:::\w+)?) = (\w+)\.(\w+)")


def astray(statement: str, beyond: set[tuple[str, str]] = frozenset()) -> Iterator[str]:
    """Tell which tables a statement joins without saying that the rows are of one case; columns that lead `beyond` it may."""
    tables = _tables(statement)
    joined = defaultdict(set)
    for one, column, other, there in _EQUAL.findall(statement):
        if one in tables and other in tables and one != other and not {(tables[one], column), (tables[other], there)} & beyond:
            place = _place(tables[one], column), _place(tables[other], there)
            joined[frozenset((one, other))].add(place[0] if place[0] == place[1] else None)
    for pair, by in joined.items():
        if not by >= _KEY:
            yield f"Expected {' and '.join(sorted(pair))} to be joined within their case, but it is said nowhere in: {statement}"


def anywhere(statement: str, *, held: bool) -> list[str]:
    """Tables whose rows a statement changes without saying of which case they are; or, by whoever `held` a case already, reads."""
    changing = ["FROM " + _clause(statement, match.start(1)) for match in _CHANGED.finditer(statement) if match[1] in _CASE]
    return sorted({table for part in changing or [statement] * held for table in _unplaced(part)})


def _unplaced(statement: str) -> set[str]:
    """Tables of which it is not said of which case their rows are: by a value, or by a row of which it is said."""
    tables, given, alike = _tables(statement), defaultdict(set), defaultdict(set)
    for name, column, other, there in _GIVEN.findall(statement):
        if (name or other) in tables:
            given[name or other].add(_place(tables[name or other], column or there))
    for one, column, other, there in _EQUAL.findall(statement):
        if one in tables and other in tables and (place := _place(tables[one], column)) == _place(tables[other], there):
            alike[frozenset((one, other))].add(place)
    placed = {name for name, places in given.items() if places >= _KEY}
    while more := {name for pair, by in alike.items() if by >= _KEY and pair & placed for name in pair - placed}:
        placed |= more
    return {table for name, table in tables.items() if name not in placed}


def _tables(statement: str) -> dict[str, str]:
    return {alias or name: name for name, alias in _NAMED.findall(statement) if name in _CASE}


def _clause(statement: str, begin: int) -> str:
    """The part of a statement from there to the end of the brackets around it."""
    depth = 0
    for place, letter in enumerate(statement[begin:], start=begin):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return statement[begin:place]
    return statement[begin:]


def _place(table: str, column: str) -> str:
    return "case" if column == _CASE[table] else column


def _named(code: CodeType) -> str | None:
    """How a function is called that may send a statement: `module.function`, or TESTS; None: it is none of ours, or sends for others."""
    path = Path(code.co_filename)
    if path.parts[: len(ROOT.parts)] != ROOT.parts or ".venv" in path.parts or path == Path(__file__):
        return None
    if path.parts[len(ROOT.parts)] == TESTS or "migrations" in path.parts:
        return TESTS
    return None if path.stem in SENDING else f"{path.stem}.{code.co_qualname.split('.<')[0]}"


def _way() -> tuple[tuple[str, ...], Command]:
    """The functions that have led to a statement, the innermost first, and the command of a test that they carry out.

    Of whom it has seen before it asks nothing: tests count calls.
    """
    frame, names = sys._getframe(), ()
    while frame := frame.f_back:
        if frame.f_code not in _NAMES:
            _NAMES[frame.f_code] = _named(frame.f_code)
        name = _NAMES[frame.f_code]
        if name == TESTS:
            return names, (frame.f_code, frame.f_lasti)
        names += (name,) if name else ()
    return names, None


@contextmanager
def watched(beyond: set[tuple[str, str]], across: set[str] = frozenset()) -> Iterator[Collection[str]]:
    """Fail at a statement that joins rows of two cases, or does not say where its rows are, whoever sends it, until the block ends.

    The functions that go `across` cases may do the latter.  Gives all statements that were looked at.
    """
    seen: dict[str, tuple[list[str], list[str], bool]] = {}

    def look(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement not in seen:
            locks = _LOCKING.search(statement) is not None and bool(_tables(statement))
            seen[statement] = anywhere(statement, held=False), anywhere(statement, held=True), locks
            if found := list(astray(statement, beyond)):
                raise AssertionError("\n".join(found))
        free, held, locks = seen[statement]
        tables = held if HELD in connection.__dict__ else free
        if tables:
            names, command = _way()
            if names and across.isdisjoint(names) and (free or connection.__dict__[HELD] == command):
                told = f"Expected {names[0]} to say of which case rows of {', '.join(tables)} are"
                raise AssertionError(f"{told}, but it does not in: {statement}")
        if locks:  # each transaction has a connection of its own
            connection.__dict__[HELD] = _way()[1]

    with listening(Engine, before_cursor_execute=look):
        yield seen
