"""Scans: every row once, however many are read in one go, and nothing is held meanwhile."""

import pytest
from sqlalchemy import select

from engine.models import Hall
from engine.verification import scans


@pytest.fixture
def halls(database):
    with database.transaction() as session:
        session.add_all(Hall(code=code, name=code, level="city") for code in "dbac")


@pytest.mark.parametrize("together", [1, 2, 3, 4, 5])
@pytest.mark.usefixtures("halls")
def test_rows__each_once_in_order(database, monkeypatch, together):
    monkeypatch.setattr(scans, "TOGETHER", together)

    assert [code for (code,) in scans.rows(database, select(Hall.code), Hall.code)] == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("halls")
def test_rows__others_write_meanwhile(database, monkeypatch):
    monkeypatch.setattr(scans, "TOGETHER", 2)
    found = scans.rows(database, select(Hall.code), Hall.code)

    first = next(found).code
    with database.transaction() as session:
        session.add(Hall(code="bb", name="bb", level="city"))

    assert [first, *(row.code for row in found)] == ["a", "b", "bb", "c", "d"]
