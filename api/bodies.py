"""Bodies (请求体): the body of a request is waited for before the request has its turn, and a body that is cut off does not count.

Otherwise a few clients that send slowly would have all the turns.  And where a connection breaks after the headers, the server hands on
what has come so far as if it were all: a command may have no body, and would be carried out without what its client wanted to say.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

from werkzeug.exceptions import ClientDisconnected

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

#: Up to so many bytes are waited for before the request has its turn; a longer body, or one of unknown length, comes piece by piece.
SMALL = 1 << 16
_INPUT = "wsgi.input"
#: The server says so when its stream ends where the body does; without it, Flask compares the length.
_ENDS = "wsgi.input_terminated"


class Turns(Protocol):
    """Where a request has its turn."""

    def given_up(self) -> AbstractContextManager[None]:
        """Let others have it, inside the block."""


class Pieces:
    """A body that is waited for piece by piece, while others have the turn of its request."""

    def __init__(self, stream: InputStream, turns: Turns) -> None:
        self._stream, self._turns, self._has_begun = stream, turns, False

    def read(self, size: int = -1) -> bytes:
        """Give what comes next; raises ClientDisconnected when nothing comes at all: who has no body to send gives its length as 0."""
        with self._turns.given_up():
            piece: bytes = self._stream.read(size)
        if not piece and not self._has_begun:
            raise ClientDisconnected("Expected a body, but the connection ended before it")
        self._has_begun = True
        return piece


def await_(environ: WSGIEnvironment, turns: Turns) -> None:
    """Wait for the body of a request that has no turn yet; a long one is waited for where it is read."""
    if "HTTP_TRANSFER_ENCODING" in environ:  # its length is not known
        environ[_INPUT] = Pieces(environ[_INPUT], turns)
        return
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or (size := int(length)) == 0:
        return
    environ.pop(_ENDS, None)
    environ[_INPUT] = BytesIO(_read(environ[_INPUT], size)) if size <= SMALL else Pieces(environ[_INPUT], turns)


def _read(stream: InputStream, size: int) -> bytes:
    found: bytes = stream.read(size)
    while len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found
