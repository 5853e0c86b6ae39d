"""From the element of a decision to its logic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bpmn.decisions import types
from bpmn.decisions.decision import LiteralExpression
from bpmn.decisions.source import CAMUNDA, Node, Source, line
from bpmn.decisions.table import Aggregation, Cell, DecisionTable, HitPolicy, Input, JuelCell, NamedCell, Output, Rule
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression, parse, parse_feel, parse_unary_tests

Read = TypeVar("Read")
_UNSUPPORTED = ("context", "invocation", "relation", "list", "functionDefinition", "conditional", "filter", "for", "some", "every")


@dataclass(frozen=True, kw_only=True)
class Logic:
    """A decision as read, not yet joined with those that it requires."""

    id: str
    name: str
    node: Node
    body: DecisionTable | LiteralExpression
    names: tuple[str, ...]
    requires: tuple[str, ...]
    reads: frozenset[str]
    calls: frozenset[str]


class Reader:
    """Reads the decisions of one document."""

    def __init__(self, source: Source, root: Node) -> None:
        self._source = source
        self._decision: Node | None = None
        self._known = _names(root)
        self._reads: set[str] = set()
        self._calls: set[str] = set()

    def read(self, node: Node) -> Logic | None:
        """Read one decision; None when it cannot be told what it is, which has been noted then."""
        self._decision, self._reads, self._calls = node, set(), set()
        key = node.get("id", "")
        if not key:
            self._refuse(node, "missing-id", "Expected an id, but the decision has none")
            return None
        body = self._body(node)
        if body is None:
            return None
        variable = self._source.child(node, "variable")
        names = [key, node.get("name", ""), "" if variable is None else variable.get("name", "")]
        return Logic(
            id=key,
            name=node.get("name") or key,
            node=node,
            body=body,
            names=tuple(dict.fromkeys(name for name in names if name)),
            requires=tuple(self._required(node)),
            reads=frozenset(self._reads),
            calls=frozenset(self._calls),
        )

    def _required(self, node: Node) -> list[str]:
        found = []
        for requirement in node:
            tag = self._source.tag(requirement)
            if tag == "knowledgeRequirement":
                self._refuse(requirement, "unsupported-element", "Expected required decisions, but knowledgeRequirement is not supported")
            decision = self._source.child(requirement, "requiredDecision") if tag == "informationRequirement" else None
            if decision is not None:
                found.append(decision.get("href", "").removeprefix("#"))
        return found

    def _body(self, node: Node) -> DecisionTable | LiteralExpression | None:
        for child in node:
            tag = self._source.tag(child)
            if tag == "decisionTable":
                return self._table(node, child)
            if tag == "literalExpression":
                return self._literal(node, child)
            if tag in _UNSUPPORTED:
                self._refuse(child, "unsupported-element", f"Expected a decision table or a literal expression, but {tag} is not supported")
                return None
        self._refuse(node, "missing-logic", "Expected a decision table or a literal expression, but the decision is empty")
        return None

    def _literal(self, node: Node, child: Node) -> LiteralExpression | None:
        variable = self._source.child(node, "variable")
        type_ref = None if variable is None else variable.get("typeRef")
        expression = self._expression(child, "the literal expression")
        if expression is None:
            return None
        name = ("" if variable is None else variable.get("name", "")) or node.get("id", "")
        return LiteralExpression(name=name, expression=expression, type_ref=self._type(child, type_ref or child.get("typeRef")))

    def _table(self, node: Node, child: Node) -> DecisionTable | None:
        before = len(self._source.findings)
        policy = self._choice(child, "hitPolicy", HitPolicy, HitPolicy.UNIQUE)
        aggregation = self._choice(child, "aggregation", Aggregation, None)
        inputs = [(column, self._input(column)) for column in self._source.children(child, "input")]
        outputs = [self._output(node, column, child) for column in self._source.children(child, "output")]
        self._judge(child, policy, aggregation, outputs)
        variables = [column.get(f"{CAMUNDA}inputVariable", "cellInput") for column, _ in inputs]
        labels = [_label(column) for column, _ in inputs]
        rules = [
            self._rule(rule, number, list(zip(labels, variables, strict=True)), outputs)
            for number, rule in enumerate(self._source.children(child, "rule"), 1)
        ]
        if len(self._source.findings) > before:
            return None
        return DecisionTable(
            inputs=tuple(column for _, column in inputs if column),
            outputs=tuple(outputs),
            rules=tuple(rule for rule in rules if rule),
            hit_policy=HitPolicy(policy),
            aggregation=aggregation,
        )

    def _choice(self, node: Node, attribute: str, kind: Any, default: Any) -> Any:
        value = node.get(attribute)
        if value is None or value in list(kind):
            return default if value is None else kind(value)
        self._refuse(node, "unsupported-attribute", f"Expected {attribute} to be one of {', '.join(kind)}, but it is {value!r}")
        return default

    def _judge(self, node: Node, policy: HitPolicy, aggregation: Aggregation | None, outputs: list[Output]) -> None:
        names = [output.name for output in outputs]
        if not outputs:
            self._refuse(node, "missing-output", "Expected an output column, but the table has none")
        if len(set(names)) < len(names):
            self._refuse(node, "output-names", "Expected each output to have a name of its own, but two have the same or none")
        if aggregation and (policy is not HitPolicy.COLLECT or len(outputs) != 1):
            self._refuse(
                node, "aggregation", f"Expected {aggregation} with the hit policy COLLECT and one output, but the table has others"
            )
        if policy in (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER) and not any(output.values for output in outputs):
            self._refuse(node, "missing-output-values", f"Expected output values in order of priority for {policy}, but no output has any")

    def _input(self, column: Node) -> Input | None:
        node = self._source.child(column, "inputExpression")
        label = _label(column)
        if node is None or not self._source.text(node):
            self._refuse(column, "missing-input", f"Expected the input {label!r} to have an expression, but it has none")
            return None
        expression = self._expression(node, f"input {label!r}")
        type_ref = self._type(node, node.get("typeRef"))
        return Input(label=label, expression=expression, type_ref=type_ref) if expression else None

    def _output(self, decision: Node, column: Node, table: Node) -> Output:
        single = self._source.child(table, "output") is column and len(list(self._source.children(table, "output"))) == 1
        name = column.get("name", "") or (decision.get("id", "") if single else "")
        type_ref = self._type(column, column.get("typeRef"))
        listed = self._source.child(column, "outputValues")
        written = "" if listed is None else self._source.text(listed)
        values = self._attempt(column, "the output values", lambda: _values(written, type_ref)) or ()
        return Output(name=name, label=_label(column), type_ref=type_ref, values=values)

    def _rule(self, node: Node, number: int, inputs: list[tuple[str, str]], outputs: list[Output]) -> Rule | None:
        key = node.get("id", f"rule-{number}")
        cells = list(self._source.children(node, "inputEntry"))
        results = list(self._source.children(node, "outputEntry"))
        if len(cells) != len(inputs) or len(results) != len(outputs):
            wanted = f"{len(inputs)} input and {len(outputs)} output cells"
            message = f"Expected rule {number} to have {wanted}, but it has {len(cells)} and {len(results)}"
            self._refuse(node, "cells", message)
            return None
        place = f"rule {number} ({key})"
        read = [self._cell(cell, f"{place}, input {label!r}", variable) for cell, (label, variable) in zip(cells, inputs, strict=True)]
        said = [self._result(cell, f"{place}, output {output.label!r}", output) for cell, output in zip(results, outputs, strict=True)]
        description = self._source.child(node, "description")
        return Rule(
            id=key,
            number=number,
            cells=tuple(cell for cell in read if cell),
            outputs=tuple(said),
            description="" if description is None else (description.text or "").strip(),
            line=line(node),
        )

    def _result(self, node: Node, place: str, output: Output) -> Expression | None:
        if not self._source.text(node):
            return None
        found = self._expression(node, place)
        if found and not found.names and not found.calls:
            # A constant says now whether it fits its column.
            self._attempt(node, place, lambda: types.convert(found.evaluate({}), output.type_ref))
        return found

    def _cell(self, node: Node, place: str, variable: str) -> Cell | None:
        text = self._source.text(node)
        if self._dialect(node) == "juel" and text not in ("", "-"):
            condition = self._expression(node, place)
            self._reads.discard(variable)
            return JuelCell(condition, variable) if condition else None
        tests = self._attempt(node, place, lambda: parse_unary_tests(text, self._known))
        if tests is not None:
            self._reads |= tests.names - {variable}
            self._calls |= tests.calls
        return NamedCell(tests, variable) if tests is not None and variable in tests.names else tests

    def _expression(self, node: Node, place: str) -> Expression | None:
        text = self._source.text(node)
        dialect = self._dialect(node)
        if dialect == "juel":
            written = text if "${" in text or "#{" in text else f"${{{text}}}"
            found = self._attempt(node, place, lambda: parse(written))
        else:
            found = self._attempt(node, place, lambda: parse_feel(text, self._known)) if dialect else None
        if found is not None:
            self._reads |= found.names
            self._calls |= found.calls
        return found

    def _dialect(self, node: Node) -> str:
        """Return feel or juel, or nothing for another language, which is noted."""
        language = node.get("expressionLanguage", "") or self._source.language or "feel"
        if language.lower().rstrip("/").endswith("feel"):
            return "feel"
        if language.lower() == "juel":
            return "juel"
        self._refuse(node, "unsupported-language", f"Expected an expression in FEEL or JUEL, but the language is {language!r}")
        return ""

    def _type(self, node: Node, type_ref: str | None) -> str | None:
        if not type_ref or types.key(type_ref) in types.TYPES:
            return type_ref
        self._refuse(node, "unsupported-type", f"Expected a type such as string, boolean, integer, double or date, but it is {type_ref!r}")
        return None

    def _attempt(self, node: Node, place: str, read: Callable[[], Read]) -> Read | None:
        try:
            return read()
        except ExpressionError as error:
            self._refuse(node, "bad-expression", f"{place}: {error}")
            return None

    def _refuse(self, node: Node, rule: str, message: str) -> None:
        """Note an error with the decision that it stands in."""
        decision = node if self._decision is None else self._decision
        self._source.refuse(node, rule, f"Decision {decision.get('name') or decision.get('id')}, {message}", name=decision.get("name", ""))


def _label(column: Node) -> str:
    return column.get("label", "") or column.get("name", "") or column.get("id", "")


def _names(root: Node) -> tuple[str, ...]:
    """Names that are read right only when they are known: those of decisions, data and outputs that hold spaces or signs."""
    named = (each.get("name", "") for each in root.iter("{*}decision", "{*}inputData", "{*}variable", "{*}output"))
    return tuple({name for name in named if name and not name.isidentifier()})


def _values(written: str, type_ref: str | None) -> tuple[Any, ...]:
    """Read the output values of a column, in order."""
    return tuple(types.convert(value, type_ref) for value in parse_feel(f"[{written}]").evaluate({}))
