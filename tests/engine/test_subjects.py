"""Subjects: what an instance is about is read when it is first asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from engine.subjects import Subject
from tests import tiny
from tests.listening import listening


def test_case__while_another_is_read(stage, clerk):
    """Who waits for the database is in nobody's way."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = clerk.submit("tiny")
    asked, goes_on = threading.Event(), threading.Event()

    def stand(_connection, _cursor, statement, *_about):
        if "FROM cases" in statement and threading.current_thread() is not threading.main_thread():
            asked.set()
            goes_on.wait(60)

    def read():
        with stage.reading() as session:
            return Subject(session, case.key, None).case.number

    with listening(stage.database.bind, before_cursor_execute=stand), ThreadPoolExecutor(1) as pool:
        slow = pool.submit(read)
        asked.wait(60)
        quick, stands = read(), not slow.done()
        goes_on.set()

    assert stands
    assert quick == slow.result() == case.number
