"""A process that plays stories and is killed (SIGKILL) at a commit that it is told; see test_kill.py.

It reads one line of JSON for each life: {"url", "folder", "story", "steps", "kill_at"}.  `kill_at` counts the moments just before and just
after each commit, from 1; 0 lives on.  It answers with a line: {"killed": true}, or {"moments": …, "case": …}.

A life that may not be disturbed ("fork": false) is lived by the process itself.  The others are forks of it, which find everything
imported, compiled and cached that the database did not lose: a life costs what it does, not what a start costs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import time_machine
from sqlalchemy.orm import Session

from tests import databases
from tests.concurrency import stories
from tests.hall import Hall
from tests.listening import at_commits


def live(url: str, folder: str, story: str, steps: int | None = None, kill_at: int = 0) -> str:
    """Play the first steps of a story in this process; gives the answer."""
    moments = 0

    def look(_session: Session) -> None:
        nonlocal moments
        moments += 1
        if moments == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    travelling = time_machine.travel("2026-03-02T09:00:00+08:00", tick=False)
    with at_commits(look, look), travelling as traveller:
        hall = Hall(url, Path(folder), traveller)
        case = stories.play(hall, stories.STORIES[story][:steps], Path(folder, "log.jsonl"))
        hall.close()
    return json.dumps({"moments": moments, "case": case})


def live_apart(life: dict[str, Any]) -> str:
    """Live in a process of one's own; gives the answer, or tells how it died."""
    answers, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(answers)
        os.write(theirs, live(**life).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(answers) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return answer or json.dumps({"killed": killed, "status": status})


def main() -> None:
    """Give a life to each line."""
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the application logs is no answer
    with databases.statements_shared():
        for line in sys.stdin:
            life = json.loads(line)
            told.write((live_apart(life) if life.pop("fork", True) else live(**life)) + "\n")
            told.flush()


if __name__ == "__main__":
    main()
