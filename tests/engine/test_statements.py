"""The number of statements of each piece of work, so that it cannot grow silently.  (How long they take is the benchmark's business.)"""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.benchmarks import bundle
from tests.benchmarks.meter import measure

#: Kind of work → statements.  Each more is a round trip for every case: whoever raises a figure says why in the commit.
MOST = {
    "intake": 84,  # with the start of five items, each an instance of its own; the clocks start, and the tasks of the bundle show it
    "decision": 16,
    "resume": 14,  # the last one ends joint handling, and finds out that results can be issued
    "issuance": 21,  # the case ends, and with it the bundle's clock, which its tasks show
    "rating": 14,
}


@pytest.fixture
def counted(database):
    """What each piece of work of one bundle has cost; another one came first, and filled the caches."""
    bundle.deploy(database)
    for _kind, work in bundle.work(database, bundle.submit(database)):
        work()
    samples = defaultdict(list)
    for kind, work in bundle.work(database, bundle.submit(database)):
        samples[kind].append(measure(database.bind, work))
    return samples


def test_work__a_whole_bundle(counted):
    assert {kind: len(samples) for kind, samples in counted.items()} == {
        "intake": 1,
        "decision": 5,
        "resume": 5,
        "issuance": 1,
        "rating": 1,
    }
    for kind, samples in counted.items():
        for sample in samples:
            assert sample.commits == 1, kind
            assert len(sample.statements) <= MOST[kind], "\n".join([kind, *sample.statements])
    # It does not matter how many departments have decided before.
    assert len({len(sample.statements) for sample in counted["decision"]}) == 1
