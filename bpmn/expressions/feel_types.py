"""Types of FEEL: what `instance of` and the parameters of a function know, and how they are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.expressions import decimals
from bpmn.expressions.closures import Closure, Parameter
from bpmn.expressions.feel import Range
from bpmn.expressions.feel_names import Names
from bpmn.expressions.lexer import Tokens
from bpmn.expressions.temporal import YearsMonths
from bpmn.expressions.values import describe

#: Tells whether a value is of a type.
Check = Callable[[Any], bool]


def _is(*kinds: type) -> Check:
    return lambda value: isinstance(value, kinds)


TYPES: dict[str, Check] = {
    "Any": lambda value: value is not None,
    "Null": lambda value: value is None,
    "boolean": _is(bool),
    "context": _is(Mapping),
    "date": lambda value: type(value) is dt.date,
    "date and time": _is(dt.datetime),
    "days and time duration": _is(dt.timedelta),
    "function": _is(Closure),
    "list": _is(list, tuple),
    "number": decimals.is_number,
    "range": _is(Range),
    "string": _is(str),
    "time": _is(dt.time),
    "years and months duration": _is(YearsMonths),
}
NO_TYPES: Mapping[str, Check] = MappingProxyType({})


class TypeReader:
    """Reads a type: a name, or `list<…>`, `range<…>`, `context<a: …>`, `function<…> -> …`."""

    def __init__(self, tokens: Tokens, names: Names, declared: Mapping[str, Check]) -> None:
        self._tokens = tokens
        self._names = names
        self._known = {**declared, **TYPES}
        self._generic: dict[str, Callable[[], Check]] = {
            "list": self._list,
            "range": self._range,
            "context": self._context,
            "function": self._function,
        }

    def read(self) -> Check:
        """Pass a type and return its check."""
        name = self._names.longest(self._known)
        if name is None:
            self._tokens.refuse("a type (" + ", ".join(sorted(self._known)) + ")")
        if name not in self._generic or not self._tokens.accept("<"):
            return self._known[name]
        self._tokens.enter()
        check = self._generic[name]()
        self._tokens.leave()
        return check

    def parameter(self) -> Parameter:
        """Pass a formal parameter, `x` or `x: number`."""
        name = self._names.declare(":")
        if not self._tokens.accept(":"):
            return Parameter(name)
        start = self._tokens.current
        check = self.read()
        return Parameter(name, _accepting(check, start.text))

    def _list(self) -> Check:
        member = _or_null(self.read())
        self._tokens.expect(">")
        return lambda value: isinstance(value, (list, tuple)) and all(map(member, value))

    def _range(self) -> Check:
        end = self.read()
        self._tokens.expect(">")
        return lambda value: isinstance(value, Range) and end(value.low) and end(value.high)

    def _context(self) -> Check:
        entries: dict[str, Check] = {}
        while not entries or self._tokens.accept(","):
            name = self._names.declare(":")
            self._tokens.expect(":")
            entries[name] = _or_null(self.read())
        self._tokens.expect(">")
        return lambda value: isinstance(value, Mapping) and all(name in value and check(value[name]) for name, check in entries.items())

    def _function(self) -> Check:
        """What a function takes and gives is known only when it is called: its parameters are counted."""
        count = 0
        while not self._tokens.accept(">"):
            if count:
                self._tokens.expect(",")
            self.read()
            count += 1
        self._tokens.expect("-")
        self._tokens.expect(">")
        self.read()
        return lambda value: isinstance(value, Closure) and len(value.parameters) == count


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _accepting(check: Check, name: str) -> Callable[[Any], Any]:
    def accept(value: Any) -> Any:
        if value is None or check(value):
            return value
        raise ExpressionError(f"Expected a value of type {name}, but it is {describe(value)}")

    return accept
