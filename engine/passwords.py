"""Passwords (口令): argon2, never more verifications at once than the machine bears, and none twice in a short time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import BoundedSemaphore

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import Busy

#: How many verified passwords are remembered, and for how long (seconds).
REMEMBERED = 1000
REMEMBERED_FOR = 300
#: How many are verified at the same time; each takes 64 MiB and a core or more.
AT_ONCE = 4


class Passwords:
    """Hashes and verifies passwords.  The defaults are those of RFC 9106 for little memory: 64 MiB and about 0.1 s each."""

    def __init__(
        self, *, time_cost: int = 3, memory_cost: int = 64 * 1024, parallelism: int = 4, at_once: int = AT_ONCE, patience: float = 10
    ) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=parallelism)
        self._places = BoundedSemaphore(at_once)
        #: How long a log-in waits for its turn, seconds.
        self._patience = patience
        #: When each verification that succeeded is forgotten.  The key is made of the kept hash: a new password is another key.
        self._verified: dict[bytes, float] = {}
        self._secret = secrets.token_bytes(32)

    def hash(self, password: str) -> str:
        """Give what is kept instead of the password."""
        with self._place():
            return self._argon2.hash(password)

    def verify(self, kept: str | None, password: str) -> bool:
        """Tell whether the password is the right one.  None is a stranger: as much work is done, so that time tells nothing."""
        key = hmac.digest(self._secret, f"{kept}\0{password}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        if kept is not None and self._verified.get(key, 0) > time.monotonic():
            return True
        with self._place():
            try:
                self._argon2.verify(kept or self._stranger, password)
            except (VerificationError, InvalidHashError):
                return False
        if kept is not None:
            self._remember(key)
        return kept is not None

    def _remember(self, key: bytes) -> None:
        if len(self._verified) >= REMEMBERED:
            self._verified.clear()  # costs everybody one more verification; rare
        self._verified[key] = time.monotonic() + REMEMBERED_FOR

    @cached_property
    def _stranger(self) -> str:
        return self._argon2.hash("")

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=self._patience):
            raise Busy("Expected to check the password, but too many people are logging in just now; try again")
        try:
            yield
        finally:
            self._places.release()


#: For passwords that everybody knows: they gain nothing from a slow hash, and a first start gains seconds.
WELL_KNOWN = Passwords(time_cost=1, memory_cost=8, parallelism=1)
