"""FEEL's built-in functions: how one is declared, found and called."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bpmn.errors import ExpressionError
from bpmn.expressions import limits
from bpmn.expressions.scope import Scope

Call = Callable[..., Any]
Declared = TypeVar("Declared", bound=Call)


@dataclass(frozen=True)
class Signature:
    """One way to call a function.  All ways of one function take their arguments at the same places."""

    #: As the documentation shows it: `substring(string, start position, length?)`.
    text: str
    #: Names of the parameters, for named arguments.
    parameters: tuple[str, ...]
    #: How many of them must be given.
    required: int
    #: How many may be given.
    most: float

    def takes(self, names: Collection[str]) -> bool:
        """Tell whether these names are arguments of it."""
        return set(self.parameters[: self.required]) <= set(names) <= set(self.parameters)


@dataclass(frozen=True, kw_only=True)
class Function:
    """A built-in function."""

    name: str
    signatures: tuple[Signature, ...]
    #: Takes one list, or its members one by one.
    spread: bool
    #: Is called although an argument is null (others then give null).
    nulls: bool
    #: Takes the scope first, because what it does may cost more than its arguments show.
    scoped: bool
    #: Steps that one call costs, and each member of a list (or eight characters of a text) that it is given: about half a microsecond each.
    cost: int
    weight: int
    summary: str
    call: Call

    def invoke(self, arguments: Sequence[Any], scope: Scope) -> Any:
        """Call it, and count what it reads and makes."""
        given = list(arguments)
        if self.spread and not (len(given) == 1 and (given[0] is None or isinstance(given[0], (list, tuple)))):
            given = [given]
        scope.spend(self.cost + self.weight * sum(_cost(argument) for argument in given))
        if not self.nulls and any(argument is None for argument in given):
            return None
        try:
            result = self.call(scope, *given) if self.scoped else self.call(*given)
        except ExpressionError as error:
            raise ExpressionError(f"{error}, in {self.name}()") from error
        if isinstance(result, str):
            limits.text(result)
        if isinstance(result, list):
            limits.items(result)
        scope.spend(_cost(result))
        return result

    def arrange(self, named: Mapping[str, Any]) -> list[Any]:
        """Put named arguments in order; what is left out between two given ones is null."""
        for signature in self.signatures:
            if signature.takes(named):
                last = max(signature.parameters.index(name) for name in named)
                return [named.get(name) for name in signature.parameters[: last + 1]]
        known = {name for signature in self.signatures for name in signature.parameters}
        unknown = sorted(named.keys() - known)
        missing = [name for name in self.signatures[0].parameters[: self.signatures[0].required] if name not in named]
        wrong = f"{unknown[0]} is none of them" if unknown or not missing else f"{missing[0]} is missing"
        raise ExpressionError(f"Expected {self._usage()}, but {wrong}")

    def check_count(self, count: int) -> None:
        """Refuse a call with too few or too many arguments."""
        if not any(signature.required <= count <= signature.most for signature in self.signatures):
            raise ExpressionError(f"Expected {self._usage()}, but {count} arguments are given")

    def _usage(self) -> str:
        return " or ".join(signature.text for signature in self.signatures)


def _cost(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // 8
    return len(value) if isinstance(value, (list, tuple, Mapping)) else 0


#: All built-in functions by name.
FUNCTIONS: dict[str, Function] = {}


def builtin(*signatures: str, nulls: bool = False, scoped: bool = False, cost: int = 6, weight: int = 1) -> Callable[[Declared], Declared]:
    """Declare a function by its signatures: `?` marks what may be left out, `…` one or more, or a list of them when it stands alone."""
    read = tuple(_signature(each) for each in signatures)
    name = signatures[0].partition("(")[0]

    def declare(call: Declared) -> Declared:
        FUNCTIONS[name] = Function(
            name=name,
            signatures=read,
            spread=len(read[0].parameters) == 1 and math.isinf(read[0].most),
            nulls=nulls,
            scoped=scoped,
            cost=cost,
            weight=weight,
            summary=(call.__doc__ or "").strip(),
            call=call,
        )
        return call

    return declare


def _signature(text: str) -> Signature:
    parts = [part.strip() for part in text.partition("(")[2].rstrip(")").split(",") if part.strip()]
    return Signature(
        text,
        tuple(part.rstrip("?…") for part in parts),
        required=sum(not part.endswith("?") for part in parts),
        most=math.inf if text.endswith("…)") else len(parts),
    )
