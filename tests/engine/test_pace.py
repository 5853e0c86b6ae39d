"""Pace: a mass of what is due leaves people their turn, and is shared among hands."""

import threading

import pytest

from engine import deeds, scheduler
from engine import pace as pace_module
from engine.batches import Batch
from engine.database import BATCH, Database
from engine.pace import FEW, LONGEST, MASS, Pace
from engine.schema import NAME, SERVER
from tests import tiny


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when somebody works or rests; tells the rests."""

    class Clock:
        def __init__(self):
            self.now, self.rests = 0.0, []

        def work(self, seconds, done=1):
            self.now += seconds
            return done

        def sleep(self, seconds):
            self.rests.append(seconds)

    clock = Clock()
    monkeypatch.setattr(pace_module.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(pace_module.time, "sleep", clock.sleep)
    return clock


@pytest.mark.parametrize(("asked", "seconds", "rests"), [(False, 0.03, []), (True, 0.03, [0.03]), (True, 9.0, [LONGEST])])
def test_do__rests_while_somebody_waits(clock, asked, seconds, rests):
    assert Pace(asked=lambda: asked).do(lambda: clock.work(seconds, done=50)) == 50

    assert clock.rests == pytest.approx(rests)


@pytest.mark.parametrize(("due", "people", "gives_way"), [(MASS - 1, True, False), (MASS, False, False), (MASS, True, True)])
def test_before__a_mass_leaves_people_their_turn(clock, due, people, gives_way):
    """What can be done in time is done at once, whoever is there; of what cannot, little is done at a time, and rested after it."""
    pace = Pace(hands=2, people=lambda: people).before(due)

    pace.do(lambda: clock.work(0.03))

    assert (pace.hands, pace.together) == ((1, FEW) if gives_way else (2, 50))
    assert clock.rests == pytest.approx([0.03] if gives_way else [])


@pytest.mark.parametrize(
    ("hands", "count", "shares"),
    [(1, 200, [200]), (2, 200, [100, 100]), (3, 200, [67] * 3), (2, 99, [99]), (2, 0, [0]), (4, 120, [60, 60])],
)
def test_share__among_hands(hands, count, shares):
    """Each works at the same time as the others; nobody begins for less than is worth it."""
    together = threading.Barrier(len(shares), timeout=60)
    given = []

    def work(share):
        together.wait()
        given.append(share)
        return share

    assert Pace(hands=hands).share(work, count) == sum(shares)
    assert given == shares


def test_share__one_fails():
    def work(share):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Pace(hands=2).share(work, 100)


@pytest.mark.parametrize("name", [NAME, SERVER, f"{SERVER} hall"])
def test_are_people_served__by_another_process(database, name):
    """Servers are known by their name; SQLite does not tell."""
    assert not scheduler.are_people_served(database)
    other = Database(database.bind.url.render_as_string(hide_password=False), name=name)

    with other.reading():
        served = scheduler.are_people_served(database)

    other.close()
    assert served == (name != NAME and database.bind.dialect.name == "postgresql")


@pytest.mark.parametrize(("people", "counted"), [(True, [2, MASS]), (False, [2])])
def test_tick__counts_no_further_than_it_must(stage, clerk, monkeypatch, people, counted):
    """How many more there are than it does now matters when somebody is to be given way."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    for _ in range(3):
        clerk.submit("tiny")
    stage.move_to(2026, 3, 10)
    asked, count = [], Batch.count
    monkeypatch.setattr(Batch, "count", lambda batch, session, most, **said: asked.append(most) or count(batch, session, most, **said))

    scheduler.tick(stage.database, 2, pace=Pace(people=lambda: people))

    assert asked == counted


@pytest.mark.parametrize(("people", "most", "claims"), [(False, 9, [3]), (False, 2, [2, 1]), (True, 9, [1, 1, 1])])
def test_tick__behind(stage, clerk, monkeypatch, people, most, claims):
    """More in one transaction costs less, and nobody is there to wait for it; but never more than the database may."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    for _ in range(4):
        clerk.submit("tiny")
    stage.move_to(2026, 3, 10)
    monkeypatch.setitem(stage.database.info, BATCH, most)
    claimed, together = [], deeds.do_together
    monkeypatch.setattr(deeds, "do_together", lambda db, kind, limit, since: claimed.append(limit) or together(db, kind, limit, since))

    scheduler.tick(stage.database, 3, pace=Pace(together=1, many=4, people=lambda: people))

    assert claimed == claims
