"""The migrations give what the models say, on both databases."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic import command
from sqlalchemy import inspect

from engine import database, models


@pytest.fixture
def bind(empty_database_url):
    bind = database.connect(empty_database_url)
    yield bind
    bind.dispose()


def test_migrate__from_empty_equals_the_models(bind):
    database.migrate(bind)

    with database.migrating(bind) as config:
        command.check(config)  # raises when a migration is missing
    assert set(models.Base.metadata.tables) == set(inspect(bind).get_table_names()) - {"alembic_version"}


def test_migrate__constraints_and_indexes_have_their_names(bind):
    """What has no name cannot be changed by a later migration."""
    database.migrate(bind)

    found = inspect(bind)
    for table in models.Base.metadata.tables:
        assert all(index["name"] for index in found.get_indexes(table))
        assert all(key["name"] for key in found.get_foreign_keys(table))
        assert all(rule["name"] for rule in found.get_check_constraints(table))


def test_migrate__again(bind):
    database.migrate(bind)

    database.migrate(bind)

    assert "cases" in inspect(bind).get_table_names()


def test_migrate__down_and_up(bind):
    database.migrate(bind)
    with database.migrating(bind) as config:
        command.downgrade(config, "base")
    assert set(inspect(bind).get_table_names()) == {"alembic_version"}

    database.migrate(bind)

    assert "cases" in inspect(bind).get_table_names()


def test_migrate__two_nodes_start_at_the_same_moment(empty_database_url, bind):
    """Both come up; who is second finds the schema there."""
    program = "import sys; from engine import database; database.migrate(database.connect(sys.argv[1]))"
    nodes = [subprocess.Popen([sys.executable, "-c", program, empty_database_url], stderr=subprocess.PIPE, text=True) for _ in range(2)]

    told = [node.communicate()[1] for node in nodes]

    assert [node.returncode for node in nodes] == [0, 0], told
    assert "cases" in inspect(bind).get_table_names()
