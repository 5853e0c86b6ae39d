"""Names of FEEL, which may hold spaces: where one ends, and which come from outside."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bpmn.errors import ExpressionError
from bpmn.expressions.functions import FUNCTIONS
from bpmn.expressions.lexer import Tokens, tokenize

#: Words that end a name, unless the name is a known one.
RESERVED = frozenset({"and", "or", "in", "then", "else", "return", "satisfies", "between", "instance"})


@functools.lru_cache(maxsize=4096)
def _words(name: str) -> tuple[str, ...]:
    """Split a name into its tokens; a name that has none is never met."""
    try:
        return tuple(token.text for token in tokenize(name)[:-1])
    except ExpressionError:
        return ()


#: Names by their first word: for each, its words and the name as it is written.
Table = dict[str, list[tuple[tuple[str, ...], str]]]


def _table(names: Iterable[str]) -> Table:
    table: Table = {}
    for name in names:
        if words := _words(name):
            table.setdefault(words[0], []).append((words, name))
    return table


_BUILTIN = _table(FUNCTIONS)


class Names:
    """Reads names, and keeps book of those that are bound inside the expression."""

    def __init__(self, tokens: Tokens, known: Iterable[str]) -> None:
        self._tokens = tokens
        self._given = frozenset(known)
        # A name of one word is found without being known; known, it would cut longer names short.
        self._known = _table(name for name in self._given if len(_words(name)) > 1 or name in RESERVED)
        self._bound: list[str] = []
        self._filters = 0
        #: How often `partial` was read, the results of a loop so far.
        self.partials = 0
        #: Names that come from outside.  Those within a filter are left out: they may be entries of its members.
        self.free: set[str] = set()

    @contextmanager
    def bound(self, *names: str) -> Iterator[None]:
        """Read a part in which these names, and those that it binds itself, have a value of their own."""
        before = len(self._bound)
        for name in names:
            self.bind(name)
        yield
        for name in self._bound[before:]:
            if len(words := _words(name)) > 1:
                self._known[words[0]].pop()
        del self._bound[before:]

    def bind(self, name: str) -> None:
        """Give a name a value of its own, until the part ends."""
        self._bound.append(name)
        if len(words := _words(name)) > 1:
            self._known.setdefault(words[0], []).append((words, name))

    @contextmanager
    def filtered(self) -> Iterator[None]:
        """Read a filter, whose names may be entries of the members."""
        self._filters += 1
        yield
        self._filters -= 1

    def is_bound(self, name: str) -> bool:
        """Tell whether a name has a value of its own inside the expression."""
        return name in self._bound

    def is_variable(self, name: str) -> bool:
        """Tell whether a name is known to have a value, which may be a function."""
        return name in self._bound or name in self._given

    def use(self, name: str) -> str:
        """Note that a variable is read."""
        self.partials += name == "partial"
        if name not in self._bound and not self._filters:
            self.free.add(name)
        return name

    def is_known(self) -> bool:
        """Tell whether a known name comes next, whatever words it is made of."""
        return bool(self._match(self._known))

    def longest(self, names: Iterable[str]) -> str | None:
        """Pass the longest of these names, if one comes next."""
        return self._pass(_table(names))

    def read(self) -> str:
        """Pass a name: the longest known one, or else all words up to the next operator."""
        words, builtin = self._match(_BUILTIN) or ((), "")
        if words and self._tokens.ahead(len(words)).text == "(" and not self.is_bound(builtin):
            self._tokens.advance(len(words))
            return builtin
        return self._pass(self._known) or self._greedy()

    def member(self) -> str:
        """Pass the name after a dot."""
        if self._tokens.current.kind == "string":
            self._tokens.refuse("a name")
        return self.read()

    def declare(self, last: str) -> str:
        """Pass a new name, which ends before the word `last`."""
        words = [self._tokens.name()]
        while self._tokens.current.kind in ("name", "number") and not self._tokens.at(last):
            words.append(self._tokens.advance().text)
        return " ".join(words)

    def keyword(self) -> str:
        """Pass `name:` before an argument, if it stands there."""
        count = 0
        while self._tokens.ahead(count).kind == "name":
            count += 1
        if not count or self._tokens.ahead(count).text != ":":
            return ""
        name = self.declare(":")
        self._tokens.expect(":")
        return name

    def _greedy(self) -> str:
        words = [self._tokens.name()]
        while self._tokens.current.kind == "name" and self._tokens.current.text not in RESERVED:
            words.append(self._tokens.advance().text)
        return " ".join(words)

    def _pass(self, table: Table) -> str | None:
        words, name = self._match(table) or ((), None)
        self._tokens.advance(len(words))
        return name

    def _match(self, table: Table) -> tuple[tuple[str, ...], str] | None:
        """Find the longest entry of a table whose words come next."""
        candidates = [
            entry
            for entry in table.get(self._tokens.current.text, ())
            if all(self._tokens.ahead(place).text == word for place, word in enumerate(entry[0]))
        ]
        return max(candidates, key=lambda entry: len(entry[0]), default=None)
