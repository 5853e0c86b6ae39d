"""A real server, and the real clients of Camunda 7 beside it, installed at first use and unmodified."""

import base64
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path
from uuid import uuid4

import pytest

from tests import databases, stage

FOLDER = Path(__file__).parent
ENVIRONMENT = FOLDER / ".venv"
REQUIREMENTS, STAMP = FOLDER / "requirements.txt", ENVIRONMENT / "installed"
LOCKFILE = FOLDER / "package-lock.json"
INSTALLED = FOLDER / "node_modules/.package-lock.json"
ONETHING = Path(sys.executable).parent / "onething"
UV = Path(sys.prefix).resolve().parent / ".boot/bin/uv"  # with which `make` has installed everything else
CLIENTS = ("camunda", "operaton", "node")
#: Seconds after which something hangs, however busy the machine is.
PATIENCE = 180


class Server:
    """`onething serve`, and somebody who calls it."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def call(self, method, path, body=None, content_type="application/json", actor="admin"):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        credentials = base64.b64encode(f"{actor}:{actor}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": content_type}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def engine(self, method, path, body=None):
        return self.call(method, f"/engine-rest{path}", body)

    def deploy(self, diagram):
        part = f'--x\r\nContent-Disposition: form-data; name="p.bpmn"; filename="p.bpmn"\r\nContent-Type: text/xml\r\n\r\n{diagram.decode()}\r\n--x--\r\n'
        status, answer = self.call("POST", "/engine-rest/deployment/create", part.encode(), "multipart/form-data; boundary=x")
        assert status == 200, answer

    def start(self, key, count=1, **variables):
        typed = {name: {"value": value} for name, value in variables.items()}
        return [self.engine("POST", f"/process-definition/key/{key}/start", {"variables": typed})[1]["id"] for _ in range(count)]

    def tasks(self, topic):
        return self.engine("GET", f"/external-task?topicName={topic}")[1]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request, tmp_path_factory):
    """A server on a fresh database of each kind, with accounts."""
    with request.getfixturevalue(request.param).fresh() as url, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        database = databases.opened(url)
        with database.transaction() as session:
            stage.staff(session)
        database.close()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ONETHING_")}
        folder = tmp_path_factory.mktemp("served")
        environ = clean | {"ONETHING_DATABASE_URL": url, "ONETHING_DATA_DIR": str(folder), "ONETHING_PORT": str(port)}
        environ["ONETHING_PROCESSES"] = "1" if request.param == "sqlite" else "2"
        with (
            (folder / "log").open("w") as log,
            subprocess.Popen([ONETHING, "serve"], env=environ, stdout=log, stderr=log) as process,
        ):
            try:
                _await(Server(port), process)
                yield Server(port)
            finally:
                process.terminate()
                process.wait(PATIENCE)


@pytest.fixture
def topic():
    """A topic that is nobody else's."""
    return f"t{uuid4().hex}"


class Workers:
    """Workers that run beside the test; what they have done, by worker."""

    def __init__(self, url):
        self.url = f"{url}/engine-rest"
        self.done = {}
        self._running = []

    def start(self, client, name, topic, how="complete"):
        words = ["node", "worker.js"] if client == "node" else [str(ENVIRONMENT / "bin/python"), "worker.py", client]
        process = subprocess.Popen(
            [*words, self.url, name, topic, how], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        done = self.done[name] = []
        reading = threading.Thread(target=lambda: done.extend(line.strip() for line in process.stdout))
        reading.start()
        self._running.append((process, reading))
        return process

    def stop(self):
        for process, reading in self._running:
            process.kill()
            process.wait()
            reading.join()
            process.stdout.close()
        self._running.clear()


@pytest.fixture
def workers(server):
    """Start workers; they end with the test."""
    _install()
    started = Workers(server.url)
    yield started
    started.stop()


def wait_until(holds):
    """Wait until something holds; fail when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _await(server, process):
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None
        try:
            return server.call("GET", "/engine-rest/version")
        except urllib.error.URLError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _install():
    """Install the clients, once for all workers of the tests, of both languages at once."""
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = [subprocess.Popen(words, cwd=FOLDER) for words in (*_for_node(), *_for_python())]
        assert [process.wait() for process in running] == [0] * len(running)
        STAMP.touch()


def _for_node():
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCKFILE.stat().st_mtime:
        yield [shutil.which("npm"), "ci", "--ignore-scripts", "--silent"]


def _for_python():
    if not STAMP.exists() or STAMP.stat().st_mtime < REQUIREMENTS.stat().st_mtime:
        venv.create(ENVIRONMENT, with_pip=False, clear=True)
        yield [UV, "pip", "install", "--quiet", "--python", ENVIRONMENT / "bin/python", "--require-hashes", "-r", REQUIREMENTS]
