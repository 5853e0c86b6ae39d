"""Lists are read by the same light that is shown."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations_with_replacement
from types import SimpleNamespace

from sqlalchemy import Date, literal, select

from engine import dials
from engine.clock import Light

TODAY = date(2026, 3, 4)
NEAR = [TODAY + timedelta(days=days) for days in (-1, 0, 1)]
#: Days from which a light is green, yellow and red, none before the other; the later ones may never come.
DAYS = {(*days[:known], *[None] * (3 - known)) for days in combinations_with_replacement(NEAR, 3) for known in (1, 2, 3)}


def test_showing__one_condition_of_one_light(database):
    """What is read for each condition by itself is put together as it is: what two of them held for would be listed twice."""
    assert len(DAYS) == 19
    with database.reading() as session:
        for days in DAYS:
            row = SimpleNamespace(**dict(zip(dials.LIGHTS, days, strict=True)))
            columns = SimpleNamespace(**{name: literal(day, Date) for name, day in vars(row).items()})
            held = {light: sum(map(bool, session.execute(select(*dials.showing(columns, light, TODAY))).one())) for light in Light}
            assert held == {light: light is dials.light(row, TODAY) for light in Light}, days
