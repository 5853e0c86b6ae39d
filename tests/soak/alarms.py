"""Alarms: processes that wait for a known moment and then have a task for a program; programs fetch these tasks.

Whatever the clocks of the nodes say, no timer may go off early or twice, and no task may be given to a second program while the first one holds
it.  The trial judges that by the clock of the database alone: each row tells when its transaction was committed.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text

from engine import definitions, deployments, processes
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database, Session
from engine.models import Timer
from engine.runs import Origin
from engine.variables import Given
from tests.bpmn import diagrams as d

KEY, TOPIC, RING = "alarm", "ring", "ring"
OPERATOR = Actor(name="operator", grants=(RoleGrant(role=Role.DESIGNER),))
#: How many alarms go off during the trial, one after the other, and how many are due in half an hour.  The trial is shorter than that: only by a
#: clock that is an hour ahead could the later ones go off.
SOON, LATER = 150, 20
HALF_AN_HOUR = timedelta(minutes=30)
#: For how many milliseconds a program holds a task that it has fetched: longer than the trial, but less than clocks are set forward.
LEASE = 1_800_000
#: For each task its alarm, and when the task was committed by the clock of the database (None: before the database kept such times).
_RUNG = text(
    "SELECT instances.business_key, pg_xact_commit_timestamp(activities.xmin) FROM activities JOIN instances ON instances.id = instance_id"
    " WHERE activities.element = :ring"
)


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A timer that went off."""

    #: Which one, and when what it did was committed.
    name: str
    at: datetime


def set_all(db: Database, seconds: float) -> dict[str, datetime]:
    """Begin a process for each alarm of a trial of so many seconds.  Returns when each is due, by its name."""
    resting = d.timer_catch("rest", date="${due}"), d.external(RING, topic=TOPIC)
    drawing = d.diagram(d.start("s"), *resting, d.end("e"), d.flows(f"s -> rest -> {RING} -> e"), key=KEY, name=KEY)
    now = datetime.now(UTC)
    due = {f"soon-{place}": now + timedelta(seconds=10 + place * seconds / SOON) for place in range(SOON)}
    due |= {f"later-{place}": now + HALF_AN_HOUR for place in range(LATER)}
    with db.transaction() as session:
        deployments.deploy(session, KEY, {f"{KEY}.bpmn": drawing}, actor=OPERATOR)
    with db.transaction() as session:
        loaded = definitions.latest(session, KEY)
        for name, moment in due.items():
            given = Given(values={"due": moment.isoformat()})
            processes.open_plain(session, loaded, actor=OPERATOR, given=given, origin=Origin(business_key=name))
    return due


class Fetcher(threading.Thread):
    """A program that fetches tasks at any node and never completes them: nobody else may be given one of these."""

    def __init__(self, addresses: Sequence[tuple[str, int]], key: str, number: int, seed: int) -> None:
        super().__init__(name=f"fetcher-{number}", daemon=True)
        self.addresses, self.number = addresses, number
        self.random = random.Random(seed * 1000 + number)
        #: Ids of the tasks that it was given.
        self.given: list[str] = []
        self.closing = threading.Event()
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def run(self) -> None:
        """Fetch until told otherwise."""
        while not self.closing.is_set():
            try:
                self.given += self._fetch()
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.2)  # the node is away; it may have given us a task, whose answer was lost

    def _fetch(self) -> list[str]:
        connection = http.client.HTTPConnection(*self.random.choice(self.addresses), timeout=4)
        topics = [{"topicName": TOPIC, "lockDuration": LEASE}]
        body = {"workerId": f"w{self.number}", "maxTasks": 5, "asyncResponseTimeout": 1000, "topics": topics}
        try:
            connection.request("POST", "/engine-rest/external-task/fetchAndLock", json.dumps(body), self._headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())
            return [task["id"] for task in found] if answer.status == http.client.OK else time.sleep(0.2) or []
        finally:
            connection.close()


def are_due(session: Session) -> bool:
    """Whether any timer should have gone off by now."""
    return bool(session.scalar(select(func.count()).select_from(Timer).where(Timer.due_at <= datetime.now(UTC))))


def check(db: Database, due: dict[str, datetime], fetchers: Iterable[Fetcher]) -> Iterator[str]:
    """Yield in words each alarm that went off early, twice or not at all, and each task that was given to two programs."""
    with db.reading() as session:
        now = datetime.now(UTC)
        rung = [Ring(name=name, at=at) for name, at in session.execute(_RUNG, {"ring": RING})]
    yield from judge(due, rung, Counter(task for fetcher in fetchers for task in fetcher.given), now)


def judge(due: dict[str, datetime], rung: Sequence[Ring], given: Counter[str], now: datetime) -> Iterator[str]:
    """Compare the alarms that went off with those that were due at `now`; `given` counts how often each task was given to a program."""
    times = Counter(ring.name for ring in rung)
    for name, moment in due.items():
        if times[name] != (moment <= now):
            yield f"Expected alarm {name}, due at {moment}, to have gone off {int(moment <= now)} times at {now}, but it did {times[name]} times"
    for ring in rung:
        if ring.at < due[ring.name]:
            yield f"Expected alarm {ring.name} not to go off before {due[ring.name]}, but it did at {ring.at}"
    for task, often in given.items():
        if often > 1:
            yield f"Expected task {task} to be given once while it is held, but it was {often} times"
