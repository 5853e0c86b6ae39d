"""From the element of a decision table to a DecisionTable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bpmn.decisions import types
from bpmn.decisions.expression_reading import ExpressionReader, label
from bpmn.decisions.source import CAMUNDA, Node, line
from bpmn.decisions.table import Aggregation, Cell, DecisionTable, HitPolicy, Input, JuelCell, NamedCell, Output, Rule
from bpmn.decisions.types import Type
from bpmn.expressions import Expression, UnaryTests, parse_feel


class TableReader(ExpressionReader):
    """Reads decision tables."""

    def _table(self, owner: Node, node: Node) -> DecisionTable | None:
        """Read a table; None when something in it is wrong, and then errors have been noted."""
        before = len(self._source.findings)
        policy = self._choice(node, "hitPolicy", HitPolicy, HitPolicy.UNIQUE)
        aggregation = self._choice(node, "aggregation", Aggregation, None)
        inputs = [(column, self._input(column)) for column in self._source.children(node, "input")]
        outputs = [self._output(owner, column, node) for column in self._source.children(node, "output")]
        self._judge(node, policy, aggregation, outputs)
        variables = [column.get(f"{CAMUNDA}inputVariable", "cellInput") for column, _ in inputs]
        labels = [label(column) for column, _ in inputs]
        rules = [
            self._rule(rule, number, list(zip(labels, variables, strict=True)), outputs)
            for number, rule in enumerate(self._source.children(node, "rule"), 1)
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
        name = label(column)
        if node is None or not self._source.text(node):
            self._refuse(column, "missing-input", f"Expected the input {name!r} to have an expression, but it has none")
            return None
        expression = self._expression(node, f"input {name!r}")
        kind = self._type(node, node.get("typeRef"))
        return Input(label=name, expression=expression, kind=kind, allowed=self._allowed(column, name)) if expression else None

    def _allowed(self, column: Node, name: str) -> UnaryTests | None:
        listed = self._source.child(column, "inputValues")
        return None if listed is None or not self._source.text(listed) else self._tests(listed, f"input {name!r}, the input values")

    def _output(self, owner: Node, column: Node, table: Node) -> Output:
        single = self._source.child(table, "output") is column and len(list(self._source.children(table, "output"))) == 1
        name = column.get("name", "") or (owner.get("id", "") if single else "")
        kind = self._type(column, column.get("typeRef"))
        listed = self._source.child(column, "outputValues")
        written = "" if listed is None else self._source.text(listed)
        values = self._attempt(column, "the output values", lambda: _values(written, kind)) or ()
        found = Output(name=name, label=label(column), kind=kind, values=values)
        default = self._source.child(column, "defaultOutputEntry")
        return found if default is None else replace(found, default=self._result(default, f"default of {found.label!r}", found))

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
        read = [self._cell(cell, f"{place}, input {name!r}", variable) for cell, (name, variable) in zip(cells, inputs, strict=True)]
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
            self._attempt(node, place, lambda: output.judge(types.convert(found.evaluate({}), output.kind)))
        return found

    def _cell(self, node: Node, place: str, variable: str) -> Cell | None:
        if self._dialect(node) == "juel" and self._source.text(node) not in ("", "-"):
            mentioned = variable in self._reads
            condition = self._expression(node, place)
            if not mentioned:
                self._reads.discard(variable)
            return JuelCell(condition, variable) if condition else None
        tests = self._tests(node, place, variable)
        return NamedCell(tests, variable) if tests is not None and variable in tests.names else tests


def _values(written: str, kind: Type | None) -> tuple[Any, ...]:
    """Read the output values of a column, in order."""
    return tuple(types.convert(value, kind) for value in parse_feel(f"[{written}]").evaluate({}))
