"""Slips of the pen: which known word somebody meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

#: A word of so many letters may have one slip, or two.
_ONE_SLIP, _TWO_SLIPS = 4, 10
#: From here on a word is so much like another that it is worth naming.
_LIKE = 0.7


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like another; None where none is like it."""
    by_shape = {_shape(each): each for each in sorted(known, reverse=True)}
    found = difflib.get_close_matches(_shape(word), by_shape, n=1, cutoff=_LIKE)
    return by_shape[found[0]] if found else None


def advice(word: str, known: Iterable[str], *, prefix: str = "") -> str:
    """Return `: did you mean 'window'?`, with the known word that is most like this one; an empty text when none is like it.

    `prefix`: what many of the words begin with, and is not compared.
    """
    meant = nearest(word.removeprefix(prefix), [each.removeprefix(prefix) for each in known])
    return f": did you mean {prefix + meant!r}?" if meant else ""


def is_slip(word: str, meant: str) -> bool:
    """Tell whether one of two words is a slip of the other.  They are not when they differ in a number, or in a last letter (`order_a`)."""
    if word == meant or _unnumbered(word) == _unnumbered(meant):
        return False
    one, other = _shape(word), _shape(meant)
    longest = max(len(one), len(other))
    slips = 0 if longest < _ONE_SLIP else 1 if longest < _TWO_SLIPS else 2
    return one == other or _slips(one, other) <= slips


def is_inner_slip(word: str, meant: str) -> bool:
    """Tell whether a slip lies within a word: `totel` for `total`, but neither a plural nor another ending (`approved`, `approver`)."""
    return len(word) > _ONE_SLIP and is_slip(word, meant) and (word[0], word[-1]) == (meant[0], meant[-1])


def is_same(word: str, other: str) -> bool:
    """Tell whether two words differ at most in capitals and in the signs between their parts."""
    return _shape(word) == _shape(other)


def _shape(word: str) -> str:
    """Return a word without what is easily mixed up: capitals, and the signs between its parts."""
    return re.sub(r"[\s._:。-]", "", word).casefold()


def _unnumbered(word: str) -> str:
    """Return a word without what tells several of a kind apart: numbers, and a single letter at the end."""
    return re.sub(r"(?<=[\W_])[A-Za-z]$|\d", "", word)


def _slips(one: str, other: str) -> int:
    """Count the letters that are too many, missing, wrong, or in the place of their neighbour."""
    before: list[int] = []
    last: list[int] = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now: list[int] = [row]
        for column, mark in enumerate(other, 1):
            slips = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (letter != mark))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == mark:
                slips = min(slips, before[column - 2] + 1)
            now.append(slips)
        before, last = last, now
    return last[-1]
