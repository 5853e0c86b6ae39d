"""Pace (快慢): how much of a node goes to what is due, and how much is left to people."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

#: The longest rest, seconds: what is due must go on, too.
LONGEST = 0.25


def _never() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a scheduler goes about a mass of what is due."""

    #: How many transactions it has under way at a time: while the database works on one, the next is thought of.
    hands: int = 1
    #: Whether somebody waits for an answer of this process, with which it shares an interpreter.
    asked: Callable[[], bool] = _never
    #: Whether it is told to end; then the piece at hand is the last.
    stopping: Callable[[], bool] = _never

    def do(self, piece: Callable[[], int]) -> int:
        """Do one piece; while people wait, rest for as long as it took.  Gives how many things were done."""
        begun = time.monotonic()
        done = piece()
        if self.asked():
            time.sleep(min(time.monotonic() - begun, LONGEST))
        return done

    def share(self, work: Callable[[int], int], count: int, *, least: int) -> int:
        """Let each hand do its share of so many things, none less than the `least`; gives how many were done."""
        hands = max(1, min(self.hands, count // least))
        if hands == 1:
            return work(count)
        with ThreadPoolExecutor(hands, thread_name_prefix="hand") as pool:
            return sum(pool.map(work, [-(-count // hands)] * hands))
