"""The rules that no single file can show: layers, sizes, names, and where transactions end."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
FILES = sorted(path for package in ("bpmn", "engine", "api") for path in (CHECKOUT / package).rglob("*.py"))
#: Migrations are written once, by Alembic, and never edited.
SOURCES = [path for path in FILES if "migrations" not in path.parts]
FORBIDDEN_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "service", "services", "handler", "handlers", "base"}
#: The one place where a transaction ends.
TRANSACTIONS = CHECKOUT / "engine" / "database.py"
#: The page of the tables may be longer.
TABLES = CHECKOUT / "engine" / "models.py"

each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _calls(path: Path) -> list[tuple[int, str]]:
    """Line and name of everything that is called, `x.commit()` as `.commit`."""
    called = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called.append((node.lineno, f".{node.func.attr}"))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.append((node.lineno, node.func.id))
    return called


def test_layers():
    lint = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert lint.returncode == 0, lint.stdout + lint.stderr


@each_source
def test_file__short(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())

    assert lines <= (450 if path == TABLES else 300)


@each_source
def test_functions__short(path):
    functions = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.FunctionDef)]

    long = {f"{node.name}, line {node.lineno}": n for node in functions if (n := (node.end_lineno or 0) - node.lineno + 1) > 40}

    assert long == {}


@each_source
def test_module__says_what_it_is(path):
    assert ast.get_docstring(_tree(path))


@each_source
def test_module__has_a_name_of_the_field(path):
    words = {word for part in path.relative_to(CHECKOUT).with_suffix("").parts for word in part.split("_")}

    assert words & FORBIDDEN_NAMES == set()


@each_source
def test_transaction__ends_in_one_place(path):
    if path == TRANSACTIONS:
        assert {".commit", ".rollback"} <= {name for _, name in _calls(path)}
    else:
        assert [call for call in _calls(path) if call[1] in {".commit", ".rollback"}] == []


@each_source
def test_source__runs_no_text_as_python(path):
    assert [call for call in _calls(path) if call[1] in {"eval", "exec", "__import__"}] == []
