"""Acquaintances: whom this process has identified a moment ago is not looked up again.

A program, or the page of a browser, asks for several things at once, and the database would be asked each time who that is, and what they
may do.  Who it is, is remembered for a second: when another process revokes a key, it goes on being good here for that long at most.  When
this process revokes it, it is forgotten at once.
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
        #: How often everybody was forgotten: who was being looked up meanwhile is not remembered.
        self._forgotten = 0
        self._changing = threading.Lock()

    def know(self, shown: str, look_up: Callable[[], Actor | None]) -> Actor | None:
        """Return whose key or cookie was `shown`: from memory, or by `look_up`.  One that is nobody's is looked up each time."""
        began, forgotten = time.monotonic(), self._forgotten
        kept_as = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()  # what was shown is a secret
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
