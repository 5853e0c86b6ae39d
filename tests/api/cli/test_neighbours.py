"""Several processes of one `onething serve`: to workers they are one server, whichever of them a connection is led to."""

import http.client
import itertools
import json
import os
import signal
import time
from pathlib import Path

import pytest

from engine import accounts, deployments, grants, holidays
from engine.actors import Actor, Role, RoleGrant
from engine.passwords import WELL_KNOWN
from engine.settings import CHECKOUT
from tests.api.camunda.conftest import worked
from tests.api.cli.conftest import PATIENCE
from tests.api.cli.test_serve import await_answer, children

ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN), RoleGrant(role=Role.DESIGNER)))
TELLING = "tests.api.cli.telling"
#: More words than there is room for from one process to another.
MANY = 300
#: A tenth of those that may wait at a process, and the longest time for which one does, seconds.
MANY_WORKERS, LONGEST = 200, 1800


class Line(http.client.HTTPConnection):
    """A connection to the server: whatever is asked on it, the same process answers."""

    def __init__(self, environ, key):
        super().__init__("127.0.0.1", int(environ["ONETHING_PORT"]), timeout=PATIENCE)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.call("GET", "/version")

    def ask(self, method, path, body=None):
        self.request(method, f"/engine-rest{path}", None if body is None else json.dumps(body), self._headers)

    def answer(self):
        answer = self.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        self.process, self.asleep, self.beats = (int(answer.headers[f"X-{name}"]) for name in ("Process", "Asleep", "Beats"))
        return json.loads(text)

    def call(self, *asked):
        self.ask(*asked)
        return self.answer()

    def start(self):
        return self.call("POST", "/process-definition/key/p/start", {})["id"]

    def poll(self, worker="w", wait=PATIENCE):
        """Ask for a task; `answer` gives what comes."""
        topics = [{"topicName": "print", "lockDuration": 600_000}]
        body = {"workerId": worker, "maxTasks": 1, "asyncResponseTimeout": 1000 * wait, "topics": topics}
        self.ask("POST", "/external-task/fetchAndLock", body)


class Server:
    """A server of two processes."""

    def __init__(self, serving, environ, key):
        self.parent, self._environ, self._key = serving.process.pid, environ, key
        self.lines = []

    def processes(self):
        return children(self.parent)

    def somewhere(self):
        """Connect, to be led to any of them; it answers."""
        self.lines.append(Line(self._environ, self._key))
        return self.lines[-1]

    def line(self, process):
        """Connect to one of them."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            line = self.somewhere()
            if line.process == process:
                return line
        raise AssertionError(f"Expected to be led to {process}, but it was always another")

    def wait_at(self, process, worker="w"):
        """Let a worker wait for a task until it sleeps there."""
        waiting, looking = self.line(process), self.line(process)
        before = looking.asleep
        waiting.poll(worker)
        while looking.asleep == before:
            looking.call("GET", "/version")
        return waiting


@pytest.fixture
def server(begin, environ, database):
    """Two processes, and a diagram with a task for workers."""
    with database.transaction() as session:
        holidays.publish_shipped(session, CHECKOUT / "workflows/calendars")
        deployments.deploy(session, "p", {"p.bpmn": worked("print")}, actor=ADMIN)
        accounts.create(session, "admin", actor=ADMIN, password=None, passwords=WELL_KNOWN)
        grants.grant(session, "admin", Role.ADMIN, actor=ADMIN)
        _row, key = accounts.issue_key(session, "admin", label="test", actor=ADMIN)
    serving = begin("serve", program=TELLING, ONETHING_PROCESSES="2")
    serving.until("Serving")
    await_answer(environ)
    server = Server(serving, environ, key)
    yield server
    for line in server.lines:
        line.close()


def asleep(looking):
    """How many wait, together."""
    for line in looking:
        line.call("GET", "/version")
    return sum(line.asleep for line in looking)


def are_one(server):
    """A worker that asks anew is served, its older request is not, and a task is given at once, wherever each is; one has the scheduler."""
    assert sum(server.line(process).beats for process in server.processes()) == 1
    for older, newer in itertools.permutations(server.processes()):
        dead, alive, maker = server.wait_at(older), server.wait_at(newer), server.line(older)

        assert dead.answer() == []
        started = maker.start()
        assert [task["processInstanceId"] for task in alive.answer()] == [started]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_workers__ask_whichever_process(server):
    """Until it is stopped, which sends all of them home."""
    are_one(server)

    waiting = [server.wait_at(process, f"w{process}") for process in server.processes()]
    os.kill(server.parent, signal.SIGTERM)
    assert [line.answer() for line in waiting] == [[], []]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_workers__process_stands_still_and_is_killed(server):
    """There is no room for what it is told; it takes part when it goes on, and so does the one that replaces it."""
    still, other = server.processes()
    asking, waiting = server.line(other), server.wait_at(other, "another")

    os.kill(still, signal.SIGSTOP)
    for _ in range(MANY):
        asking.poll(wait=0)
        assert asking.answer() == []
    os.kill(still, signal.SIGCONT)
    server.line(still).start()
    assert len(waiting.answer()) == 1
    are_one(server)

    waiting = server.wait_at(other, "another")
    os.kill(still, signal.SIGKILL)
    while len(processes := server.processes()) < 2 or still in processes:
        time.sleep(0.01)
    server.line(*set(processes) - {other}).start()
    assert len(waiting.answer()) == 1
    are_one(server)


def test_workers__two_hundred_wait(server):
    """They keep nobody else waiting, and are sent home when the server is stopped."""
    waiting = [server.somewhere() for _ in range(MANY_WORKERS)]
    for number, line in enumerate(waiting):
        line.poll(f"w{number}", wait=LONGEST)
    looking = [server.line(process) for process in server.processes()]
    while asleep(looking) < MANY_WORKERS:
        time.sleep(0.1)

    for _ in range(30):
        server.somewhere()
    assert asleep(looking) == MANY_WORKERS
    os.kill(server.parent, signal.SIGTERM)
    assert [line.answer() for line in waiting] == [[]] * MANY_WORKERS


def hang_up(process, line):
    """Close a connection to a process, and wait until it has noticed."""
    there = len(list(Path(f"/proc/{process}/fd").iterdir()))
    line.close()
    deadline = time.monotonic() + PATIENCE
    while len(list(Path(f"/proc/{process}/fd").iterdir())) > there - 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_worker__hangs_up(server):
    """The task that comes is locked for nobody: the next that waits has it at once, and where there is none it is free."""
    process, *_ = server.processes()
    staying, gone, looking = server.wait_at(process, "another"), server.wait_at(process), server.line(process)
    hang_up(process, gone)

    started = looking.start()
    assert [task["processInstanceId"] for task in staying.answer()] == [started]

    gone = server.wait_at(process)
    hang_up(process, gone)
    looking.start()
    while asleep([looking]):
        pass
    assert [task["workerId"] for task in looking.call("GET", "/external-task?notLocked=true")] == [None]
