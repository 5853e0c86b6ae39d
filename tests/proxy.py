"""A TCP proxy before a database that does to its connections what networks do: it delays, stalls, cuts and half-closes them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, make_url

from engine.postgresql import NOTICED

_CHUNK = 1 << 16
#: Seconds after which something hangs, however busy the machine is.
_PATIENCE = 60

#: How the system calls what PostgreSQL sets in a connection when a node asks for it (`NOTICED`).
_KEPT_ALIVE = {
    socket.TCP_KEEPIDLE: "tcp_keepalives_idle",
    socket.TCP_KEEPINTVL: "tcp_keepalives_interval",
    socket.TCP_KEEPCNT: "tcp_keepalives_count",
}

#: What is sent to commit, with the end of the text: READ COMMITTED is something else.
COMMIT = b"COMMIT\0"


class Proxy:
    """Listens on an address of its own and passes on what it gets, until told otherwise; `with` starts and stops it."""

    def __init__(self, url: str, host: str = "127.0.0.1") -> None:
        self.target, self.host, self.port = make_url(url), host, 0
        #: Seconds by which everything is late.
        self.delay = 0.0
        #: The first connection that sends these words is cut when the database answers them: it has done what they say, and nobody knows.
        self.fatal_words: bytes | None = None
        #: Those who have sent them.
        self._doomed: set[asyncio.StreamWriter] = set()
        self._open = True
        self._flowing, self._over = asyncio.Event(), asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(_PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._over.set)
        self._thread.join(_PATIENCE)

    def url(self, **query: str) -> str:
        """URL of the database as it is reached through here."""
        there: URL = self.target.set(host=self.host, port=self.port).difference_update_query(["host", "port"])
        return there.update_query_dict(query).render_as_string(hide_password=False)

    def cut(self) -> None:
        """Break every connection, and refuse new ones until `mend`."""
        self._open = False
        self._call(self._close_all)

    def cut_once(self) -> None:
        """Break every connection; new ones are taken."""
        self._call(self._close_all)

    def half_close(self) -> None:
        """Say to both ends of every connection that nothing more comes from the other, and still take what they send."""
        self._call(lambda: [writer.write_eof() for writer in self._writers if not writer.is_closing()])

    def stall(self) -> None:
        """Let nothing pass until `mend`; connections stay open."""
        self._call(self._flowing.clear)

    def mend(self) -> None:
        """Be a good network again."""
        self._open, self.delay = True, 0.0
        self._call(self._flowing.set)

    def _call(self, do: Callable[[], object]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (do(), done.set()))
        assert done.wait(_PATIENCE)

    def _close_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._flowing.set()
        server = await asyncio.start_server(self._connect, self.host, self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        self._close_all()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        _keep_alive(writer.get_extra_info("socket"))
        try:
            there_reader, there_writer = await self._reach()
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, there_writer}
        self._writers |= ends
        both = self._pump(reader, there_writer, ends), self._pump(there_reader, writer, set())
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*both, return_exceptions=True)
        for end in ends:
            end.transport.abort()
        self._writers -= ends

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host: Any = self.target.query.get("host") or self.target.host
        port = self.target.port or 5432
        if str(host).startswith("/"):
            return await asyncio.open_unix_connection(Path(host) / f".s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: set[asyncio.StreamWriter]) -> None:
        try:
            await self._pass_on(reader, writer, ends)
        except OSError:
            writer.transport.abort()  # what breaks on one side breaks on the other

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: set[asyncio.StreamWriter]) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._flowing.wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            if writer in self._doomed:
                self._doomed.remove(writer)
                writer.transport.abort()
                return
            if ends and self.fatal_words is not None and self.fatal_words in chunk:
                self.fatal_words = None
                self._doomed |= ends - {writer}
            writer.write(chunk)
            await writer.drain()
        if not writer.is_closing() and writer.can_write_eof():
            writer.write_eof()


def _keep_alive(way: socket.socket) -> None:
    """Notice that a client has gone without a word, as a server does: else what it had there stays for ever."""
    way.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, name in _KEPT_ALIVE.items():
        way.setsockopt(socket.IPPROTO_TCP, option, int(NOTICED[name]))
