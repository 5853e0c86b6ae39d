"""`onething serve` and `onething work`: they start, stop cleanly, and survive each other's death."""

import argparse
import base64
import fcntl
import http.client
import json
import os
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path

import pytest
from granian.server.mp import MPServer
from sqlalchemy import func, select, text

from api.camunda import polling
from api.cli import serve
from api.cli import server as servers
from api.cli.server import Server, await_port
from engine import holidays, postgresql, schema
from engine.account_models import Account
from engine.models import Definition
from engine.settings import CHECKOUT
from tests import stage
from tests.api.cli.conftest import ONETHING, PATIENCE

SAYING, CROWDED = "tests.api.cli.saying", "tests.api.cli.crowded"


def get(environ, path="/reference", actor=None):
    request = urllib.request.Request(f"http://127.0.0.1:{environ['ONETHING_PORT']}{path}")
    if actor:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{actor}:{actor}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as refused:
        return refused.code


def await_answer(environ, seconds=120):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return get(environ)
        except OSError:  # refused, or reset by a process that was killed
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def wait_until(holds):
    """Wait until something holds, however busy the machine is."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def counts(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Account)), session.scalar(select(func.count()).select_from(Definition))


def nodes(database):
    """Names of nodes that are connected."""
    with database.reading() as session:
        return sorted({node.name for node in schema.nodes(session.connection())})


@pytest.fixture
def published(database):
    """The calendars, without which nobody serves: to compile all of the sample takes as long as to start."""
    with database.transaction() as session:
        holidays.publish_shipped(session, CHECKOUT / "workflows" / "calendars")


@pytest.fixture
def staffed(database):
    """The calendars and the sample accounts."""
    with database.transaction() as session:
        stage.staff(session)


def test_serve__twice_with_sample(start, environ, database):
    first = start("serve", "--sample")
    status = await_answer(environ)
    loaded = counts(database)
    first.press_ctrl_c()
    assert (status, first.ended()) == (200, 0)
    assert "Stopped." in first.output

    second = start("serve", "--sample")
    await_answer(environ)
    second.process.terminate()

    assert second.ended() == 0
    assert min(loaded) > 0
    assert counts(database) == loaded


def carry_out(line):
    """Do what curl would do."""
    curl = argparse.ArgumentParser()
    for option in ("-sS", "-H", "-u", "-d"):
        curl.add_argument(option, action="store_true" if option == "-sS" else "store", dest=option.strip("-"))
    curl.add_argument("url")
    told = curl.parse_args(shlex.split(line)[1:])
    data = (CHECKOUT / told.d[1:]).read_bytes() if told.d and told.d.startswith("@") else told.d and told.d.encode()
    request = urllib.request.Request(told.url, data, headers={"Authorization": "Basic " + base64.b64encode(told.u.encode()).decode()})
    if told.H:
        request.add_header(*told.H.split(": "))
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_serve__tells_how_to_begin(begin, environ):
    serving = begin("serve", "--sample")
    serving.until("officer-fire:officer-fire")
    await_answer(environ)

    submit, find, accept, look = re.findall("^  (curl .*)$", serving.output, re.MULTILINE)
    carry_out(submit)
    (intake,) = carry_out(find)["data"]
    carry_out(accept.replace("ID", intake["id"]))

    assert [task["name"] for task in carry_out(look)["data"]] == ["消防承诺审查"]


@pytest.mark.usefixtures("staffed")
def test_serve__stopped_while_it_answers(begin, environ, database):
    serving = begin("serve", "--no-scheduler", program=SAYING)
    await_answer(environ)
    answered = []

    def ask():
        answered.append(get(environ, "/api/v1/me", actor="clerk"))

    with database.transaction() as session:
        session.execute(text("UPDATE accounts SET disabled = disabled"))  # whoever logs in waits for us
        asking = threading.Thread(target=ask)
        asking.start()
        serving.until("asked for /api/v1/me")
        serving.process.terminate()
        serving.until(f"{serving.output.splitlines()[-1].split()[0]} is told to stop")
    asking.join()

    assert answered == [200]
    assert serving.ended() == 0


@pytest.mark.parametrize("whom", [os.kill, os.killpg], ids=["the server", "all of its processes"])
@pytest.mark.usefixtures("published")
def test_serve__drains(begin, environ, whom):
    """Whoever goes by `/health/ready`, as load balancers do, loses no request: it says no first, and all that come meanwhile are answered."""
    serving = begin("serve", "--no-scheduler", ONETHING_DRAIN="50")
    await_answer(environ)
    told, asked = threading.Event(), []

    def ask():
        while get(environ, "/health/ready") == 200:
            asked.append((told.is_set(), get(environ, "/")))
        asked.append((True, get(environ, "/")))  # sent just before the refusal was seen

    with ThreadPoolExecutor(8) as clients:
        asking = [clients.submit(ask) for _ in range(8)]
        wait_until(lambda: len(asked) >= 8 or any(client.done() for client in asking))
        told.set()
        whom(serving.process.pid, signal.SIGTERM)  # as service managers do it: systemd tells all

    assert [client.exception() for client in asking] == [None] * 8
    assert {status for _, status in asked} == {200}
    assert sum(late for late, _ in asked) >= 8
    serving.process.terminate()  # the second signal waits for nobody
    assert serving.ended() == 0


@pytest.mark.usefixtures("published")
def test_serve__killed(begin, environ, database):
    first = begin("serve")
    await_answer(environ)

    os.kill(first.process.pid, signal.SIGKILL)
    second = begin("serve")

    second.until("Serving")
    assert await_answer(environ) == 200


def children(pid):
    """Processes that a process has begun."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def counted(environ):
    """How many requests were counted, whichever process is asked."""
    with urllib.request.urlopen(f"http://127.0.0.1:{environ['ONETHING_PORT']}/metrics", timeout=30) as answer:
        told = answer.read().decode()
    return sum(float(count) for count in re.findall(r'onething_request_seconds_count\{.*route="/reference".*\} (.+)', told))


