"""A minute of `make soak`: three nodes, fifty clerks, a thousand cases, one PostgreSQL, and everything that can go wrong with them."""

from __future__ import annotations

from collections import Counter

import pytest
from rich.console import Console

from engine.database import Database
from tests import vanished
from tests.proxy import Proxy
from tests.soak import checks, networks, trial
from tests.soak.clerks import Command
from tests.soak.trial import Plan

WRONG = {
    "kill", "freeze", "cut", "isolate", "stall", "delay", "half_close", "terminate", "restart", "crash", "fill_pool", "hold_rows",
    "meddle", "read_only", "rebuild", "report", "set_clock",
}  # fmt: skip


def test_soak__a_minute(capsys):
    report = trial.run(Plan(seconds=60, seed=20261126))

    with capsys.disabled():
        Console().print(
            f"\nsoak: {sum(report.answers.values())} commands in {report.cases} of 1,000 cases; network of the nodes: {report.network}"
        )
    assert report.faults == []
    assert set(report.happened) >= WRONG
    assert report.answers["200"] > 0
    assert report.answers["201"] > 0
    assert report.uploads["201"] > 0
    assert report.given > 0
    assert report.repeated > 0
    assert networks.left_behind() == []


def submission(key, status=201):
    return Command(key=key, who="clerk", path="/cases", body={}, status=status)


@pytest.mark.parametrize(
    ("command", "effects", "says"),
    [
        (submission("a"), ["a"], None),
        (submission("a"), [], "Expected acknowledged case a to have taken effect once, but it did 0 times"),
        (submission("a"), ["a", "a"], "Expected acknowledged case a to have taken effect once, but it did 2 times"),
        (submission("a", None), [], None),
        (submission("a", None), ["a"], None),
        (
            submission("a", None),
            ["a", "a"],
            "Expected case a, which nobody answered, to have taken effect once at most, but it did 2 times",
        ),
        (submission("a", 409), [], None),
        (submission("a", 409), ["a"], "Expected refused case a (409) to have done nothing, but it did"),
        (submission("a", None), ["b"], "Expected every case to have been asked for, but nobody asked for b"),
    ],
)
def test_compare__finds_what_was_lost_or_doubled(command, effects, says):
    found = list(checks.compare("case", [command], Counter(effects), good=201))

    assert found == ([] if says is None else [says])


def test_proxy__a_client_goes_without_a_word(postgresql):
    """It lets go of what that had at the server, as the server would by itself: else nodes that were cut off leave it no connection."""
    with postgresql.fresh() as url, Proxy(url) as proxy:
        gone, near = Database(proxy.url()), Database(url)

        vanished.vanish(gone)

        vanished.await_nobody(near)
        for each in (gone, near):
            each.close()
