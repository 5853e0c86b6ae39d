"""What goes wrong in a trial: nodes die and freeze, networks break, the database restarts, has no connection left, or no room on its disk.

The same seed lets the same things go wrong in the same order.
"""

from __future__ import annotations

import contextlib
import random
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psycopg

from engine.postgresql import IDLE_TIMEOUT
from tests.proxy import Proxy
from tests.soak.nodes import Node
from tests.soak.server import Server

#: By how many seconds the clock of a node is ahead: an hour forward or back, some seconds, or as it should be.
CLOCKS = (3600, -3600, 5, -5, 0)

#: Settings that an administrator may make for the database; they must not change what nodes do.
MEDDLED = (
    "statement_timeout = '5ms'", "transaction_timeout = '200ms'", "lock_timeout = '1ms'", "idle_session_timeout = '1s'",
    "default_transaction_isolation = 'repeatable read'", "datestyle = 'SQL, DMY'", "timezone = 'Asia/Shanghai'",
)  # fmt: skip
#: What an administrator may do to tables while people work.
REBUILT = (
    "reindex table instances", "reindex table concurrently tasks", "vacuum full jobs", "analyze",
    "alter table tasks alter assignee type varchar({longer})", "alter table cases alter number type varchar({longer})",
)  # fmt: skip
_OTHERS = "select pid from pg_stat_activity where pid <> pg_backend_pid() and datname = %s"


