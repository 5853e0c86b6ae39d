"""Bodies (请求体): what a client sends comes in before the request has its turn, and counts when it is whole, or not at all.

Whoever sends slowly would keep a turn else, and a few of them everybody from theirs.  And where a connection breaks behind the headers the
server gives what has come by then as if it were all: a command without a body is one, too, and would be carried out without what was said.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

from werkzeug.exceptions import ClientDisconnected

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

#: So many bytes are waited for before the request has its turn; of what is longer, or of unknown length, each piece is.
SMALL = 1 << 16
_INPUT = "wsgi.input"
#: Tells Flask that the end of what the server gives is that of the body; with a length that is compared.
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
        """Give what comes next; raises ClientDisconnected when nothing came at all: whoever has nothing to send says so (length 0)."""
        with self._turns.given_up():
            piece: bytes = self._stream.read(size)
        if not piece and not self._has_begun:
            raise ClientDisconnected("Expected a body, but the connection ended before it")
        self._has_begun = True
        return piece


def await_(environ: WSGIEnvironment, turns: Turns) -> None:
    """Wait for the body of a request that has no turn yet; a long one is waited for where it is read."""
    if "HTTP_TRANSFER_ENCODING" in environ:  # it is in no body whose length is known
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
