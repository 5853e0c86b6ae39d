"""Waits: in which thread a request is answered."""

import threading

import pytest

from api import waits

PATH = "/external-task/fetchAndLock"


def test_apart__waits_after_it_was_read():
    goes_on, done, seen = threading.Event(), threading.Event(), []

    def answer(protocol, environ):
        seen.append((protocol, threading.current_thread() is threading.main_thread()))
        waits.let_go(environ)
        goes_on.wait(60)
        done.set()

    waits.apart(answer, PATH)("protocol", {"PATH_INFO": f"/engine-rest{PATH}"})

    assert seen == [("protocol", False)]
    assert not done.is_set()
    goes_on.set()
    assert done.wait(60)


def test_apart__is_answered_without_waiting():
    answered = []

    waits.apart(lambda protocol, _environ: answered.append(protocol), PATH)("protocol", {"PATH_INFO": f"/engine-rest{PATH}"})

    assert answered == ["protocol"]


@pytest.mark.parametrize("why", [RuntimeError("can't start new thread"), MemoryError()])
def test_apart__no_thread_is_left(monkeypatch, why):
    """Who asks is answered all the same, in the thread that the server has for him."""
    answered = []

    def start(_thread):
        raise why

    monkeypatch.setattr(threading.Thread, "start", start)

    waits.apart(lambda *_: answered.append(threading.current_thread()), PATH)("protocol", {"PATH_INFO": f"/engine-rest{PATH}"})

    assert answered == [threading.current_thread()]


def test_apart__goes_wrong(monkeypatch):
    told = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: told.set())

    def answer(*_):
        raise ValueError

    waits.apart(answer, PATH)("protocol", {"PATH_INFO": f"/engine-rest{PATH}"})

    assert told.wait(60)


def test_apart__another_path():
    answered = []

    def answer(*_):
        answered.append(threading.current_thread())

    waits.apart(answer, PATH)("protocol", {"PATH_INFO": "/engine-rest/version"})

    assert answered == [threading.current_thread()]
