"""Regular expressions that come from forms and tables: only such as cannot run away.

Python's matcher tries one way after another.  Before a pattern is run, the number of ways is bounded: what repeats must have one fixed
length and no alternatives (`(a+)+` is refused), and the product of all free lengths must stay small for the text at hand.
"""

from __future__ import annotations

import functools
import re
from re import _parser  # type: ignore[attr-defined]  # the tree of a pattern; Python offers no public way to it
from typing import Any

from bpmn.errors import ExpressionError

#: Characters of a pattern.
LONGEST = 500
#: Ways that may be tried.
EFFORT = 4_000_000
_FLAGS = {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE, "x": re.VERBOSE}
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_GROUPS = ("SUBPATTERN", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT")
_REFUSED = {"GROUPREF": "a reference to a group", "GROUPREF_EXISTS": "a conditional group"}


@functools.lru_cache(maxsize=512)
def compile_pattern(pattern: str, flags: str = "") -> re.Pattern[str]:
    """Compile a pattern, or raise ExpressionError when it is malformed or could run away."""
    if len(pattern) > LONGEST:
        raise ExpressionError(f"Expected a pattern of at most {LONGEST} characters, but it has {len(pattern)}")
    if unknown := set(flags) - set(_FLAGS):
        raise ExpressionError(f"Expected only the flags i, s, m and x, but found {min(unknown)}")
    options = functools.reduce(lambda all_flags, flag: all_flags | _FLAGS[flag], flags, re.ASCII)
    try:
        compiled = re.compile(pattern, options)
    except (re.error, OverflowError, RecursionError) as error:
        raise ExpressionError(f"Expected a regular expression, but {pattern[:80]!r} is not one: {error}") from None
    _ways(_tree(compiled), 1)
    return compiled


def found(pattern: re.Pattern[str], text: str) -> bool:
    """Tell whether a pattern is found in a text."""
    effort(pattern, text)
    return pattern.search(text) is not None


def effort(pattern: re.Pattern[str], text: str) -> int:
    """Bound the ways that may be tried; refuses a text that is too long for a pattern with so many free lengths."""
    ways = _ways(_tree(pattern), len(text) + 1) * (len(text) + 1)
    if ways > EFFORT:
        raise ExpressionError(f"Expected a shorter text for the pattern {pattern.pattern[:80]!r}, but it has {len(text)} characters")
    return ways


@functools.lru_cache(maxsize=512)
def _tree(pattern: re.Pattern[str]) -> Any:
    return _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)


def _ways(tree: Any, length: int) -> int:
    """Bound the number of ways in which a sequence can match within a text of some length."""
    ways = 1
    for operation, argument in tree:
        name = str(operation)
        if name in _REFUSED:
            raise ExpressionError(f"Expected a pattern without {_REFUSED[name]}, but it has one")
        if name in _REPEATS:
            ways *= _repeated(argument, length)
        elif name == "BRANCH":
            ways *= sum(_ways(branch, length) for branch in argument[1])
        elif name in _GROUPS:
            ways *= _ways(argument if name == "ATOMIC_GROUP" else argument[-1], length)
        ways = min(ways, EFFORT + 1)
    return ways


def _repeated(repeat: Any, length: int) -> int:
    least, most, body = repeat
    shortest, longest = body.getwidth()
    inner = _ways(body, length)
    if most > 1 and (inner > 1 or int(shortest) != int(longest)):
        raise ExpressionError("Expected what repeats in a pattern to have one fixed length, but it has several")
    return inner + min(int(most) - int(least), length)


def example(pattern: str) -> str:
    """Return a text in which a pattern is found, as short as it may be; assertions and look-arounds are left out of account."""
    return _written(_tree(compile_pattern(pattern)))


def _written(tree: Any) -> str:
    return "".join(_WRITTEN[name](argument) for operation, argument in tree if (name := str(operation)) in _WRITTEN)


def _member(members: Any) -> str:
    """Return a character of a set; of one that is told by what is not in it, any that is not."""
    if str(members[0][0]) == "NEGATE":
        named = {_member([each]) for each in members[1:]}
        return next(letter for letter in "aA1-_ " if letter not in named)
    operation, argument = members[0]
    name = str(operation)
    if name == "RANGE":
        return chr(argument[0])
    return _CATEGORIES.get(str(argument), "a") if name == "CATEGORY" else chr(argument)


_CATEGORIES = {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_NOT_WORD": "-"}
_WRITTEN: dict[str, Any] = {
    "LITERAL": chr,
    "NOT_LITERAL": lambda code: "a" if code != ord("a") else "b",
    "ANY": lambda _argument: "a",
    "IN": _member,
    "BRANCH": lambda argument: _written(argument[1][0]),
    "SUBPATTERN": lambda argument: _written(argument[-1]),
    "ATOMIC_GROUP": _written,
    **dict.fromkeys(_REPEATS, lambda argument: _written(argument[2]) * max(argument[0], 0)),
}
