"""Documents and expressions, beside what lxml needs to read the same bytes: `python -m tests.benchmarks.bench_documents` prints the table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from bpmn import compiler
from bpmn.errors import ExpressionError
from bpmn.expressions import parse, parse_feel
from bpmn.expressions.expression import Expression
from engine import checks, folders
from tests.benchmarks.bench_instance import best
from tests.bpmn import test_expressions_feel, test_expressions_juel
from tests.bpmn.test_compiler_hostile import chain
from tests.bpmn.test_expressions_limits import COSTLY, JUEL, VARIABLES

WORKFLOWS = Path(__file__).parents[2] / "workflows"
#: Each figure is the best of so many.
REPEATS = 5
ROW = "{:<44}{:>12}{:>14}{:>10}"


def beside_lxml(name: str, documents: list[bytes], work: Callable[[], object]) -> float:
    """Print what something takes beside the mere reading of the documents; gives its milliseconds."""
    read = best(lambda: [etree.fromstring(document) for document in documents], REPEATS)
    took = best(work, REPEATS)
    print(ROW.format(name, f"{took:.1f}", f"{read:.2f}", f"{took / read:.0f}"))  # noqa: T201 - the table is what it is for
    return took


def compiling(elements: int) -> float:
    """Compile a diagram of so many elements in a row, half of them flows."""
    content = chain(elements // 2)
    return beside_lxml(f"compile {elements:,} elements", [content], lambda: compiler.compile(content, "x.bpmn"))


def checking() -> float:
    """Judge everything that is shipped, as `onething lint` does."""
    shipped = folders.read([WORKFLOWS])
    documents = [content for folder in shipped for name, content in folder.resources.items() if name.endswith((".bpmn", ".dmn"))]
    return beside_lxml("lint all shipped matters", documents, lambda: list(checks.check(shipped)))


def evaluating(text: str, read: Callable[[str], Expression]) -> float:
    """Evaluate an expression that is made to be costly; gives its milliseconds."""

    def run() -> None:
        with contextlib.suppress(ExpressionError):
            read(text).evaluate(VARIABLES)

    return best(run, REPEATS)


def main() -> None:
    """Print the table."""
    print(ROW.format("", "CPU ms", "lxml ms", "x"))  # noqa: T201 - its head
    small, large = compiling(1_000), compiling(10_000)
    print(f"ten times the elements take {large / small:.1f} times as long")  # noqa: T201
    checking()
    costly = [(text, parse_feel) for text in (*COSTLY, *test_expressions_feel.HOSTILE)]
    costly += [(text, parse) for text in (*JUEL, *test_expressions_juel.HOSTILE)]
    took = max((evaluating(text, read), text) for text, read in costly)
    print(f"the costliest of {len(costly)} hostile expressions: {took[0]:.1f} ms, {took[1][:50]}")  # noqa: T201


if __name__ == "__main__":
    main()
