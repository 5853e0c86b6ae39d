"""One trial: nodes, clerks and chaos, and what is left in the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from engine import accounts, deployments, holidays, samples
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.models import Job
from engine.settings import Environment
from tests import databases, tiny
from tests.hall import WORKFLOWS
from tests.proxy import Proxy
from tests.soak import checks
from tests.soak.chaos import Chaos
from tests.soak.clerks import PEOPLE, Board, Clerk
from tests.soak.nodes import Node
from tests.soak.server import Server, small_disk

DATABASE = "soak"
#: Five departments at work in parallel.
ITEMS = ("alpha", "beta", "gamma", "delta", "epsilon")
OPERATOR = Actor(name="operator", grants=(RoleGrant(role=Role.DESIGNER), RoleGrant(role=Role.ADMIN)))


@dataclass(kw_only=True)
class Plan:
    """What is tried."""

    seconds: float = 60
    seed: int = 1
    nodes: int = 3
    clerks: int = 50
    cases: int = 1000


@dataclass(kw_only=True)
class Report:
    """What came of it."""

    happened: Counter[str]
    #: How many commands ended how.
    answers: Counter[str] = field(default_factory=Counter)
    #: Seconds until the answers came, sorted.
    took: list[float] = field(default_factory=list)
    repeated: int = 0
    #: Whatever is wrong.
    faults: list[str] = field(default_factory=list)

    def share(self, part: float) -> float:
        """So many of the answers came within …"""
        return self.took[min(int(len(self.took) * part), len(self.took) - 1)] if self.took else 0.0


def run(plan: Plan) -> Report:
    """Try."""
    with ExitStack() as stack:
        folder = stack.enter_context(databases.folder("soak"))
        data = folder / "data"
        data.mkdir()
        small = stack.enter_context(small_disk(data))
        server = Server(data)
        server.found()
        server.start()
        stack.callback(server.stop)
        db = Database(_found(server))
        stack.callback(db.close)
        keys = _furnish(db)
        nodes = [_node(stack, number, server, folder, alone=number == plan.nodes - 1) for number in range(plan.nodes)]
        for node in nodes:
            node.await_answer()
        board = Board([(node.host, node.port) for node in nodes], keys, cases=plan.cases)
        chaos = Chaos(nodes, server, DATABASE, seed=plan.seed, small_disk=small)
        with _clerks(board, plan) as crew:
            chaos.go_on(plan.seconds)
            chaos.mend()
            faults = _await_service(board)
        faults += [f"Expected {clerk.name} to be answered in the end, but it waits still" for clerk in crew if clerk.is_alive()]
        db.close()  # its connections have died with the rest
        faults += _await_rest(db)
        faults += [wrong for node in nodes if (wrong := node.stop())]
        time.sleep(0.2)
        faults += board.wrong + list(checks.check(db, board.commands))
        faults += [said for node in nodes for said in node.said("request failed")]
        return _report(chaos, board, faults)


def _found(server: Server) -> str:
    with server.connect() as session:
        session.execute(f"create database {DATABASE}")
    return server.url(DATABASE)


def _furnish(db: Database) -> dict[str, str]:
    db.migrate()
    with db.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
        holidays.publish_shipped(session, WORKFLOWS / "calendars")
        files = {
            name.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content for name, content in tiny.folder({i: {} for i in ITEMS}).items()
        }
        deployments.deploy(session, "tiny", files, actor=OPERATOR)
        return {name: accounts.issue_key(session, name, label="soak", actor=OPERATOR)[1] for name in PEOPLE}


def _node(stack: ExitStack, number: int, server: Server, folder: Path, *, alone: bool) -> Node:
    proxy = stack.enter_context(Proxy(server.url(DATABASE), host=f"127.0.0.{number + 10}"))
    node = Node(number, proxy, folder, alone=alone)
    node.start()
    stack.callback(node.kill)
    return node


@contextmanager
def _clerks(board: Board, plan: Plan) -> Iterator[list[Clerk]]:
    crew = [Clerk(board, number, plan.seed) for number in range(plan.clerks)]
    for clerk in crew:
        clerk.start()
    try:
        yield crew
    finally:
        board.closing.set()
        end = time.monotonic() + 60
        for clerk in crew:
            clerk.join(max(0.0, end - time.monotonic()))


def _await_service(board: Board, seconds: float = 30) -> list[str]:
    """Now that everything is whole again, commands must be answered."""
    before = sum(command.status is not None for command in list(board.commands))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if sum(command.status is not None for command in list(board.commands)) > before + 20:
            return []
        time.sleep(0.1)
    return ["Expected commands to be answered when all was whole again, but they are not"]


def _await_rest(db: Database, seconds: float = 30) -> list[str]:
    """Whatever is owed is done by the schedulers, in their time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with db.reading() as session:
            if not session.scalar(select(func.count()).select_from(Job)):
                return []
        time.sleep(0.2)
    return ["Expected nothing to be owed any more, but there are jobs"]


def _report(chaos: Chaos, board: Board, faults: list[str]) -> Report:
    answers = Counter("no answer" if command.status is None else str(command.status) for command in board.commands)
    return Report(
        happened=chaos.happened,
        answers=answers,
        took=sorted(command.took for command in board.commands if command.status is not None),
        repeated=sum(command.attempts > 1 for command in board.commands),
        faults=faults,
    )
