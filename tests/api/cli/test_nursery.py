"""What begins in the nursery is as if it had been started."""

import os
import signal

import pytest


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_begin__says_and_ends_as_what_is_started(start, begin, empty_database_url):
    both = [each("work", ONETHING_DATABASE_URL=empty_database_url) for each in (start, begin)]

    statuses = [each.ended() for each in both]

    started, begun = both
    assert statuses == [1, 1]
    assert begun.output == started.output != ""


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_begin__in_a_session_of_its_own(begin, run):
    """With nothing of the others that were begun; and whoever is killed is told to be."""
    run("migrate")
    other, killed = begin("work"), begin("work")
    other.until("Looking every")
    killed.until("Looking every")

    sessions = {os.getsid(each.process.pid) for each in (other, killed)}
    killed.process.kill()

    assert sessions == {other.process.pid, killed.process.pid}
    assert killed.ended() == -signal.SIGKILL
    assert other.process.poll() is None
