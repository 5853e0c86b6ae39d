"""Arrivals: requests that wait, in this process, for external tasks of some topics, and how they are woken when there may be some.

To be woken is only a hint: the request then looks at the table.  So nothing is lost when another process has made the task.

Of the requests that ask for the same, only one is woken for each arrival: what it does not find, none of them would.  It wakes the next one
when it ends without having made sure that there is no more.

The processes of one server tell each other which topics may have tasks, and who waits: a worker that asks again may come to another one.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import orjson
import structlog

from engine.neighbours import Neighbours

log = structlog.get_logger()
#: How many that wait are named in one word to the neighbours.
AT_ONCE = 20
LONG_AGO = (0, 0)
#: When a request came, by the steady clock in nanoseconds, and to which process: of two at one moment one has to be the later.
Moment = tuple[int, int]


def moment() -> Moment:
    """Return the present moment; all processes of a host share this clock."""
    return time.monotonic_ns(), os.getpid()


class Waiter:
    """One request that waits."""

    def __init__(self, worker: tuple[str, ...], topics: Collection[str], since: Moment, alike: Hashable) -> None:
        #: A hash of who asks and for what; it is sent to other processes, and names nobody.
        self.key = hashlib.sha256(repr(worker).encode()).hexdigest()[:32]
        self.topics = frozenset(topics)
        self.since = since
        #: Equal for requests that would be given the same tasks.
        self.alike = self.key if alike is None else alike
        #: How often it was told of arrivals.
        self.told = 0
        self._noted = 0
        self.superseded = False
        self._woken = threading.Event()

    def is_superseded(self) -> bool:
        """Whether another request of the same worker has taken its place: who sent this one may be gone, and must not be given a task."""
        hear()
        return self.superseded

    def send_home(self) -> None:
        """Let it wait no longer."""
        self.superseded = True
        self._woken.set()

    def wake(self) -> None:
        """Let it look."""
        self.told += 1
        self._woken.set()

    def note(self, told: int) -> None:
        """Note that it has looked since it was `told` so many times, and found all: no other request that asks for the same need look."""
        self._noted = told

    def owes(self) -> bool:
        """Whether it was told of an arrival that it has not looked for to the end."""
        return self.told > self._noted

    def sleep(self, seconds: float) -> bool:
        """Wait to be woken, at most so long; tells whether it was."""
        woken = self._woken.wait(seconds)
        self._woken.clear()
        return woken


_waiting: list[Waiter] = []
_changing = threading.Lock()
_neighbours: Neighbours | None = None
_hearing = threading.Lock()
#: Set when the process is about to end.
_dismissed = threading.Event()


@contextmanager
def waiting(worker: tuple[str, ...], topics: Collection[str], since: Moment | None = None, alike: Hashable = None) -> Iterator[Waiter]:
    """Wait for arrivals in the block.  An earlier request of the same worker is superseded, in whichever process it waits.

    `since`: when the request came, if it has waited before; None: now.  `alike`: equal for requests that would be given the same tasks
    (`Fetch.alike`); None: no other would.
    """
    with _changing:
        waiter = Waiter(worker, topics, since or moment(), alike)
        _supersede({waiter.key: waiter.since})
        if _dismissed.is_set() or any(other.key == waiter.key and other.since > waiter.since for other in _waiting):
            waiter.send_home()
        _waiting.append(waiter)
    try:
        _tell_who_waits([waiter])
        yield waiter
    finally:
        with _changing:
            _waiting.remove(waiter)
            if waiter.owes():
                _wake_one_of_each([other for other in _waiting if other.alike == waiter.alike])


def announce(topics: Collection[str]) -> None:
    """Say, here and to the other processes of the server, that there may be tasks of these topics."""
    wake(topics)
    if _neighbours:
        _neighbours.tell(orjson.dumps({"topics": list(topics)}))


def wake(topics: Collection[str]) -> None:
    """Of the requests that wait here for any of these topics, wake one among those that ask for the same."""
    with _changing:
        _wake_one_of_each([waiter for waiter in _waiting if not waiter.topics.isdisjoint(topics)])


def remind() -> None:
    """Tell the neighbours again who waits here: they may have missed it."""
    with _changing:
        here = list(_waiting)
    for first in range(0, len(here), AT_ONCE):
        _tell_who_waits(here[first : first + AT_ONCE])


def meet(neighbours: Neighbours) -> None:
    """Tell these neighbours, and listen to them, from now on until the process ends."""
    global _neighbours  # noqa: PLW0603 - a process has one place
    _neighbours = neighbours
    threading.Thread(target=_listen, args=(neighbours,), name="neighbours", daemon=True).start()


def hear() -> None:
    """Take note of all that the neighbours have said by now."""
    if _neighbours:
        with _hearing:  # who comes second finds that it has been understood, not only read
            for words in _neighbours.heard():
                _understand(words)


def dismiss() -> None:
    """Let no request wait any longer, now or later: the process is about to end."""
    _dismissed.set()
    with _changing:
        for waiter in _waiting:
            waiter.send_home()


def topics() -> set[str]:
    """What is waited for here."""
    with _changing:
        return {topic for waiter in _waiting for topic in waiter.topics}


def count() -> int:
    """How many wait."""
    return len(_waiting)


def _wake_one_of_each(waiters: Sequence[Waiter]) -> None:
    """Of the requests that ask for the same, wake one: the newest that is not looking already, for the sender of an old one may be gone.

    Where all are looking, one of them looks once more.
    """
    staying = [waiter for waiter in waiters if not waiter.superseded]
    for waiter in {waiter.alike: waiter for waiter in sorted(staying, key=Waiter.owes, reverse=True)}.values():
        waiter.wake()


def _supersede(newest: Mapping[str, Moment]) -> None:
    """Send those home that came before the newest request of the same worker."""
    for waiter in _waiting:
        if waiter.since <= newest.get(waiter.key, LONG_AGO):
            waiter.send_home()


def _tell_who_waits(waiters: Sequence[Waiter]) -> None:
    if _neighbours:
        _neighbours.tell(orjson.dumps({"waiting": [(waiter.key, waiter.since) for waiter in waiters]}))


def _listen(neighbours: Neighbours) -> None:
    while not _dismissed.is_set():
        neighbours.wait()
        hear()


def _understand(words: bytes) -> None:
    try:
        said = orjson.loads(words)
        wake(said.get("topics", ()))
        with _changing:
            _supersede({key: (moment, process) for key, (moment, process) in said.get("waiting", ())})
    except (ValueError, TypeError, AttributeError):  # nobody is to go deaf for that
        log.warning("Expected to understand a neighbour, but its words are others", words=words[:100])
