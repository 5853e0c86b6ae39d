"""Arrivals: who waits is woken, and sent home by a newer request of the same worker, whichever process of the server it comes to."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import orjson
import pytest

from engine import arrivals, neighbours
from engine.neighbours import LONGEST

WORKER, TOPICS = ("admin", "w", "print"), {"print"}
LATER = (1 << 62, 1)


@pytest.fixture
def next_door(monkeypatch):
    """Another process of this server."""
    with neighbours.make_places(2) as (here, there):
        monkeypatch.setattr(arrivals, "_neighbours", here)
        yield there


def heard(neighbour):
    return [orjson.loads(words) for words in neighbour.heard()]


def tell(neighbour, **words):
    neighbour.tell(orjson.dumps(words))


def test_announce__wakes_who_waits_for_it(next_door):
    with arrivals.waiting(("a",), {"print", "stamp"}) as one, arrivals.waiting(("b",), {"mend"}) as other:
        arrivals.announce(["stamp"])

        assert (one.sleep(0), other.sleep(0)) == (True, False)
    assert {"topics": ["stamp"]} in heard(next_door)


def test_hear__tasks_were_made_next_door(next_door):
    with arrivals.waiting(("a",), {"print", "stamp"}) as one, arrivals.waiting(("b",), {"mend"}) as other:
        tell(next_door, topics=["stamp", "x"])
        arrivals.hear()

        assert (one.sleep(0), other.sleep(0)) == (True, False)


@pytest.fixture
def alike():
    """Three who ask for the same, the newest last."""
    with ExitStack() as stack:
        yield [stack.enter_context(arrivals.waiting((name,), TOPICS, alike="same")) for name in "abc"]


def woken(waiters):
    return [waiter.sleep(0) for waiter in waiters]


def test_announce__wakes_the_newest_of_those_who_ask_for_the_same(alike):
    with arrivals.waiting(("d",), TOPICS, alike="other") as other:
        arrivals.announce(TOPICS)

        assert woken([*alike, other]) == [False, False, True, True]


def test_announce__wakes_as_many_as_there_are_arrivals(alike):
    """Who is told once more of what he has not looked for yet looks again."""
    for _ in alike:
        arrivals.announce(TOPICS)
    assert woken(alike) == [True, True, True]

    arrivals.announce(TOPICS)
    assert woken(alike) == [False, False, True]


def test_announce__who_has_found_nothing_is_told_of_the_next(alike):
    arrivals.announce(TOPICS)
    alike[2].note(alike[2].told)

    arrivals.announce(TOPICS)

    assert alike[2].sleep(0)


def test_hear__wakes_one_of_those_who_ask_for_the_same(next_door, alike):
    tell(next_door, topics=["print"])
    arrivals.hear()

    assert woken(alike) == [False, False, True]


def test_waiting__who_was_woken_goes_and_may_have_left_some(alike):
    """He tells the next; whoever asks for something else is told nothing that he does not know."""
    with arrivals.waiting(("d",), TOPICS, alike="other") as other:
        with arrivals.waiting(("e",), TOPICS, alike="same"):
            arrivals.announce(TOPICS)
        assert woken([*alike, other]) == [False, False, True, True]


def test_waiting__who_was_woken_has_looked_in_vain(alike):
    with arrivals.waiting(("e",), TOPICS, alike="same") as newest:
        arrivals.announce(TOPICS)
        newest.note(newest.told)

    assert woken(alike) == [False, False, False]


def test_waiting__is_told_again_while_it_looks(alike):
    """What has come since it began to look, it may not have seen."""
    with arrivals.waiting(("e",), TOPICS, alike="same") as newest:
        for _ in (*alike, newest):
            arrivals.announce(TOPICS)
        assert woken(alike) == [True, True, True]
        told = newest.told
        arrivals.announce(TOPICS)
        newest.note(told)

    assert woken(alike) == [False, False, True]


def test_waiting__was_woken_and_is_superseded(alike):
    """His place is taken, perhaps by one who asks for less: he tells the next, who is none that goes home, too."""
    with arrivals.waiting(WORKER, TOPICS, alike="same"):
        arrivals.announce(TOPICS)
        alike[2].send_home()
        assert alike[2].sleep(0)
    arrivals.announce(TOPICS)

    assert woken(alike) == [True, True, False]


def test_waiting__tells_who_waits_but_no_names(next_door):
    with arrivals.waiting(WORKER, TOPICS) as waiter:
        (words,) = next_door.heard()

    assert orjson.loads(words) == {"waiting": [[waiter.key, list(waiter.since)]]}
    assert not any(name.encode() in words for name in ("admin", '"w"', "print"))


@pytest.mark.parametrize(
    ("other", "same"),
    [(WORKER, True), (("admin", "w", "print", "stamp"), False), (("admin", "v", "print"), False), (("eve", "w", "print"), False)],
)
def test_waiting__another_comes_here(other, same):
    with arrivals.waiting(WORKER, TOPICS) as first, arrivals.waiting(other, TOPICS) as second:
        assert (first.is_superseded(), second.is_superseded()) == (same, False)
        assert first.sleep(0) is same


def test_waiting__older_one_begins_anew():
    """It is as old as it was: the one that came meanwhile stays."""
    came = arrivals.moment()
    with arrivals.waiting(WORKER, TOPICS) as newer, arrivals.waiting(WORKER, TOPICS, came) as older:
        assert (newer.is_superseded(), older.is_superseded()) == (False, True)

    with arrivals.waiting(WORKER, TOPICS, came) as older:
        assert not older.is_superseded()


def test_waiting__newer_one_next_door(next_door):
    with arrivals.waiting(WORKER, TOPICS) as waiter, arrivals.waiting(("admin", "v"), TOPICS) as other:
        tell(next_door, waiting=[["somebody", LATER], [waiter.key, LATER]])

        assert (waiter.is_superseded(), other.is_superseded()) == (True, False)
        assert (waiter.sleep(0), other.sleep(0)) == (True, False)


def test_waiting__older_one_next_door(next_door):
    """What was said long ago, or arrives late, sends nobody home."""
    with arrivals.waiting(WORKER, TOPICS) as waiter:
        moment, process = waiter.since
        tell(next_door, waiting=[[waiter.key, (moment - 1, process + 1)], [waiter.key, (moment, process - 1)]])

        assert not waiter.is_superseded()


def test_waiting__both_in_the_same_moment(next_door):
    """Of two processes that hear of each other one gives way, never both or none."""
    with arrivals.waiting(WORKER, TOPICS) as waiter:
        moment, process = waiter.since
        tell(next_door, waiting=[[waiter.key, (moment, process + 1)]])

        assert waiter.is_superseded()
    assert process == os.getpid()


def test_waiting__said_before_it_came(next_door):
    with arrivals.waiting(WORKER, TOPICS) as first:
        tell(next_door, waiting=[[first.key, first.since]])

    with arrivals.waiting(WORKER, TOPICS) as second:
        assert not second.is_superseded()


def test_remind__many_wait(next_door):
    """They may have missed it; each word is short, however many wait."""
    waiting = [arrivals.waiting(("admin", f"w{number}"), TOPICS) for number in range(50)]
    waiters = [each.__enter__() for each in waiting]
    list(next_door.heard())

    arrivals.remind()

    words = list(next_door.heard())
    for each in waiting:
        each.__exit__(None, None, None)
    told = [tuple(key) for word in words for key, _since in orjson.loads(word)["waiting"]]
    assert sorted(map("".join, told)) == sorted(waiter.key for waiter in waiters)
    assert max(map(len, words)) <= LONGEST
    assert arrivals.count() == 0


def test_remind__nobody_waits(next_door):
    arrivals.remind()

    assert heard(next_door) == []


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b"3",
        b'{"waiting": 3}',
        b'{"waiting": [["KEY"]]}',
        b'{"waiting": [["KEY", 9]]}',
        b'{"waiting": [["KEY", [9]]]}',
        b'{"waiting": [["KEY", ["z", "z"]]]}',
        b'{"waiting": [["KEY", [null, null]]]}',
        b'{"waiting": [[["KEY"], [4611686018427387904, 1]]]}',
        b'{"topics": 5}',
        b'{"topics": [{}]}',
        b'{"waiting": [["KEY", [4611686018427387904, 1',
        b"[" * 2000,
    ],
)
def test_hear__what_nobody_understands(next_door, words):
    with arrivals.waiting(WORKER, TOPICS) as waiter:
        next_door.tell(words.replace(b"KEY", waiter.key.encode()))

        assert not waiter.is_superseded()
        tell(next_door, waiting=[[waiter.key, LATER]])
        assert waiter.is_superseded()


@pytest.fixture
def meet(monkeypatch):
    """Meet a neighbour; who listens to him goes home before the place is closed, else he falls upon whichever test comes later."""
    monkeypatch.setattr(arrivals, "_neighbours", None)
    monkeypatch.setattr(arrivals, "_dismissed", threading.Event())
    with neighbours.make_places(2) as (here, there):

        def meet():
            arrivals.meet(here)
            return there

        yield meet
        arrivals.dismiss()
        for listener in [thread for thread in threading.enumerate() if thread.name == "neighbours"]:
            while listener.is_alive():
                tell(there)
                listener.join(0.1)


def test_meet__who_sleeps_is_woken(meet):
    with arrivals.waiting(("a",), {"stamp"}) as waiter, ThreadPoolExecutor(1) as thread:
        there = meet()
        asleep = thread.submit(waiter.sleep, 60)
        tell(there, topics=["stamp"])

        assert asleep.result()
