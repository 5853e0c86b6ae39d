"""Acquaintances: whom this process has known a moment ago need not be looked up again.

A program, or the page of a browser, asks for several things at once, and each time the database would be asked who that is, and what they
may do.  What is kept is kept for a second: so long a key goes on being good, at most, when another process takes it away.  When this
process does, it is gone at once.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

from engine.actors import Actor

#: How long somebody is remembered, seconds.
REMEMBERED_FOR = 1.0
#: How many are remembered.
MOST = 10_000


class Acquaintances:
    """Who showed what, a moment ago."""

    def __init__(self, remembered_for: float = REMEMBERED_FOR) -> None:
        self.remembered_for = remembered_for
        #: Who it was, and when they were looked up.
        self._known: dict[bytes, tuple[Actor, float]] = {}
        #: How often everybody was forgotten: who was looked up before that is not remembered after it.
        self._forgotten = 0
        self._changing = threading.Lock()

    def know(self, shown: str, look_up: Callable[[], Actor | None]) -> Actor | None:
        """Say whose key or cookie that is: from memory, or by looking it up.  What is nobody's is looked up each time."""
        began, forgotten = time.monotonic(), self._forgotten
        kept_as = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()  # it is a secret
        actor, known_at = self._known.get(kept_as, (None, 0.0))
        if actor is not None and began - known_at < self.remembered_for:
            return actor
        found = look_up()
        with self._changing:
            if found is not None and forgotten == self._forgotten:
                self._keep(kept_as, found, began)
        return found

    def forget(self) -> None:
        """Look everybody up again: what somebody may do has changed."""
        with self._changing:
            self._known, self._forgotten = {}, self._forgotten + 1

    def _keep(self, kept_as: bytes, actor: Actor, known_at: float) -> None:
        if len(self._known) >= MOST:
            self._known = {}  # costs everybody one more look; rare
        self._known[kept_as] = (actor, known_at)
