"""FEEL, case by case: the tables in `feel/` say what each expression comes to, or why it is refused.

`expression => value` in FEEL's own writing; `=> ! words` stands for an error that says these words.
"""

from pathlib import Path

import pytest
import yaml

from bpmn.errors import ExpressionError
from bpmn.expressions import parse_feel, parse_unary_tests
from bpmn.expressions.functions import FUNCTIONS
from bpmn.expressions.writing import write

TABLES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((Path(__file__).parent / "feel").glob("*.yaml"))}


def rows(section):
    lines = [(name, *line.rpartition("=>")) for name, table in TABLES.items() for line in table.get(section, "").splitlines()]
    return [
        pytest.param(TABLES[name], given.strip(), expected.strip(), id=f"{name}: {given.strip()}") for name, given, _, expected in lines
    ]


def outcome(evaluate):
    """What comes of it, in FEEL's writing."""
    try:
        return write([evaluate()])[1:-1]
    except ExpressionError as error:
        return f"! {error}"


@pytest.mark.parametrize(("table", "expression", "expected"), rows("cases"))
def test_evaluate__as_the_table_says(table, expression, expected):
    found = outcome(lambda: parse_feel(expression, table.get("names", ())).evaluate(table["variables"]))

    if expected.startswith("!"):
        assert found.startswith("!")
        assert expected[1:].strip() in found
    else:
        assert found == expected


@pytest.mark.parametrize(("table", "cell", "expected"), rows("cells"))
def test_matches__as_the_table_says(table, cell, expected):
    tests, _, given = cell.rpartition("|")
    value = parse_feel(given).evaluate({})

    found = outcome(lambda: parse_unary_tests(tests.strip()).matches(value, table["variables"]))

    if expected.startswith("!"):
        assert expected[1:].strip() in found
    else:
        assert found == expected


def test_tables__hold_every_function():
    written = "\n".join(table.get("cases", "") for table in TABLES.values())

    assert {name for name in FUNCTIONS if f"{name}(" not in written} == set()
    assert len(rows("cases")) + len(rows("cells")) > 500
