"""The reference page lists what there is, and nothing else."""

import re
from pathlib import Path

from bpmn import patterns
from bpmn.expressions import limits
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
