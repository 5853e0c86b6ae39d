"""One trial: nodes, clerks and chaos, and what is left in the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import func, select, text

from engine import accounts, cases, deployments, holidays, samples
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.models import Job
from engine.settings import Environment, Settings
from tests import databases, tiny
from tests.hall import WORKFLOWS
from tests.proxy import Proxy
from tests.soak import alarms, checks, networks, uploads
from tests.soak.chaos import Chaos
from tests.soak.clerks import CREATED, PEOPLE, Board, Clerk, Command, applicant
from tests.soak.model import ITEMS
from tests.soak.networks import Network
from tests.soak.nodes import CLOCKED, Node
from tests.soak.server import DATABASE, NODES, SIZE_OF_UPLOADS, Server, small_disk

#: Processes of each server, on every machine: so many connections the database has for them (docs/operating.md).
PROCESSES = 2
#: Connections of nodes that are still there, and what they are at.
_LEFT = text(
    "SELECT concat_ws(' ', application_name, state, now() - backend_start, query) FROM pg_stat_activity WHERE usename = :nodes"
).bindparams(nodes=NODES)
OPERATOR = Actor(name="operator", grants=(RoleGrant(role=Role.DESIGNER), RoleGrant(role=Role.ADMIN)))


CLERK = Actor(name="clerk", grants=(RoleGrant(role=Role.CLERK, hall="changsha"),))
#: Seconds by which the clock of each node is ahead of that of the one before, until it is set.
APART = 5
#: Who fetches tasks.
PROGRAM = "worker"
#: Cases that are submitted in one transaction, beforehand.
BATCH = 50


@dataclass(kw_only=True)
class Plan:
    """What is tried."""

    seconds: float = 60
    seed: int = 1
    nodes: int = 3
    clerks: int = 50
    #: Cases that were submitted before anything went wrong; a tenth as many more are submitted while it does.
    cases: int = 1000
    #: Of how many cases a transaction does what is due, at most.
    batch: int = Settings.batch


@dataclass(kw_only=True)
class Report:
    """What came of it."""

    happened: Counter[str]
    #: What the nodes' networks were.
    network: str = ""
    #: In how many cases something was done.
    cases: int = 0
    #: How many commands ended how.
    answers: Counter[str] = field(default_factory=Counter)
    #: Seconds until the answers came, sorted.
    took: list[float] = field(default_factory=list)
    repeated: int = 0
    #: How many uploads ended how, and how many tasks were given to programs.
    uploads: Counter[str] = field(default_factory=Counter)
    given: int = 0
    #: Whatever is wrong.
    faults: list[str] = field(default_factory=list)

    def share(self, part: float) -> float:
        """So many of the answers came within …"""
        return self.took[min(int(len(self.took) * part), len(self.took) - 1)] if self.took else 0.0


def run(plan: Plan) -> Report:
    """Try."""
    with ExitStack() as stack:
        folder = stack.enter_context(databases.folder("soak"))
        data, materials = folder / "data", folder / "materials"
        data.mkdir()
        materials.mkdir()
        small = stack.enter_context(small_disk(data)) and stack.enter_context(small_disk(materials, SIZE_OF_UPLOADS))
        server = Server(data)
        server.found()
        server.start()
        stack.callback(server.stop)
        db = Database(server.make_database())
        keys = furnish(db)
        before, due = submit(db, plan.cases), alarms.set_all(db, plan.seconds)
        db.close()
        db = Database(server.url(DATABASE))
        stack.callback(db.close)
        nodes = [
            _node(stack, number, server, network, folder, alone=number == plan.nodes - 1, batch=plan.batch)
            for number, network in enumerate(networks.networks(stack, plan.nodes))
        ]
        for node in nodes:
            node.await_answer()
        board = Board([(node.host, node.port) for node in nodes], keys, more=plan.cases // 10, before=before)
        chaos = Chaos(nodes, server, DATABASE, NODES, seed=plan.seed, uploads=materials if small else None)
        fetchers = [alarms.Fetcher(board.addresses, keys[PROGRAM], number, plan.seed) for number in range(2)]
        uploader = uploads.Uploader(board, plan.seed)
        with at_windows(board, plan) as crew, _at_work([*fetchers, uploader]):
            chaos.go_on(plan.seconds)
            chaos.mend()
            faults = [*await_service(board), *await_upload(uploader)]
        faults += [f"Expected {clerk.name} to be answered in the end, but it waits still" for clerk in crew if clerk.is_alive()]
        faults += await_rest(db)
        faults += [wrong for node in nodes for wrong in node.stop()]
        faults += await_end(db)
        faults += board.wrong + list(checks.check(db, board.commands))
        faults += [*alarms.check(db, due, fetchers), *uploader.check(db, materials)]
        faults += [said for node in nodes for said in node.said("request failed")]
        return replace(
            _report(chaos, board, nodes[0].network, faults), uploads=uploader.answers, given=sum(len(each.given) for each in fetchers)
        )


def furnish(db: Database, *, without: bytes = b"") -> dict[str, str]:
    """Have a schema, people with keys, and the matter; `without` what its nodes do not know, in diagrams."""
    db.migrate()
    with db.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
        holidays.publish_shipped(session, WORKFLOWS / "calendars")
        files = {
            name.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content.replace(without, b"")
            for name, content in tiny.folder({i: {} for i in ITEMS}, materials=[{"material": uploads.CODE, "exemption": "ECERT"}]).items()
        }
        deployments.deploy(session, "tiny", files, actor=OPERATOR)
        return {name: accounts.issue_key(session, name, label="soak", actor=OPERATOR)[1] for name in (*PEOPLE, PROGRAM)}


def submit(db: Database, count: int) -> dict[str, Command]:
    """Submit cases, many in a transaction; by their numbers the commands that a clerk would have given."""
    done: dict[str, Command] = {}
    for first in range(0, count, BATCH):
        with db.transaction() as session:
            for place in range(first, min(first + BATCH, count)):
                key = f"before-{place}"
                what = cases.Submission(region="430100", matter="tiny", hall="changsha", applicant=applicant(key), answers={})
                number = cases.submit(session, what, actor=CLERK).number
                done[number] = Command(key=key, who="clerk", path="/cases", body={}, status=CREATED, answer={"number": number})
    return done


def _node(stack: ExitStack, number: int, server: Server, network: Network, folder: Path, *, alone: bool, batch: int) -> Node:
    proxy = stack.enter_context(Proxy(server.url(DATABASE, NODES), host=network.gate))
    there = {"ONETHING_BATCH": str(batch), "ONETHING_PROCESSES": str(PROCESSES)}
    node = Node(number, proxy, network, folder, alone=alone, program=CLOCKED, **there)
    node.set_clock(APART * number)
    node.start()
    stack.callback(node.kill)
    return node


@contextmanager
def at_windows(board: Board, plan: Plan) -> Iterator[list[Clerk]]:
    """Have clerks at work until the block ends."""
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


@contextmanager
def _at_work(programs: Sequence[alarms.Fetcher | uploads.Uploader]) -> Iterator[None]:
    for program in programs:
        program.start()
    try:
        yield
    finally:
        for program in programs:
            program.closing.set()
        for program in programs:
            program.join(60)


def await_service(board: Board, seconds: float = 30) -> list[str]:
    """Now that everything is whole again, commands must be answered."""
    before = sum(command.status is not None for command in list(board.commands))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if sum(command.status is not None for command in list(board.commands)) > before + 20:
            return []
        time.sleep(0.1)
    return ["Expected commands to be answered when all was whole again, but they are not"]


def await_upload(uploader: uploads.Uploader, seconds: float = 60) -> list[str]:
    """Now that everything is whole again, a file must be taken; the one before may still wait for a node that was frozen."""
    before, end = len(uploader.kept), time.monotonic() + seconds
    while time.monotonic() < end:
        if len(uploader.kept) > before:
            return []
        time.sleep(0.1)
    return ["Expected a file to be taken when all was whole again, but none is"]


def await_rest(db: Database, seconds: float = 30) -> list[str]:
    """Whatever is owed is done by the schedulers, in their time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with db.reading() as session:
            if not session.scalar(select(func.count()).select_from(Job)) and not alarms.are_due(session):
                return []
        time.sleep(0.2)
    return ["Expected nothing to be owed any more, but there are jobs, or timers that are due"]


def await_end(db: Database, seconds: float = 30) -> list[str]:
    """No connection is left of nodes that have stopped, nor of any that were killed, frozen or cut off before."""
    end = time.monotonic() + seconds
    while True:
        with db.reading() as session:
            left = session.scalars(_LEFT).all()
        if not left or time.monotonic() > end:
            return [f"Expected no connection to be left of a node that has stopped, but there is {each}" for each in left]
        time.sleep(0.2)


def _report(chaos: Chaos, board: Board, network: Network, faults: list[str]) -> Report:
    sent = [command for command in board.commands if command.attempts]
    return Report(
        happened=chaos.happened,
        network=network.name,
        cases=len(board.touched),
        answers=Counter("no answer" if command.status is None else str(command.status) for command in sent),
        took=sorted(command.took for command in sent if command.status is not None),
        repeated=sum(command.attempts > 1 for command in sent),
        faults=faults,
    )
