"""`make soak-ha`: a primary with two synchronous standbys is killed, or cut off, and one of them takes its place; not part of `make test`."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from engine import logs
from engine.database import Database
from engine.settings import Environment
from tests import databases
from tests.proxy import Proxy
from tests.soak import checks, trial
from tests.soak.clerks import CREATED, SERVED, Board
from tests.soak.networks import Loopback, free_port
from tests.soak.nodes import Node
from tests.soak.server import COMMON, DATABASE, NODES, OPERATOR, Server
from tests.soak.trial import Plan

CONF = f"""{COMMON}
listen_addresses = '127.0.0.1'
wal_keep_size = 256MB
synchronous_standby_names = 'ANY 1 (standby1, standby2)'
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 500ms
"""
FAILURES = ("kill", "isolate")


class Cluster:
    """A primary and its standbys; everybody reaches the primary through proxies, so that it can be cut off."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.servers = [self._server(folder / f"server{number}") for number in range(3)]
        primary = self.servers[0]
        primary.found()
        primary.start()
        stack.callback(primary.stop, "immediate")
        self.proxies = [stack.enter_context(Proxy(f"postgresql://{NODES}@127.0.0.1:{server.port}/{DATABASE}")) for server in self.servers]
        for number, standby in enumerate(self.servers[1:], start=1):
            at = f"host=127.0.0.1 port={self.proxies[0].port} user={OPERATOR} application_name=standby{number}"
            primary.run("pg_basebackup", "-D", str(standby.folder), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", at)
            standby.configure()
            standby.start()
            stack.callback(standby.stop, "immediate")
        _await_standbys(primary)

    def _server(self, folder: Path) -> Server:
        folder.mkdir(mode=0o700)
        server = Server(folder, port=free_port(), conf=CONF)
        if server.user:
            shutil.chown(folder, server.user)
        return server

    def url(self) -> str:
        """URL with all hosts, behind their proxies."""
        return url_of(self.proxies)

    def fail(self, how: str) -> None:
        """Take the primary away."""
        if how == "kill":
            self.servers[0].stop("immediate")
        self.proxies[0].cut()

    def promote(self) -> Server:
        """Let the standby that has received the most take its place, and the other follow it."""
        first, second = sorted(self.servers[1:], key=_received, reverse=True)
        first.run("pg_ctl", "-w", "-D", str(first.folder), "promote")
        name = f"standby{self.servers.index(second)}"
        with second.connect() as session:
            follow = f"host=127.0.0.1 port={first.port} user={OPERATOR} application_name={name}"
            session.execute(f"alter system set primary_conninfo = '{follow}'")
            session.execute("select pg_reload_conf()")
        return first


def url_of(hosts: Sequence[Proxy | Server]) -> str:
    """URL with these hosts: whoever connects finds the one that writes."""
    named = "&".join(f"host=127.0.0.1:{host.port}" for host in hosts)
    return f"postgresql+psycopg://{NODES}@/{DATABASE}?{named}&target_session_attrs=read-write&connect_timeout=2"


def _await_standbys(primary: Server, seconds: float = 60) -> None:
    """Wait until a commit waits for either of the standbys."""
    deadline = time.monotonic() + seconds
    with primary.connect() as session:
        while list(session.execute("select count(*) from pg_stat_replication where sync_state = 'quorum'")) != [(2,)]:
            if time.monotonic() > deadline:
                raise TimeoutError("Expected both standbys to follow, but they do not; see their logs")
            time.sleep(0.1)


def _received(server: Server) -> int:
    with server.connect() as session:
        [(position,)] = session.execute("select pg_last_wal_receive_lsn() - '0/0'::pg_lsn")
        return int(str(position))


def run(how: str, seconds: float, seed: int) -> tuple[float, int, list[str]]:
    """Fail over once; seconds until commands were answered again, how many were acknowledged in all, and what is wrong."""
    with ExitStack() as stack:
        folder = stack.enter_context(databases.folder("soak-ha"))
        folder.chmod(0o755)
        cluster = Cluster(folder, stack)
        near = Database(cluster.servers[0].make_database())
        keys = trial.furnish(near)
        near.close()
        nodes = [node_of(stack, cluster, number, folder) for number in range(2)]
        for node in nodes:
            node.await_answer()
        board = Board([(node.host, node.port) for node in nodes], keys, more=1000)
        with trial.at_windows(board, Plan(seed=seed, clerks=20)):
            time.sleep(seconds)
            cluster.fail(how)
            failed = time.monotonic()
            primary = cluster.promote()
            away = _until_served(board, failed)
            time.sleep(seconds)
        db = Database(primary.url(DATABASE))
        stack.callback(db.close)
        faults = trial.await_rest(db) + [wrong for node in nodes for wrong in node.stop()]
        faults += board.wrong + list(checks.check(db, board.commands))
        return away, sum(command.status is not None for command in board.commands), faults


def _until_served(board: Board, since: float) -> float:
    before = _served(board)
    while time.monotonic() < since + 60:
        if _served(board) > before + 5:
            return time.monotonic() - since
        time.sleep(0.05)
    return float("inf")


def _served(board: Board) -> int:
    return sum(command.status in {SERVED, CREATED} for command in list(board.commands))


def node_of(stack: ExitStack, cluster: Cluster, number: int, folder: Path) -> Node:
    """A node that works until the stack is left."""
    node = Node(number, cluster.proxies[0], Loopback(number), folder, alone=False, ONETHING_DATABASE_URL=cluster.url())
    node.start()
    stack.callback(node.kill)
    return node


def main() -> int:
    """Fail over in each way; 1 when something is wrong."""
    words = argparse.ArgumentParser(prog="python -m tests.soak.standbys", description=__doc__)
    words.add_argument("--seconds", type=float, default=10, help="how long the clerks work before and after")
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    logs.configure(Environment.PRODUCTION)
    wrong = 0
    for how in FAILURES:
        away, answered, faults = run(how, asked.seconds, asked.seed)
        Console(width=140).print(
            f"{how}: served again after {away:.1f} s; {answered} commands answered; {len(faults)} faults", *faults, sep="\n"
        )
        wrong += len(faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
