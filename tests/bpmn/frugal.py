"""Holds an evaluation to what an expression may take: 50 ms of CPU and 10 MB."""

import contextlib
import gc
import time
import tracemalloc

from bpmn.errors import ExpressionError

CPU = 0.05
MEMORY = 10_000_000


def frugally(run):
    """Run it until it keeps within the time; other processes disturb the caches, so that one round in five is enough."""
    spent = [_seconds(run)]
    while min(spent) > CPU and len(spent) < 5:
        spent.append(_seconds(run))
    assert min(spent) <= CPU


def _seconds(run):
    gc.disable()  # the garbage of other tests is not counted
    started = time.process_time()
    try:
        with contextlib.suppress(ExpressionError):
            run()
        return time.process_time() - started
    finally:
        gc.enable()


def sparingly(run):
    """Run it and look at the most memory that it holds."""
    tracemalloc.start()
    try:
        with contextlib.suppress(ExpressionError):
            run()
        assert tracemalloc.get_traced_memory()[1] <= MEMORY
    finally:
        tracemalloc.stop()
