"""Every rule of the lint has a page, and examples: what it lets pass, and what it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn import lint
from engine import checks, folders

EXAMPLES = Path(__file__).parent / "rules"
PAGES = Path(__file__).parents[2] / "docs/rules"
RULES = {rule.name: rule for rule in lint.RULES}

each_rule = pytest.mark.parametrize("rule", RULES)


def found(rule: str, side: str) -> list[tuple[str, str]]:
    """Severities and messages of a rule over the example."""
    located = checks.check(folders.read([EXAMPLES / rule / side]))
    return [(each.finding.severity, each.finding.message) for each in located if each.finding.rule == rule]


@each_rule
def test_rule__lets_the_valid_example_pass(rule: str):
    assert found(rule, "valid") == []


@each_rule
def test_rule__finds_what_is_wrong_with_the_invalid_example(rule: str):
    findings = found(rule, "invalid")

    assert {severity for severity, _ in findings} == {RULES[rule].severity}
    assert all(message.startswith("Expected ") and ", but " in message for _, message in findings)


@each_rule
def test_rule__has_its_page(rule: str):
    page = (PAGES / f"{rule}.md").read_text(encoding="utf-8")

    assert page.startswith(f"# {rule}\n")
    assert f"**{RULES[rule].severity}**" in page


@each_rule
def test_rule__has_a_file_of_its_own(rule: str):
    assert RULES[rule].check.__module__ == f"bpmn.lint.rules.{rule.replace('-', '_')}"
    assert RULES[rule].check.__doc__


def test_rules__nothing_is_left_over():
    assert {path.name for path in EXAMPLES.iterdir()} == set(RULES)
    assert {path.stem for path in PAGES.iterdir()} == set(RULES)
    assert {path.stem for path in Path(lint.rules.__file__).parent.glob("[!_]*.py")} == {rule.replace("-", "_") for rule in RULES}
