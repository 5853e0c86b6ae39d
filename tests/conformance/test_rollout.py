"""While a release is rolled out, nodes of the one before take up what those of this one have left, and the other way round."""

from __future__ import annotations

import itertools

import pytest

from tests import releases
from tests.conformance import elsewhere
from tests.conformance.test_cases import RUNS, named

BEFORE = "0028"


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """The release before."""
    with elsewhere.release(releases.unpack(BEFORE, tmp_path_factory.mktemp(BEFORE))) as step:
        yield step


def play(case, run, *nodes):
    """Play a run, each step by the next of the nodes; gives what each step told, as far as it came, and where it stands then."""
    told, standing = [], elsewhere.Standing(drawing=case.drawing)
    try:
        for step, node in zip([step for step in run if step.trace is not None], itertools.cycle(nodes), strict=False):
            standing = node(standing, step)
            told.append(standing.told)
    except AssertionError:  # nothing waits where the page goes on
        told.append("")
    return told, standing


@pytest.mark.parametrize(("case", "run"), named(RUNS))
def test_case__by_turns(case, run, before):
    """What each does right they do together, too; where the older one does otherwise, at least nothing stands still."""
    page = [step.trace for step in run if step.trace is not None]

    for nodes in ((before, elsewhere.step), (elsewhere.step, before)):
        told, standing = play(case, run, *nodes)
        assert told == page or play(case, run, before)[0] != page
        assert standing.ended or standing.waits
