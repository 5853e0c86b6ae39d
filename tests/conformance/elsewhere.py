"""Steps of runs that another release takes: a process of its own, which is told each as what it begins with, and answers with what came of it.

python -m tests.conformance.elsewhere      with the code of that release before this one in PYTHONPATH
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bpmn.errors import BpmnError
from bpmn.instance import Instance
from bpmn.waits import Context
from tests.bpmn.instances import NOW
from tests.conformance import playing

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a run stands, in words that each release knows."""

    drawing: tuple[str, ...]
    snapshot: bytes = b""
    variables: Any = None
    now: datetime = NOW
    #: What `playing.Trace` knows, and what it has told of the last step.
    known: Any = None
    told: str = ""
    ended: bool = False
    waits: bool = True


def step(standing, words):
    """Take a step of a run, the first or the next; gives where it stands then."""
    definition = playing.compiled(standing.drawing)
    context = Context(now=standing.now, decide=lambda decision, _: [{"name": decision}])
    if standing.snapshot:
        instance = Instance.load(definition, standing.snapshot, standing.variables, context)
        trace = playing.Trace(instance)
        trace.known = dict(standing.known)
        try:
            playing.STEPS[words.verb](instance, words)
        except BpmnError:
            return replace(standing, told="refused")
    else:
        known = dict(words.variables)
        instance = Instance.start(definition, known, context, at=known.pop("at", None))
        trace = playing.Trace(instance)
    return replace(
        standing,
        told=trace.look(instance),
        known=trace.known,
        snapshot=instance.snapshot(),
        variables=instance.variables,
        now=context.now,
        ended=instance.ended,
        waits=bool(instance.waits()),
    )


@contextmanager
def release(code):
    """Have a release take steps, whose code lies in a folder; gives what is called as `step` is, and raises what that raises."""
    words = [sys.executable, "-m", __name__]
    there = os.environ | {"PYTHONPATH": f"{code}{os.pathsep}{ROOT}"}
    with subprocess.Popen(words, env=there, cwd=code, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:

        def ask(standing, words):
            pickle.dump((standing, words), process.stdin)
            process.stdin.flush()
            answer = pickle.load(process.stdout)
            if isinstance(answer, Exception):
                raise answer
            return answer

        yield ask
        process.stdin.close()


def main():
    """Take steps until nobody asks for one."""
    while True:
        try:
            asked = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = step(*asked)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            answer = error
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