class Chaos:
    """Lets one thing after the other go wrong.  Each is mended after a while, beside what goes wrong next."""

    def __init__(self, nodes: Sequence[Node], server: Server, database: str, user: str, *, seed: int, uploads: Path | None) -> None:
        self.nodes, self.server, self.database, self.user = nodes, server, database, user
        #: The folder of the uploads; None: neither its disk nor that of the database can be filled.
        self.uploads = uploads
        self.random = random.Random(seed)
        self.happened: Counter[str] = Counter()
        self._busy: set[int] = set()
        self._mending: list[threading.Thread] = []
        self._kinds: list[Callable[[], None]] = [
            self.kill, self.cut, self.isolate, self.stall, self.delay, self.half_close, self.terminate, self.restart, self.crash, self.fill_pool, self.hold_rows,
            self.meddle, self.read_only, self.rebuild, self.report, self.set_clock,
        ]  # fmt: skip
        if uploads:
            self._kinds += [self.fill_disk, self.fill_uploads]

    def go_on(self, seconds: float) -> None:
        """Let things go wrong for so many seconds: first a node freezes, then each kind has its turn; the order is drawn anew for each round."""
        end = time.monotonic() + seconds
        self.freeze()
        line: list[Callable[[], None]] = []
        while time.monotonic() < end:
            line = line or self.random.sample(self._kinds, len(self._kinds))
            what = line.pop()
            self.happened[what.__name__] += 1
            what()
            time.sleep(self.random.uniform(0.2, 1.2))

    def mend(self) -> None:
        """Wait until everything is mended, and all nodes answer again."""
        for thread in self._mending:
            thread.join()
        for node in self.nodes:
            node.mend()
        self.server.await_answer()
        for node in self.nodes:
            node.await_answer()

    def freeze(self) -> None:
        """Stop the processes of a node for longer than the database keeps its locks for it.  When they go on, they do not know of that."""
        self.happened["freeze"] += 1

        def thaw(node: Node) -> None:
            time.sleep(IDLE_TIMEOUT + 2)
            node.signal(signal.SIGCONT)

        self._with_a_node(lambda node: node.signal(signal.SIGSTOP), thaw)

    def kill(self) -> None:
        """Kill a node with SIGKILL, and start it again within a second."""

        def again(node: Node) -> None:
            time.sleep(self.random.uniform(0, 1))
            node.start()
            node.await_answer()

        self._with_a_node(Node.kill, again)

    def cut(self) -> None:
        """Break all connections of a node to the database."""
        self._disturb(Proxy.cut)

    def isolate(self) -> None:
        """Take down the link between a node and the database: packets are lost, and nobody is told that."""

        def mend(node: Node) -> None:
            time.sleep(self.random.uniform(0.5, 6))
            node.mend()

        self._with_a_node(Node.isolate, mend)

    def stall(self) -> None:
        """Keep the connections of a node to the database open, but let no byte pass."""
        self._disturb(Proxy.stall)

    def delay(self) -> None:
        """Let each byte between a node and the database come 10 to 100 ms late."""
        self._disturb(lambda proxy: setattr(proxy, "delay", self.random.uniform(0.01, 0.1)))

    def half_close(self) -> None:
        """Close one direction of every connection of a node to the database."""
        self._disturb(Proxy.half_close)

    def terminate(self) -> None:
        """Terminate some backends, in the middle of whatever they do."""
        with contextlib.suppress(psycopg.Error), self.server.connect() as session:
            pids = [pid for (pid,) in session.execute(_OTHERS, [self.database])]
            for pid in self.random.sample(pids, min(len(pids), 5)):
                session.execute("select pg_terminate_backend(%s)", [pid])

    def restart(self) -> None:
        """Restart the database in good order."""
        self.server.stop("fast")
        self.server.await_answer()

    def crash(self) -> None:
        """Let the database crash, and start it again within a second."""
        self.server.stop("immediate")
        time.sleep(self.random.uniform(0, 1))
        self.server.await_answer()

    def fill_pool(self) -> None:
        """Take all connections that the database has left for nodes."""
        taken = []
        with contextlib.suppress(psycopg.Error):
            while len(taken) < 200:
                taken.append(self.server.connect(self.user))
        time.sleep(self.random.uniform(0.5, 1.5))
        for session in taken:
            session.close()

    def hold_rows(self) -> None:
        """Lock the rows of 40 instances for up to a second, as somebody does who looks at them with FOR UPDATE."""
        with contextlib.suppress(psycopg.Error), self._within() as session, session.transaction():
            session.execute("select id from instances order by started_at desc limit 40 for update skip locked")
            time.sleep(self.random.uniform(0.3, 1))

    def meddle(self) -> None:
        """Make bad settings for the database, and end sessions so that new ones begin with these; then take the settings back."""
        self._configured(*MEDDLED)

    def read_only(self) -> None:
        """Let the database take no writes for a moment."""
        self._configured("default_transaction_read_only = on")

    def rebuild(self) -> None:
        """Build indexes anew and change columns.  Such a statement waits for all who use the table, and whoever comes later waits behind it."""
        with contextlib.suppress(psycopg.Error), self._within() as session:
            session.execute("set lock_timeout = '1s'")
            for statement in self.random.sample(REBUILT, 3):
                with contextlib.suppress(psycopg.errors.LockNotAvailable):
                    session.execute(statement.format(longer=self.random.randint(100, 1000)))

    def report(self) -> None:
        """Read in one transaction for ten seconds: for so long the database may not remove old versions of rows."""

        def look() -> None:
            with contextlib.suppress(psycopg.Error), self._within() as session, session.transaction():
                session.execute("set transaction isolation level repeatable read")
                session.execute("select count(*) from instances")
                time.sleep(10)

        self._beside(look, "report")

    def set_clock(self) -> None:
        """Set the clock of a node.  It stays so until it is set again."""
        self.random.choice(self.nodes).set_clock(self.random.choice(CLOCKS))

    def _within(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.server.url(self.database).replace("+psycopg", ""), autocommit=True)

    def _configured(self, *settings: str) -> None:
        self.server.await_answer()
        with self.server.connect() as session:
            for setting in settings:
                session.execute(f"alter database {self.database} set {setting}")
            self.terminate()
            time.sleep(self.random.uniform(0.5, 1.5))
            session.execute(f"alter database {self.database} reset all")

    def fill_disk(self) -> None:
        """Fill the disk of the database to the last byte."""
        _fill(self.server.folder, self.random.uniform(0.5, 1.5))
        self.server.await_answer()

    def fill_uploads(self) -> None:
        """Fill the disk of the uploads for ten seconds: longer than a node tries again."""
        if self.uploads:
            self._beside(partial(_fill, self.uploads, 10), "fill uploads")

    def _disturb(self, how: Callable[[Proxy], object]) -> None:
        def mend(node: Node) -> None:
            time.sleep(self.random.uniform(0.5, 3))
            node.mend()

        self._with_a_node(lambda node: how(node.proxy), mend)

    def _with_a_node(self, do: Callable[[Node], object], mend: Callable[[Node], None]) -> None:
        """Do something to a node that is well, and mend it in a thread of its own.  One node is always left alone."""
        well = [node for node in self.nodes if node.number not in self._busy]
        if len(well) <= 1:
            return
        node = self.random.choice(well)
        self._busy.add(node.number)
        do(node)

        def mended() -> None:
            mend(node)
            self._busy.discard(node.number)

        self._beside(mended, f"mend {node.number}")

    def _beside(self, do: Callable[[], object], name: str) -> None:
        thread = threading.Thread(target=do, name=name)
        self._mending.append(thread)
        thread.start()


def _fill(folder: Path, seconds: float) -> None:
    filler = folder / f"filler-{secrets.token_hex(8)}"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    time.sleep(seconds)
    filler.unlink()
