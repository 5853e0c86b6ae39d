"""A furnished hall for every test, on both kinds of database."""

import pytest
import time_machine

from tests import sessions
from tests.acceptance import crowd
from tests.hall import Hall
from tests.stage import MONDAY, furnish


@pytest.fixture
def hall_url(store, request):
    """URL of a furnished database that no other test sees; with a crowd in it, where that is asked for: it takes long to gather, too."""
    source = store.branch(furnish)
    with (source.branch(crowd.fill) if "crowded" in request.fixturenames else source).fresh(warm=True) as url:
        yield url


@pytest.fixture
def hall(hall_url, tmp_path, one_order_of_locks, compiled_once):
    with time_machine.travel(MONDAY, tick=False) as traveller:
        opened = Hall(hall_url, tmp_path, traveller)
        yield opened
        sessions.park(opened.database)


@pytest.fixture
def clerk(hall):
    return hall["clerk"]


@pytest.fixture
def crowded(hall):
    """With so many cases that PostgreSQL knows which condition finds few rows."""
    return hall
