"""Decision tables: which rules and columns changed, as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lxml import etree

from bpmn import xml
from bpmn.difference.change import Change, ChangeKind, Subject, compare
from bpmn.lint.bundle import TABLES

#: What decides, and what that is built on.
_KINDS = ("decision", "businessKnowledgeModel", "inputData")
_REQUIRED = ("{*}requiredDecision", "{*}requiredKnowledge", "{*}requiredInput")
#: What is written on the parts of a decision that is no table, or of the result of one.
_SAID = ("name", "typeRef", "expressionLanguage", "kind")
#: What stands for the annotation of a rule among its cells.
NOTE = "annotation"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A column or a rule of a table: what it is called, and what is written in it."""

    subject: Subject
    id: str
    name: str
    facts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A decision; one that is no table has neither columns nor rules."""

    id: str
    name: str
    facts: Mapping[str, str]
    columns: Mapping[str, Row] = field(default_factory=dict)
    rules: Mapping[str, Row] = field(default_factory=dict)


def read(files: Mapping[str, bytes]) -> dict[str, Table]:
    """Return the decisions of files by id; raises DocumentError for what is no XML."""
    roots = [xml.parse(content, name) for name, content in files.items() if name.endswith(TABLES)]
    found = [_table(node) for root in roots for kind in _KINDS for node in _all(root, kind)]
    return {table.id: table for table in found}


def between(before: Mapping[str, Table], after: Mapping[str, Table]) -> Iterator[Change]:
    """Compare decisions by their ids."""
    yield from compare(before, after, _decision, lambda table: table.facts)
    for key, table in after.items():
        if key in before:
            yield from _inside(before[key], table)


def _inside(before: Table, after: Table) -> Iterator[Change]:
    def told(row: Row, kind: ChangeKind) -> Change:
        return Change(kind=kind, subject=row.subject, id=row.id, name=row.name, within=after.id)

    yield from compare(before.columns, after.columns, told, lambda row: row.facts)
    # A row that was cut and pasted has another id, and says the same.
    old, new = _without_twins(before.rules, after.rules), _without_twins(after.rules, before.rules)
    common = before.columns.keys() & after.columns.keys() | {NOTE}
    for change in compare(old, new, told, lambda row: {key: text for key, text in row.facts.items() if key in common}):
        yield replace(change, attribute=after.columns[change.attribute].name) if change.attribute in after.columns else change
    stayed = [[key for key in rules if key in before.rules and key in after.rules] for rules in (before.rules, after.rules)]
    if stayed[0] != stayed[1]:
        yield replace(_decision(after, ChangeKind.CHANGED), attribute="order", before=", ".join(stayed[0]), after=", ".join(stayed[1]))


def _without_twins(rules: Mapping[str, Row], others: Mapping[str, Row]) -> dict[str, Row]:
    """Leave out rules that have another id on the other side, and the same content."""
    said = [dict(row.facts) for key, row in others.items() if key not in rules]
    return {key: row for key, row in rules.items() if key in others or dict(row.facts) not in said}


def _decision(table: Table, kind: ChangeKind) -> Change:
    return Change(kind=kind, subject=Subject.DECISION, id=table.id, name=table.name)


def _table(decision: etree._Element) -> Table:
    (table, *_) = [*_all(decision, "decisionTable"), None]
    required = sorted(each.get("href", "").removeprefix("#") for each in decision.iter(*_REQUIRED))
    facts = {"name": decision.get("name", ""), **_unless_empty(requires=", ".join(required))}
    if table is None:
        said = [" ".join(_said(node)) for node in decision.iter() if isinstance(node.tag, str) and node is not decision]
        return Table(id=decision.get("id", ""), name=facts["name"], facts=facts | {"logic": " ".join(filter(None, said))})
    result = " ".join(text for variable in _all(decision, "variable") for text in _said(variable))
    facts |= _unless_empty(result=result, hitPolicy=table.get("hitPolicy", ""), aggregation=table.get("aggregation", ""))
    columns = [_column(node) for tag in ("input", "output") for node in _all(table, tag)]
    rules = [_rule(node, number, columns) for number, node in enumerate(_all(table, "rule"), 1)]
    return Table(
        id=decision.get("id", ""),
        name=facts["name"],
        facts=facts,
        columns={column.id: column for column in columns},
        rules={rule.id: rule for rule in rules},
    )


def _column(node: etree._Element) -> Row:
    (expression, *_) = [*_all(node, "inputExpression"), node]
    asked = _text(expression) if expression is not node else node.get("name", "")
    facts = {"name": node.get("label", "") or asked, "expression": asked}
    facts |= {name: expression.get(name, "") for name in ("typeRef", "expressionLanguage")}
    facts |= {tag: _text(part) for tag in ("inputValues", "outputValues", "defaultOutputEntry") for part in _all(node, tag)}
    return Row(subject=Subject.COLUMN, id=node.get("id", ""), name=facts["name"], facts=_unless_empty(**facts))


def _rule(node: etree._Element, number: int, columns: list[Row]) -> Row:
    cells = [_text(entry) for tag in ("inputEntry", "outputEntry") for entry in _all(node, tag)]
    facts = {column.id: cell for column, cell in zip(columns, cells, strict=False)}
    facts[NOTE] = next(((note.text or "").strip() for note in _all(node, "description")), "")
    said = {key: text for key, text in facts.items() if text}
    return Row(subject=Subject.RULE, id=node.get("id", ""), name=f"第 {number} 行", facts=said)


def _unless_empty(**facts: str) -> dict[str, str]:
    """Leave out what is not written."""
    return {name: value for name, value in facts.items() if value}


def _said(node: etree._Element) -> Iterator[str]:
    """Yield what is written on an element, and in it."""
    yield from (value for name in _SAID if (value := node.get(name)))
    if text := (node.text or "").strip():
        yield text


def _text(node: etree._Element) -> str:
    return next(((child.text or "").strip() for child in _all(node, "text")), "")


def _all(node: etree._Element, tag: str) -> Iterator[etree._Element]:
    """Children of a name, in whatever version of DMN."""
    return node.iterchildren(f"{{*}}{tag}")
