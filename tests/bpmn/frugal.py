"""Holds an evaluation to what an expression may take: so many calls of functions, which are less than 50 ms (docs/benchmarks.md), and 10 MB."""

import contextlib
import tracemalloc

from bpmn.errors import ExpressionError
from tests.effort import calls

CALLS = 500_000
MEMORY = 10_000_000


def frugally(run):
    """Run it and count what is done."""

    def refused_or_not():
        with contextlib.suppress(ExpressionError):
            run()

    assert calls(refused_or_not) <= CALLS


def sparingly(run):
    """Run it and look at the most memory that it holds."""
    tracemalloc.start()
    try:
        with contextlib.suppress(ExpressionError):
            run()
        assert tracemalloc.get_traced_memory()[1] <= MEMORY
    finally:
        tracemalloc.stop()