@pytest.mark.usefixtures("published")
def test_serve__several_processes(begin, environ):
    """They answer in turn and count together; when one is killed the others go on, and another is begun."""
    serving = begin("serve", "--no-scheduler", ONETHING_PROCESSES="2")
    await_answer(environ)
    wait_until(lambda: len(children(serving.process.pid)) == 2)
    answering = children(serving.process.pid)

    with ThreadPoolExecutor(8) as clients:
        statuses = list(clients.map(lambda _: get(environ), range(40)))
    before = counted(environ)
    os.kill(answering[0], signal.SIGKILL)
    after = await_answer(environ)

    assert statuses == [200] * 40
    assert before == 41
    assert after == 200
    wait_until(lambda: set(children(serving.process.pid)) - set(answering))
    assert len(children(serving.process.pid)) == 2
    serving.process.terminate()
    assert serving.ended() == 0


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("published")
def test_serve__killed_as_soon_as_it_has_begun(begin, environ):
    """Another one is begun again; the others go on."""
    serving = begin("serve", "--no-scheduler", ONETHING_PROCESSES="2")
    await_answer(environ)
    wait_until(lambda: len(children(serving.process.pid)) == 2)
    known = set(children(serving.process.pid))
    victim, other = sorted(known)

    for _ in range(2):
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: set(children(serving.process.pid)) - known)
        (victim,) = set(children(serving.process.pid)) - known
        known.add(victim)

    assert await_answer(environ) == 200
    assert set(children(serving.process.pid)) == {victim, other}
    serving.process.terminate()
    assert serving.ended() == 0


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("published")
def test_serve__no_process_lasts(start):
    """It ends and says so, so that somebody sees to it."""
    program = "import os; from api.cli import main, wsgi; wsgi.application = lambda **_: os._exit(9); main()"
    serving = start("serve", "--no-scheduler", program=(sys.executable, "-c", program), ONETHING_PROCESSES="2")

    assert serving.ended() == 1
    assert "Error: Expected to serve, but processes that answer requests end as soon as they have begun" in serving.output


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("published")
def test_serve__no_room_for_another_process(begin, environ):
    """The others go on, and when there is room again another one is begun."""
    serving = begin("serve", "--no-scheduler", program=CROWDED, ONETHING_PROCESSES="2", CROWDED="2 3")
    await_answer(environ)
    wait_until(lambda: len(children(serving.process.pid)) == 2)
    answering = children(serving.process.pid)

    os.kill(answering[0], signal.SIGKILL)
    serving.until("no room for another process")

    assert await_answer(environ) == 200
    wait_until(lambda: set(children(serving.process.pid)) - set(answering))
    assert len(children(serving.process.pid)) == 2
    serving.process.terminate()
    assert serving.ended() == 0


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("published")
def test_serve__the_disk_of_what_it_says_is_full(start, environ):
    """It serves all the same, and ends as ever."""
    serving = start("serve", "--no-scheduler", program=("sh", "-c", f'exec {ONETHING} "$@" > /dev/full', "sh"), PYTHONUNBUFFERED="")

    assert await_answer(environ) == 200
    serving.process.terminate()
    assert serving.ended() == 0
    assert "No space left" not in serving.output


