"""What several tests begin with is done twice, and copied from then on."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import time_machine

from tests import restaurant
from tests.engine.conftest import Copied
from tests.locks import Locks
from tests.stage import APPLICANT, MONDAY

#: Nobody else begins with them.
NAMED = APPLICANT | {"name": "只此一家"}


@pytest.fixture
def begin(store):
    """Begin as a test does: submit and accept; tells the case, how it stands, and what was locked."""

    def one(*, patched=False, record=False):
        locks = Locks()
        with ExitStack() as stack:
            traveller = stack.enter_context(time_machine.travel(MONDAY, tick=True))
            if record:
                stack.enter_context(locks.recorded())
            stage = Copied(store, traveller, stack, locks=locks, patched=patched)
            clerk = stage.person("clerk")
            case = clerk.submit("open_restaurant", answers=restaurant.ANSWERS, materials=restaurant.MATERIALS, applicant=NAMED)
            clerk.complete(case, "一窗受理", outcome="accept")
            told = [entry.what for entry in stage.journal(case)]
            return case.id, (stage.statuses(case), stage.tasks(case), told), sorted(row.table for c in locks.courses for row in c.taken)

    return one


def test_begin__as_another_test_has_begun(begin):
    (first, stands, _), *others = [begin() for _ in range(4)]

    assert {case for case, *_ in others} == {others[0][0]} != {first}
    assert [so for _, so, _ in others] == [stands] * 3


def test_begin__with_something_patched(begin):
    assert len({begin(patched=True)[0] for _ in range(3)}) == 3


def test_begin__its_locks_are_looked_at_each_time(begin):
    taken = [begin(record=True)[2] for _ in range(4)]

    assert taken[0] != []
    assert taken[1:] == taken[:1] * 3
