"""What a completion costs does not grow with what waits beside it (docs/benchmarks.md, *How cost grows*)."""

from __future__ import annotations

from functools import partial

import pytest

from engine.database import Database
from engine.models import Instance
from tests import effort
from tests.benchmarks import reference
from tests.listening import listening

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


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("live", [64, 0], ids=["hot", "cold"])
def test_complete__however_much_form_data(database_url, live):
    """Whether it is there already or comes with the completion: what must be done with all of it, no function of ours does piece by piece."""
    database = Database(database_url, live=live)
    reference.deploy(database)
    there, brought = [], []
    for words in (1_000, 50_000):
        large = "As described. " * words
        there.append(calls(database, dossier=large))
        brought.append(calls(database, data={"outcome": "granted", "opinion": large}))
    small = calls(database)
    database.close()

    assert abs(there[0] - there[1]) <= ABOUT, there
    assert abs(brought[0] - brought[1]) <= ABOUT, brought
    # What is large has a row of its own, and is read with a statement of its own where it is not in memory.
    assert max(brought) - small <= 4 * ABOUT, (small, brought)
    assert max(there) - small <= (2 if live else 12) * ABOUT, (small, there)


def sent(database, work):
    """Bytes that go to the database."""
    found = []

    def count(_connection, _cursor, _statement, parameters, _context, _many):
        rows = parameters if isinstance(parameters, list) else [parameters]
        values = [value for row in rows for value in (row.values() if isinstance(row, dict) else row)]
        found.extend(len(value) for value in values if isinstance(value, str | bytes))

    with listening(database.bind, before_cursor_execute=count):
        work()
    return sum(found)


def test_complete__what_is_sent(database):
    """What comes goes to the database twice: with its task, and as a variable; what is there already does not, whatever comes."""
    reference.deploy(database)
    large = "As described. " * 10_000
    case = reference.begin(database, done=0, dossier=large)
    task = partial(reference.standing, database, case)
    bringing = partial(reference.complete, database, task()["department1"], reference.officer(1), {"outcome": "granted", "opinion": large})
    assert sent(database, bringing) < 2 * len(large) + 10_000

    for number in (0, 2, 3, 4):
        reference.complete(database, task()[f"department{number}"], reference.officer(number), {"outcome": "granted", "opinion": large})
    assert sent(database, partial(reference.complete, database, task()["issue"], reference.CLERK, {})) < 10_000
    with database.reading() as session:
        row = session.get_one(Instance, case)
        assert row.variables == {"applicant": row.variables["applicant"], "dossier": large, "outcome": "granted", "opinion": large}
