"""Built-in functions on texts."""

from __future__ import annotations

import re
from typing import Any

from bpmn import patterns
from bpmn.errors import ExpressionError
from bpmn.expressions import decimals, limits, writing
from bpmn.expressions.functions import arguments
from bpmn.expressions.functions.registry import builtin
from bpmn.expressions.scope import Scope


@builtin("string(from)")
def string(value: Any) -> str:
    """Write any value as text."""
    return writing.write(value)


@builtin("string length(string)")
def string_length(value: Any) -> int:
    """Count characters."""
    return len(arguments.text(value))


@builtin("substring(string, start position, length?)")
def substring(value: Any, start: Any, length: Any = None) -> str:
    """Take characters from a position on; positions count from 1, negative ones from the end."""
    position = decimals.integer(start)
    whole = arguments.text(value)
    if position == 0:
        raise ExpressionError("Expected a position from 1 on, or from -1 backwards, but it is 0")
    first = position - 1 if position > 0 else max(0, len(whole) + position)
    return whole[first:] if length is None else whole[first : first + max(0, decimals.integer(length))]


@builtin("upper case(string)")
def upper_case(value: Any) -> str:
    """Turn letters into capitals."""
    return arguments.text(value).upper()


@builtin("lower case(string)")
def lower_case(value: Any) -> str:
    """Turn letters into small ones."""
    return arguments.text(value).lower()


@builtin("trim(string)")
def trim(value: Any) -> str:
    """Remove spaces at both ends."""
    return arguments.text(value).strip()


@builtin("substring before(string, match)")
def substring_before(value: Any, match: Any) -> str:
    """Take what stands before the first match; nothing when there is none."""
    before, found, _ = _partition(value, match)
    return before if found else ""


@builtin("substring after(string, match)")
def substring_after(value: Any, match: Any) -> str:
    """Take what stands after the first match; nothing when there is none."""
    return _partition(value, match)[2]


def _partition(value: Any, match: Any) -> tuple[str, str, str]:
    if match == "":
        return "", "", arguments.text(value)
    return arguments.text(value).partition(arguments.text(match))


@builtin("contains(string, match)")
def contains(value: Any, match: Any) -> bool:
    """Tell whether the match stands somewhere in the text."""
    return arguments.text(match) in arguments.text(value)


@builtin("starts with(string, match)")
def starts_with(value: Any, match: Any) -> bool:
    """Tell whether the text begins with the match."""
    return arguments.text(value).startswith(arguments.text(match))


@builtin("ends with(string, match)")
def ends_with(value: Any, match: Any) -> bool:
    """Tell whether the text ends with the match."""
    return arguments.text(value).endswith(arguments.text(match))


#: Ways of a pattern that are tried in the time of one step.
_WAYS = 200


@builtin("matches(input, pattern, flags?)", scoped=True)
def matches(scope: Scope, value: Any, pattern: Any, flags: Any = None) -> bool:
    """Tell whether the pattern is found in the text (flags: i, s, m, x)."""
    return _pattern(scope, pattern, flags, value).search(value) is not None


@builtin("replace(input, pattern, replacement, flags?)", scoped=True)
def replace(scope: Scope, value: Any, pattern: Any, replacement: Any, flags: Any = None) -> str:
    """Replace every match; `$1` stands for the first group."""
    found = _pattern(scope, pattern, flags, value)
    if len(arguments.text(replacement)) * len(value) > 10 * limits.STRING:
        raise ExpressionError(f"Expected a shorter replacement for a text of {len(value)} characters, but it has {len(replacement)}")
    template = re.sub(r"\\(?!\\)|\\\\", r"\\\\", arguments.text(replacement))
    try:
        return found.sub(re.sub(r"\$([0-9]{1,2})", r"\\g<\1>", template), value)
    except (re.error, IndexError) as error:
        raise ExpressionError(f"Expected a replacement with $1 for the first group, but {error}") from None


@builtin("split(string, delimiter)", scoped=True)
def split(scope: Scope, value: Any, delimiter: Any) -> list[str]:
    """Split a text at every match of a pattern."""
    found = _pattern(scope, delimiter, None, value)
    return [part or "" for part in found.split(value)]


def _pattern(scope: Scope, pattern: Any, flags: Any, value: Any) -> re.Pattern[str]:
    """Compile a pattern, and count what it may cost on a text."""
    found = patterns.compile_pattern(arguments.text(pattern), arguments.text(flags or ""))
    scope.spend(patterns.effort(found, arguments.text(value)) // _WAYS)
    return found


@builtin("string join(list, delimiter?)")
def string_join(members: Any, delimiter: Any = None) -> str:
    """Join texts; null members are left out."""
    return arguments.text(delimiter or "").join(arguments.text(member) for member in arguments.listing(members) if member is not None)
