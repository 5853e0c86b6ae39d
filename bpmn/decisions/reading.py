"""From the elements of decisions, input data and knowledge models to what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from bpmn.decisions.boxed_reading import BoxedReader
from bpmn.decisions.decision import BoxedExpression, InputData
from bpmn.decisions.source import Node
from bpmn.decisions.table import DecisionTable
from bpmn.decisions.types import Type
from bpmn.expressions import scope
from bpmn.expressions.closures import Parameter
from bpmn.expressions.functions import FUNCTIONS


@dataclass(frozen=True, kw_only=True)
class Logic:
    """A decision as read, not yet joined with what it requires."""

    id: str
    name: str
    node: Node
    body: DecisionTable | BoxedExpression
    names: tuple[str, ...]
    #: Ids of decisions, of knowledge models and of input data.
    requires: tuple[str, ...]
    knowledge: tuple[str, ...]
    data: tuple[str, ...]
    kind: Type | None
    reads: frozenset[str]
    calls: frozenset[str]
    invocations: tuple[scope.Invocation, ...]


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """A knowledge model as read, not yet joined with those that it requires."""

    id: str
    name: str
    node: Node
    parameters: tuple[Parameter, ...]
    body: scope.Node
    requires: tuple[str, ...]
    #: Names that it reads beside its parameters: they must be of knowledge models that it requires.
    reads: frozenset[str]
    calls: frozenset[str]


class Reader(BoxedReader):
    """Reads the decisions, input data and knowledge models of one document."""

    def read(self, node: Node) -> Logic | None:
        """Read one decision; None when it cannot be read, and then an error has been noted."""
        key = self._begin(node, "decision")
        variable = self._source.child(node, "variable")
        written = None if variable is None else variable.get("typeRef")
        declared = self._type(node if variable is None else variable, written)
        body = self._attempt(node, "the decision", lambda: self._body(node, declared)) if key else None
        if body is None:
            return None
        decisions, data = self._required(node, "informationRequirement", "requiredDecision", "requiredInput")
        (knowledge,) = self._required(node, "knowledgeRequirement", "requiredKnowledge")
        names = [key, node.get("name", ""), "" if variable is None else variable.get("name", "")]
        return Logic(
            id=key,
            name=node.get("name") or key,
            node=node,
            body=body,
            names=tuple(dict.fromkeys(name for name in names if name)),
            requires=decisions,
            knowledge=knowledge,
            data=data,
            kind=declared if self._items.is_declared(written) else None,
            reads=frozenset(self._reads),
            calls=frozenset(self._calls),
            invocations=tuple(self._invocations),
        )

    def read_knowledge(self, node: Node) -> Knowledge | None:
        """Read one business knowledge model; None when it is wrong, and then an error has been noted."""
        key = self._begin(node, "knowledge model")
        name = node.get("name", "")
        if name in FUNCTIONS:
            self._refuse(node, "bad-name", f"Expected a name of its own, but FEEL has a function {name}: give it another")
        logic = self._source.child(node, "encapsulatedLogic")
        if logic is None:
            self._refuse(node, "missing-logic", "Expected the knowledge model to hold a function, but it is empty")
        found = self._attempt(node, "the function", lambda: self._parameters_and_body(logic, "the function")) if logic is not None else None
        if not key or found is None:
            return None
        return Knowledge(
            id=key,
            name=name or key,
            node=node,
            parameters=found[0],
            body=found[1],
            requires=self._required(node, "knowledgeRequirement", "requiredKnowledge")[0],
            reads=frozenset(self._reads),
            calls=frozenset(self._calls),
        )

    def read_data(self, node: Node) -> InputData | None:
        """Read the type of input data; None when it has none."""
        self._owner = None
        variable = self._source.child(node, "variable")
        kind = None if variable is None else self._type(variable, variable.get("typeRef"))
        name = ("" if variable is None else variable.get("name", "")) or node.get("name", "")
        return InputData(name=name, kind=kind) if kind and name else None

    def _begin(self, node: Node, what: str) -> str:
        """Begin to read a decision or a knowledge model, and return its id; without one, note an error and return an empty text."""
        self._owner, self._reads, self._calls, self._invocations = node, set(), set(), []
        if not node.get("id"):
            self._refuse(node, "missing-id", f"Expected an id, but the {what} has none")
        return node.get("id", "")

    def _required(self, node: Node, requirement: str, *kinds: str) -> tuple[tuple[str, ...], ...]:
        """Ids that a decision requires, by kind."""
        found: dict[str, list[str]] = {kind: [] for kind in kinds}
        for each in self._source.children(node, requirement):
            named = [(kind, child) for kind in kinds if (child := self._source.child(each, kind)) is not None]
            if not named:
                self._refuse(each, "missing-decision", f"Expected {requirement} to name {' or '.join(kinds)}, but it names nothing")
            for kind, child in named:
                found[kind].append(child.get("href", "").removeprefix("#"))
        return tuple(tuple(found[kind]) for kind in kinds)

    def _body(self, node: Node, kind: Type | None) -> DecisionTable | BoxedExpression | None:
        table = self._source.child(node, "decisionTable")
        if table is not None:
            return self._table(node, table)
        variable = self._source.child(node, "variable")
        name = ("" if variable is None else variable.get("name", "")) or node.get("id", "")
        found = self._box(node, "the decision")
        return BoxedExpression(name=name, body=found, kind=kind) if found else None
