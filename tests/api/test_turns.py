"""Turns: how many requests are worked on, and whether any is."""

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.turns import Turns


def test_are_taken__while_a_request_is_worked_on():
    seen = []

    def app(_environ, _start):
        seen.append(turns.are_taken())
        with turns.given_up():
            seen.append(turns.are_taken())
        seen.append(turns.are_taken())
        return [b"done"]

    turns = Turns(app, 2, free="/health")

    assert turns({"PATH_INFO": "/"}, None) == [b"done"]
    assert (turns.are_taken(), seen) == (False, [True, False, True])


def test_are_taken__not_by_what_needs_no_turn():
    turns = Turns(lambda *_: [turns.are_taken()], 1, free="/health")

    assert turns({"PATH_INFO": "/health/live"}, None) == [False]


def test_turns__no_memory_to_take_one():
    """None is lost by it: else the process would answer nobody in the end."""

    class Full(deque):
        left = 0

        def append(self, entry):
            if not self.left:
                raise MemoryError
            super().append(entry)

    turns = Turns(lambda *_: [b"done"], 1, free="/health")
    turns._taken = Full()
    with pytest.raises(MemoryError):
        turns({"PATH_INFO": "/"}, None)
    turns._taken.left = 1
    held = threading.Thread(target=lambda: answers.append(turns({"PATH_INFO": "/"}, None)), daemon=True)
    answers = []

    held.start()
    held.join(10)

    assert answers == [[b"done"]]
    assert not turns.are_taken()


def test_turns__no_more_than_there_are():
    most, at_work, lock = [], set(), threading.Lock()

    def app(environ, _start):
        with lock:
            at_work.add(environ["number"])
            most.append(len(at_work))
        with lock:
            at_work.discard(environ["number"])
        return []

    turns = Turns(app, 2, free="/health")
    with ThreadPoolExecutor(8) as clients:
        list(clients.map(lambda number: turns({"PATH_INFO": "/", "number": number}, None), range(400)))

    assert max(most) <= 2
    assert not turns.are_taken()
