"""What crosses a call: every case runs as its page says, with two instances or more, each loaded anew for every step."""

from __future__ import annotations

import pytest

from engine.database import Database
from tests.conformance import called, reading

CASES = reading.cases("called")
RUNS = [(case, run) for case in CASES for run in case.runs]

STATUSES = {"ends": "completed", "fails": "failed", "rests": "running"}


@pytest.fixture(scope="module")
def database():
    opened = Database("sqlite://")
    opened.migrate()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("case", "run"), [pytest.param(case, run, id=f"{case.name} {case.runs.index(run) or ''}".strip()) for case, run in RUNS]
)
def test_case__called(database, case, run):
    start, *steps, closing = run
    play = called.Play(database, case)

    told = [play.start(start), *(play.play(step) for step in steps)]

    assert told == [step.trace for step in (start, *steps)]
    stands, known = play.stands(), reading.known(closing)
    assert (str(stands.status), stands.error) == (STATUSES[closing.verb], known.get("by", known.get("despite")))
    assert "at" not in known or stands.end == known["at"]
    assert "with" not in closing.words or stands.variables == closing.variables
