"""A node of a trial is judged by what each of its processes says, however much another one says at the same time."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest

from tests.soak.networks import Loopback
from tests.soak.nodes import UNFIT, Node

#: A process as another one: it listens, it does not begin for the first time, or it complains at length once the other one has not begun.
PROCESS = """
import signal, socket, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
first, told, what, host, port = Path("first"), Path("told"), *sys.argv[1:]
if what == "serve" and not first.exists():
    print({says!r}, flush=True)
    first.touch()
    sys.exit(1)
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

    says = UNFIT

    def command(self, words):
        return [sys.executable, "-c", PROCESS.format(says=self.says), words[1], self.host, str(self.port)]


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


def test_await_answer__tells_what_ended_for_another_reason(node, tmp_path):
    node.network.says = "Expected something else"
    begin(node, tmp_path)

    assert node.stop() == ["Expected serve --no-scheduler of node 90 to go on, but it ended with 1: Expected something else\n"]
