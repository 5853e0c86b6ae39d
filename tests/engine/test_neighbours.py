"""Neighbours: words between the processes of a server, which reach whoever can take them, and keep nobody waiting."""

import multiprocessing
import os
import signal

import pytest

from engine import neighbours
from engine.neighbours import LONGEST


@pytest.fixture
def three():
    with neighbours.make_places(3) as places:
        yield places


def test_tell__all_others_hear(three):
    first, second, third = three

    first.tell(b"a")
    third.tell(b"b")

    assert [list(each.heard()) for each in three] == [[b"b"], [b"a", b"b"], [b"a"]]
    assert list(second.heard()) == []


def test_tell__somebody_does_not_listen(three):
    """What he has no room for is lost to him, and nobody else misses anything or waits."""
    first, second, third = three
    spoken, heard = [b"%d" % number for number in range(1000)], []

    for words in spoken:
        first.tell(words)
        heard += second.heard()
    late = list(third.heard())
    first.tell(b"once more")

    assert heard == spoken
    assert late == spoken[: len(late)]
    assert 10 < len(late) < len(spoken)
    assert list(third.heard()) == [b"once more"]


def test_tell__too_long(three):
    first, second, third = three

    first.tell(b"x" * LONGEST)
    first.tell(b"y" * (LONGEST + 1))

    assert list(second.heard()) == list(third.heard()) == [b"x" * LONGEST]


def test_tell__place_is_given_up(three):
    first, second, third = three
    third._ear.close()

    first.tell(b"a")

    assert list(second.heard()) == [b"a"]


def test_tell__nobody_else_is_there():
    with neighbours.make_places(1) as (alone,):
        alone.tell(b"a")

        assert list(alone.heard()) == []


def repeat(here):
    """Tell the others what is heard, until killed."""
    while True:
        here.wait()
        for words in here.heard():
            here.tell(words)
            if words == b"die":
                os.kill(os.getpid(), signal.SIGKILL)


def test_settle__process_is_replaced():
    """Who takes its place hears what was said meanwhile; the way does not matter in which processes are begun."""
    spawning, heard = multiprocessing.get_context("spawn"), []
    with neighbours.make_places(2) as (here, there):
        first = spawning.Process(target=repeat, args=(there,))
        first.start()
        here.tell(b"die")
        first.join()
        here.tell(b"meanwhile")

        second = spawning.Process(target=repeat, args=(there,))
        second.start()
        while b"meanwhile" not in heard:
            here.wait()
            heard += here.heard()
        second.kill()
        second.join()

    assert first.exitcode == -signal.SIGKILL
    assert heard == [b"die", b"meanwhile"]
