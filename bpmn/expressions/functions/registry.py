"""FEEL's built-in functions: how one is declared, found and called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bpmn.errors import ExpressionError
from bpmn.expressions import limits
from bpmn.expressions.scope import Scope

Call = Callable[..., Any]
Declared = TypeVar("Declared", bound=Call)


@dataclass(frozen=True, kw_only=True)
class Function:
    """A built-in function."""

    name: str
    #: As the documentation shows it: `substring(string, start position, length?)`.
    signature: str
    #: Names of the parameters, for named arguments.
    parameters: tuple[str, ...]
    #: How many of them must be given.
    required: int
    #: Takes one list, or its members one by one.
    spread: bool
    #: Is called although an argument is null (others then give null).
    nulls: bool
    #: Takes the scope first, because what it does may cost more than its arguments show.
    scoped: bool
    summary: str
    call: Call

    def invoke(self, arguments: Sequence[Any], scope: Scope) -> Any:
        """Call it, and count what it reads and makes."""
        given = list(arguments)
        if self.spread and not (len(given) == 1 and (given[0] is None or isinstance(given[0], (list, tuple)))):
            given = [given]
        scope.spend(1 + sum(_cost(argument) for argument in given))
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
        unknown = named.keys() - set(self.parameters)
        missing = set(self.parameters[: self.required]) - named.keys()
        if unknown or missing:
            wrong = f"{min(unknown)} is none of them" if unknown else f"{min(missing)} is missing"
            raise ExpressionError(f"Expected {self.signature}, but {wrong}")
        last = max(self.parameters.index(name) for name in named)
        return [named.get(name) for name in self.parameters[: last + 1]]

    def check_count(self, count: int) -> None:
        """Refuse a call with too few or too many arguments."""
        if count < self.required or (not self.spread and count > len(self.parameters)):
            raise ExpressionError(f"Expected {self.signature}, but {count} arguments are given")


def _cost(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // 8
    return len(value) if isinstance(value, (list, tuple, Mapping)) else 0


#: All built-in functions by name.
FUNCTIONS: dict[str, Function] = {}


def builtin(signature: str, *, nulls: bool = False, scoped: bool = False) -> Callable[[Declared], Declared]:
    """Declare a function by its signature: `?` marks what may be left out, `…` a list or its members."""
    name, _, rest = signature.partition("(")
    parameters = [part.strip() for part in rest.rstrip(")").split(",") if part.strip()]

    def declare(call: Declared) -> Declared:
        FUNCTIONS[name] = Function(
            name=name,
            signature=signature,
            parameters=tuple(part.rstrip("?…") for part in parameters),
            required=sum(not part.endswith("?") for part in parameters),
            spread=any(part.endswith("…") for part in parameters),
            nulls=nulls,
            scoped=scoped,
            summary=(call.__doc__ or "").strip(),
            call=call,
        )
        return call

    return declare
