"""Networks between nodes, their clients and the database.

Each node has a network namespace of its own where the machine allows it, else an address of the loopback interface.  A namespace has two links,
one to the clients and one to the database.  When a link is taken down nothing passes any more, and neither end is told.  A process that reads
from ours holds the namespace: when ours ends, in whatever way, that process ends, and the namespace and its links are gone.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

#: Set apart for trials of networks (RFC 2544): nobody routes it, and no network of the machine is in it.
_RANGE = "198.18"
_PORT = 8080
#: Ports that neither this machine nor IANA gives to whoever connects.
_PORTS = (20_000, 32_000)
#: Seconds within which a namespace is there.
_PATIENCE = 5


class Loopback:
    """An address of the loopback interface, in the network of the machine."""

    name = "addresses of loopback"
    #: Whether its link to the database can be taken down.
    has_links = False

    def __init__(self, number: int) -> None:
        #: Where the node listens, and where it finds the way to the database.
        self.host = self.gate = f"127.0.0.{number + 10}"
        self.port = free_port()

    def command(self, words: Sequence[str | Path]) -> list[str | Path]:
        """The command that runs a program in this network."""
        return list(words)


class Namespace:
    """A network namespace with two links to the network of the machine."""

    name = "network namespaces"
    has_links = True

    def __init__(self, number: int) -> None:
        # Others may be trying the same on this machine.
        block = f"{_RANGE}.{os.getpid() % 256}."
        first = 8 * number
        self._outside, self.host = (f"{block}{first + place}" for place in (1, 2))
        self.gate, self._inside = (f"{block}{first + place}" for place in (5, 6))
        self.port = _PORT
        self._links = [f"ot{os.getpid()}{side}{number}" for side in "fb"]

    def open(self, stack: ExitStack) -> None:
        """Make the namespace and its links; they are there until the stack is closed.  Raises OSError where the machine does not allow it."""
        self._holder = stack.enter_context(subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL))
        stack.callback(self._holder.terminate)
        self._await()
        self._run(*self.command(["ip", "link", "set", "lo", "up"]))
        for link, outside, inside in zip(self._links, (self._outside, self.gate), (self.host, self._inside), strict=True):
            peer = link[-2:]
            self._run("ip", "link", "add", link, "type", "veth", "peer", "name", peer, "netns", str(self._holder.pid))
            stack.callback(self._run, "ip", "link", "delete", link)  # the kernel would do so, too, but later
            for command, name, address in ((list, link, outside), (self.command, peer, inside)):
                self._run(*command(["ip", "address", "add", f"{address}/30", "dev", name]))
                self._run(*command(["ip", "link", "set", name, "up"]))

    def command(self, words: Sequence[str | Path]) -> list[str | Path]:
        """The command that runs a program in this network."""
        return ["nsenter", "--target", str(self._holder.pid), "--net", *words]

    def take_down(self) -> None:
        """Take down the link to the database."""
        self._run("ip", "link", "set", self._links[1], "down")

    def bring_up(self) -> None:
        """Bring up the link to the database again."""
        self._run("ip", "link", "set", self._links[1], "up")

    def _await(self) -> None:
        ours, deadline = Path("/proc/self/ns/net").readlink(), time.monotonic() + _PATIENCE
        while Path(f"/proc/{self._holder.pid}/ns/net").readlink() == ours:
            if self._holder.poll() is not None or time.monotonic() > deadline:
                raise OSError("Expected to get a network namespace, but the machine does not allow it")
            time.sleep(0.01)

    @staticmethod
    def _run(*words: str | Path) -> None:
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"Expected to run {' '.join(map(str, words))}, but {done.stderr.strip()}")


Network = Loopback | Namespace


def networks(stack: ExitStack, count: int) -> Sequence[Network]:
    """Give so many networks, all of the same kind, until the stack is closed."""
    if all(shutil.which(program) for program in ("ip", "unshare", "nsenter")) and os.geteuid() == 0:
        made = [Namespace(number) for number in range(count)]
        try:
            for each in made:
                each.open(stack)
        except OSError:
            pass  # a container without the right to do so
        else:
            return made
    return [Loopback(number) for number in range(count)]


def left_behind() -> list[str]:
    """Names of the links that this process made and that are still there."""
    return sorted(path.name for path in Path("/sys/class/net").glob(f"ot{os.getpid()}*"))


def free_port() -> int:
    """Choose a port on which nobody listens.  It is none of those that the system gives to connections, so it is still free when it is used."""
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", random.randrange(*_PORTS))) as server:
            return int(server.getsockname()[1])
