"""A node of a trial is judged by what each of its processes says, however much another one says at the same time."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest

from tests.soak.networks import Loopback
from tests.soak.nodes import TRY_AGAIN, UNFIT, Node

#: A process as another one: it listens, it does not begin for the first time, or it complains at length once the other one has not begun.
PROCESS = """
import signal, socket, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
first, told, what, host, port = Path("first"), Path("told"), *sys.argv[1:]
if what == "serve" and not first.exists():
    print({says!r}, flush=True)
    first.touch()
    sys.exit({status})
if what == "serve":
    with socket.create_server((host, int(port))):
        time.sleep(60)
while not first.exists():
    time.sleep(0.01)
print("x" * 10_000, flush=True)
told.touch()
time.sleep(60)
"""


class Played(Loopback):
    """A network in which others run than those who are named."""

    says, status = UNFIT, TRY_AGAIN

    def command(self, words):
        return [sys.executable, "-c", PROCESS.format(says=self.says, status=self.status), words[1], self.host, str(self.port)]


@pytest.fixture
def node(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    node = Node(90, SimpleNamespace(url=lambda: ""), Played(90), tmp_path, alone=True)
    yield node
    node.kill()


def begin(node, folder):
    node.start()
    while not (folder / "told").exists():
        time.sleep(0.01)
    node.await_answer()


def test_await_answer__starts_again_what_found_no_database(node, tmp_path):
    begin(node, tmp_path)

    assert node.stop() == []


@pytest.mark.parametrize(("says", "status"), [("Expected something else", TRY_AGAIN), (UNFIT, 1)])
def test_await_answer__tells_what_ended_for_another_reason(node, tmp_path, says, status):
    node.network.says, node.network.status = says, status
    begin(node, tmp_path)

    assert node.stop() == [f"Expected serve --no-scheduler of node 90 to go on, but it ended with {status}: {says}\n"]
