"""Effort: how much is done, counted in calls of functions, which whatever else the machine does cannot change.

How long something takes is the benchmark's business (docs/benchmarks.md).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def calls(run: Callable[[], object]) -> int:
    """Run it and count the calls that are made meanwhile, of our functions and of those in C.

    Nothing is cleared up meanwhile: what others have left would be told that it goes (`__del__`, weak references), at any moment.
    """
    made = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    before, clearing = sys.getprofile(), gc.isenabled()
    gc.disable()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
        if clearing:
            gc.enable()
    return made
