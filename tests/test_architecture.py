"""The rules that no single file can show: layers, sizes, names, and where transactions end."""

import ast
import functools
import graphlib
import re
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
FILES = sorted(path for package in ("bpmn", "engine", "api") for path in (CHECKOUT / package).rglob("*.py"))
#: Migrations are written once, by Alembic, and never edited.
SOURCES = [path for path in FILES if "migrations" not in path.parts]
FORBIDDEN_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "service", "services", "handler", "handlers", "base"}
#: The one place where a transaction ends.
TRANSACTIONS = "engine/database.py"
#: Tables are read as one page, which may be longer.
TABLES = {"engine/models.py", "engine/case_models.py"}
#: What is imported within a function, and why; traces besides, for OpenTelemetry need not be installed.
IMPORTED_LATE = {
    "api/cli/serve.py server": "counters are made when it is imported, and ask then where they count together",
    "engine/database.py upgrades": "it stands on Alembic, which only who migrates need wait for",
    "engine/schema.py Config": "of Alembic",
    "engine/schema.py ScriptDirectory": "of Alembic",
}
#: Imports everything, and tells what other names of tables there are then whose columns are still to be made.
UNMADE_ALIASES = """
import gc, importlib, sys
for name in sys.stdin.read().split():
    importlib.import_module(name)
from sqlalchemy import Alias
from sqlalchemy.orm.util import AliasedInsp
kept = [each for each in gc.get_objects() if isinstance(each, AliasedInsp) or isinstance(each, Alias) and "_columns" not in vars(each)]
print([str(getattr(each, "class_", None) or each.element) for each in kept])
"""


def name(path):
    return path.relative_to(CHECKOUT).as_posix()


@functools.cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def calls(*wanted):
    """Where one of these is called: `eval` as a function, `.commit` as a method of anything."""
    return [
        f"{name(path)}:{node.lineno} {called}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and (called := f".{node.func.attr}" if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in wanted
    ]


@functools.cache
def imports():
    """What each module imports of the others, wherever it does so; what is there for the type checker alone does not count."""
    modules = {".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES}

    def imported(node):
        if isinstance(node, ast.ImportFrom):
            named = {f"{node.module}.{alias.name}" for alias in node.names} & modules.keys()
            yield from named or {node.module} & modules.keys()
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            for child in ast.iter_child_nodes(node):
                yield from imported(child)

    return {module: set(imported(tree(path))) for module, path in modules.items()}


def reached(module):
    """What a module has imported when it is imported."""
    found, new = set(), {module}
    while new:
        found |= new
        new = set().union(*(imports()[each] for each in new)) - found
    return found


def test_layers():
    lint = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_imports__go_round_in_no_circle():
    order = graphlib.TopologicalSorter(imports())

    assert set(order.static_order()) == imports().keys()


def test_imports__stand_at_the_top():
    """One within a function hides who stands above whom."""
    within = {
        f"{name(path)} {alias.name}"
        for path in SOURCES
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }

    assert {each for each in within if not each.split()[0].endswith("/tracing.py")} == IMPORTED_LATE.keys()


def test_jobs__are_run_after_the_commit_by_whoever_opens_a_database():
    opening = {call.split(":")[0].removesuffix(".py").replace("/", ".") for call in calls("Database") if call.startswith("api/")}

    assert {module: "engine.deeds" in reached(module) for module in opening} == dict.fromkeys(opening, True)
    assert opening


def test_files__short():
    lines = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    assert {path: n for path, n in lines.items() if n > (450 if path in TABLES else 300)} == {}


def test_functions__short():
    long = {
        f"{name(path)}:{node.lineno} {node.name}": lines
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and (lines := (node.end_lineno or 0) - node.lineno + 1) > 40
    }

    assert long == {}


def test_modules__say_what_they_are():
    assert [name(path) for path in SOURCES if not ast.get_docstring(tree(path))] == []


def test_modules__have_names_of_the_field():
    assert [name(path) for path in SOURCES if FORBIDDEN_NAMES & set(re.split(r"[/_.]", name(path)))] == []


def test_transactions__end_in_one_place():
    ends = {call.split(":")[0] for call in calls(".commit", ".rollback")}

    assert ends == {TRANSACTIONS}


def test_time__is_that_of_the_database():
    """The engine asks `moments`; the clock of a host may be wrong, and only wakes whoever looks."""
    asked = {name(path) for path in SOURCES if path.is_relative_to(CHECKOUT / "engine") and "datetime.now(" in path.read_text("utf-8")}

    assert asked == {"engine/moments.py", "engine/heartbeat.py"}


def test_sources__run_no_text_as_python():
    assert calls("eval", "exec", "__import__") == []


def test_aliases__are_whole_when_requests_come():
    """SQLAlchemy makes the columns of an alias when it is first asked for them, without a lock.  When two threads do so at once, some are
    those of another alias, and stay it: all that this process answers with them is wrong.  (A fresh process, for tests have asked before.)
    """
    modules = [name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in SOURCES if path.stem != "__main__"]

    found = subprocess.run(
        [sys.executable, "-c", UNMADE_ALIASES], input="\n".join(modules), cwd=CHECKOUT, capture_output=True, text=True, check=True
    )

    assert found.stdout == "[]\n"
