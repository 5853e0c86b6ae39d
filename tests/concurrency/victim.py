"""A process that plays stories and is killed (SIGKILL) at a commit that it is told; see test_kill.py.

It reads one line of JSON for each life: {"url", "folder", "story", "kill_at"}.  `kill_at` counts the moments just before and just after each
commit, from 1; 0 lives on.  It answers with a line: {"killed": true}, or {"moments": …, "case": …}.  Each life is a fork of a
process that has imported everything: a life costs what it does, not what Python's start costs.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from pathlib import Path

import time_machine
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.concurrency import stories
from tests.hall import Hall


def live(life: dict[str, object], answers: int) -> None:
    """Play the story of one life in this process, and write the answer."""
    moments = itertools.count(1)
    passed = [0]

    def look(_session: Session) -> None:
        passed[0] = next(moments)
        if passed[0] == life["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("before_commit", "after_commit"):
        event.listen(Session, moment, look)
    folder = Path(str(life["folder"]))
    with time_machine.travel("2026-03-02T09:00:00+08:00", tick=False) as traveller:
        hall = Hall(str(life["url"]), folder, traveller)
        case = stories.play(hall, stories.STORIES[str(life["story"])], folder / "log.jsonl")
        hall.close()
    os.write(answers, json.dumps({"moments": passed[0], "case": case}).encode())


def main() -> None:
    """Give a life to each line."""
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the application logs is no answer
    for line in sys.stdin:
        answers, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(answers)
            live(json.loads(line), theirs)
            os._exit(0)
        os.close(theirs)
        with os.fdopen(answers) as pipe:
            answer = pipe.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        told.write((answer or json.dumps({"killed": killed, "status": status})) + "\n")
        told.flush()


if __name__ == "__main__":
    main()
