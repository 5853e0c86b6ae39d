"""Every rule that a finding may name has a page, and examples: what it lets pass, and what it finds."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli.lint import lint as command
from bpmn import lint
from bpmn.lint import rulebook
from tests.bpmn import modeler

EXAMPLES = Path(__file__).parent / "rules"
SOURCE = Path(__file__).parents[2]
PAGES = SOURCE / "docs/rules"
#: Where files are read.
READERS = ("bpmn/compiler", "bpmn/decisions", "bpmn/forms", "bpmn/xml.py", "api/cli/lint.py")
#: What readers call when they refuse something: the name of the rule is among the texts they pass on.
REFUSING = frozenset({"refuse", "_refuse", "report", "_refusal", "located", "Finding"})

each_rule = pytest.mark.parametrize("rule", rulebook.SEVERITIES)
each_with_a_file = pytest.mark.parametrize("rule", lint.RULES, ids=lambda rule: rule.name)


def findings(rule: str, side: str) -> list[dict[str, Any]]:
    """What lint finds in the example."""
    result = CliRunner().invoke(command, [str(EXAMPLES / rule / side), "--format", "json"])
    told: list[dict[str, Any]] = json.loads(result.output)["findings"]
    return told


def refused_for() -> set[str]:
    """Rules that are named where files are read."""
    paths = (path for reader in READERS for path in [SOURCE / reader, *(SOURCE / reader).rglob("*.py")] if path.suffix)
    calls = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    texts = [_texts(call) for call in calls if ast.unparse(call.func).rpartition(".")[2] in REFUSING]
    return {next((text for text in said if text != "error"), "") for said in texts} - {""}


def _texts(call: ast.Call) -> list[str]:
    passed = (*call.args, *(keyword.value for keyword in call.keywords))
    return [each.value for each in passed if isinstance(each, ast.Constant) and isinstance(each.value, str)]


@each_rule
def test_rule__lets_the_valid_example_pass(rule: str):
    found = findings(rule, "valid")

    assert rule not in {finding["rule"] for finding in found}
    assert "error" not in {finding["severity"] for finding in found}


@each_rule
def test_rule__finds_what_is_wrong_with_the_invalid_example(rule: str):
    found = [finding for finding in findings(rule, "invalid") if finding["rule"] == rule]

    assert {finding["severity"] for finding in found} == {rulebook.SEVERITIES[rule]}
    assert all("Expected " in finding["message"] for finding in found)


@each_rule
def test_rule__tells_the_line_of_the_element(rule: str):
    for finding in findings(rule, "invalid"):
        lines = Path(finding["path"]).read_text(encoding="utf-8").splitlines()

        assert f'"{finding["element"]}"' in lines[finding["line"] - 1] or not finding["element"]


@each_rule
def test_rule__has_its_page(rule: str):
    page = (PAGES / f"{rule}.md").read_text(encoding="utf-8")

    assert page.startswith(f"# {rule}\n\n**{rulebook.SEVERITIES[rule]}**: ")
    assert all(f"\n## {title}\n" in page for title in ("Why", "What to do", "Examples"))
    assert f"tests/bpmn/rules/{rule}/invalid" in page


@each_with_a_file
def test_rule__has_a_file_of_its_own(rule: lint.Rule):
    assert rule.check.__module__ == f"bpmn.lint.rules.{rule.name.replace('-', '_')}"
    assert rule.check.__doc__


def test_rules__valid_diagrams_open_in_modeler():
    diagrams = {str(path): path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*/valid/*.bpmn")}

    assert {path: saved["warnings"] for path, saved in modeler.save(diagrams).items() if saved["warnings"]} == {}


def test_rules__nothing_is_left_over():
    assert {path.name for path in EXAMPLES.iterdir()} == set(rulebook.SEVERITIES)
    assert {path.stem for path in PAGES.iterdir()} == {*rulebook.SEVERITIES, "README"}
    assert {path.stem for path in Path(lint.rules.__file__).parent.glob("[!_]*.py")} == {rule.name.replace("-", "_") for rule in lint.RULES}


def test_rules__what_readers_refuse_is_listed():
    groups = (rulebook.FILES, rulebook.DIAGRAMS, rulebook.TABLES, rulebook.FORMS, rulebook.SCENARIOS)

    assert refused_for() == {name for group in groups for name in group}


def test_rules__index_is_current():
    assert (PAGES / "README.md").read_text(encoding="utf-8") == "\n".join(rulebook.write()), (
        "run `python -m bpmn.lint.rulebook > docs/rules/README.md`"
    )
