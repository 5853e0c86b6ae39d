"""Pace (快慢): how much of a node goes to what is due, and how much is left to people.

What can be done within the seconds that are promised, is done at once.  What cannot is a mass, which is late anyway: there people go first,
as long as anybody is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

#: The longest rest, seconds: what is due must go on, too.
LONGEST = 0.25
#: So many pieces are a mass: a node does that many in two seconds.
MASS = 3000
#: Pieces of one transaction while people go first: the database is soon done with so few, and with their commit.
FEW = 10


def _never() -> bool:
    return False


def _always() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a scheduler goes about what is due: how many pieces at a time, and when it rests."""

    #: How many transactions it has under way at a time: while the database works on one, the next is computed.
    hands: int = 1
    #: Pieces that are done in one transaction.  They share its statements; who wants one of their instances waits for all of them.
    together: int = 50
    #: The same when more is due than is done in one look, and nobody is there: in a larger transaction each piece costs less.
    many: int = 50
    #: Whether somebody waits for an answer of this process, with which it shares an interpreter.
    asked: Callable[[], bool] = _never
    #: Whether anybody is served by other processes, with which it shares the database.
    people: Callable[[], bool] = _never
    #: Whether it is told to end; then the piece at hand is the last.
    stopping: Callable[[], bool] = _never

    def before(self, due: int) -> Pace:
        """The pace for so many pieces: a mass that people might have to wait for is done in small transactions, with rests."""
        if due < MASS or not self.people():
            return self
        return replace(self, hands=1, together=min(self.together, FEW), asked=_always)

    def alone(self) -> Pace:
        """The pace when more is due than is done in one look, and nobody is there: larger transactions (`many`)."""
        return replace(self, together=max(self.together, self.many))

    def at_most(self, together: int) -> Pace:
        """The same pace with no more than so many pieces in a transaction."""
        return replace(self, together=min(self.together, together), many=min(self.many, together))

    def do(self, piece: Callable[[], int]) -> int:
        """Do one piece; while people wait, rest for as long as it took.  Gives how many things were done."""
        begun = time.monotonic()
        done = piece()
        if self.asked():
            time.sleep(min(time.monotonic() - begun, LONGEST))
        return done

    def share(self, work: Callable[[int], int], count: int) -> int:
        """Let each hand do its share of so many things, none less than what goes together; gives how many were done."""
        hands = max(1, min(self.hands, count // self.together))
        if hands == 1:
            return work(count)
        with ThreadPoolExecutor(hands, thread_name_prefix="hand") as pool:
            return sum(pool.map(work, [-(-count // hands)] * hands))
