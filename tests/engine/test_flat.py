"""What a completion costs does not grow with what waits beside it (docs/benchmarks.md, *How cost grows*)."""

from __future__ import annotations

from functools import partial

import pytest

from engine.database import Database
from tests import effort
from tests.benchmarks import reference

#: More or fewer calls than that are no growth.
ABOUT = 25


def calls(database, *, done=0, dossier="", data=reference.DATA):
    """Calls of functions of the completion of a department; it is done in another case before, which fills what is cached for who does it."""
    made = []
    for _ in range(2):
        task = reference.standing(database, reference.begin(database, done=done, dossier=dossier))[f"department{done}"]
        made.append(effort.calls(partial(reference.complete, database, task, reference.officer(done), data)))
    return made[-1]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("live", [64, 0], ids=["hot", "cold"])
def test_complete__however_many_branches(database_url, live):
    """Whether they wait for people or, their work done, for each other."""
    database = Database(database_url, live=live)
    made = {}
    for branches, done in ((5, 1), (24, 1), (24, 20)):
        reference.deploy(database, branches)
        made[branches, done] = calls(database, done=done)
    database.close()

    assert max(made.values()) - min(made.values()) <= ABOUT, made
