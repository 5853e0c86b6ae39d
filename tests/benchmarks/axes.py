"""What a completion may cost more by, one axis at a time: each gives points, with what was measured there.

Measured is the reference process (`reference`): an instance with its tasks, history, journal and rights.  *Hot*: it is in memory; *cold*: it
is woken from its snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from engine import compiled_files, definitions, deployments, processes, timers
from engine.database import Database
from engine.models import Definition, Instance
from engine.variables import Given
from tests.benchmarks import lists, population, reference
from tests.benchmarks.meter import Sample, measure
from tests.bpmn import diagrams as d

#: What was measured, by what it is.
Samples = dict[str, list[Sample]]
#: Samples of each figure.
EACH = 12
#: What is completed where the size of the data is not what is asked.
SMALL = {"outcome": "granted", "opinion": "As described."}


@dataclass(frozen=True, kw_only=True)
class Databases:
    """One database, as one who keeps instances in memory sees it, and one who keeps none."""

    hot: Database
    cold: Database

    def kinds(self) -> Iterator[tuple[str, Database]]:
        """Give each with its name."""
        yield from (("hot", self.hot), ("cold", self.cold))


Points = Iterator[tuple[int, Samples]]


def decades(least: int, most: int) -> Iterator[int]:
    """Sizes from one to the other, three in a decade."""
    size = least
    while size <= most:
        yield from (round(size * step) for step in (1, 2, 5) if round(size * step) <= most)
        size *= 10


def steps(dbs: Databases, most: int) -> Points:
    """Steps that a case has done: two departments at once, and from the join back to the fork, again and again."""
    nodes = (
        d.start("begin"),
        d.exclusive("again"),
        d.parallel("fork"),
        d.parallel("join"),
        d.exclusive("enough", default="again"),
        d.end("done"),
    )
    work = (d.user("left", groups="window"), d.user("right", groups="window"))
    paths = (
        "begin -> again -> fork",
        "fork -> left -> join",
        "fork -> right -> join",
        "join -> enough",
        "enough -> again",
        "enough -> done [${over}]",
    )
    with dbs.hot.transaction() as session:
        deployments.deploy(
            session, "rework", {"rework.bpmn": d.diagram(*nodes, *work, d.flows(*paths), key="rework")}, actor=reference.DESIGNER
        )
    walks = {kind: _rework(db) for kind, db in dbs.kinds()}
    done = 0
    for size in decades(10, most):
        for walk in walks.values():
            for _ in range(size - done):
                next(walk)
        yield size, {kind: [next(walk) for _ in range(EACH)] for kind, walk in walks.items()}
        done = size + EACH


def _rework(db: Database) -> Iterator[Sample]:
    """Complete what is open in one case, for ever."""
    with db.transaction() as session:
        loaded = definitions.latest(session, "rework")
        case = processes.open_plain(session, loaded, actor=reference.DESIGNER, given=Given(values={"over": False})).id
    while True:
        for task in reference.standing(db, case).values():
            yield measure(db.bind, partial(reference.complete, db, task, reference.CLERK, {}))


def branches(dbs: Databases, most: int) -> Points:
    """Parallel branches, each with a task and a timer; measured while most of them wait."""
    for size in (size for size in decades(1, most) if size > 1):
        reference.deploy(dbs.hot, size)
        yield size, _completions(dbs)


def form_data(dbs: Databases, most: int) -> Points:
    """Bytes of form data: a completion that brings them, and one of a case that has them already."""
    reference.deploy(dbs.hot)
    for size in decades(1000, most):
        text = ("The premises were found as described. " * (size // 38 + 1))[:size]
        brought = {f"brought, {kind}": _departments(db, {"outcome": "granted", "opinion": text}) for kind, db in dbs.kinds()}
        there = {f"there already, {kind}": _departments(db, SMALL, dossier=text) for kind, db in dbs.kinds()}
        yield size, brought | there


def pending_timers(dbs: Databases, most: int) -> Points:
    """Timers of other cases that wait for their day; and how long the scheduler takes to see that nothing is due."""
    reference.deploy(dbs.hot)
    with dbs.hot.reading() as session:
        template = session.get_one(Instance, reference.begin(dbs.hot)).case_id
    there = 0
    for size in (size for size in decades(1000, most) if str(size).startswith("1")):
        copies = size // (reference.BRANCHES - reference.DONE)
        population.multiply(dbs.hot, template, copies - there, first=there + 1)
        there = copies
        population.settle(dbs.hot)
        yield size, {**_completions(dbs), "a look at what is due": [measure(dbs.hot.bind, partial(_look, dbs.hot)) for _ in range(EACH)]}


def _look(db: Database) -> None:
    with db.reading() as session:
        assert not timers.DUE.due(session, 100), "Expected timers that wait for their day, but some are due"


def versions(dbs: Databases, most: int) -> Points:
    """Versions that were deployed: a completion of the newest, whose form is the newest there is; its definition loaded; one more deployed."""
    there, deployed = 0, list[Sample]()
    for size in decades(1, most):
        while there < size:
            there += 1
            deployed.append(measure(dbs.hot.bind, partial(_deploy, dbs.hot, there)))
        loaded = [measure(dbs.hot.bind, partial(_load, dbs.hot)) for _ in range(EACH)]
        yield size, {**_completions(dbs), "the definition is loaded": loaded, "one more is deployed": deployed[-EACH:]}


def _deploy(db: Database, version: int) -> None:
    diagram = reference.diagram().replace(b'formRefBinding="deployment"', b'formRefBinding="latest"')
    resources = {"reference.bpmn": diagram + f"<!-- {version} -->".encode(), "decision.form": reference.form()}
    with db.transaction() as session:
        deployments.deploy(session, "reference", resources, actor=reference.DESIGNER)


def _load(db: Database) -> None:
    with db.reading() as session:
        newest = select(Definition).order_by(Definition.version.desc()).limit(1)
        row = session.scalars(newest).one()
        compiled_files.read(session, row.deployment_id, row.resource)


def _completions(dbs: Databases) -> Samples:
    return {kind: _departments(db, SMALL) for kind, db in dbs.kinds()}


def _departments(db: Database, data: dict[str, object], *, dossier: str = "") -> list[Sample]:
    """Complete tasks of departments, in as many cases as it takes; never the last one, with which the case goes on."""
    found: list[Sample] = []
    while len(found) < EACH:
        case = reference.begin(db, done=0, dossier=dossier)
        standing = {element: task for element, task in reference.standing(db, case).items() if element.startswith("department")}
        for element, task in list(standing.items())[: min(EACH - len(found), max(1, len(standing) - 1))]:
            work = partial(reference.complete, db, task, reference.officer(int(element.removeprefix("department"))), data)
            found.append(measure(db.bind, work))
    return found


def cases(dbs: Databases, most: int) -> Points:
    """Cases, each with an open task: lists and searches, too."""
    return lists.among_cases(dbs.hot, (size for size in (most // 1000, most // 100, most // 10, most) if size >= lists.LEAST))


#: By name: how far it goes, what it is called, and how it is walked.
AXES: Mapping[str, tuple[int, str, Callable[[Databases, int], Points]]] = {
    "cases": (1_000_000, "cases in the database, each with an open task", cases),
    "steps": (1000, "steps that the case has already done, in rework loops", steps),
    "branches": (200, "parallel branches", branches),
    "form": (1_000_000, "bytes of form data", form_data),
    "timers": (1_000_000, "pending timers in the database", pending_timers),
    "versions": (1000, "deployed versions", versions),
}
