"""`onething add-admin`: the account of an administrator, the first one above all."""

from __future__ import annotations

import sys

import click

from api.cli import installation
from engine import accounts, grants, settings
from engine.actors import OPERATOR, Role
from engine.errors import InvalidInput
from engine.passwords import Passwords


@click.command("add-admin")
@click.argument("name")
def add_admin(name: str) -> None:
    """Make the account NAME with the role admin, which makes all others over the API.

    Asks twice for its password; where there is no terminal, it is the first line of the standard input.
    """
    with installation.sound(settings.load()) as database:
        with database.reading() as session:
            accounts.require_new(session, name)  # before somebody thinks of a password
        password = _read_password()
        with database.transaction() as session:
            accounts.create(session, name, actor=OPERATOR, password=password, passwords=Passwords())
            grants.grant(session, name, Role.ADMIN, actor=OPERATOR)
    click.echo(f"{name}: made, an administrator.")


def _read_password() -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt="Once more"))
    line = sys.stdin.buffer.readline() if sys.stdin is not None else b""  # None: it is closed
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise InvalidInput("Expected the password in UTF-8, but the standard input has something else") from None
