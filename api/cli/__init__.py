"""The command line (`onething`): a group, and one module for each command."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

from engine import disks, logs, settings
from engine.errors import Busy, EngineError, Unavailable
from engine.settings import SettingsError

#: Module of each command, in the order of the help.
COMMANDS = {
    "serve": "serve",
    "work": "work",
    "migrate": "database",
    "add-admin": "accounts",
    "deploy": "diagrams",
    "new": "new",
    "lint": "lint",
    "diff": "diff",
    "migrate-cases": "migrate_cases",
    "publish-calendar": "calendar",
    "impact": "impact",
    "simulate": "simulate",
    "demo": "demo",
    "doctor": "doctor",
    "verify": "verify",
    "backup": "backup",
    "restore": "restore",
}


class Hindered(click.ClickException):
    """The database, or a disk, has kept a command from its work; a script sees by the exit status (EX_TEMPFAIL) that it may try again."""

    exit_code = 75


class Group(click.Group):
    """A group whose refusals are one line, not a traceback; a command is imported when it is asked for, so that lint needs no server."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        """Name the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = f"api.cli.{COMMANDS[cmd_name]}"
        if module not in sys.modules:
            _load(module)
        command: click.Command = getattr(sys.modules[module], cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what the engine or the settings refuse is an error of the person at the keyboard."""
        try:
            with disks.named():
                return super().invoke(ctx)
        except (EngineError, SettingsError) as error:
            kind = Hindered if isinstance(error, Busy | Unavailable) else click.ClickException
            raise kind(str(error)) from error


def _load(module: str) -> None:
    # What is imported stays: to look for garbage among it, again and again, takes a sixth of the time, and as long with each request.
    gc.disable()
    import_module(module)
    gc.freeze()
    gc.enable()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="onething")
def main() -> None:
    """Run bundled government matters (高效办成一件事).

    Settings are environment variables; `onething doctor` shows them.
    """
    logs.configure(settings.load().env)
