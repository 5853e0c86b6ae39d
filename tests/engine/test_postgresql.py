"""What only PostgreSQL is asked: how it is reached, and for which version a descendant is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, literal, select

from engine import connections, postgresql


class Server:
    """Answers the two questions that a version is read from."""

    def __init__(self, says: str, number: int) -> None:
        self.answers = {"select pg_catalog.version()": says, "SHOW server_version_num": number}

    def exec_driver_sql(self, question):
        self.answer = self.answers[question]
        return self

    def scalar(self):
        return self.answer

    scalar_one = scalar


@pytest.mark.parametrize(
    ("says", "number", "version"),
    [
        ("PostgreSQL 16.4 on x86_64-pc-linux-gnu, compiled by gcc", 160004, (16, 4)),
        ("PostgreSQL 18beta1 on x86_64-pc-linux-gnu", 180000, (18,)),
        ("PostgreSQL 9.2.4 (GaussDB Kernel 505.1.0 build 44f4fa53) compiled at 2023-09-19", 90204, (9, 2, 4)),
        ("(openGauss 5.0.0 build a07d57c3) compiled at 2023-03-29 03:37:13 commit 0 last mr", 90204, (9, 2, 4)),
        ("KingbaseES V008R006C007B0012 on x86_64-pc-linux-gnu, compiled by gcc", 120001, (12, 1)),
    ],
)
def test_version__of_postgresql_and_its_descendants(says, number, version):
    dialect = create_engine("postgresql+psycopg://nowhere/nothing").dialect

    assert dialect._get_server_version_info(Server(says, number)) == version


class Older:
    """Does not note by which version it sorts, and refuses to be asked for what it does not know."""

    def scalar(self, question):
        assert str(question).startswith("SELECT count(*) FROM pg_attribute JOIN pg_class ")
        return 0


def test_collations__a_server_that_does_not_note_them():
    """Also a descendant: a question that it refuses would keep every node from beginning."""
    assert postgresql.collations(Older()) is None


def test_words__what_the_url_says_counts():
    url = create_engine("postgresql+psycopg://nowhere/nothing?connect_timeout=1&application_name=hall").url

    words = connections.words(url, "onething 0023")

    assert "connect_timeout" not in words
    assert words["options"].startswith("-c lock_timeout=20000 -c idle_in_transaction_session_timeout=15000 -c statement_timeout=0 -c ")
    assert words["application_name"] == "onething 0023 hall"


@pytest.mark.parametrize(("version", "word"), [((9, 6, 24), ""), ((11, 22), ""), ((12, 22), "MATERIALIZED ")])
def test_by_itself__servers_do_not_know_the_word_that_do_so_anyway(version, word):
    dialect = postgresql.Dialect()
    dialect.server_version_info = version

    said = str(select(postgresql.by_itself(select(literal(1)).cte("alone"))).compile(dialect=dialect))

    assert " ".join(said.split()).startswith(f"WITH alone AS {word}(SELECT ")


def test_migrations__say_what_old_servers_know_too():
    """Since 11 a trigger may be told a function; before, it was a procedure, as it may be called still."""
    for path in (Path(postgresql.__file__).parent / "migrations/versions").glob("*.py"):
        assert "EXECUTE FUNCTION" not in path.read_text("utf-8"), path.name
