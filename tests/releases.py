"""What installations of earlier releases have in their databases: written once by the release itself, and loaded for ever.

    python -m tests.releases schema-NNNN      before a release, writes tests/snapshots/schema-NNNN.db.zst
    git archive COMMIT api bpmn engine workflows | zstd -19 > tests/snapshots/code-NNNN.tar.zst      its code, for tests/api/cli/test_rollout.py

NNNN is the revision of its schema; kept are the code of the release before, and of the last one whose nodes keep `onething migrate` from taking
something away.  In the database: the shipped matters with a restaurant bundle that is half done, a process that waits in every
way at once, and an instance of every construct of `tests/conformance`, as far as it comes to rest; definitions, token states, journals and rows as
that release wrote them.
"""

from __future__ import annotations

import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import time_machine
import zstandard
from sqlalchemy import select

from engine import accounts, cases, definitions, deployments, processes, tasks
from engine.cases import Submission
from engine.database import Database
from engine.errors import EngineError
from engine.models import Definition
from engine.runs import Origin
from engine.variables import Given
from tests import everywhere, restaurant
from tests.conformance import drawing, reading
from tests.hall import OPERATOR, furnish
from tests.stage import APPLICANT

SNAPSHOTS = Path(__file__).parent / "snapshots"
#: When everything in them was done: a Monday.
WRITTEN = datetime(2026, 3, 2, 1, tzinfo=UTC)


def unpack(revision: str, folder: Path) -> Path:
    """Unpack the code of the release that had this schema; gives the folder."""
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # not in Python 3.11.2, which Debian 12 has
    with zstandard.open(SNAPSHOTS / f"code-{revision}.tar.zst") as packed, tarfile.open(fileobj=packed, mode="r|") as code:
        code.extractall(folder, **safely)
    return folder


def write(name: str) -> Path:
    """Write what this release has in its database."""
    with tempfile.TemporaryDirectory() as folder, time_machine.travel(WRITTEN, tick=False):
        path = Path(folder, "release.db")
        furnish(f"sqlite:///{path}")
        database = Database(f"sqlite:///{path}")
        _begin_restaurant(database)
        everywhere.begin(database)
        _begin_conformance(database)
        database.close()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("VACUUM")
        target = SNAPSHOTS / f"{name}.db.zst"
        target.write_bytes(zstandard.compress(path.read_bytes(), 19))
    return target


def _begin_restaurant(database: Database) -> None:
    """A bundle that is accepted, with one of its departments done."""
    materials = [{"code": code} for code in restaurant.MATERIALS]
    what = Submission(
        region="430100",
        matter="open_restaurant",
        hall="changsha",
        applicant=APPLICANT,
        answers=dict(restaurant.ANSWERS),
        materials=materials,
    )
    with database.transaction() as session:
        case = cases.submit(session, what, actor=accounts.load(session, "clerk"))
    _complete(database, case.id, "clerk", "一窗受理", outcome="accept")
    _complete(database, case.id, "officer-fire", "消防承诺审查", outcome="granted")


def _complete(database: Database, case_id: object, who: str, name: str, **data: object) -> None:
    with database.transaction() as session:
        task = next(task for task in tasks.of_case(session, case_id) if task.name == name)
        tasks.complete(session, task.id, actor=accounts.load(session, who), data=data)


def _begin_conformance(database: Database) -> None:
    """Deploy every case and start it; what is no process of its own, or only runs where others are deployed, is left out."""
    for number, case in enumerate(reading.cases()):
        known = dict(case.runs[0][0].variables)
        at = known.pop("at", None)
        try:
            with database.transaction() as session:
                deployment = deployments.deploy(session, case.name, {"case.bpmn": drawing.draw(case.drawing)}, actor=OPERATOR)
                version = session.scalars(select(Definition.id).where(Definition.deployment_id == deployment.id)).one()
                start = definitions.get(session, version)
                origin = Origin(business_key=str(number), at=at)
                processes.open_plain(session, start, actor=OPERATOR, given=Given(values=known), origin=origin)
        except EngineError:
            continue


if __name__ == "__main__":
    print(write(sys.argv[1]))  # noqa: T201 - it is a command
