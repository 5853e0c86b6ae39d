"""Turns: how many requests are worked on, and whether any is."""

import threading
from concurrent.futures import ThreadPoolExecutor

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
