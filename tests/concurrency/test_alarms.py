"""Alarms and uploads of a trial: what is wrong with them is found, and the clock of a node is really set."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from engine.files import FileStore
from tests.soak import alarms
from tests.soak.alarms import Ring
from tests.soak.networks import Loopback
from tests.soak.nodes import Node
from tests.soak.uploads import Uploader

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DUE = {"early": NOW - 2 * SECOND, "late": NOW + SECOND}
#: Says by how much its clock is ahead of the steady one, for each line that it reads.
HOST = """
import sys, time
from pathlib import Path
from tests.soak.clocked import Host
Host(Path(sys.argv[1])).follow()
for _ in sys.stdin:
    print(time.time() - time.monotonic(), flush=True)
"""


def ring(name, at):
    return Ring(name=name, at=at)


@pytest.mark.parametrize(
    ("rung", "given", "says"),
    [
        ([ring("early", DUE["early"])], ["a", "b"], None),
        ([], [], "but it did 0 times"),
        ([ring("early", NOW), ring("early", NOW)], [], "but it did 2 times"),
        ([ring("early", DUE["early"] - SECOND)], [], "Expected alarm early not to go off before"),
        ([ring("early", NOW), ring("late", DUE["late"])], [], "have gone off 0 times"),
        ([ring("early", NOW)], ["a", "a"], "Expected task a to be given once while it is held, but it was 2 times"),
    ],
)
def test_judge__finds_what_is_early_or_doubled(rung, given, says):
    found = list(alarms.judge(DUE, rung, Counter(given), NOW))

    assert len(found) == (says is not None)
    assert says is None or says in found[0]


def test_set_clock__wall_clock_alone(tmp_path):
    node = Node(91, SimpleNamespace(url=lambda: ""), Loopback(91), tmp_path, alone=False)
    node.set_clock(-5)
    words = [sys.executable, "-c", HOST, str(tmp_path / "node-91.clock")]
    with subprocess.Popen(words, env=node.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as host:

        def ahead():
            host.stdin.write("\n")
            host.stdin.flush()
            return round(float(host.stdout.readline()) - (time.time() - time.monotonic()))

        assert ahead() == -5
        for seconds in (3600, -3600, 0):
            node.set_clock(seconds)
            while ahead() != seconds:
                time.sleep(0.01)
        host.stdin.close()


@pytest.fixture
def uploader():
    return Uploader(SimpleNamespace(addresses=[], keys={}, open=[], wrong=[]), seed=1)


def test_check_uploads__acknowledged_and_lost(uploader, database, tmp_path):
    uploader.kept.append("0" * 64)

    assert list(uploader.check(database, tmp_path)) == [f"Expected acknowledged upload {'0' * 64} to be a material, but it is none"]


@pytest.mark.parametrize(("unanswered", "found"), [(1, 0), (0, 1)])
def test_check_uploads__refused_and_left_behind(uploader, database, tmp_path, unanswered, found):
    (FileStore(tmp_path).folder / "draft-1").write_bytes(b"%PDF")
    uploader.answers["no answer"] = unanswered

    assert len(list(uploader.check(database, tmp_path))) == found
