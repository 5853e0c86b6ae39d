"""Writes DMN documents for tests."""

from xml.sax.saxutils import escape, quoteattr

import pytest

from bpmn import decisions, xml
from bpmn.errors import DocumentError

DMN13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def document(*parts, namespace=DMN13, more=""):
    return xml.parse(f'<definitions xmlns="{namespace}" id="d" name="d" {more}>{"".join(parts)}</definitions>'.encode(), "test.dmn")


def column(text):
    """`name:type = values` or `expression:type`."""
    head, _, values = text.partition(" = ")
    name, _, kind = head.partition(":")
    return name, f" typeRef={quoteattr(kind)}" if kind else "", values


def decision(key, inputs, outputs, *rules, policy="UNIQUE", requires=(), name="", more=""):
    """A decision with a table; rules are `a | b => c | d`."""
    lines = [f'<decision id="{key}" name={quoteattr(name or key)}>']
    lines += [f'<informationRequirement><requiredDecision href="#{other}"/></informationRequirement>' for other in requires]
    lines.append(f'<decisionTable hitPolicy="{policy}" {more}>')
    for expression, kind, _ in map(column, inputs):
        lines.append(
            f"<input label={quoteattr(expression)}><inputExpression{kind}><text>{escape(expression)}</text></inputExpression></input>"
        )
    for output, kind, values in map(column, outputs):
        listed = f"<outputValues><text>{escape(values)}</text></outputValues>" if values else ""
        lines.append(f'<output label="{output}" name="{output}"{kind}>{listed}</output>')
    for number, rule in enumerate(rules, 1):
        cells, _, results = rule.partition("=>")
        lines.append(f'<rule id="{key}_{number}">')
        lines += [f"<inputEntry><text>{escape(cell.strip())}</text></inputEntry>" for cell in cells.split("|") if inputs]
        lines += [f"<outputEntry><text>{escape(result.strip())}</text></outputEntry>" for result in results.split("|")]
        lines.append("</rule>")
    return "".join([*lines, "</decisionTable></decision>"])


def read(*parts, **options):
    return decisions.parse(document(*parts, **options), "test.dmn")


def only(*arguments, **options):
    return read(decision("d", *arguments, **options))["d"]


def findings(*parts, **options):
    with pytest.raises(DocumentError) as refusal:
        read(*parts, **options)
    return refusal.value.findings
