"""What an expression sees while it is evaluated, and the closures it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bpmn.errors import ExpressionError
from bpmn.expressions import limits

Functions = Mapping[str, Callable[..., Any]]


class Scope:
    """Names that are visible at one place of an expression, and the steps that the whole of it has left."""

    __slots__ = ("_root", "calls", "functions", "parent", "steps", "variables")
    LIMIT = limits.STEPS

    def __init__(self, variables: Mapping[str, Any], functions: Functions, parent: Scope | None = None) -> None:
        self.variables = variables
        self.functions = functions
        self.parent = parent
        #: None: itself; named, it would be a circle, which stays in memory until Python looks for such.
        self._root: Scope | None = None if parent is None else parent.root
        self.steps = 0
        #: Functions that are being called within one another.
        self.calls = 0

    @property
    def root(self) -> Scope:
        """The outermost scope, which counts."""
        return self if self._root is None else self._root

    def child(self, variables: Mapping[str, Any]) -> Scope:
        """Open an inner scope: a round of a loop, a filter, a context."""
        return Scope(variables, self.functions, self)

    def find(self, name: str) -> Any:
        """Return the innermost value of a name, or null."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                return scope.variables[name]
            scope = scope.parent
        return None

    def flat(self) -> Scope:
        """Return a scope that has all visible names in one place, as JUEL looks for them."""
        visible: dict[str, Any] = {}
        scope: Scope | None = self
        while scope is not None:
            visible = {**scope.variables, **visible}
            scope = scope.parent
        return Scope(visible, self.functions, self)

    def spend(self, steps: int) -> None:
        """Count what a loop or a function costs, and stop what costs too much."""
        root = self.root
        root.steps += steps
        if root.steps > root.LIMIT:
            raise ExpressionError(f"Expected an expression of at most {root.LIMIT} steps, but it takes more")


class DecisionScope(Scope):
    """What a decision sees, with all that it requires."""

    __slots__ = ()
    LIMIT = limits.DECISION


Run = Callable[[Scope], Any]


#: What is only known when it is evaluated.
UNKNOWN: Any = object()


@dataclass(frozen=True)
class Name:
    """An argument that is nothing but the name of a variable."""

    name: str


@dataclass(frozen=True)
class Invocation:
    """A call as it is written: of a function, or of a method of a value."""

    name: str
    #: Values where they are written, `Name` where a variable is named, UNKNOWN where they are calculated.
    arguments: tuple[Any, ...]
    method: bool = False


class Node(NamedTuple):
    """A part of an expression, ready to run."""

    run: Run
    depth: int = 1
    #: Number of operations in one run, loops not counted.
    weight: int = 1
    #: Whether it is a test by its form (a comparison, a quantifier …), not a value to compare with.
    truth: bool = False
    #: Its value, where it is written; the name of the variable that it is, or UNKNOWN.
    value: Any = UNKNOWN


def node(run: Run, *parts: Node, truth: bool = False, value: Any = UNKNOWN) -> Node:
    """Make a node of a closure and the parts that it calls."""
    depth = 1 + max((part.depth for part in parts), default=0)
    if depth > limits.DEPTH:
        raise ExpressionError(f"Expected at most {limits.DEPTH} operations that build on one another, but there are more")
    return Node(run, depth, 1 + sum(part.weight for part in parts), truth, value)


def constant(value: Any) -> Node:
    """Make a node of a value that is written out."""
    return node(lambda _: value, value=value)


def call(scope: Scope, name: str, arguments: list[Any]) -> Any:
    """Call a function that the caller supplied; nothing else can be called."""
    function = scope.functions.get(name)
    if function is None:
        known = ", ".join(sorted(scope.functions)) or "none"
        raise ExpressionError(f"Expected a known function, but {name} is not one (known: {known})")
    try:
        return function(*arguments)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise ExpressionError(f"Expected to call {name}, but {error}") from error
