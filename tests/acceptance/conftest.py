"""A furnished hall for every test, on both kinds of database."""

import pytest
import time_machine

from tests.acceptance import crowd
from tests.hall import Hall

#: A Monday.
START = "2026-03-02T09:00:00+08:00"


@pytest.fixture
def hall(furnished_url, tmp_path, one_order_of_locks, compiled_once):
    with time_machine.travel(START, tick=False) as traveller:
        opened = Hall(furnished_url, tmp_path, traveller)
        yield opened
        opened.close()


@pytest.fixture
def clerk(hall):
    return hall["clerk"]


@pytest.fixture
def crowded(hall):
    """With so many cases that PostgreSQL knows which condition finds few rows."""
    crowd.gather(hall.database)
    return hall
