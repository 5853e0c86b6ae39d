"""The transaction of a request: opened here, once, by the view that changes something."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import g, request
from werkzeug.exceptions import BadRequest

from api import auth
from api.parts import database
from engine import archive_search, idempotency
from engine.database import Session
from engine.errors import Unavailable
from engine.idempotency import Answer, Command, Repeated

__all__ = ["database", "reading", "transaction"]

LONGEST_KEY = 255


def reading() -> AbstractContextManager[Session]:
    """Open a session that only reads."""
    return database().reading()


@contextmanager
def reading_case(number: str) -> Iterator[Session]:
    """Open a session in which a case is read, wherever it is kept by now (`archive_search.holding`)."""
    with reading() as session, archive_search.holding(session, number) as holding:
        yield holding


@contextmanager
def reading_item(number: str) -> Iterator[Session]:
    """The same of an item."""
    with reading() as session, archive_search.holding_item(session, number) as holding:
        yield holding


@contextmanager
def before_transaction() -> Iterator[None]:
    """Do in this block what a command needs the disk for, before its transaction.

    When the disk fails, a command that is repeated, and was carried out before, is still given its first answer: that writes nothing.
    """
    try:
        yield
    except Unavailable as hindered:
        if (key := _idempotency_key()) is not None:
            command = Command(key=key, actor=auth.actor().name, request_hash=_request_hash())
            if (first := idempotency.recall(database(), command)) is not None:
                raise Repeated(first) from hindered
        raise


@contextmanager
def transaction() -> Iterator[Session]:
    """Open THE transaction of this request; it keeps the answer, too, when the request has an Idempotency-Key.

    The answer must be made inside the block (`return answer(…)`), so that both are committed together.
    """
    key = _idempotency_key()
    if key is None:
        with database().transaction() as session:
            yield session
        return
    g.keyed = True  # so it may be repeated even if nobody knows whether it was done (`api.repeats`): the key tells
    command = Command(key=key, actor=auth.actor().name, request_hash=_request_hash())
    with idempotency.transaction(database(), command) as session:
        yield session
        idempotency.keep(session, Answer(status=g.answer.status_code, body=g.answer.get_data(as_text=True)))


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadRequest(f"Expected an Idempotency-Key of 1 to {LONGEST_KEY} printable ASCII characters, but got another one")
    return key


def _request_hash() -> str:
    """Hash what was asked.  Of a form its parts are hashed: the boundary between them is a new one each time it is sent."""
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    if not request.files:
        digest.update(request.get_data())
    for name, value in sorted(request.form.items(multi=True)):
        digest.update(f"{name}={len(value)}:{value}\n".encode())
    for name, file in sorted(request.files.items(multi=True), key=lambda part: part[0]):
        file.stream.seek(0)  # it may have been read and stored already
        digest.update(f"{name}={file.filename}:{hashlib.file_digest(file.stream, 'sha256').hexdigest()}\n".encode())  # type: ignore[arg-type]
        file.stream.seek(0)
    return digest.hexdigest()