@pytest.fixture
def unread():
    """A pipe that takes nothing, for nobody reads what is in it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(1 << 16))
    os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def unheard(environ, unread):
    """Start a command that says everything there; nothing of it is left in the end."""
    begun = []

    def start(*words, **changes):
        begun.append(subprocess.Popen([ONETHING, *words], env=environ | changes, stdout=unread, stderr=unread, start_new_session=True))
        return begun[-1]

    yield start
    for process in begun:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("published")
def test_serve__nobody_reads_that_a_process_has_ended(unheard, environ):
    """Another one takes its place, and what is told to stop ends."""
    serving = unheard("serve", "--no-scheduler", ONETHING_PROCESSES="2")
    await_answer(environ)
    wait_until(lambda: len(children(serving.pid)) == 2)
    answering = children(serving.pid)

    os.kill(answering[0], signal.SIGKILL)

    wait_until(lambda: set(children(serving.pid)) - set(answering))
    assert await_answer(environ) == 200
    serving.terminate()
    assert serving.wait(PATIENCE) == 0


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", ["serve", "work"])
def test_node__nobody_reads_why_it_does_not_begin(unheard, empty_database_url, command):
    assert unheard(command, ONETHING_DATABASE_URL=empty_database_url).wait(PATIENCE) == 1


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("published")
def test_serve__no_room_for_all_processes(begin):
    """It ends, with the one that it has begun, so that whoever watches over it tries again."""
    serving = begin("serve", "--no-scheduler", program=CROWDED, ONETHING_PROCESSES="2", CROWDED="1")

    assert serving.ended() == 75
    assert "Expected to begin the processes that answer requests, but" in serving.output


@pytest.mark.usefixtures("published")
def test_serve__its_terminal_is_closed(begin, environ):
    """All of its processes are told so (SIGHUP); they go on, the same as before."""
    serving = begin("serve", "--no-scheduler", ONETHING_PROCESSES="2")
    await_answer(environ)
    wait_until(lambda: len(children(serving.process.pid)) == 2)
    answering = children(serving.process.pid)

    os.killpg(serving.process.pid, signal.SIGHUP)
    statuses = [get(environ) for _ in range(20)]

    assert statuses == [200] * 20
    assert children(serving.process.pid) == answering
    serving.process.terminate()
    assert serving.ended() == 0


@pytest.mark.parametrize("told", [True, False])
def test_serve__a_process_has_ended_by_itself(monkeypatch, told):
    """Which is no failure when the server is told to stop at that moment, and one when it is not."""

    def shutdown(*_about):
        sys.exit(1)  # as granian does then

    monkeypatch.setattr(MPServer, "shutdown", shutdown)
    server = Server("onething", interface="wsgi", drain=0)
    server.interrupt_signal = told

    with nullcontext() if told else pytest.raises(SystemExit):
        server.shutdown()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_serve__port_is_taken(begin, environ):
    with socket.create_server(("127.0.0.1", int(environ["ONETHING_PORT"]))):
        serving = begin("serve", "--sample")

        assert serving.ended() == 1

    assert f"Expected to listen on 127.0.0.1:{environ['ONETHING_PORT']}, but Address already in use" in serving.output


@pytest.mark.parametrize("much", [False, True])
def test_open_enough(much):
    """As much as there may be connections, whatever a shell or a service manager gives; who may open more still may."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = hard if much else 256
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        told = servers.open_enough()
        after = resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))

    enough = 2 * polling.MOST + servers.OTHERS
    assert told == (enough if hard == resource.RLIM_INFINITY else min(enough, hard))
    assert after == (soft if much else told, hard)


@pytest.mark.parametrize(("files", "connections"), [(20, 1), (64, 7), (1024, 487), (5000, 4000)])
def test_share__leaves_files_for_what_is_asked(files, connections):
    assert servers.share(files) == connections


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("published")
def test_serve__few_files(start, environ):
    """Who comes when its connections are taken waits until one of them is closed; none takes the last file."""
    few = 64
    program = ("sh", "-c", f'ulimit -n {few} && exec {ONETHING} "$@"', "sh")
    serving = start("serve", "--no-scheduler", program=program, ONETHING_PROCESSES="1")
    await_answer(environ)
    (process,) = children(serving.process.pid)
    opened, answers = [], []

    with ExitStack() as stack:
        crowd = [http.client.HTTPConnection("127.0.0.1", int(environ["ONETHING_PORT"]), timeout=PATIENCE) for _ in range(2 * few)]
        for each in crowd:
            stack.callback(each.close)
            each.request("GET", "/health/live")
        for each in crowd:
            answers.append(each.getresponse().status)
            opened.append(len(list(Path(f"/proc/{process}/fd").iterdir())))
            each.close()

    assert answers == [200] * len(crowd)
    assert max(opened) < few - 5


