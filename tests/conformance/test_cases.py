"""Every case runs as its page says: as it is, dumped and restored after every step, and in Operaton's namespace."""

from __future__ import annotations

import pytest

from tests.conformance import drawing, playing, reading

CASES = reading.cases()
RUNS = [(case, run) for case in CASES for run in case.runs]
IN_CAMUNDA = [(case, run) for case, run in RUNS if b" camunda:" in drawing.draw(case.drawing)]


def named(cases):
    return [pytest.param(case, run, id=f"{case.name} {case.runs.index(run) or ''}".strip()) for case, run in cases]


@pytest.mark.parametrize(("case", "run"), named(RUNS))
def test_case__hot(case, run):
    check(run, *playing.play(case, run))


@pytest.mark.parametrize(("case", "run"), named(RUNS))
def test_case__cold(case, run):
    check(run, *playing.play(case, run, cold=True))


@pytest.mark.parametrize(("case", "run"), named(IN_CAMUNDA))
def test_case__in_the_namespace_of_operaton(case, run):
    check(run, *playing.play(case, run, operaton=True))


def check(run, told, instance):
    """Compare each step with the page, then the end."""
    *steps, closing = run
    assert told == [step.trace for step in steps]
    assert instance.ended is (closing.verb != "rests")
    assert instance.ended or instance.waits()
    known = reading.known(closing)
    assert (instance.error, instance.failed) == (known.get("by", known.get("despite")), closing.verb == "fails")
    assert "at" not in known or instance.end == known["at"]
    if "with" in closing.words:
        assert instance.variables == closing.variables


def test_cases__are_many_and_have_names_of_their_own():
    names = [case.name for case in CASES]

    assert len(names) >= 250
    assert len(set(names)) == len(names)
    assert len({case.drawing for case in CASES}) >= 250
