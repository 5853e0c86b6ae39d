"""A furnished hall for every test, on both kinds of database."""

import pytest
import time_machine

from tests.hall import Hall, furnish

#: A Monday.
START = "2026-03-02T09:00:00+08:00"


@pytest.fixture(scope="session")
def _furnished():
    """What is furnished already, by kind of database."""
    return {}


@pytest.fixture
def furnished_url(store, _furnished):
    """URL of a furnished database that no other test sees."""
    if type(store) not in _furnished:
        _furnished[type(store)] = store.branch(furnish)
    with _furnished[type(store)].fresh() as url:
        yield url


@pytest.fixture
def hall(furnished_url, tmp_path):
    with time_machine.travel(START, tick=False) as traveller:
        opened = Hall(furnished_url, tmp_path, traveller)
        yield opened
        opened.close()


@pytest.fixture
def clerk(hall):
    return hall["clerk"]