def test_await_port__takes_nobodys_connection(environ, monkeypatch):
    """Whoever connects while a server looks whether it may begin is to be refused; to be taken and dropped looks like an answer."""
    listening = []
    monkeypatch.setattr(socket.socket, "listen", lambda *about: listening.append(about), raising=False)

    await_port("127.0.0.1", int(environ["ONETHING_PORT"]))

    assert listening == []


def test_serve__leaves_nothing_behind(run, empty_database_url, tmp_path, monkeypatch):
    """Where several processes would count together, their folder is gone with them, and nobody is led there."""
    monkeypatch.setattr(serve, "MEMORY", tmp_path)

    refused = run("serve", ONETHING_PROCESSES="2", ONETHING_DATABASE_URL=empty_database_url)

    assert refused.exit_code == 1
    assert list(tmp_path.glob("onething-meters-*")) == []
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def test_serve__a_panic_says_not_where(run, empty_database_url, monkeypatch):
    """To find that out takes memory, and a process that has none would wait for itself."""
    found = []
    monkeypatch.setattr(servers, "run", lambda *_about, **_words: found.append(os.environ[serve.TRACES]))

    run("serve", ONETHING_DATABASE_URL=empty_database_url, **{serve.TRACES: "1"})

    assert found == ["0"]


@pytest.mark.parametrize("memory", ["memory", "none"])
def test_counting_together__where_uploads_fill_nothing(memory, tmp_path, monkeypatch):
    """In memory, where there is such a place: who counts on a disk that has no room left is killed by the system."""
    monkeypatch.delenv(serve.SHARED, raising=False)
    monkeypatch.setattr(serve, "MEMORY", tmp_path / memory)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "disk"))
    for place in ("memory", "disk"):
        (tmp_path / place).mkdir()

    with serve.counting_together(2):
        place = Path(os.environ[serve.SHARED]).parent

    assert place == tmp_path / ("memory" if memory == "memory" else "disk")
    assert list(tmp_path.glob("*/*")) == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_serve__clears_up(run, empty_database_url, tmp_path, monkeypatch):
    """What a server that was killed has left is removed by the next one; never what another holds, or has just made."""
    monkeypatch.setattr(serve, "MEMORY", tmp_path)
    _left, held, new, strange = folders = [tmp_path / f"onething-meters-{name}" for name in ("left", "held", "new", "strange")]
    for folder in folders:
        folder.mkdir()
        (folder / ("other" if folder is strange else "lives")).touch()
        os.utime(folder, None if folder is new else (0, 0))

    with (held / "lives").open() as lives:
        fcntl.flock(lives, fcntl.LOCK_EX)
        run("serve", ONETHING_PROCESSES="2", ONETHING_DATABASE_URL=empty_database_url)

    assert set(tmp_path.glob("onething-meters-*")) == {held, new, strange}


def test_serve__not_migrated(begin, empty_database_url):
    serving = begin("serve", ONETHING_DATABASE_URL=empty_database_url)

    assert serving.ended() == 1
    assert "Run onething migrate." in serving.output


def test_serve__sample_accounts_in_production(begin):
    serving = begin("serve", "--sample", ONETHING_ENV="production", ONETHING_SECRET_KEY="k" * 32)

    assert serving.ended() == 1
    assert "Expected to load sample accounts, but this installation is for production" in serving.output


@pytest.mark.parametrize(
    ("number", "before"), [(signal.SIGINT, None), (signal.SIGTERM, None), (signal.SIGTERM, signal.SIGSTOP), (signal.SIGTERM, signal.SIGHUP)]
)
def test_work__stopped(begin, run, database, number, before):
    """Also right after it stood still: whichever of its threads wakes first; and where its terminal was closed, which ends no server either."""
    assert run("migrate").exit_code == 0
    working = begin("work")
    working.until("Looking every")
    if postgresql.is_behind(database.bind):
        wait_until(lambda: nodes(database) == [schema.WORKER])
    if before:
        working.process.send_signal(before)
    if before == signal.SIGSTOP:
        wait_until(lambda: ") T " in Path(f"/proc/{working.process.pid}/stat").read_text())
        working.process.send_signal(signal.SIGCONT)
    working.process.send_signal(number)

    assert working.ended() == 0


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", ["serve", "work"])
def test_serve__stopped_while_it_begins(start, command):
    """It goes by the signal from the beginning, as who is the first process of a container must."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        beginning = start(command, ONETHING_DATABASE_URL=f"postgresql://onething@127.0.0.1:{silent.getsockname()[1]}/hall")
        connected, _ = silent.accept()
        with connected:
            beginning.process.terminate()

            assert beginning.ended() == 128 + signal.SIGTERM


def test_work__not_migrated(begin, empty_database_url):
    working = begin("work", ONETHING_DATABASE_URL=empty_database_url)

    assert working.ended() == 1
    assert "Run onething migrate." in working.output
