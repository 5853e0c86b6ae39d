"""What Python's garbage collector has to do: hardly anything, so that nobody waits for it.

The collector looks for objects that refer to each other in a circle; all others go as soon as nobody refers to them.  What a command
makes is no circle (`tests/engine/test_garbage.py`).  While the collector looks through everything, all threads of its process stand still,
for tens of milliseconds where thousands of instances are live: so it looks at what is young as ever, and at everything rarely.
"""

from __future__ import annotations

import gc

#: How many more objects there are before Python looks at the young ones, and after how many looks at the middle ones it looks at all.
YOUNG, OLD = 700, 1_000


def spare(*, young: int = YOUNG) -> None:
    """Take what is in memory now as what stays: the program itself, which is never to be looked through again."""
    gc.freeze()
    gc.set_threshold(young, 10, OLD)
