"""Long polls: who waits keeps nobody from anything, and is given what comes, whatever happens meanwhile."""

import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, as_completed, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import pytest

from api import repeats
from api.app import create_app
from api.camunda import polling
from engine import arrivals, database, fetches
from engine.errors import Busy, Unavailable
from engine.passwords import WELL_KNOWN
from engine.settings import Settings
from tests.api import bundle
from tests.api.camunda.conftest import Client, worked
from tests.api.conftest import Caller
from tests.hall import furnish

#: Seconds after which something hangs, however busy the machine is; nobody who waits here waits so long.
PATIENCE = 120
SLEEP = arrivals.Waiter.sleep
#: Workers that wait at one process.
VERY_MANY = 1999


class Sleepers:
    """Who waits, and has looked before."""

    def __init__(self):
        self.count, self._changed = 0, threading.Condition()

    def sleep(self, waiter, seconds):
        self._change(1)
        try:
            return SLEEP(waiter, seconds)
        finally:
            self._change(-1)

    def await_(self, count):
        """Wait until there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count == count, PATIENCE), self.count

    def _change(self, by):
        with self._changed:
            self.count += by
            self._changed.notify_all()


@pytest.fixture
def sleepers(monkeypatch):
    """Who waits; nobody looks at the table for them."""
    found = Sleepers()

    def sleep(waiter, seconds):
        return found.sleep(waiter, seconds)

    monkeypatch.setattr(arrivals.Waiter, "sleep", sleep)
    monkeypatch.setattr(polling, "_watch", lambda _db: None)
    return found


@pytest.fixture
def workers():
    """Threads for those who ask; whoever still waits in the end goes home."""
    with ThreadPoolExecutor(40) as threads:
        yield threads
        for waiter in list(arrivals._waiting):
            waiter.send_home()


def ask(caller, worker="w", topic="print", most=1, **more):
    topics = [{"topicName": topic, "lockDuration": 600_000, **more}]
    asked = {"workerId": worker, "maxTasks": most, "asyncResponseTimeout": 5_000 * PATIENCE, "topics": topics}
    return caller.post("/external-task/fetchAndLock", asked)


def poll(*asked, **more):
    answer = ask(*asked, **more)
    answer.get_data()  # all of it: tasks are locked when what they are told in is sent
    return answer


def start(designer):
    answer = designer.post("/process-definition/key/p/start", {})
    assert answer.status_code == 200, answer.json
    return answer.json["id"]


def given(answers):
    """Processes whose tasks were given; each answer has one."""
    assert [(answer.status_code, len(answer.json)) for answer in answers] == [(200, 1)] * len(answers)
    return sorted(answer.json[0]["processInstanceId"] for answer in answers)


def check_busy(answer):
    assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (503, True), answer.json


@pytest.fixture
def drawn(designer):
    designer.deploy({"p.bpmn": worked("print")})


def test_wait__holds_nothing(app, client, designer, sleepers, workers, drawn):
    polls = [workers.submit(poll, client("admin"), f"w{number}") for number in range(8)]
    sleepers.await_(8)

    assert app.extensions["database"].bind.pool.checkedout() == 0
    assert not app.extensions["turns"].are_taken()
    started = [start(designer) for _ in polls]
    assert given([one.result(PATIENCE) for one in polls]) == sorted(started)


@pytest.fixture
def looks(monkeypatch):
    """Looks at the table, so far."""
    found, look = [], fetches.is_there

    def is_there(*args, **words):
        found.append(None)
        return look(*args, **words)

    monkeypatch.setattr(fetches, "is_there", is_there)
    return found


def settled():
    """Wait until nobody has anything to look for."""
    deadline = time.monotonic() + PATIENCE
    while any(waiter.owes() for waiter in list(arrivals._waiting)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(("most", "times"), [(1, 2), (2, 1)], ids=["there may be more", "there is no more"])
def test_wait__many_for_one_task(client, designer, sleepers, workers, drawn, looks, most, times):
    """Not all of them look for it."""
    polls = [workers.submit(poll, client("admin"), f"w{number}", most=most) for number in range(20)]
    sleepers.await_(20)
    looks.clear()

    started = start(designer)
    done, _ = wait(polls, PATIENCE, FIRST_COMPLETED)
    settled()

    assert given([one.result() for one in done]) == [started]
    sleepers.await_(19)
    assert len(looks) == times


def test_wait__many_for_some_tasks_that_others_made(app, client, sleepers, workers, drawn, looks):
    """Nobody says how many they are: each wakes the next."""
    polls = [workers.submit(poll, client("admin"), f"w{number}") for number in range(20)]
    sleepers.await_(20)
    started = [start_unseen(app) for _ in range(8)]
    looks.clear()

    arrivals.announce({"print"})
    answers = [one.result() for one in islice(as_completed(polls, PATIENCE), 8)]
    settled()

    assert given(answers) == sorted(started)
    sleepers.await_(12)
    assert len(looks) == 9


def test_wait__each_for_a_task_of_its_own(client, designer, sleepers, workers, drawn, looks):
    """Those who ask for something else look, too."""
    businesses = [workers.submit(poll, client("admin"), f"w{number}", businessKey=f"B{number}") for number in range(3)]
    anything = [workers.submit(poll, client("admin"), f"v{number}") for number in range(10)]
    sleepers.await_(13)
    looks.clear()

    started = designer.post("/process-definition/key/p/start", {"businessKey": "B1"}).json["id"]
    done, _ = wait([*businesses, *anything], PATIENCE, FIRST_COMPLETED)
    settled()

    assert given([each.result() for each in done]) == [started]
    assert len(looks) in {4, 5}  # one of those who take anything; and the next, when it was given to that one


def test_wait__beside_very_many(client, designer, sleepers, workers, drawn):
    """Who comes last waits, too: some clients rest for no moment when they are answered with nothing."""
    with ExitStack() as stack:
        for number in range(VERY_MANY):
            stack.enter_context(arrivals.waiting((f"w{number}",), {"other"}))
        waiting = workers.submit(poll, client("admin"))
        while not (sleepers.count or waiting.done()):
            time.sleep(0.01)

        assert not waiting.done()
        started = start(designer)
        assert given([waiting.result(PATIENCE)]) == [started]


@pytest.fixture
def narrow(postgresql, tmp_path, monkeypatch):
    """Open an application that has one connection and one turn; whoever finds the connection taken waits so long."""

    @contextmanager
    def narrow(seconds):
        monkeypatch.setattr(database, "POOL_SIZE", 1)
        monkeypatch.setattr(database, "POOL_OVERFLOW", 0)
        monkeypatch.setattr(database, "POOL_TIMEOUT", seconds)
        with postgresql.branch(furnish).fresh() as url:
            app = create_app(Settings(database_url=url, data_dir=tmp_path, threads=1, processes=1), passwords=WELL_KNOWN)
            Client(app, "designer").deploy({"p.bpmn": worked("print")})
            yield app
            app.extensions["database"].close()

    return narrow


def test_wait__many_beside_people_who_have_one_connection_and_one_turn(narrow, sleepers, workers):
    with narrow(PATIENCE) as app:
        polls = [workers.submit(poll, Client(app, "admin"), f"w{number}") for number in range(20)]
        sleepers.await_(20)

        case = bundle.accepted(Caller(app, "clerk"))
        bundle.complete(Caller(app, "officer-market"), case, "食品经营许可审批", outcome="granted")
        assert sleepers.count == 20
        assert app.extensions["database"].bind.pool.checkedout() == 0
        started = [start(Client(app, "designer")) for _ in polls]

        assert given([one.result(PATIENCE) for one in polls]) == sorted(started)


def test_wait__no_connection_is_left_when_something_comes(narrow, sleepers, workers, monkeypatch):
    """All are told to come again, those who waited and those who have just come; nothing is locked for them."""
    monkeypatch.setattr(repeats, "PAUSES", (0.01,))
    with narrow(0.01) as app:
        polls = [workers.submit(poll, Client(app, "admin"), f"w{number}") for number in range(4)]
        sleepers.await_(4)
        with app.extensions["database"].bind.connect():
            arrivals.announce({"print"})
            told = [one.result(PATIENCE) for one in polls] + [Client(app, "admin").get("/task"), Caller(app, "clerk").get("/tasks")]

        for answer in told:
            check_busy(answer)
        started = start(Client(app, "designer"))
        assert given([poll(Client(app, "admin"), "w0")]) == [started]


def test_wait__no_connection_is_left_for_a_moment(narrow, sleepers, workers, monkeypatch):
    """Nobody is told, also who had to wait for a turn meanwhile."""
    with narrow(0.01) as app:
        polls = [workers.submit(poll, Client(app, "admin"), f"w{number}") for number in range(4)]
        sleepers.await_(4)
        started = [start_unseen(app) for _ in polls]
        taken = app.extensions["database"].bind.connect()
        monkeypatch.setattr(repeats, "_rest", lambda _seconds: taken.close())
        arrivals.announce({"print"})

        assert given([one.result(PATIENCE) for one in polls]) == sorted(started)


def start_unseen(app):
    """Start a process where another host would: here nobody is woken."""
    waiting, arrivals._waiting = arrivals._waiting, []
    try:
        return start(Client(app, "designer"))
    finally:
        arrivals._waiting = waiting


@pytest.fixture
def hindered(monkeypatch):
    """What the next looks are kept from being done by, the last one first."""
    found, look = [], fetches.is_there

    def is_there(*args, **words):
        if found:
            raise found.pop()
        return look(*args, **words)

    monkeypatch.setattr(fetches, "is_there", is_there)
    return found


def test_wait__look_fails_after_a_long_time(client, designer, sleepers, workers, drawn, hindered, monkeypatch):
    """It is done again as if the request had just come: the worker sees nothing of it."""
    clock = [0.0]
    monkeypatch.setattr(repeats, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=lambda _seconds: None))
    waiting = workers.submit(poll, client("admin"))
    sleepers.await_(1)
    clock[0] += repeats.PATIENCE + 1
    hindered.append(Unavailable("away"))

    started = start(designer)

    assert given([waiting.result(PATIENCE)]) == [started]
    assert hindered == []


@pytest.mark.parametrize("times", [1, 2], ids=["looks again", "begins anew"])
def test_wait__newer_request_comes_while_the_older_one_is_hindered(
    client, designer, sleepers, workers, drawn, hindered, monkeypatch, times
):
    """The older one, whose sender may be gone, is not taken for the newer by that."""
    rests, newer = [], []

    def rest(_seconds):
        rests.append(None)
        if len(rests) == times:
            newer.append(workers.submit(poll, client("admin")))
            sleepers.await_(1)

    monkeypatch.setattr(repeats, "PAUSES", (0,))
    monkeypatch.setattr(repeats, "_rest", rest)
    hindered.extend(Busy("held") for _ in range(times))
    older = workers.submit(poll, client("admin"))

    assert (older.result(PATIENCE).status_code, older.result().json) == (200, [])
    started = start(designer)
    assert given([newer[0].result(PATIENCE)]) == [started]


def test_wait__client_is_gone_when_something_comes(client, designer, sleepers, workers, drawn):
    """Nothing is locked for it, and the next is woken."""
    staying = workers.submit(poll, client("admin"), "staying")
    sleepers.await_(1)
    going = workers.submit(lambda: ask(client("admin"), "going").close())
    sleepers.await_(2)

    started = start(designer)
    going.result(PATIENCE)

    assert given([staying.result(PATIENCE)]) == [started]
    assert arrivals.count() == 0


def test_wait__another_was_faster(client, designer, sleepers, workers, drawn, monkeypatch):
    """Who has begun to be answered goes on waiting."""
    fetch, missed = fetches.fetch, []

    def miss(session, what, *, actor):
        monkeypatch.setattr(fetches, "fetch", fetch)
        missed.append(fetch(session, replace(what, worker="another"), actor=actor))
        return []

    waiting = workers.submit(poll, client("admin"))
    sleepers.await_(1)
    monkeypatch.setattr(fetches, "fetch", miss)
    start(designer)
    while not missed:
        time.sleep(0.01)
    sleepers.await_(1)
    started = start(designer)

    assert given([waiting.result(PATIENCE)]) == [started]


@pytest.mark.parametrize("error", [Busy("held"), RuntimeError("a fault of ours")], ids=["held", "fails"])
def test_wait__what_came_cannot_be_locked(client, designer, sleepers, workers, drawn, monkeypatch, capsys, error):
    """Its status was sent by then: it is given nothing, and asks again; a fault of ours is in the log."""
    monkeypatch.setattr(repeats, "PAUSES", ())

    def fetch(*_args, **_words):
        raise error

    waiting = workers.submit(poll, client("admin"))
    sleepers.await_(1)
    with monkeypatch.context() as patched:
        patched.setattr(fetches, "fetch", fetch)
        started = start(designer)
        answer = waiting.result(PATIENCE)

    logged = capsys.readouterr()
    assert (answer.status_code, answer.json) == (200, [])
    assert ("request failed" in logged.out + logged.err) is isinstance(error, RuntimeError)
    assert given([poll(client("admin"))]) == [started]


@pytest.mark.parametrize("how", ["its key is revoked", "its account is disabled"])
def test_wait__worker_loses_its_rights_meanwhile(app, admin, client, designer, sleepers, workers, drawn, how):
    """It is given nothing any more, however long it may wait; the task is there for others."""
    issued = admin.post("/accounts/worker/keys", {"label": "test"}).json
    caller = client("worker")
    if "key" in how:
        caller.headers = {"Authorization": f"Bearer {issued['key']}"}
    waiting = workers.submit(poll, caller)
    sleepers.await_(1)

    path = f"keys/{issued['id']}/revoke" if "key" in how else "disable"
    assert admin.post(f"/accounts/worker/{path}").status_code == 200
    started = start(designer)

    assert waiting.result(PATIENCE).status_code == 401
    assert given([poll(client("admin"))]) == [started]


def test_wait__the_one_that_is_woken_loses_its_rights(admin, client, designer, sleepers, workers, drawn):
    """The next is woken instead, and none is lost."""
    issued = admin.post("/accounts/worker/keys", {"label": "test"}).json
    staying, going = client("worker"), client("worker")
    going.headers = {"Authorization": f"Bearer {issued['key']}"}
    polls = [workers.submit(poll, staying, "staying")]
    sleepers.await_(1)
    polls.append(workers.submit(poll, going, "going"))
    sleepers.await_(2)

    assert admin.post(f"/accounts/worker/keys/{issued['id']}/revoke").status_code == 200
    started = start(designer)

    assert polls[1].result(PATIENCE).status_code == 401
    assert given([polls[0].result(PATIENCE)]) == [started]


@pytest.mark.parametrize("why", [RuntimeError("can't start new thread"), MemoryError()])
def test_wait__no_thread_is_left_to_watch(client, monkeypatch, why):
    """The request is answered all the same, and whoever comes next has somebody watch."""

    def begin(**_words):
        raise why

    monkeypatch.setattr(polling, "threading", SimpleNamespace(Thread=begin))
    monkeypatch.setattr(arrivals.Waiter, "sleep", lambda waiter, _seconds: waiter.send_home())

    answer = poll(client("admin"))

    assert (answer.status_code, answer.json) == (200, [])
    assert not polling._watching.locked()
