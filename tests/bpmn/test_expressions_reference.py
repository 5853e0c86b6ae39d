"""The reference page lists what there is, and nothing else."""

import re
from pathlib import Path

from bpmn import patterns
from bpmn.decisions.boxed_reading import BoxedReader
from bpmn.decisions.table import Aggregation, HitPolicy
from bpmn.expressions import juel_context, juel_methods, limits
from bpmn.expressions.feel_types import TYPES
from bpmn.expressions.functions import FUNCTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "expressions.md").read_text(encoding="utf-8")


def test_reference__functions():
    listed = PAGE.partition("## Functions of FEEL")[2]

    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", listed, re.MULTILINE))

    assert rows == {signature.text: function.summary for function in FUNCTIONS.values() for signature in function.signatures}


def test_reference__limits():
    listed = PAGE.partition("## Limits")[2].partition("## ")[0]

    numbers = {int(number.replace(",", "")) for number in re.findall(r"\| ([\d,]+) \|$", listed, re.MULTILINE)}

    assert numbers == {
        limits.SOURCE,
        limits.TOKENS,
        limits.NESTING,
        limits.DEPTH,
        limits.STEPS,
        limits.DECISION,
        limits.CALLS,
        limits.STRING,
        limits.ITEMS,
        limits.MEMBERS,
        patterns.LONGEST,
    }


def test_reference__types():
    assert all(f"`{name}`" in PAGE for name in TYPES)


def test_reference__methods_of_juel():
    listed = PAGE.partition("### Methods of JUEL")[2].partition("## ")[0]

    rows = dict(re.findall(r"^\| (\w+) \| (.+) \|$", listed, re.MULTILINE))

    assert {kind: re.findall(r"`(\w+)`", names) for kind, names in rows.items() if kind != "of"} == {
        kind: list(methods) for kind, _, methods in juel_methods.KINDS
    }


def test_reference__context_of_juel():
    listed = PAGE.partition("### Methods of JUEL")[0]

    assert all(f"`{name}.{member}`" in listed for name, members in juel_context.PROPERTIES.items() for member in members)
    assert all(f"`execution.{method}('x')`" in listed for method in juel_context.VARIABLES)
    assert f"`{juel_context.USER}`" in listed


def test_reference__decisions():
    listed = PAGE.partition("### Decisions")[2].partition("## ")[0]

    named = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| ([^|]+) \|", listed, re.MULTILINE))))

    assert {*BoxedReader._BOXES, "businessKnowledgeModel", "inputData", "itemDefinition", "decisionService", "import"} <= named
    assert all(policy in listed for policy in (*HitPolicy, *Aggregation))
