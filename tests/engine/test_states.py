"""Statuses: every one is in its transition table, in the database's checks, and on its page."""

from enum import StrEnum
from pathlib import Path

import pytest
from sqlalchemy import Enum

from engine import case_models, models, states, states_page
from engine.errors import InvalidState
from engine.states import ItemStatus


def enums():
    return [kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum]


@pytest.mark.parametrize("kind", enums())
def test_transitions__name_every_status(kind):
    assert set(states.TRANSITIONS[kind]) == set(kind)


@pytest.mark.parametrize("kind", enums())
def test_statuses__say_what_they_mean(kind):
    said = dict(states_page.meanings(kind))

    assert said.keys() == {status.value for status in kind}
    assert all(said.values())


def test_columns__check_the_values_of_their_enum():
    checked = {
        column.type.enum_class
        for table in models.Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Enum) and column.type.create_constraint
    }

    assert case_models.Item.__table__.c.status.type.enums == [status.value for status in ItemStatus]
    assert checked == set(enums())


def test_move__permitted():
    assert states.move(ItemStatus.SUBMITTED, ItemStatus.ACCEPTED, "item 1") is ItemStatus.ACCEPTED


def test_move__not_in_the_table():
    with pytest.raises(InvalidState, match="Expected to move item 1 to granted, but it is submitted"):
        states.move(ItemStatus.SUBMITTED, ItemStatus.GRANTED, "item 1")


def test_page__is_current():
    page = Path(__file__).parents[2] / "docs" / "states.md"

    assert page.read_text(encoding="utf-8") == states_page.render(), "run: python -m engine.states_page > docs/states.md"
